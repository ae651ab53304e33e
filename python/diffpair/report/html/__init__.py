"""A fit as one HTML file: folder -> what is told of it -> figures -> page."""

from diffpair.report.html.compare import write_comparison
from diffpair.report.html.render import write_report

__all__ = ["write_comparison", "write_report"]
