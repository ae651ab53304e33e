"""How well the data fix U(r): the posterior of the table under the noise of g and the prior of the fit.

With c_f the learned table, c_0 the start, J = dg/dc at c_f, theta the parameters, and r_f = <g> - target the residual
pooled over the iterations, the data say near c_f that r_f + J (c - c_f) is 0 within a noise of covariance C, and the prior
says that theta - theta_0 has the covariance a Sigma. The posterior of theta is then (Tarantola, Inverse Problem Theory,
SIAM 2005, eq. 3.38)

    Sigma_post = a Sigma - a Sigma J^T (a J Sigma J^T + C)^-1 J a Sigma.

Two numbers are not known beforehand and chosen by the evidence of y = r_f - J (c_f - c_0), which is N(0, a J Sigma J^T +
C): the prior's amplitude a, and the noise of a target that comes without errors. Such a target is taken for a run like
those of the fit, t times the noise of one of them. What tells t is the part of the residual that no smooth change of U
makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cholesky, solve_triangular

from diffpair.fit.fit_state import FitState
from diffpair.updates import ParameterSpace
from diffpair.updates.gauss_newton import AMPLITUDES
from diffpair.updates.parameter_space import times_factor

Array = NDArray[np.float64]
TARGET_NOISE = np.concatenate([[0.0], 10.0 ** np.arange(-2.0, 3.1, 0.2)])  # tried for t
FLOOR = 5e-4  # of the noise of g per bin: bins that are always empty have none


@dataclass(frozen=True)
class Posterior:
    """What the data leave open.

    factors: per variant F [npairs * (knots + 2), m] with F F^T the posterior covariance of the table. prior: the same of
    the prior, amplitude included. amplitude: a. target_noise: t, NaN where every target came with its errors. ratios:
    posterior over prior variance of each of the m combinations, the columns of both.
    """

    factors: list[Array]
    prior: list[Array]
    amplitude: float
    target_noise: float
    ratios: Array


def posterior(space: ParameterSpace, states: list[FitState], start: list[Array]) -> Posterior:
    """At the present potential.

    Args:
        states: with what their memories hold. start: table per variant that the fit started from, flat.
    """
    tables, jacobians = space.tables(), space.jacobians()
    blocks = space.factors(jacobians)
    rows, wanted, sampled, one = [], [], [], []
    known = True
    for state in states:
        here = tables[state.variant]
        residual, _, jacobian = state.memory.pooled(here)
        pooled, single = state.memory.noise(here)
        given = state.rows.error > 0
        known = known and bool(given.all())
        spread = np.sqrt(np.diag(single))
        scale = np.divide(state.rows.error, spread, out=np.zeros_like(spread), where=given & (spread > 0))
        sampled.append(pooled + scale[:, None] * single * scale + FLOOR**2 * np.eye(len(pooled)))
        one.append(np.where(given[:, None] | given[None], 0.0, single))
        rows.append(jacobian @ jacobians[state.variant])
        wanted.append(residual - jacobian @ (here - start[state.variant]))
    scaled = times_factor(np.concatenate(rows), blocks)
    amplitude, noise, values, vectors = _evidence(
        scaled, np.concatenate(wanted), block_diag(*sampled), block_diag(*one), np.zeros(1) if known else TARGET_NOISE
    )
    ratios = 1 / (1 + amplitude * values)
    prior = [np.sqrt(amplitude) * (times_factor(j, blocks) @ vectors) for j in jacobians]
    return Posterior([p * np.sqrt(ratios) for p in prior], prior, amplitude, np.nan if known else noise, ratios)


def _evidence(scaled: Array, wanted: Array, sampled: Array, one: Array, noises: Array) -> tuple[float, float, Array, Array]:
    """a, t, and the eigenvalues and vectors of (C^-1/2 J L)^T (C^-1/2 J L) there."""
    best = (-np.inf, 0.0, 0.0, np.zeros(0), np.zeros((0, 0)))
    for noise in noises:
        factor = cholesky(sampled + noise * one, lower=True)
        whitened = solve_triangular(factor, np.column_stack([scaled, wanted]), lower=True)
        matrix, y = whitened[:, :-1], whitened[:, -1]
        values, vectors = np.linalg.eigh(matrix.T @ matrix)
        values = np.maximum(values, 0.0)
        projected = vectors.T @ (matrix.T @ y)
        spread = AMPLITUDES[:, None] * values + 1
        # -log of N(0, a M M^T + 1), by the identities of Woodbury and Sylvester
        explained = (AMPLITUDES[:, None] * projected**2 / spread).sum(1)
        evidence = -0.5 * (y @ y - explained + np.log(spread).sum(1)) - np.log(np.diag(factor)).sum()
        k = int(np.argmax(evidence))
        if evidence[k] > best[0]:
            best = (float(evidence[k]), float(AMPLITUDES[k]), float(noise), values, vectors)
    return best[1:]
