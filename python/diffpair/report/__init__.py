"""What a fit leaves for its reader: summary.json for machines, figures and a page for people. No torch.

Figures stand in `plots`, which imports matplotlib: a process that samples has no need of it.
"""

from diffpair.report.summary import summary_document, write_summary

__all__ = ["summary_document", "write_summary"]
