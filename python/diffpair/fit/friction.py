"""The Langevin friction, learned from velocity autocorrelations by the adjoint.

g(r) does not depend on the friction, so the table is left to g(r), and the friction to what is left of the VACF's
residual once the table moves to its place: Gauss-Newton in ln(friction) beside the update of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.engines import Frames
from diffpair.engines.vacf import sample_vacf
from diffpair.fit.fit_state import FitState
from diffpair.gradients.friction_response import MODES, friction_response

Array = NDArray[np.float64]
ERROR_FLOOR = 0.001  # of C(t) / C(0): what is below it does not matter
LARGEST = 1.0  # step in ln(friction)
SETTLED = 0.05  # a step in ln(friction) that no longer matters
KNOWN = 0.03  # standard error of ln(friction) that is small enough
NONLINEARITY = 0.3  # error of a linear prediction, as a part of the predicted change
KEPT = 20
LONGER = 3  # times the steps of a sampling: its VACF is cheap beside the response


@dataclass(frozen=True)
class FrictionObservation:
    """ln(friction) of an iteration; residual of C(t) / C(0), its standard error and its response, [rows] each."""

    log_friction: float
    residual: Array
    sigma: Array
    response: Array


class FrictionFit:
    """Learns one friction for all states that have a VACF as a target, and has them sampled with it.

    Args:
        friction: to start with, 1/ps. states: those that are fitted. timestep: ps. segments: of the response. seed: of
        their noise.
    """

    def __init__(self, friction: float, states: list[FitState], timestep: float, segments: int, seed: int) -> None:
        self.log_friction, self.states = float(np.log(friction)), states
        self.timestep, self.segments, self.seed = timestep, segments, seed
        self.observations: list[FrictionObservation] = []
        self.gradients = 0  # backward passes through all segments of a state
        self.settled = False  # the last step was short, and the friction's error is small
        self._set()

    @property
    def friction(self) -> float:
        """1/ps."""
        return float(np.exp(self.log_friction))

    @property
    def error(self) -> float:
        """Standard error of ln(friction) that the noise of the VACF gives."""
        _, curvature = self._normal_equation(self.log_friction)
        return float(curvature**-0.5) if curvature > 0 else float("inf")

    def measure(self, frames: dict[str, Frames], draw: int, off: float = 0.0) -> FrictionObservation:
        """VACF of the states, sampled from where they are, and its response from segments; `draw` as in
        DiscreteAdjoint. Frames by the state's name. Raises Exploded.

        off: mean |g - target| beyond noise. A table that is not yet in place makes C(t) / C(0) wrong by about as much,
        so it counts as an error of every lag.
        """
        residual, sigma, response = [], [], []
        for state in self.states:
            for target in state.state.vacfs:
                stride, lags = target.stride(self.timestep), len(target.t)
                value, error = sample_vacf(state.sampler, lags, stride, LONGER * state.sampling.steps)
                coefficients = torch.from_numpy(state.sampler.table.coefficients.copy())
                batches = friction_response(
                    state.rows, coefficients, state.grid, frames[state.state.name], self.friction, lags=lags,
                    stride=stride, timestep=self.timestep, segments=self.segments, seed=self.seed + 7919 * draw,
                    dtype=torch.float32,
                )  # fmt: skip
                self.gradients += MODES
                known = 0.0 if target.error is None else target.error
                residual.append(value - target.c)
                sigma.append(np.sqrt(error**2 + known**2 + ERROR_FLOOR**2 + off**2))
                response.append(batches.mean(0))
        return FrictionObservation(self.log_friction, *map(np.concatenate, (residual, sigma, response)))

    def step(self, observation: FrictionObservation) -> float:
        """Take up an observation and move; returns the largest residual |C - target| / C(0) in it."""
        self.observations = [*self.observations[-(KEPT - 1) :], observation]
        now = self.log_friction
        for _ in range(5):  # weights depend on where it goes
            slope, curvature = self._normal_equation(now)
            now -= slope / curvature if curvature > 0 else 0.0
        step = float(np.clip(now - self.log_friction, -LARGEST, LARGEST))
        self.log_friction += step
        self.settled = abs(step) < SETTLED and self.error < KNOWN
        self._set()
        return float(np.abs(observation.residual).max())

    def _normal_equation(self, at: float) -> tuple[float, float]:
        """h . W r and h . W h at ln(friction), all observations together; neighbouring lags share their noise, so the
        residuals of a VACF count as if only every tenth lag were there."""
        slope = curvature = 0.0
        for o in self.observations:
            change = o.response * (at - o.log_friction)
            weight = 0.1 / (o.sigma**2 + (NONLINEARITY * change) ** 2)
            slope += float(o.response @ (weight * (o.residual + change)))
            curvature += float(o.response @ (weight * o.response))
        return slope, curvature

    def _set(self) -> None:
        for state in self.states:
            state.sampler.set_friction(self.friction)

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as tensors and plain values."""
        kept = [
            {"log_friction": o.log_friction}
            | {k: torch.from_numpy(getattr(o, k).copy()) for k in ("residual", "sigma", "response")}
            for o in self.observations
        ]
        numbers = {"log_friction": self.log_friction, "gradients": self.gradients, "settled": self.settled}
        return {**numbers, "observations": kept}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        self.log_friction, self.gradients = content["log_friction"], content["gradients"]
        self.settled = content["settled"]
        self.observations = [
            FrictionObservation(o["log_friction"], *(o[k].numpy() for k in ("residual", "sigma", "response")))
            for o in content["observations"]
        ]
        self._set()
