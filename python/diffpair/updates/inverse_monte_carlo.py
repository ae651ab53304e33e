"""Inverse Monte Carlo: Newton's method with the fluctuations of the last sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.updates.base import GROWTH, UNDAMPED, Needs, StateView, Step
from diffpair.updates.core import sampled_coefficients
from diffpair.updates.gauss_newton import FIRST, largest_change, price_within
from diffpair.updates.iterative_boltzmann import deviation, move_tables
from diffpair.updates.observations import Memory
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.tikhonov import evidence_term

Array = NDArray[np.float64]


def fluctuations(state: StateView) -> Memory:
    """What a state has shown, without the theory that its memory may hold: a first step with that is too long."""
    return Memory(state.memory.observations)


@dataclass(frozen=True)
class Equations:
    """normal dc = side for the coefficients `free` of a table, [npairs * (knots + 2)]; k of them: [k, k], [k]."""

    free: NDArray[np.bool_]
    normal: Array
    side: Array

    def change(self, price: float) -> Array:
        """dc, [npairs * (knots + 2)], where squared changes cost so much more."""
        result = np.zeros(len(self.free))
        result[self.free] = np.linalg.solve(self.normal + price * np.eye(len(self.side)), self.side)
        return result


class InverseMonteCarlo:
    """Solves J dc = -damping (<g> - g_target) for the table's coefficients c, J = -beta cov(g, dU/dc).

    Lyubartsev and Laaksonen, Phys. Rev. E 52, 3730 (1995). There g and U live on the same bins, and the covariance is a
    square matrix that is inverted. Here g has bins and U has knots, so the equations, of all states and targets, are
    solved by least squares, each row in units of its standard error; for as many bins as knots this is the inverse.
    Only coefficients at distances that are sampled are moved. <g> is that of the last sampling alone, J the mean of the
    last ones (see Memory), and nothing is known of which potentials are likely. What makes it solvable is Tikhonov's
    term. The noise of <g> and of J chooses it (`evidence_term`), anew in every step; or it is `regularisation` times
    the largest eigenvalue of J^T J. Where a step would change U by more than `radius` kT where particles are, squared
    changes have a price on top.

    Args:
        damping: part of the residual that a step is to remove. regularisation: see above; None: the data choose.
        radius: the largest one, in kT.
    """

    needs: Needs = "jacobian"
    averages_late = False
    damping_and_smoothness = UNDAMPED

    def __init__(self, damping: float = 1.0, regularisation: float | None = None, radius: float = 2.0) -> None:
        self.damping, self.regularisation = damping, regularisation
        self.radius, self.largest_radius = FIRST * radius, radius

    def shrink(self, factor: float = 0.5) -> None:
        """After a step that made things worse."""
        self.radius *= factor

    def grow(self) -> None:
        """After a step that was good."""
        self.radius = min(GROWTH * self.radius, self.largest_radius)

    def step(self, space: ParameterSpace, states: list[StateView]) -> Step:
        """Correct the tables and move the potential's parameters to them."""
        tables = space.tables()
        equations = [self._equations(space, states, variant, table) for variant, table in enumerate(tables)]

        def changes(price: float) -> list[Array]:
            return [e.change(price / space.kT**2) for e in equations]

        moved = changes(0.0)
        if largest_change(states, moved) > self.radius:
            moved = changes(price_within(states, self.radius, changes))
            scale = min(1.0, self.radius / max(largest_change(states, moved), 1e-300))
            moved = [scale * change for change in moved]
        predicted = np.concatenate([fluctuations(s).jacobian() @ moved[s.variant] for s in states])
        wanted = [table + change for table, change in zip(tables, moved, strict=True)]
        moved_by = move_tables(space, states, wanted)
        return Step(moved_by, 0.0, deviation(states), float(np.abs(predicted).mean()))

    def _equations(self, space: ParameterSpace, states: list[StateView], variant: int, table: Array) -> Equations:
        """Those of one variant's table."""
        own = [s for s in states if s.variant == variant]
        free = space.learned & sampled_coefficients(np.sum([s.weights for s in own], axis=0), space.grid).ravel()
        rows, residual, doubt = [], [], []
        for state in own:
            memory = fluctuations(state)
            last, jacobian = memory.observations[-1], memory.jacobian()
            rows.append(jacobian[:, free] / last.sigma[:, None])
            doubt.append(np.sqrt(last.relative_variance) * memory.jacobian_noise()[:, free])
            # a table that is not the one that was sampled, after a failure
            residual.append((last.residual + jacobian @ (table - last.coefficients)) / last.sigma)
        matrix, wanted = np.concatenate(rows), -self.damping * np.concatenate(residual)
        if not (np.isfinite(matrix).all() and np.isfinite(wanted).all()):
            raise DiffPairError("the Jacobian of the fit is not finite")
        normal = matrix.T @ matrix
        if self.regularisation is None:
            normal += evidence_term(matrix, wanted, np.concatenate(doubt), space.kT**2)
        else:
            normal += self.regularisation * np.linalg.norm(normal, 2) * np.eye(len(normal))
        return Equations(free, normal, matrix.T @ wanted)

    def content(self) -> dict[str, Any]:
        return {"radius": self.radius}

    def restore(self, content: dict[str, Any]) -> None:
        self.radius = content["radius"]
