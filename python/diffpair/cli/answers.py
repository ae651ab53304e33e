"""What `diffpair init` is told: words of the command line, and answers on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

Pair = tuple[str, str]


class Questions:
    """Asks on a terminal; elsewhere it notes which options are missing.

    example: a command that has them all.
    """

    def __init__(self, example: str) -> None:
        self._asks = sys.stdin.isatty()
        self._example, self._missing = example, list[str]()

    def __call__(self, what: str, option: str, check: Callable[[str], object]) -> str:
        """The answer, once `check` takes it; elsewhere nothing. check: raises DiffPairError."""
        if self._asks:
            return str(click.prompt(what, value_proc=lambda text: _checked(text.strip(), check), err=True))
        if option not in self._missing:
            self._missing.append(option)
        return ""

    def done(self) -> None:
        """Raises DiffPairError that names what is missing."""
        from diffpair.errors import DiffPairError

        if self._missing:
            *first, last = self._missing
            words = f"{', '.join(first)} and {last} are" if first else f"{last} is"
            raise DiffPairError(f"{words} missing; for example: {self._example}")


def _checked(text: str, check: Callable[[str], object]) -> str:
    from diffpair.errors import DiffPairError

    try:
        check(text)
    except DiffPairError as error:
        raise click.UsageError(str(error)) from None
    return text


def quantity_in(unit: str, example: str) -> Callable[[str], float]:
    """A check for a positive quantity in that unit, see `parse`."""

    def check(text: str) -> float:
        from diffpair.errors import DiffPairError
        from diffpair.targets.units import parse

        value = parse(text, unit, example)
        if not value > 0:
            raise DiffPairError(f"must be positive, not {text}")
        return value

    return check


def density_in(text: str) -> object:
    """A check for a density, see `parse_density`."""
    from diffpair.targets.units import parse_density

    return parse_density(text)


def named(text: str, option: str, example: str) -> tuple[str, str]:
    """NAME=VALUE. Raises DiffPairError that names the option."""
    from diffpair.errors import DiffPairError

    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise DiffPairError(f"{option}: {text!r} should be like {example}")
    return name, value


def pairs_of(texts: Sequence[str], one_type: Callable[[], str]) -> dict[Pair, Path]:
    """Files by pair of types, from FILE or A-B=FILE. one_type: finds that of a FILE alone. Raises DiffPairError."""
    from diffpair.errors import DiffPairError

    found: dict[Pair, Path] = {}
    for text in texts:
        if "=" not in text or Path(text).exists():
            pair, file = (one_type(),) * 2, text
        else:
            name, file = named(text, "FILE", "Na-Cl=na-cl.csv")
            types = name.split("-")
            if len(types) != 2 or not all(types):
                raise DiffPairError(f"{text!r} should name two types and a file, as in Na-Cl=na-cl.csv")
            pair = (types[0], types[1])
        if set(pair) in [set(other) for other in found]:
            raise DiffPairError(f"{'-'.join(pair)} has two files; a mixture needs them as in Na-Na=a.csv Na-Cl=b.csv")
        found[pair] = Path(file)
    return found


def parts_of(text: str, names: Sequence[str]) -> dict[str, float]:
    """Mole fractions of these types, from parts such as Na=1,Cl=1. Raises DiffPairError."""
    from diffpair.errors import DiffPairError

    parts = dict(named(part, "--composition", "Na=1,Cl=1") for part in text.split(","))
    try:
        numbers = {name: float(part) for name, part in parts.items()}
    except ValueError:
        raise DiffPairError(f"--composition: {text!r} should be numbers, as in Na=1,Cl=1") from None
    if set(numbers) != set(names):
        raise DiffPairError(f"--composition: names {', '.join(numbers)}, but the types are {', '.join(names)}")
    total = sum(numbers.values())
    if not (total < float("inf") and all(number > 0 for number in numbers.values())):
        raise DiffPairError(f"--composition: the parts in {text!r} must be positive")
    return {name: round(numbers[name] / total, 9) for name in names}


def masses_of(texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Masses as they were given, by type: TYPE=QUANTITY, or QUANTITY for all. Raises DiffPairError."""
    from diffpair.errors import DiffPairError

    check, found = quantity_in("amu", "18.015 amu"), dict[str, str]()
    for text in texts:
        given = dict([named(text, "--mass", "Na=22.99 amu")]) if "=" in text else dict.fromkeys(names, text.strip())
        for name, mass in given.items():
            if name not in names:
                raise DiffPairError(f"--mass: {name!r} is no type; the types are {', '.join(names)}")
            try:
                check(mass)
            except DiffPairError as error:
                raise DiffPairError(f"--mass: {error}") from None
        found |= given
    return found
