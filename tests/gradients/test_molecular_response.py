"""What molecules tell one by one of the Jacobian of their distributions: free dimers, whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.bonded import HarmonicTerm
from diffpair.engines import Frames
from diffpair.fit.iterate.theory import Theory
from diffpair.fit.tasks.sample import Sample
from diffpair.gradients import FrameSums, TargetRows
from diffpair.states import State
from diffpair.targets import Distribution
from diffpair.updates import Memory, Observation

COUNT, FRAMES, KELVIN = 64, 400, 300.0
BETA = 1 / (0.00831446261815324 * KELVIN)
TERM = HarmonicTerm.of(("A", "A"), 5000.0, 0.25)
EDGES = np.linspace(0.15, 0.35, 21)
R = np.linspace(0.1, 0.4, 6001)


def density(term: HarmonicTerm) -> np.ndarray:
    """p(r) of a free dimer at R: r^2 exp(-U / kT), normalised."""
    p = R**2 * np.exp(-BETA * term.energy(R))
    return np.asarray(p / np.trapezoid(p, R))


def in_bins(term: HarmonicTerm) -> np.ndarray:
    """Its mean over each bin."""
    total = np.concatenate([[0.0], np.cumsum(0.5 * (density(term)[1:] + density(term)[:-1]) * np.diff(R))])
    return np.asarray(np.diff(np.interp(EDGES, R, total)) / np.diff(EDGES))


@pytest.fixture(scope="module")
def sampled() -> tuple[TargetRows, Frames]:
    """Independent dimers along x, drawn from that density."""
    rng = np.random.default_rng(1)
    cells = np.array(list(np.ndindex(4, 4, 4)), dtype=float)
    p = density(TERM)
    lengths = np.interp(rng.random((FRAMES, COUNT)), np.cumsum(p) / p.sum(), R)
    x = np.repeat(cells[None], FRAMES, 0)
    positions = np.stack([x, x + lengths[..., None] * [1.0, 0, 0]], axis=2).reshape(FRAMES, 2 * COUNT, 3)
    bonds = np.arange(2 * COUNT).reshape(-1, 2)
    target = Distribution(("A", "A"), EDGES, in_bins(TERM) / (in_bins(TERM).sum() * (EDGES[1] - EDGES[0])))
    state = State(
        "gas", ("A",), np.zeros(2 * COUNT, dtype=np.int64), np.full(2 * COUNT, 30.0), positions[0], 4 * np.eye(3),
        bonds, KELVIN, [target], bonds=bonds, bonded=True,
    )  # fmt: skip
    boxes, none = np.repeat(4 * np.eye(3)[None], FRAMES, 0), np.zeros((FRAMES, 0, 3))
    frames = Frames(positions, np.zeros_like(positions), boxes, np.zeros(FRAMES), none, np.zeros(FRAMES))
    return TargetRows(state, bonded=[TERM]), frames


def test_the_answer_of_free_dimers(sampled):
    """d p / d k and d p / d (k x0) by differences of the known density; with its sign."""
    rows, frames = sampled
    pairs = 12
    theory = Theory(rows, pairs)
    sums = FrameSums(np.zeros((FRAMES, len(rows))), np.zeros((FRAMES, pairs + 2)))
    none = np.zeros(0, dtype=np.intp)
    sample = Sample(sums, np.zeros(FRAMES), (), none, rows.molecular_response(frames), FRAMES)
    found, untold = theory.of(sample, sums)
    assert untold[:pairs].all() and not untold[pairs:].any() and not found[:, :pairs].any()
    scale = rows.bonded.scales[0]
    for column, step in enumerate((50.0, 12.5)):
        change = step * np.eye(2)[column]
        ahead, back = (in_bins(TERM.with_values(TERM.values + sign * change)) for sign in (1, -1))
        wanted = (ahead - back) / (2 * step * scale)
        off = np.abs(found[:, pairs + column] - wanted).max()
        assert off < 0.05 * np.abs(wanted).max(), column  # 25,600 dimers


def test_it_is_the_sum_over_molecules(sampled):
    """Against a loop over molecules."""
    rows, frames = sampled
    found = rows.molecular_response(frames) / FRAMES
    x = frames.positions.reshape(FRAMES, COUNT, 2, 3)
    r = np.linalg.norm(x[:, :, 1] - x[:, :, 0], axis=-1)
    hits = np.array([(r >= a) & (r < b) for a, b in zip(EDGES[:-1], EDGES[1:], strict=True)], dtype=float)
    a = hits / (COUNT * (EDGES[1] - EDGES[0]) * rows.bonded.scales[0])
    s = np.moveaxis(TERM.basis(r), -1, 0)
    wanted = np.zeros((len(a), len(s)))
    for start in range(0, FRAMES, 64):  # deviations are taken within pieces of frames
        one, other = a[:, start : start + 64], s[:, start : start + 64]
        one = one - one.mean((1, 2), keepdims=True)
        other = other - other.mean((1, 2), keepdims=True)
        wanted += np.einsum("ifm,kfm->ik", one, other) / FRAMES
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * np.abs(wanted).max())


def test_columns_that_a_theory_says_nothing_of_stay_as_they_are():
    """Where their noise has nothing to do with that of the others, which come nearer to the theory."""
    rng = np.random.default_rng(2)
    jacobian, doubt = rng.normal(size=(6, 4)), np.diag(rng.uniform(1, 2, 4))
    one = np.ones(6)
    seen = Observation(np.zeros(4), 0.01 * one, 0.1 * one, jacobian, doubt, 0.01 * np.eye(6), 100.0)
    theory = np.zeros((6, 4))
    theory[:, 2:] = rng.normal(size=(6, 2))
    untold = np.array([True, True, False, False])
    mixed = Memory([seen], theory, untold).jacobian()
    np.testing.assert_allclose(mixed[:, :2], jacobian[:, :2], atol=0.02)
    plain = np.linalg.norm(jacobian[:, 2:] - theory[:, 2:])
    assert np.linalg.norm(mixed[:, 2:] - theory[:, 2:]) < 0.9 * plain
