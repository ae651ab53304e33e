"""Iterative Boltzmann inversion, of one state or of several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.targets.sampled import LEAST, invertible
from diffpair.updates.base import GROWTH, UNDAMPED, Needs, RdfView, StateView, Step
from diffpair.updates.basis import fade, fine_grid, fit_spline
from diffpair.updates.gauss_newton import largest_change, regularise
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.pull_back import pull_back

Array = NDArray[np.float64]
END = 0.1  # the last part of the range over which the correction goes to zero: without a kink


class IterativeBoltzmann:
    """dU(r) = damping kT ln[g(r) / g_target(r)] for each pair of types, from the g(r) of the last sampling alone.

    Reith, Puetz and Mueller-Plathe, J. Comput. Chem. 24, 1624 (2003). With several states it is multistate iterative
    Boltzmann inversion (Moore, Iacovella and McCabe, J. Chem. Phys. 140, 224104 (2014)): the mean over the states of
    damping (1 - r / cutoff) kT_s ln(g_s / g_target,s).

    Where the target is nearly zero, the correction of the first known bin is taken, and the core is then continued
    as in the other updates. There is no correction beyond a target's range, and a pair of types without a target keeps
    its potential. A form that is not a spline is moved until its table is nearest to the corrected one.

    Args:
        damping: factor of every correction, 1 or less. smoothing: how often the correction is averaged over
            neighbouring bins with the weights 1/4, 1/2, 1/4.
    """

    needs: Needs = "residual"
    averages_late = False
    damping_and_smoothness = UNDAMPED

    def __init__(self, damping: float = 1.0, smoothing: int = 0) -> None:
        self.damping, self.smoothing = damping, smoothing
        self.factor = damping

    def shrink(self, factor: float = 0.5) -> None:
        """After a step that made things worse."""
        self.factor *= factor

    def grow(self) -> None:
        """After a step that was good: back toward the damping that was asked for."""
        self.factor = min(GROWTH * self.factor, self.damping)

    def step(self, space: ParameterSpace, states: list[StateView]) -> Step:
        """Correct the tables and move the potential's parameters to them."""
        grid, r = space.grid, fine_grid(space.grid)
        tables = space.tables()
        wanted = []
        for variant, table in enumerate(tables):
            rows = table.reshape(space.potential.all_pairs, -1).copy()
            for pair, row in enumerate(rows):
                parts = [
                    self._correction(state, rdf, r, grid.cutoff, len(states) > 1)
                    for state in states
                    for rdf in state.rdfs
                    if state.variant == variant and rdf.pair == pair
                ]
                if parts:
                    row += fit_spline(grid, r, np.mean(parts, axis=0), space.kT)
            wanted.append(rows.ravel())
        size = move_tables(space, states, wanted)
        return Step(size, 0.0, deviation(states), float("nan"))

    def _correction(self, state: StateView, rdf: RdfView, r: Array, cutoff: float, several: bool) -> Array:
        """dU at distances r [n] in kJ/mol."""
        g = rdf.target + state.memory.observations[-1].residual[rdf.where]
        known = rdf.target > invertible(rdf.target)
        known[: np.argmax(known)] = False
        logarithm = np.log(np.maximum(g[known], LEAST) / rdf.target[known])
        for _ in range(self.smoothing):
            padded = np.pad(logarithm, 1, mode="edge")
            logarithm = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
        change = self.factor * state.kT * np.interp(r, rdf.r[known], logarithm)
        end = min(cutoff, float(rdf.r[-1]))
        taper = np.where(r < end, fade(r, end, END), 0.0)
        return np.asarray(change * taper * ((1 - r / cutoff) if several else 1.0))

    def content(self) -> dict[str, Any]:
        return {"factor": self.factor}

    def restore(self, content: dict[str, Any]) -> None:
        self.factor = content["factor"]


def move_tables(space: ParameterSpace, states: list[StateView], wanted: list[Array]) -> float:
    """Bring the potential nearest to the wanted tables; the largest change of U / kT at a visited distance.

    A form of few parameters has a core of its own, and would bend to a continued one.
    """
    tables = space.tables()
    pull_back(space, wanted if space.few else regularise(space, states, wanted))
    return largest_change(states, [now - before for now, before in zip(space.tables(), tables, strict=True)])


def deviation(states: list[StateView]) -> float:
    """The last residual in standard errors, root mean square over all rows."""
    last = [s.memory.observations[-1] for s in states]
    return float(np.sqrt(np.mean(np.concatenate([o.residual / o.sigma for o in last]) ** 2)))
