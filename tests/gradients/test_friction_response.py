"""How C(t) / C(0) answers to the friction: exact for its segments, and right for particles that do not interact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffpair.constants import BOLTZMANN
from diffpair.engines import Frames
from diffpair.gradients import TargetRows
from diffpair.gradients.dynamics import noise_seed
from diffpair.gradients.friction_response import friction_response
from diffpair.observables.time_correlation import velocity_autocorrelation
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.segments import LangevinMiddle, run_segment
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.8, 2.0, 40)
T_STAR, TIMESTEP, LAGS, STRIDE = 120.27, 0.005, 11, 2


@pytest.fixture(scope="module")
def rows():
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    targets = [RdfTarget(("A", "A"), r, np.ones(24))]
    return TargetRows(build_lattice("lj", 108, 0.8, {"A": 1.0}, 1.0, T_STAR, targets=targets))


def frames_of(rows, count):
    rng = np.random.default_rng(0)
    x = rows.state.positions + rng.normal(scale=0.05, size=(count, rows.state.num_atoms, 3))
    v = np.sqrt(BOLTZMANN * T_STAR) * rng.normal(size=x.shape)
    return Frames(x, v, np.repeat(rows.state.box[None], count, 0), np.zeros(count))


def respond(rows, c, frames, friction, **options):
    return friction_response(
        rows, c, GRID, frames, friction, lags=LAGS, stride=STRIDE, timestep=TIMESTEP, seed=3, **options
    )


def test_by_finite_differences(rows):
    c = tabulate(LennardJones(("A",), 2.0), GRID).detach()
    frames = frames_of(rows, 4)
    found, by_table = respond(rows, c, frames, 2.0, segments=4, modes=LAGS)
    direction = torch.from_numpy(np.random.default_rng(5).normal(size=tuple(c.shape)))
    direction[:, -3:] = 0

    def curve(log_friction, k, table=c):
        v0 = torch.from_numpy(frames.velocities[k : k + 1])
        _, v = run_segment(
            torch.from_numpy(frames.positions[k : k + 1]), v0, table, topology=rows.topology,
            boxes=torch.from_numpy(frames.boxes[:1]), inverse_mass=rows.inverse_mass, r_min=GRID.r_min,
            cutoff=GRID.cutoff, timestep=TIMESTEP, steps=(LAGS - 1) * STRIDE, frame_every=STRIDE,
            integrator=LangevinMiddle(T_STAR, float(np.exp(log_friction)), noise_seed(3, rows.state, k)),
        )  # fmt: skip
        return velocity_autocorrelation(torch.cat([v0[:, None], v], 1), LAGS, normalised=True).numpy()

    for k in range(4):
        numerical = (curve(np.log(2.0) + 1e-5, k) - curve(np.log(2.0) - 1e-5, k)) / 2e-5
        np.testing.assert_allclose(found[k], numerical, rtol=1e-5, atol=1e-8)
        here = np.log(2.0)
        numerical = (curve(here, k, c + 1e-5 * direction) - curve(here, k, c - 1e-5 * direction)) / 2e-5
        np.testing.assert_allclose(by_table[k] @ direction.numpy().ravel(), numerical, rtol=1e-5, atol=1e-8)


def test_free_particles(rows):
    """C(t) / C(0) = exp(-friction t), so its derivative is -friction t exp(-friction t); smooth vectors hold it."""
    friction, t = 8.0, TIMESTEP * STRIDE * np.arange(LAGS)
    nothing = torch.zeros((1, GRID.knots + 2), dtype=torch.float64)
    found, _ = respond(rows, nothing, frames_of(rows, 64), friction, segments=64)
    error = found.std(0, ddof=1) / 2
    np.testing.assert_allclose(found.mean(0), -friction * t * np.exp(-friction * t), atol=4 * error.max())
    assert error.max() < 0.02
