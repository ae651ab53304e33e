"""What the fit has seen: residuals and Jacobians of earlier iterations, used again for as long as they hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
KEPT = 8  # observations per state
JACOBIAN_DECAY = 0.7  # weight of a Jacobian, per iteration that it is old
NONLINEARITY = 0.3  # error of a linear prediction, as a part of the predicted change


@dataclass(frozen=True)
class Observation:
    """One state at one iteration.

    coefficients: table that was sampled, flat [npairs * (knots + 2)]. residual: <g> - target, [rows]. sigma: its
    standard error, [rows]. jacobian: d<g>/dc, [rows, npairs * (knots + 2)]. doubt: [m, npairs * (knots + 2)], such
    that |doubt dc|^2 is the variance of J dc, in units of sigma^2 and summed over the rows, that comes from J's own
    noise.
    """

    coefficients: Array
    residual: Array
    sigma: Array
    jacobian: Array
    doubt: Array


@dataclass
class Memory:
    """The observations of one state, newest last."""

    observations: list[Observation] = field(default_factory=list)

    def add(self, observation: Observation) -> None:
        self.observations = [*self.observations[-(KEPT - 1) :], observation]

    def _weights(self) -> Array:
        weights = JACOBIAN_DECAY ** np.arange(len(self.observations) - 1.0, -1.0, -1.0)
        return np.asarray(weights / weights.sum())

    def jacobian(self) -> Array:
        """Average Jacobian; that of one iteration has the noise of its few hundred frames."""
        return np.asarray(sum(w * o.jacobian for w, o in zip(self._weights(), self.observations, strict=True)))

    def doubt(self) -> Array:
        """The noise of the average Jacobian, as Observation.doubt, in as few rows as matter."""
        width = self.observations[-1].doubt.shape[1]
        total = np.zeros((width, width))
        for w, o in zip(self._weights(), self.observations, strict=True):
            total += w**2 * o.doubt.T @ o.doubt
        values, vectors = np.linalg.eigh(total)
        keep = values > 1e-5 * values[-1]
        return np.asarray(np.sqrt(values[keep, None]) * vectors[:, keep].T)

    def pooled(self, coefficients: Array) -> tuple[Array, Array, Array]:
        """Residual, its standard error and the Jacobian at a table [npairs * (knots + 2)], from all observations.

        Each observation predicts the residual there, r + J (c - c'); its error is that of its own sampling plus a part
        of the predicted change. The weighted mean makes late iterates average out each other's noise.
        """
        jacobian = self.jacobian()
        total, weight = np.zeros(len(jacobian)), np.zeros(len(jacobian))
        for o in self.observations:
            change = jacobian @ (coefficients - o.coefficients)
            w = 1.0 / (o.sigma**2 + (NONLINEARITY * change) ** 2)
            total += w * (o.residual + change)
            weight += w
        return total / weight, weight**-0.5, jacobian
