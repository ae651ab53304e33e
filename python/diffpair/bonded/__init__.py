"""Bonded terms: what a potential gives bonds, angles and dihedrals beside the pairs. Needs no torch."""

from diffpair.bonded.document import read_terms, write_terms
from diffpair.bonded.forces import add_links, add_terms, check_terms, write_live
from diffpair.bonded.harmonic import HarmonicTerm
from diffpair.bonded.tabulated import TabulatedTerm
from diffpair.bonded.term import BondedTerm, force_name

__all__ = [
    "BondedTerm",
    "HarmonicTerm",
    "TabulatedTerm",
    "add_links",
    "add_terms",
    "check_terms",
    "force_name",
    "read_terms",
    "write_live",
    "write_terms",
]
