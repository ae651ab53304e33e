"""The unit styles of LAMMPS, and other units of length and energy, in nm and kJ/mol."""

from __future__ import annotations

from dataclasses import dataclass

from diffpair.errors import DiffPairError
from diffpair.targets.units import convert

_STYLES = {
    "real": ("angstrom", "kcal/mol"),
    "metal": ("angstrom", "eV"),
    "nano": ("nm", "attogram * nm^2 / ns^2"),
}
STYLES = (*_STYLES, "lj")


@dataclass(frozen=True)
class Units:
    """What one unit of length is in nm, and one unit of energy in kJ/mol. style: LAMMPS's name, or "" for others."""

    length: float
    energy: float
    style: str = ""

    @property
    def force(self) -> float:
        """One unit of force in kJ/mol/nm."""
        return self.energy / self.length


OWN = Units(1.0, 1.0)  # the potential file's


def units_of_style(style: str, sigma: float | None = None, epsilon: float | None = None) -> Units:
    """Units of a unit style of LAMMPS.

    Args:
        sigma, epsilon: what one unit is with style lj: nm and kJ/mol; with no other style.

    Raises DiffPairError for an unknown style, for lj without scales and for another style with any.
    """
    if style not in STYLES:
        raise DiffPairError(f"the unit style must be {', '.join(STYLES[:-1])} or lj, not {style!r}")
    if style == "lj":
        if sigma is None or epsilon is None:
            raise DiffPairError("units lj have no size of their own: give it by --sigma and --epsilon")
        return Units(sigma, epsilon, style)
    if sigma is not None or epsilon is not None:
        raise DiffPairError(f"--sigma and --epsilon are for units lj, not for units {style}")
    length, energy = _STYLES[style]
    return Units(1 / convert(1.0, "nm", length), convert(1.0, energy, "kJ/mol"), style)
