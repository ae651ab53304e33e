"""The fluctuation Jacobian: exact on the frames it is given, whatever they are."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
import torch
from scipy.signal import lfilter

from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import DiscreteAdjoint, Fluctuation, TargetRows
from diffpair.gradients.frame_sums import FrameSums
from diffpair.potentials import TableGrid
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.5, 1.4, 12)


def make_rows(types=None, n=40, temperature=150.0):
    """A small state; two targets on different bins where there are two types."""
    types = types or {"A": 1.0}
    r = 0.6 + 0.05 * np.arange(16)
    targets = [RdfTarget(("A", "A"), r, np.ones(16))]
    if "B" in types:
        wide = 0.7 + 0.07 * np.arange(10)
        targets += [RdfTarget(("B", "A"), wide, np.ones(10)), RdfTarget(("B", "B"), r, np.ones(16))]
    return TargetRows(build_lattice("small", n, 1.2, types, 1.0, temperature, targets=targets))


def no_table(rows):
    """Zeros in the place of a table: g does not depend on it."""
    kinds = len(rows.state.type_names)
    return torch.zeros(kinds * (kinds + 1) // 2, GRID.knots + 2, dtype=torch.float64)


def random_frames(rows, count=30, seed=0):
    """Frames of a distorted lattice: any frames will do for identities."""
    rng = np.random.default_rng(seed)
    state = rows.state
    x = state.positions + rng.normal(scale=0.12, size=(count, state.num_atoms, 3))
    return Frames(x, np.zeros_like(x), np.repeat(state.box[None], count, 0), np.zeros(count))


def cubic_b_spline(x):
    a = np.abs(x)
    return np.where(a < 1, 2 / 3 - a**2 + a**3 / 2, np.where(a < 2, (2 - a) ** 3 / 6, 0.0))


def test_jacobian_equals_the_derivative_of_reweighted_averages():
    """<A>_dc = sum A w / sum w, w = exp(-beta S dc), on the same frames: its derivative is -beta cov(A, S) exactly."""
    rows = make_rows({"A": 0.5, "B": 0.5})
    sums = Fluctuation().sums(rows, no_table(rows), GRID, random_frames(rows))
    beta = rows.state.beta
    count, width = sums.splines.shape
    direction = np.random.default_rng(1).normal(size=width)
    energy = sums.splines @ direction

    def average(step):
        w = np.exp(-beta * step * (energy - energy.mean()))
        return w @ sums.observables / w.sum()

    step = 1e-5 / (beta * energy.std())
    numerical = (average(step) - average(-step)) / (2 * step)
    exact = Fluctuation().jacobian(sums, beta) @ direction * (count - 1) / count  # reweighting divides by n
    np.testing.assert_allclose(exact, numerical, rtol=1e-6, atol=1e-9 * np.abs(numerical).max())


def test_jacobian_against_plain_numpy():
    """Distances, basis functions, g(r) and covariance worked out again from their definitions."""
    rows = make_rows()
    frames = random_frames(rows, count=8)
    state, edge = rows.state, rows.state.box[0, 0]
    i, j = np.triu_indices(state.num_atoms, 1)
    width = rows.rdf.radii[1] - rows.rdf.radii[0]
    shells = len(i) / state.volume * 4 * np.pi * width * (rows.rdf.radii**2 + width**2 / 3)
    centres = GRID.r_min + GRID.spacing * (np.arange(GRID.knots + 2) - 1)
    a, s = [], []
    for x in frames.positions:
        d = x[i] - x[j]
        r = np.linalg.norm(d - edge * np.rint(d / edge), axis=1)
        a.append(cubic_b_spline((r[:, None] - rows.rdf.radii) / width).sum(0) / shells)
        inside = r[(r >= GRID.r_min) & (r < GRID.cutoff)]
        basis = cubic_b_spline((inside[:, None] - centres) / GRID.spacing).sum(0)
        t = (r[r < GRID.r_min] - GRID.r_min) / GRID.spacing
        basis[:3] += (1 / 6 - t / 2).sum(), 2 / 3 * len(t), (1 / 6 + t / 2).sum()
        s.append(basis)
    a, s = np.array(a), np.array(s)
    expected = -state.beta * (a - a.mean(0)).T @ (s - s.mean(0)) / (len(a) - 1)
    sums = Fluctuation().sums(rows, no_table(rows), GRID, frames)
    np.testing.assert_allclose(sums.observables, a, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(Fluctuation().jacobian(sums, state.beta), expected, rtol=1e-7, atol=1e-10)


def test_call_is_the_transpose_of_the_jacobian():
    rows = make_rows({"A": 0.5, "B": 0.5})
    frames = random_frames(rows)
    weights = torch.from_numpy(np.random.default_rng(3).normal(size=len(rows)))
    coefficients = torch.zeros(3, GRID.knots + 2, dtype=torch.float64)
    gradient = Fluctuation()(rows, coefficients, GRID, frames, weights)
    sums = Fluctuation().sums(rows, no_table(rows), GRID, frames)
    jacobian = Fluctuation().jacobian(sums, rows.state.beta)
    np.testing.assert_allclose(gradient.numpy().ravel(), weights.numpy() @ jacobian, rtol=1e-9, atol=1e-12)
    assert torch.equal(Fluctuation()(rows, coefficients, GRID, frames, weights, sums), gradient)


def test_jacobian_of_an_ideal_gas():
    """Pairs of independent particles are independent: cov(A, S) follows from two integrals, box included.

    With f the sum of the bins' kernels, the shell-weighted sum of the Jacobian's rows is
    -beta [integral of 4 pi r^2 f B_k - (1/V) integral of 4 pi r^2 f times integral of 4 pi r^2 B_k].
    """
    rng = np.random.default_rng(5)
    rows = make_rows(n=40)
    state = rows.state
    x = rng.uniform(size=(4000, state.num_atoms, 3)) * state.box[0, 0]
    frames = Frames(x, np.zeros_like(x), np.repeat(state.box[None], len(x), 0), np.zeros(len(x)))
    sums = Fluctuation().sums(rows, no_table(rows), GRID, frames)
    jacobian = Fluctuation().jacobian(sums, state.beta)
    width = rows.rdf.radii[1] - rows.rdf.radii[0]
    shell = 4 * np.pi * width * (rows.rdf.radii**2 + width**2 / 3)
    fine = np.linspace(0.4, 1.6, 4000)
    area = 4 * np.pi * fine**2
    centres = GRID.r_min + GRID.spacing * (np.arange(GRID.knots + 2) - 1)
    covered = cubic_b_spline((fine[:, None] - rows.rdf.radii) / width).sum(1)
    basis = cubic_b_spline((fine[:, None] - centres) / GRID.spacing)
    together = np.trapezoid((area * covered)[:, None] * basis, fine, axis=0)
    apart = np.trapezoid(area * covered, fine) * np.trapezoid(area[:, None] * basis, fine, axis=0)
    expected = -state.beta * (together - apart / state.volume)
    inner = slice(3, 9)  # whose support lies between r_min and the cutoff
    np.testing.assert_allclose((shell @ jacobian)[inner], expected[inner], rtol=0.1)


def test_doubt_predicts_the_scatter_of_the_jacobian():
    """|doubt dc|^2 against the spread of J dc over independent sets of frames."""
    rows = make_rows()
    direction = np.random.default_rng(2).normal(size=GRID.knots + 2)
    beta, sigma = rows.state.beta, np.full(len(rows), 0.01)
    changes, predicted = [], []
    for seed in range(60):
        sums = Fluctuation().sums(rows, no_table(rows), GRID, random_frames(rows, count=60, seed=seed))
        changes.append(Fluctuation().jacobian(sums, beta) @ direction / sigma)
        predicted.append(np.sum((sums.jacobian_doubt(beta, sigma) @ direction) ** 2))
    assert np.mean(predicted) == pytest.approx(np.var(changes, axis=0, ddof=1).sum(), rel=0.35)


def test_doubt_of_frames_that_remember():
    """A product of two fluctuations forgets faster than each of them: errors of A in the formula for independent
    frames would say twice as much here, var(sum z^2) to var(sum z)^2 of an autoregressive z."""
    memory, count = 0.8, 1000
    rng = np.random.default_rng(0)
    to_a, to_s = rng.normal(size=(6, 9)), rng.normal(size=(6, 12))
    direction, sigma = rng.normal(size=12), np.full(9, 0.1)
    changes, predicted = [], []
    for _ in range(200):
        kicks = np.sqrt(1 - memory**2) * rng.normal(size=(count, 6))
        z = lfilter([1.0], [1.0, -memory], kicks, axis=0)[50:]
        sums = FrameSums(z @ to_a, z @ to_s)
        changes.append(Fluctuation().jacobian(sums, 1.0) @ direction / sigma)
        predicted.append(np.sum((sums.jacobian_doubt(1.0, sigma) @ direction) ** 2))
    assert np.mean(predicted) == pytest.approx(np.var(changes, axis=0, ddof=1).sum(), rel=0.25)


def test_doubt_of_the_part_that_the_table_itself_makes():
    """A row that is linear in the table has the mean of its slopes in J: their error counts."""
    rng = np.random.default_rng(0)
    slopes = rng.normal(size=(500, 4))
    sums = FrameSums(np.zeros((500, 1)), np.zeros((500, 4)), {0: slopes})
    doubt = sums.jacobian_doubt(1.0, np.array([0.5]))
    assert np.trace(doubt.T @ doubt) == pytest.approx(4 / 500 / 0.5**2, rel=0.5)


def test_too_few_frames():
    rows = make_rows()
    with pytest.raises(DiffPairError, match="2 or more frames"):
        Fluctuation().jacobian(Fluctuation().sums(rows, no_table(rows), GRID, random_frames(rows, count=1)), 1.0)


def test_adjoint_refuses_what_it_cannot_do():
    rows = make_rows()
    rows.state.base_system = system = openmm.System()
    for _ in range(rows.state.num_atoms):
        system.addParticle(1.0)
    system.addForce(openmm.CMMotionRemover())
    system.addForce(openmm.CustomExternalForce("x"))
    DiscreteAdjoint(timestep=0.001).check(rows)
    system.addConstraint(0, 1, 0.1)
    with pytest.raises(DiffPairError, match="state 'small' has 1 constraint .the first holds particles 0 and 1"):
        DiscreteAdjoint(timestep=0.001).check(rows)
    with pytest.raises(DiffPairError, match="multiple of every"):
        DiscreteAdjoint(steps=10, every=3, timestep=0.001)
