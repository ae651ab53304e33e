"""Tabulated pair potentials and their file. Needs numpy only: neither torch nor OpenMM."""

from diffpair.tables.document import FORMAT, VERSION, read_document
from diffpair.tables.pair_table import PairTable

__all__ = ["FORMAT", "VERSION", "PairTable", "read_document"]
