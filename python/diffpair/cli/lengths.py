"""Options of commands that are lengths, with their units."""

from __future__ import annotations

import click


def length(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A length such as '0.9 nm' in nm. Raises DiffPairError that names the option."""
    from diffpair.errors import DiffPairError
    from diffpair.targets.units import parse

    if value is None:
        return None
    try:
        return parse(value, "nm", "0.9 nm")
    except DiffPairError as error:
        raise DiffPairError(f"--{str(parameter.name).replace('_', '-')}: {error}") from None


def positive_length(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """As `length`, and above 0."""
    from diffpair.errors import DiffPairError

    number = length(context, parameter, value)
    if number is not None and not number > 0:
        raise DiffPairError(f"--{str(parameter.name).replace('_', '-')} must be positive, not {value}")
    return number


def length_unit(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """What one unit of length is, nm: a length, or the name of a unit alone."""
    from diffpair.errors import DiffPairError

    named = value is not None and not any(digit.isdigit() for digit in value)
    number = length(context, parameter, f"1 {value}" if named else value)
    if number is not None and not number > 0:
        raise DiffPairError(f"--length-unit must be positive, not {value}")
    return number
