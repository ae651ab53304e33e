"""Lengths and energies that the targets of a fit set, and the grid that follows from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.potentials import Scales, TableGrid
from diffpair.settings.potentials import Potential
from diffpair.states import State
from diffpair.tables import type_pairs
from diffpair.targets import RdfTarget
from diffpair.targets.sampled import contact_bin, neighbours_from

Array = NDArray[np.float64]
KNOT_SPACING = 0.035  # of a spline, in contact distances
_ROUNDING = 1e-9  # relative: a length that was given in another unit


def targets_by_pair(states: list[State]) -> list[list[tuple[State, RdfTarget]]]:
    """Per pair of types, in table order, the targets that fix it."""
    pairs = type_pairs(states[0].type_names)
    found: list[list[tuple[State, RdfTarget]]] = [[] for _ in pairs]
    for state in states:
        for target in state.rdfs:
            for index, pair in enumerate(pairs):
                if sorted(target.pair) == sorted(pair):
                    found[index].append((state, target))
    return found


def contact_distances(states: list[State], learned: Sequence[int] | None = None) -> Array:
    """Per pair of types, nm: where g first reaches 1 (or its maximum, if that is lower); the smallest of all states.

    A pair without a target, or one that is not learned, takes the mean of the others. Raises DiffPairError if there is
    no g(r) at all.

    Args:
        learned: rows of the pairs that are learned; all by default.
    """
    contacts = []
    for row, entries in enumerate(targets_by_pair(states)):
        if learned is not None and row not in learned:
            entries = []
        radii = [float(t.r[contact_bin(t.g)]) for _, t in entries]
        contacts.append(min(radii) if radii else np.nan)
    result = np.array(contacts)
    if np.isnan(result).all():
        raise DiffPairError("no state that is fitted has an rdf as a target")
    return np.asarray(np.where(np.isnan(result), np.nanmean(result), result))


def grid_in_systems(section: Potential, states: list[State]) -> TableGrid | None:
    """That of the `PairTableForce` which a user's System already holds; None where a fit may choose.

    Raises DiffPairError where it is not the potential's, or two Systems hold different ones.
    """
    found = {s.name: TableGrid(*s.simulation.given_grid) for s in states if s.simulation and s.simulation.given_grid}
    for name, grid in found.items():
        wanted = TableGrid(section.r_min or grid.r_min, section.cutoff, section.knots or grid.knots)
        for what, other in (
            ("the potential wants", wanted),
            *((f"state {k!r} has", other) for k, other in found.items()),
        ):
            if other.knots != grid.knots or not np.allclose(other[:2], grid[:2], rtol=_ROUNDING, atol=0):
                raise DiffPairError(
                    f"state {name!r}: the PairTableForce in its System has {_spelled(grid)}, but {what} "
                    f"{_spelled(other)}: remove the force, and the fit adds its own, or give all the same"
                )
    return next(iter(found.values()), None)


def _spelled(grid: TableGrid) -> str:
    return f"{grid.knots} knots from {grid.r_min:.6g} to {grid.cutoff:.6g} nm"


def choose_scales(states: list[State], section: Potential, contact: Array, given: TableGrid | None = None) -> Scales:
    """What the settings leave open; given: a grid that has to be used.

    r_min lies somewhat below the first distance at which any target has neighbours, so that sampling, and the hot melt
    before it, hardly ever meets the linear continuation; further below for forms that are interpolated, whose spline
    ends naturally, with U'' = 0, there.
    """
    length, r_min = float(contact.min()), given.r_min if given else section.r_min
    if r_min is None:
        first = []
        learned = section.learned_rows(states[0].type_names)
        for row, (entries, reach) in enumerate(zip(targets_by_pair(states), contact, strict=True)):
            for _, target in entries if learned is None or row in learned else []:
                begin = neighbours_from(target.r, target.g) - target.bin_width
                first.append(begin - 0.12 * reach)
        spline = section.form in ("bspline", "energy_entropy") and all(p.form == "bspline" for p in section.parts)
        r_min = max(min(first) * (1.0 if spline else 0.97), 0.3 * length)
    if r_min >= section.cutoff:
        raise DiffPairError(
            f"potential: the cutoff = {section.cutoff:g} nm lies below the first neighbours of the targets, near "
            f"{length:.4g} nm"
        )
    knots = (
        given.knots
        if given
        else section.knots or max(24, round((section.cutoff - r_min) / (KNOT_SPACING * length)) + 1)
    )
    return Scales(length, coldest(states), r_min, knots, float(np.mean([s.temperature for s in states])))


def coldest(states: list[State]) -> float:
    """The lowest kT in kJ/mol."""
    return BOLTZMANN * min(s.temperature for s in states)
