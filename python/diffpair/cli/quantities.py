"""Options of commands that are quantities with units."""

from __future__ import annotations

from collections.abc import Callable

import click

Callback = Callable[[click.Context, click.Parameter, str | None], float | None]


def quantity(unit: str, example: str, positive: bool = True) -> Callback:
    """A click callback: the option's value, such as the example, in that unit; above 0, if `positive`.

    The callback raises DiffPairError that names the option.
    """

    def read(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        from diffpair.errors import DiffPairError
        from diffpair.targets.units import parse

        if value is None:
            return None
        option = f"--{str(parameter.name).replace('_', '-')}"
        try:
            number = parse(value, unit, example)
        except DiffPairError as error:
            raise DiffPairError(f"{option}: {error}") from None
        if positive and not number > 0:
            raise DiffPairError(f"{option} must be positive, not {value}")
        return number

    return read


length = quantity("nm", "0.9 nm", positive=False)
positive_length = quantity("nm", "0.9 nm")
positive_energy = quantity("kJ/mol", "0.996 kJ/mol")


def _unit(quantity: Callback) -> Callback:
    """The callback of a quantity, for options that may also be the name of a unit alone."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        named = value is not None and not any(digit.isdigit() for digit in value)
        return quantity(context, parameter, f"1 {value}" if named else value)

    return read


length_unit = _unit(positive_length)  # what one unit of length is, nm
energy_unit = _unit(positive_energy)  # what one unit of energy is, kJ/mol


def lennard_jones_units(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what the units are of which LAMMPS's style lj has one each."""
    of_energy = click.option(
        "--epsilon",
        metavar="QUANTITY",
        callback=positive_energy,
        help="One unit of energy of units lj, for example '0.996 kJ/mol'.",
    )
    of_length = click.option(
        "--sigma",
        metavar="QUANTITY",
        callback=positive_length,
        help="One unit of length of units lj, for example '0.34 nm'.",
    )
    return of_length(of_energy(command))
