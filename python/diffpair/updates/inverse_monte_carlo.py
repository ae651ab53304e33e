"""Inverse Monte Carlo: Newton's method with the fluctuations of the last sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.updates.base import Needs, StateView, Step
from diffpair.updates.core import sampled_coefficients
from diffpair.updates.gauss_newton import largest_change
from diffpair.updates.iterative_boltzmann import deviation, move_tables
from diffpair.updates.parameter_space import ParameterSpace

Array = NDArray[np.float64]


class InverseMonteCarlo:
    """Solves J dc = -damping (<g> - g_target) for the table's coefficients c, J = -beta cov(g, dU/dc).

    Lyubartsev and Laaksonen, Phys. Rev. E 52, 3730 (1995). There g and U live on the same bins, and the covariance is a
    square matrix that is inverted. Here g has bins and U has knots, so the equations, of all states and targets, are
    solved by least squares, each row in units of its standard error; for as many bins as knots this is the inverse.
    Only coefficients at distances that are sampled are moved. Residual and J are those of the last sampling alone:
    nothing is averaged over iterations, and nothing is known of which steps are likely. What makes it solvable:
    Tikhonov's term, `regularisation` times the largest eigenvalue of J^T J. A step is scaled down as a whole until U
    changes by `radius` kT at most where particles are.

    Args:
        damping: part of the residual that a step is to remove. regularisation: see above. radius: in kT.
    """

    needs: Needs = "jacobian"
    averages_late = False

    def __init__(self, damping: float = 1.0, regularisation: float = 1e-2, radius: float = 2.0) -> None:
        self.damping, self.regularisation = damping, regularisation
        self.radius = self.largest_radius = radius

    def shrink(self, factor: float = 0.5) -> None:
        """After a step that made things worse."""
        self.radius *= factor

    def grow(self) -> None:
        """After a step that was good."""
        self.radius = min(1.5 * self.radius, self.largest_radius)

    def step(self, space: ParameterSpace, states: list[StateView]) -> Step:
        """Correct the tables and move the potential's parameters to them."""
        tables = space.tables()
        moved = [self._change(space, states, variant, table) for variant, table in enumerate(tables)]
        size = largest_change(states, moved)
        if size > self.radius:
            moved = [self.radius / size * change for change in moved]
        predicted = np.concatenate([s.memory.observations[-1].jacobian @ moved[s.variant] for s in states])
        wanted = [table + change for table, change in zip(tables, moved, strict=True)]
        moved_by = move_tables(space, states, wanted)
        return Step(moved_by, 0.0, deviation(states), float(np.abs(predicted).mean()))

    def _change(self, space: ParameterSpace, states: list[StateView], variant: int, table: Array) -> Array:
        """dc of one variant's table, [npairs * (knots + 2)]."""
        own = [s for s in states if s.variant == variant]
        free = space.learned & sampled_coefficients(np.sum([s.weights for s in own], axis=0), space.grid).ravel()
        rows, residual = [], []
        for state in own:
            last = state.memory.observations[-1]
            rows.append(last.jacobian[:, free] / last.sigma[:, None])
            # a table that is not the one that was sampled, after a failure
            residual.append((last.residual + last.jacobian @ (table - last.coefficients)) / last.sigma)
        jacobian, wanted = np.concatenate(rows), -self.damping * np.concatenate(residual)
        if not (np.isfinite(jacobian).all() and np.isfinite(wanted).all()):
            raise DiffPairError("the Jacobian of the fit is not finite")
        normal = jacobian.T @ jacobian
        normal += self.regularisation * np.linalg.norm(normal, 2) * np.eye(len(normal))
        change = np.zeros(len(table))
        change[free] = np.linalg.solve(normal, jacobian.T @ wanted)
        return change

    def content(self) -> dict[str, Any]:
        return {"radius": self.radius}

    def restore(self, content: dict[str, Any]) -> None:
        self.radius = content["radius"]
