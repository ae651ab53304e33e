"""Bonded terms as the potential file holds them, see docs/reference/file-format.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffpair.bonded.harmonic import HarmonicTerm
from diffpair.bonded.tabulated import TabulatedTerm
from diffpair.bonded.term import BondedTerm
from diffpair.errors import DiffPairError

FORMS: dict[str, type[BondedTerm]] = {form.form: form for form in (TabulatedTerm, HarmonicTerm)}
NUMBERS = {"tabulated": ("low", "high", "wall", "values"), "harmonic": ("k", "x0")}
MOST_TERMS = 1000


def write_terms(terms: Sequence[BondedTerm]) -> list[dict[str, Any]]:
    """What the section `bonded` holds."""
    return [{"types": list(term.kind), "form": term.form, **term.numbers()} for term in terms]


def read_terms(section: Any, types: Sequence[str]) -> tuple[BondedTerm, ...]:
    """The terms of a section `bonded`. Raises DiffPairError naming the entry; the caller names the file."""
    if not isinstance(section, list) or len(section) > MOST_TERMS:
        raise DiffPairError(f'"bonded" must be a list of at most {MOST_TERMS} terms')
    terms = [_read(f"bonded[{index}]", entry, types) for index, entry in enumerate(section)]
    for index, term in enumerate(terms):
        if any(term.kind == other.kind for other in terms[:index]):
            raise DiffPairError(f'"bonded[{index}]" gives the {term.label} a second time')
    return tuple(terms)


def _read(key: str, entry: Any, types: Sequence[str]) -> BondedTerm:
    form = entry.get("form") if isinstance(entry, dict) else None
    if not isinstance(form, str) or form not in FORMS:
        raise DiffPairError(f'"{key}" must be an object with a "form", one of {", ".join(FORMS)}')
    numbers = NUMBERS[form]
    if set(entry) != {"types", "form", *numbers}:
        listed = ", ".join(f'"{name}"' for name in ("types", "form", *numbers))
        raise DiffPairError(f'"{key}" must hold {listed} and nothing else')
    kind = entry["types"]
    if not isinstance(kind, list) or not all(isinstance(name, str) and name in types for name in kind):
        raise DiffPairError(f'"{key}.types" must be names of the potential\'s types, {", ".join(types)}')
    for name in numbers:
        value = entry[name]
        each = value if name == "values" and isinstance(value, list) else [value]
        if not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e300 for v in each):
            raise DiffPairError(
                f'"{key}.{name}" must be {"a list of finite numbers" if name == "values" else "a number"}'
            )
    try:
        return FORMS[form].of_numbers(tuple(kind), entry)
    except DiffPairError as error:
        raise DiffPairError(f'"{key}": {error}') from None
