"""Names in the folder of a fit."""

from diffpair.model.folder import SUMMARY
from diffpair.tables.json_text import NAME as POTENTIAL

START, ITERATIONS, HISTORY, AUDIT = "start.json", "iterations", "history.json", "audit.json"
RESULTS, REPORT = "results.json", "report.html"

__all__ = ["AUDIT", "HISTORY", "ITERATIONS", "POTENTIAL", "REPORT", "RESULTS", "START", "SUMMARY"]
