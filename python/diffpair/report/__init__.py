"""What a fit leaves for its reader: summary.json for machines, a figure for people. No torch."""

from diffpair.report.plots import plot_fit
from diffpair.report.summary import summary_document, write_summary

__all__ = ["plot_fit", "summary_document", "write_summary"]
