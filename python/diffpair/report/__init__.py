"""What a fit leaves for its reader: summary.json for machines, a figure for people. No torch."""

from diffpair.report.plots import as_png, draw_fit, plot_fit
from diffpair.report.summary import summary_document, write_summary

__all__ = ["as_png", "draw_fit", "plot_fit", "summary_document", "write_summary"]
