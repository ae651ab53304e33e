"""A word as it stands in a file, where YAML reads something else."""

from __future__ import annotations


class Word(str):
    """Text that YAML 1.1 reads as something else, such as NO or 2026-01-01; it counts as written.

    ``meaning``: what YAML reads.
    """

    meaning: object

    def __new__(cls, text: str, meaning: object) -> Word:
        word = super().__new__(cls, text)
        word.meaning = meaning
        return word
