"""Tabulated pair potentials and their file. Needs numpy only: neither torch nor OpenMM."""

from diffpair.tables.document import FORMAT, VERSION, read_document
from diffpair.tables.pair_table import PairTable
from diffpair.tables.pairs import pair_row, type_pairs
from diffpair.tables.uncertainty import TableUncertainty, load_uncertainty

__all__ = [
    "FORMAT",
    "VERSION",
    "PairTable",
    "TableUncertainty",
    "load_uncertainty",
    "pair_row",
    "read_document",
    "type_pairs",
]
