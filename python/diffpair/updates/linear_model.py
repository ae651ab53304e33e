"""The fit near the present potential: what the data say of U, linear and Gaussian, and what the prior says.

With c_f the present table, c_0 the start, J = dg/dc at c_f, and r_f = <g> - target the residual pooled over the
iterations, r_f + J (c - c_f) is 0 within noise of covariance C, and theta - theta_0 has the prior covariance a Sigma.
So y = r_f - J (c_f - c_0) is a sample of N(0, a J Sigma J^T + C); the most probable potential and its covariance are
(A. Tarantola, Inverse Problem Theory, SIAM 2005, eqs. 3.37 and 3.38)

    c = c_0 - K y,   K = a Sigma J^T (a J Sigma J^T + C)^-1,   Sigma_post = a Sigma - K J a Sigma.

The prior is centred at the start, not at the present potential: how often the fit has stepped does not matter then.

Two numbers are not known and chosen by the evidence of y (D. J. C. MacKay, Neural Comput. 4, 415 (1992)): the prior's
amplitude a, and t, the noise of targets that come without errors, taken for runs like those of the fit with t
times the variance of one of them. What tells t is the part of y that no smooth change of U makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cholesky, solve_triangular

from diffpair.engines.statistics import mean_absolute_noise
from diffpair.errors import DiffPairError
from diffpair.updates.base import StateView
from diffpair.updates.marginal import Marginal
from diffpair.updates.parameter_space import ParameterSpace, factor_times, row_space, times_factor
from diffpair.updates.rows import floor_of, logarithmic, target_noise

Array = NDArray[np.float64]
AMPLITUDES = 10.0 ** np.arange(-4.0, 2.1, 0.25)  # tried for a; above 100, 10 kT, the noise of a first J moves cores
TARGET_NOISE = np.array([0.0, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0])  # tried for t, none to that of one run
INFLATION, BELIEF = 2.0, 20  # of the noise that blocks show, and the weight of that guess: a few samplings outdo it
MOST_INFLATION = 3.0  # that counts against a step: early iterations scatter for other reasons, too
SIGNAL = 10.0  # variance that the prior expects of g along a direction, over that of noise: U does move g there
POSTERIOR_ROUNDS = 3  # of a fixed point that is nearly there at once
TENSION = 0.1  # of P / (rho kT): how far below 0 the fluid may hold together


@dataclass(frozen=True)
class Start:
    """Where a fit began: theta [P] and the table of each variant, flat [npairs * (knots + 2)]."""

    theta: Array
    tables: list[Array]

    @classmethod
    def of(cls, space: ParameterSpace) -> Start:
        return cls(space.get(), space.tables())


@dataclass(frozen=True)
class Whitened:
    """J L and y in units of the noise, [n, k] and [n], for the most probable a and t."""

    matrix: Array
    wanted: Array
    amplitude: float
    target_noise: float


class LinearModel:
    """Rows n are those of all states' residuals, columns k the directions of theta that change them.

    Args:
        damping: factor of the noise's variance. smoothness: 1 / a, where it is not to be chosen.

    Attributes:
        states: as given. scales: per state, the factor by which its rows count, see `logarithmic`, [rows].
    """

    def __init__(
        self,
        space: ParameterSpace,
        states: list[StateView],
        start: Start,
        damping: float = 1.0,
        smoothness: float | None = None,
    ) -> None:
        self.tables, self.jacobians = space.tables(), space.jacobians()
        self.states, self._blocks = states, space.factors(self.jacobians)
        self.theta_moved = space.get() - start.theta
        if space.few:
            self.moved = [j @ self.theta_moved for j in self.jacobians]
        else:
            self.moved = [now - before for now, before in zip(self.tables, start.tables, strict=True)]
        rows, wanted, residuals = [], [], []
        virials, pressures = [np.zeros((0, space.size))], []
        self._noise: list[tuple[Array, Array, Array]] = []
        self._in_tables: list[Array] = []
        self._pooled: list[Array] = []
        self.scales: list[Array] = []
        for state in states:
            moved, by_theta = self.moved[state.variant], self.jacobians[state.variant]
            residual, _, jacobian = state.memory.pooled(self.tables[state.variant])
            self._pooled.append(state.memory.noise(self.tables[state.variant])[0])
            residual, scale = logarithmic(state, residual)
            jacobian = scale[:, None] * jacobian
            noise = target_noise(state, self.tables[state.variant], damping)
            known, free, single = (scale[:, None] * c * scale for c in noise)
            self._noise.append((known, free, single))
            self._in_tables.append(jacobian)
            self.scales.append(scale)
            rows.append(jacobian @ by_theta)
            residuals.append(residual)
            wanted.append(residual - jacobian @ moved)
            if state.virial is not None:
                virials.append(state.virial[None] @ by_theta)
                pressures.append(1 + float(state.virial @ (self.tables[state.variant] - moved)))
        scaled, self._wanted = times_factor(np.concatenate(rows + virials), self._blocks), np.concatenate(wanted)
        if not (np.isfinite(scaled).all() and np.isfinite(self._wanted).all()):
            raise DiffPairError("the Jacobian of the fit is not finite")
        scaled, self._back = row_space(scaled)
        count = len(self._wanted)
        self._matrix = scaled[:count]
        self._virial, self._pressure = scaled[count:], np.array(pressures)  # P / (rho kT) = pressure + virial x
        self._by_prior = [times_factor(j, self._blocks) @ self._back.T for j in self.jacobians]
        self._weights = 1 / space.expected_change()
        self.residual = np.concatenate(residuals)
        self._amplitudes = AMPLITUDES if smoothness is None else np.array([1.0 / max(smoothness, 1e-8)])
        self.data = self._choose()

    def marginals(
        self, further: Array, inflation: float = 1.0, extra: list[float] | None = None
    ) -> Iterator[tuple[Marginal, Array, float]]:
        """For every t: the evidence for all a, the columns `further` [n, m] in units of the noise, and t.

        inflation: factor of C. extra: more noise, in runs, per state.
        """
        unknown = any(free.any() for _, free, _ in self._noise)
        columns = np.column_stack([self._matrix, self._wanted, further])
        width = self._matrix.shape[1]
        for noise in TARGET_NOISE if unknown else TARGET_NOISE[:1]:
            whitened, log_determinant = self._whiten(columns, float(noise), extra)
            whitened = whitened / np.sqrt(inflation)
            log_determinant += 0.5 * len(columns) * float(np.log(inflation))
            marginal = Marginal(whitened[:, :width], whitened[:, width], self._amplitudes, log_determinant)
            yield marginal, whitened[:, width + 1 :], float(noise)

    def _choose(self) -> Whitened:
        """By the evidence."""
        best, result = -np.inf, None
        for marginal, _, noise in self.marginals(np.zeros((len(self._wanted), 0))):
            k = int(np.argmax(marginal.log))
            if marginal.log[k] > best:
                best = float(marginal.log[k])
                result = Whitened(marginal.matrix, marginal.data, float(marginal.amplitudes[k]), noise)
        if result is None:
            raise DiffPairError("the residual of the fit is not finite")
        return result

    def _whiten(self, values: Array, noise: float, extra: list[float] | None = None) -> tuple[Array, float]:
        """C^-1/2 times values [n, m], and the logarithm of det C^1/2. extra: more noise, in runs, per state."""
        parts, start, log_determinant = [], 0, 0.0
        for (fixed, free, single), more in zip(self._noise, extra or [0.0] * len(self._noise), strict=True):
            factor = cholesky(fixed + noise * free + more * single, lower=True)
            parts.append(solve_triangular(factor, values[start : start + len(factor)], lower=True))
            log_determinant += float(np.log(np.diag(factor)).sum())
            start += len(factor)
        return np.concatenate(parts), log_determinant

    @property
    def chi(self) -> float:
        """Root mean square of the present residual in units of its noise."""
        whitened, _ = self._whiten(self.residual[:, None], self.data.target_noise)
        return float(np.sqrt(np.mean(whitened**2)))

    def significance(self, moved: list[Array]) -> float:
        """Reduction of chi^2 that a change of the tables predicts, per parameter that the data fix, in units of noise.

        Early scatter between the iterations is not noise alone, so `inflation` counts up to MOST_INFLATION.
        """
        change = np.concatenate([j @ moved[s.variant] for j, s in zip(self._in_tables, self.states, strict=True)])
        both = np.column_stack([self.residual, self.residual + change])
        before, after = np.sum(self._whiten(both, self.data.target_noise)[0] ** 2, axis=0)
        ratios, _ = self._spread(self.data.matrix.T @ self.data.matrix)
        noise = min(self.inflation(), MOST_INFLATION)
        return float((before - after) / (noise * max(np.sum(1 - ratios), 1.0)))

    @property
    def sampling_noise(self) -> float:
        """Mean |error| of the pooled residual, the target's own noise left out."""
        return mean_absolute_noise(np.concatenate([np.sqrt(np.diag(pooled)) for pooled in self._pooled]))

    def change(self, hold: float = 0.0) -> tuple[Array, list[Array]]:
        """The step to the most probable potential: of theta [P], and of each variant's table.

        hold: price of the squared change of every coefficient of the tables, in units of chi^2, where the change is in
        units of what the prior expects. A pressure that would be negative counts like a residual of its own, wanted: 0,
        since a fluid under tension falls apart into liquid and gas.
        """
        matrix, y = self.data.matrix, self.data.wanted
        if hold:
            weights = np.sqrt(hold) * self._weights
            matrix = np.concatenate([matrix, *(weights[:, None] * b for b in self._by_prior)])
            y = np.concatenate([y, *(-weights * moved for moved in self.moved)])
        x = self._most_probable(matrix, y)
        torn = self._pressure + self._virial @ x < 0
        if torn.any():
            matrix = np.concatenate([matrix, self._virial[torn] / TENSION])
            x = self._most_probable(matrix, np.concatenate([y, self._pressure[torn] / TENSION]))
        moved = factor_times(self._blocks, self._back.T @ x)
        return moved - self.theta_moved, [j @ moved - m for j, m in zip(self.jacobians, self.moved, strict=True)]

    def response(self, deviations: Array) -> list[Array]:
        """How each variant's most probable table changes, [m, npairs * (knots + 2)], where the pooled residuals of all
        states were other ones by [m, rows]."""
        scaled = (deviations * np.concatenate(self.scales)).T
        x = self._most_probable(self.data.matrix, self._whiten(scaled, self.data.target_noise)[0])
        return [(by_prior @ x).T for by_prior in self._by_prior]

    def sampling_factors(self) -> list[Array]:
        """F of each variant, [npairs * (knots + 2), m]: the sampling's part of the covariance of its table is F F^T,
        that of the averages and of the Jacobians, `inflation` included."""
        _, step = self.change()
        parts = []
        for state, pooled in zip(self.states, self._pooled, strict=True):
            moved = state.memory.jacobian_noise() @ step[state.variant]
            single = state.memory.noise(self.tables[state.variant])[1]
            noise = pooled + single * float(moved @ moved)
            values, vectors = np.linalg.eigh(noise)
            parts.append(vectors * np.sqrt(np.maximum(values, 0.0)))
        factor = np.sqrt(self.inflation()) * block_diag(*parts)
        return [found.T for found in self.response(factor.T)]

    def _most_probable(self, matrix: Array, y: Array) -> Array:
        """x of greatest probability where matrix x + y is noise of variance 1 and x has the prior's variance."""
        inverse = matrix.T @ matrix + np.eye(matrix.shape[1]) / self.data.amplitude
        return np.asarray(-np.linalg.solve(inverse, matrix.T @ y))

    def posterior(self) -> tuple[list[Array], list[Array], Array]:
        """Factors F of the covariances F F^T of each variant's table, after the data and before, and the ratio of the
        variances, posterior over prior, of their columns.

        The noise of the Jacobian adds to C what it makes of the change from the present table to the true one, of
        which the posterior itself tells the size, and it makes every direction look as if g answered to it: see
        `_information`. All of C counts `inflation` times.
        """
        ratios, directions, _, _ = self._posterior()
        prior = [j @ directions for j in self._by_prior]
        return [p * np.sqrt(ratios) for p in prior], prior, ratios

    def doubt(self) -> tuple[float, list[float]]:
        """`inflation`, and what the noise of the Jacobian adds to C, in runs, per state: see `posterior`."""
        *_, inflation, extra = self._posterior()
        return inflation, extra

    def _posterior(self) -> tuple[Array, Array, float, list[float]]:
        """Ratios and directions as `_spread` gives them, inflation, more noise per state."""
        inflation = self.inflation()
        _, step = self.change()
        extra: list[float] = []
        ratios, directions = self._spread(self.data.matrix.T @ self.data.matrix / inflation)
        for _ in range(POSTERIOR_ROUNDS):
            tables = [j @ directions * np.sqrt(ratios) for j in self._by_prior]
            extra = []
            for state in self.states:
                noise = state.memory.jacobian_noise()
                extra.append(
                    float(np.sum((noise @ tables[state.variant]) ** 2) + np.sum((noise @ step[state.variant]) ** 2))
                )
            ratios, directions = self._spread(self._information(extra) / inflation)
        return ratios, directions, inflation, extra

    def _information(self, extra: list[float]) -> Array:
        """M^T M [k, k] of the true Jacobian, with more noise, in runs, per state.

        Where n rows have noise of their own, that of J adds n times its variance to M^T M on average. Along
        combinations of knots that g does not answer to this is all there is, and if it stayed they would look known.
        """
        whitened, _ = self._whiten(self._matrix, self.data.target_noise, extra)
        result = whitened.T @ whitened
        for state, (known, free, single), more in zip(self.states, self._noise, extra, strict=True):
            noise = state.memory.jacobian_noise() @ self._by_prior[state.variant]
            factor = cholesky(known + self.data.target_noise * free + more * single, lower=True)
            rows = solve_triangular(factor, solve_triangular(factor, single, lower=True).T, lower=True)
            result -= float(np.trace(rows)) * noise.T @ noise
        return np.asarray(result)

    def inflation(self) -> float:
        """Variance of g between the iterations over what blocks within them say, where a change of U moves g.

        A sampling is too short for its blocks to see slow motion whole. The last iterations' residuals, brought to the
        present table, show it; INFLATION counts as much as BELIEF further degrees of freedom.
        """
        squares, freedom = INFLATION * BELIEF, float(BELIEF)
        for state, scale, by_prior in zip(self.states, self.scales, self._by_prior_of_states(), strict=True):
            found, expected = state.memory.scatter(self.tables[state.variant])
            if len(found) < 3:
                continue
            single = state.memory.noise(self.tables[state.variant])[1] + floor_of(state, found.shape[1])
            factor = cholesky(scale[:, None] * single * scale, lower=True)
            signal = solve_triangular(factor, by_prior, lower=True)
            left, values, _ = np.linalg.svd(signal, full_matrices=False)
            seen = left[:, self.data.amplitude * values**2 > SIGNAL]
            projected = solve_triangular(factor, (found * scale).T, lower=True).T @ seen
            squares += float(np.sum(projected**2 / expected[:, None])) * len(found) / (len(found) - 1)
            freedom += projected.size
        return max(squares / freedom, 1.0)

    def _by_prior_of_states(self) -> list[Array]:
        return [j @ self._by_prior[s.variant] for j, s in zip(self._in_tables, self.states, strict=True)]

    def _spread(self, information: Array) -> tuple[Array, Array]:
        """Posterior over prior variance of the k independent directions, and the directions as columns, times the
        prior's standard deviation."""
        values, vectors = np.linalg.eigh(information)
        amplitude = self.data.amplitude
        return 1 / (1 + amplitude * np.maximum(values, 0.0)), np.sqrt(amplitude) * vectors
