"""The Langevin friction, learned from velocity autocorrelations by the adjoint.

g(r) does not depend on the friction, so the table is left to g(r), and the friction to what is left of the VACF's
residual: Gauss-Newton in ln(friction) beside the update of the table. The table changes the VACF, too: earlier
residuals are brought to the present table by its response, which the same backward passes give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import block_diag

from diffpair.engines import Frames
from diffpair.engines.fastest import platform_of
from diffpair.engines.vacf import sample_vacf
from diffpair.fit.iterate.live_state import LiveState
from diffpair.gradients.friction_response import MODES, friction_response
from diffpair.settings.gradient import BATCHES

Array = NDArray[np.float64]
ERROR_FLOOR = 0.001  # of C(t) / C(0): what is below it does not matter
LARGEST = 1.0  # step in ln(friction), a factor of e: over more C(t) is far from linear in it
SETTLED = 0.05  # a step in ln(friction) that no longer matters: 5 %, about twice KNOWN
KNOWN = 0.03  # standard error of ln(friction) that is small enough: of a friction no more digits matter
NONLINEARITY = 0.3  # error of a linear prediction, as a part of the predicted change; as of g, see updates
KEPT = 20  # observations: earlier ones are of tables so far away that they weigh nothing
LONGER = 3  # times the steps of a sampling: its VACF is cheap beside the response


@dataclass(frozen=True)
class FrictionObservation:
    """ln(friction) of an iteration; residual of C(t) / C(0), its standard error and its response, [rows] each.

    correlation: of the errors of different lags, [rows, rows]; none if it is None. tables: that were sampled,
    [npairs * (knots + 2)] for each target. by_table: response of C(t) / C(0) to each, [lags, npairs * (knots + 2)].
    off: mean |g - target| beyond noise.
    """

    log_friction: float
    residual: Array
    sigma: Array
    response: Array
    tables: tuple[Array, ...] = ()
    by_table: tuple[Array, ...] = ()
    off: float = 0.0
    correlation: Array | None = None

    def repetition(self, sigma: Array) -> float:
        """How often the rows say the same about the friction, 1 where their errors sigma [rows] are independent.

        The weighted least squares of rows with a response h have the variance 1 / sum h^2 / sigma^2 times this factor.
        It grows as their number where lags become finer, so that a curve weighs the same however it is divided.
        """
        told = self.response / sigma
        size = float(told @ told)
        if self.correlation is None or size == 0:
            return 1.0
        return max(1.0, float(told @ self.correlation @ told) / size)


@dataclass(frozen=True)
class TableDoubt:
    """What is known of the true tables beside the fit's, per variant.

    away: where they are most likely to be, from there, [npairs * (knots + 2)]. factors: F of their covariance F F^T,
    [npairs * (knots + 2), m], in common columns.
    """

    away: list[Array]
    factors: list[Array]


class FrictionFit:
    """Learns one friction for all states that have a VACF as a target, and has them sampled with it.

    Args:
        friction: to start with, 1/ps. states: those that are fitted. timestep: ps. segments: of the response. seed: of
        their noise.
    """

    def __init__(self, friction: float, states: list[LiveState], timestep: float, segments: int, seed: int) -> None:
        self.log_friction, self.states = float(np.log(friction)), states
        self.timestep, self.segments, self.seed = timestep, segments, seed
        self.observations: list[FrictionObservation] = []
        self.gradients = 0  # backward passes through all segments of a state
        self.settled = False  # the last step was short, and the friction's error is small
        self._tables: tuple[Array, ...] = ()  # that observations are brought to, one for each target
        self._doubt: TableDoubt | None = None
        self._set()

    @property
    def starts(self) -> int:
        """Whole frames that the response's segments start from."""
        return max(BATCHES, self.segments)

    @property
    def friction(self) -> float:
        """1/ps."""
        return float(np.exp(self.log_friction))

    @property
    def error(self) -> float:
        """Standard error of ln(friction), from the noise of the VACF and what is not known of the table."""
        _, variance = self._solve(self.log_friction)
        return float(np.sqrt(variance))

    def measure(self, frames: dict[str, Frames], draw: int, off: float = 0.0) -> FrictionObservation:
        """VACF of the states, sampled from where they are, and its response from segments; `draw` as in
        DiscreteAdjoint. Frames by the state's name; off: mean |g - target| beyond noise. Raises Exploded."""
        residual, sigma, response, correlation = [], [], [], []
        tables, by_table = [], []
        for live in self.states:
            engine = live.engine(draw)
            before, seconds = engine.steps_done, engine.md_seconds
            for target in live.state.vacfs:
                stride, lags = target.stride(self.timestep), len(target.t)
                found = sample_vacf(engine, lags, stride, LONGER * live.sampling.steps)
                coefficients = torch.from_numpy(live.table.coefficients.copy())
                batches, of_table = friction_response(
                    live.rows, coefficients, live.grid, frames[live.state.name], self.friction, lags=lags,
                    stride=stride, timestep=self.timestep, segments=self.segments, seed=self.seed + 7919 * draw,
                    dtype=torch.float32, platform=platform_of(live.sampling.platform),
                )  # fmt: skip
                self.gradients += MODES
                known = 0.0 if target.error is None else target.error
                residual.append(found.value - target.c)
                sigma.append(np.sqrt(found.error**2 + known**2 + ERROR_FLOOR**2))
                correlation.append(found.correlation)
                response.append(batches.mean(0))
                tables.append(coefficients.numpy().ravel())
                by_table.append(of_table.mean(0))
            live.spent(engine.steps_done - before, engine.md_seconds - seconds)
        return FrictionObservation(
            self.log_friction, np.concatenate(residual), np.concatenate(sigma), np.concatenate(response),
            tuple(tables), tuple(by_table), off, block_diag(*correlation),
        )  # fmt: skip

    def step(self, observation: FrictionObservation, doubt: TableDoubt | None = None) -> float:
        """Take up an observation and move; returns the largest residual |C - target| / C(0) in it. doubt: of the
        tables that it was sampled with."""
        self.observations = [*self.observations[-(KEPT - 1) :], observation]
        self._tables, self._doubt = observation.tables, doubt
        step = self._move()
        self.settled = abs(step) < SETTLED and self.error < KNOWN
        return float(np.abs(observation.residual).max())

    def conclude(self, tables: list[Array], doubt: TableDoubt | None) -> None:
        """Move to the fit's last tables, flat and one for each variant."""
        if self.observations and self.observations[-1].tables:
            self._tables, self._doubt = tuple(tables[variant] for variant in self._variants()), doubt
            self._move()

    def _variants(self) -> list[int]:
        """Of each target's table."""
        return [live.variant for live in self.states for _ in live.state.vacfs]

    def _move(self) -> float:
        """One step, whose length in ln(friction) it returns."""
        now = self.log_friction
        for _ in range(5):  # weights depend on where it goes
            now += self._solve(now)[0]
        step = float(np.clip(now - self.log_friction, -LARGEST, LARGEST))
        self.log_friction += step
        self._set()
        return step

    def _solve(self, at: float) -> tuple[float, float]:
        """Change of ln(friction) and its variance, all observations together.

        Beside it the present tables are unknown by F x, x of variance 1: what the VACF says of x is not used for them,
        but what x may do to the VACF is not taken for the friction's doing. Neighbouring lags share their noise and
        what is wrong with the model: residuals weigh less by the factor `repetition`.
        """
        by_table, doubt = self._by_table(), self._doubt
        away: Array = np.zeros(1)
        unknown: Array = np.zeros((0, 0))
        if doubt is not None and by_table:
            variants = self._variants()
            away = np.concatenate([h @ doubt.away[v] for h, v in zip(by_table, variants, strict=True)])
            unknown = np.concatenate([h @ doubt.factors[v] for h, v in zip(by_table, variants, strict=True)])
        matrix = np.diag(np.append(0.0, np.ones(unknown.shape[1])))
        slope = np.zeros(len(matrix))
        for o in self.observations:
            change, weight = self._weighted(o, at, by_table)
            columns = np.column_stack([o.response, unknown]) if unknown.size else o.response[:, None]
            matrix += columns.T @ (weight[:, None] * columns)
            slope += columns.T @ (weight * (o.residual + change + away))
        if not self.observations or matrix[0, 0] <= 0:
            return 0.0, float("inf")
        inverse = np.linalg.inv(matrix)
        return -float(inverse[0] @ slope), float(inverse[0, 0])

    def _by_table(self) -> list[Array]:
        """Mean response to each target's table."""
        each = [o.by_table for o in self.observations if o.by_table]
        return [np.mean(found, axis=0) for found in zip(*each, strict=True)]

    def _weighted(self, o: FrictionObservation, at: float, by_table: list[Array]) -> tuple[Array, Array]:
        """What an observation's residual changes by at ln(friction) and the present tables; and its weight, [rows].

        A table that is not yet in place makes C(t) / C(0) wrong by about as much as g. That is an error of all
        observations, now that they are brought to one table; those from tables that were further off are less certain.
        """
        by_friction = o.response * (at - o.log_friction)
        by_tables = np.zeros_like(by_friction)
        if o.tables:
            moves = [now - then for now, then in zip(self._tables, o.tables, strict=True)]
            by_tables = np.concatenate([h @ move for h, move in zip(by_table, moves, strict=True)])
        linear = by_friction**2 + by_tables**2 + o.off**2
        variance = o.sigma**2 + NONLINEARITY**2 * linear + self.observations[-1].off ** 2
        return by_friction + by_tables, 1 / (variance * o.repetition(np.sqrt(variance)))

    def _set(self) -> None:
        for live in self.states:
            live.friction = self.friction

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as tensors and plain values."""
        kept = [
            {"log_friction": o.log_friction}
            | {k: _copied(getattr(o, k)) for k in ("residual", "sigma", "response")}
            | {k: [_copied(part) for part in getattr(o, k)] for k in ("tables", "by_table")}
            | {"off": o.off}
            | {"correlation": None if o.correlation is None else _copied(o.correlation)}
            for o in self.observations
        ]
        numbers = {"log_friction": self.log_friction, "gradients": self.gradients, "settled": self.settled}
        doubt = None
        if self._doubt is not None:
            doubt = {k: [_copied(part) for part in getattr(self._doubt, k)] for k in ("away", "factors")}
        return {**numbers, "observations": kept, "doubt": doubt}

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        self.log_friction, self.gradients = content["log_friction"], content["gradients"]
        self.settled = content["settled"]
        self.observations = [
            FrictionObservation(
                o["log_friction"],
                o["residual"].numpy(),
                o["sigma"].numpy(),
                o["response"].numpy(),
                tuple(part.numpy() for part in o["tables"]),
                tuple(part.numpy() for part in o["by_table"]),
                o["off"],
                None if o["correlation"] is None else o["correlation"].numpy(),
            )
            for o in content["observations"]
        ]
        self._tables = self.observations[-1].tables if self.observations else ()
        doubt = content["doubt"]
        if doubt is not None:
            self._doubt = TableDoubt(*([part.numpy() for part in doubt[k]] for k in ("away", "factors")))
        self._set()


def _copied(array: Array) -> torch.Tensor:
    """With the same order of axes in memory, on which the last bits of sums depend."""
    return torch.from_numpy(array.copy("K"))
