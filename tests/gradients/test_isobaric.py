"""Constant pressure: g(r), density and their Jacobian against integrals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.support.paired_gas import KT, VOLUMES, PairedGas, well

from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import DiscreteAdjoint, Fluctuation, FrameSums, ReweightedFrames, TargetRows
from diffpair.potentials import TableGrid
from diffpair.states.state import AMU_PER_NM3
from diffpair.targets import DensityTarget, RdfTarget

GRID = TableGrid(0.0, 1.0, 20)
WIDTH = 0.05
CENTRES = 0.3 + WIDTH * np.arange(12)
DENSITY = 1.0  # nm^-3
COUNT, BLOCKS = 80_000, 40


@pytest.fixture(scope="module")
def gas():
    return PairedGas(well())


@pytest.fixture(scope="module")
def rows(gas):
    targets = [RdfTarget(("A", "A"), CENTRES, np.ones(12)), DensityTarget(DENSITY, 0.01, "nm^-3")]
    return TargetRows(gas.state(3.0, targets))


@pytest.fixture(scope="module")
def sums(gas, rows):
    return Fluctuation().sums(rows, torch.from_numpy(gas.table.coefficients.copy()), GRID, gas.frames(COUNT, 1))


def truth(gas, rows, weights=None):
    """<A> of all rows by integrals."""
    density = gas.mean(2 * gas.pairs / VOLUMES) / DENSITY
    return np.append(gas.g(rows.rdf.radii, WIDTH, weights), density)


def slopes(f, gas, direction, step=1e-4):
    flat = gas.table.coefficients.ravel()
    return (f(gas.with_coefficients(flat + step * direction)) - f(gas.with_coefficients(flat - step * direction))) / (
        2 * step
    )


def directions(gas):
    """The depth of the well, which moves the volume, and two at random."""
    yield gas.table.coefficients.ravel()
    for seed in range(2):
        direction = np.random.default_rng(seed).normal(size=GRID.knots + 2)
        direction[-3:] = 0
        yield direction


def test_averages_with_each_frames_volume(gas, rows, sums):
    error = sums.observables.std(0) / np.sqrt(COUNT)
    assert error[-1] < 0.002 and error[:-1].max() < 0.03 * gas.g(rows.rdf.radii, WIDTH).max()
    np.testing.assert_array_less(np.abs(sums.mean - truth(gas, rows)), 4 * error)


def test_jacobian_of_the_isobaric_ensemble(gas, rows, sums):
    """d<g>/dc and d<rho>/dc by fluctuations, against differences of integrals; at constant volume it is another."""
    volumes = gas.weights
    for number, direction in enumerate(directions(gas)):
        expected = slopes(lambda g: truth(g, rows), gas, direction)
        parts = [sums.drawn(np.arange(k * COUNT // BLOCKS, (k + 1) * COUNT // BLOCKS)) for k in range(BLOCKS)]
        found = np.array([Fluctuation().jacobian(part, 1 / KT) @ direction for part in parts])
        mean, error = found.mean(0), found.std(0, ddof=1) / np.sqrt(BLOCKS)
        assert np.abs((mean - expected) / error).max() < 4.5
        assert np.abs((mean - expected) / error).mean() < 1.5
        assert error[-1] < 0.02 * np.abs(expected[-1]) + 0.002
        frozen = slopes(lambda g: g.g(rows.rdf.radii, WIDTH, volumes), gas, direction)
        assert number or np.abs((mean[:-1] - frozen) / error[:-1]).max() > 4


def test_reweighting_at_constant_pressure(gas, rows, sums):
    change = 0.1 * next(directions(gas))
    seen = ReweightedFrames.of(sums, change, 1 / KT)
    expected = truth(gas.with_coefficients(gas.table.coefficients.ravel() + change), rows)
    error = sums.observables.std(0) / np.sqrt(COUNT * seen.effective)
    assert np.abs(expected - truth(gas, rows))[-1] > 10 * error[-1]
    np.testing.assert_array_less(np.abs(seen.mean - expected), 4 * error)


def test_density_row(gas, rows):
    """In units of the target, of all particles, those without a type too; mass and number alike."""
    assert rows.target[-1] == 1 and rows.error[-1] == pytest.approx(0.01 / DENSITY) and rows.floor[-1] == 0
    frames = gas.frames(5, 2)
    volumes = np.linalg.det(frames.boxes)
    for unit, amount in (("nm^-3", 50.0), ("g/cm^3", 50 * AMU_PER_NM3)):
        state = gas.state(3.0, [DensityTarget(0.5, unit=unit)], spectators=10)
        one = TargetRows(state)
        found = one.of_frames(frames, torch.zeros(1, 22, dtype=torch.float64), GRID)[0]
        np.testing.assert_allclose(found[:, 0], amount / volumes / 0.5)
        assert one.error == pytest.approx([0.001]) and one.sigma(np.array([0.002])) == pytest.approx([5**0.5 / 1000])
        assert state.target_volume == pytest.approx(amount / 0.5)


def test_bins_beyond_half_of_the_smallest_box_are_cut(gas):
    """They have no residual and no Jacobian; all others are those of a target that ends there."""
    r = 0.3 + WIDTH * np.arange(32)
    target = RdfTarget(("A", "A"), r, np.linspace(1, 2, 32))
    rows = TargetRows(gas.state(3.2, [target]))
    frames = gas.frames(200, 3)
    assert not rows.rdf.note
    half = 0.5 * np.cbrt(np.linalg.det(frames.boxes)).min()
    kept = int(np.count_nonzero(rows.rdf.radii + 2 * WIDTH <= half))
    assert 5 < kept < len(rows)
    c = torch.from_numpy(gas.table.coefficients.copy())
    sums = Fluctuation().sums(rows, c, GRID, frames)
    np.testing.assert_array_equal(sums.observables[:, kept:], np.tile(rows.target[kept:], (200, 1)))
    jacobian = Fluctuation().jacobian(sums, 1 / KT)
    assert np.abs(jacobian[kept:]).max() < 1e-15 and (np.abs(jacobian[:kept]).max(axis=1) > 1e-3).all()
    shorter = TargetRows(gas.state(3.2, [RdfTarget(("A", "A"), r[: kept + 4], target.g[: kept + 4])]))
    np.testing.assert_allclose(
        Fluctuation().sums(shorter, c, GRID, frames).observables[:, :kept],
        sums.observables[:, :kept],
        rtol=1e-12,
        atol=1e-12,
    )
    assert rows.rdf.note == (
        f"state paired: half of the smallest box that its barostat reached is {half:.4g} nm: g(r) beyond was not "
        f"compared"
    )
    larger = Frames(*(getattr(frames, k) for k in ("positions", "velocities")), 2 * frames.boxes, np.zeros(200))
    again = Fluctuation().sums(rows, c, GRID, larger)
    np.testing.assert_array_equal(again.observables[:, kept:], sums.observables[:, kept:])


def test_a_box_that_shrinks_under_way_cuts_all_frames(gas):
    """Measured in pieces, the frames give what they give at once."""
    target = RdfTarget(("A", "A"), 0.3 + WIDTH * np.arange(32), np.linspace(1, 2, 32))
    c = torch.from_numpy(gas.table.coefficients.copy())
    frames = gas.frames(60, 3)
    order = np.argsort(-np.linalg.det(frames.boxes))
    rows, at_once = TargetRows(gas.state(3.2, [target])), TargetRows(gas.state(3.2, [target]))
    parts = [Fluctuation().sums(rows, c, GRID, frames.at(part)) for part in np.array_split(order, 6)]
    joined = FrameSums.joined(parts)
    expected = Fluctuation().sums(at_once, c, GRID, frames.at(order))
    np.testing.assert_allclose(rows.recut(joined).observables, expected.observables, rtol=1e-12, atol=1e-12)
    assert np.abs(joined.observables - expected.observables).max() > 0.1
    assert rows.recut(expected) is not expected and TargetRows(gas.state(3.2, [target])).recut(joined) is joined


def test_nothing_left_to_compare(gas):
    rows = TargetRows(gas.state(3.2, [RdfTarget(("A", "A"), 1.0 + WIDTH * np.arange(12), np.ones(12))]))
    with pytest.raises(DiffPairError, match=r"'paired': half of the box that its barostat reached, 1\.05 nm, is short"):
        rows.rdf.cut(1.05)


def test_segments_refuse_a_barostat(rows):
    with pytest.raises(DiffPairError, match="state 'paired' has a barostat, but segments have a constant volume"):
        DiscreteAdjoint(timestep=0.001).check(rows)
