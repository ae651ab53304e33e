"""What a sampling leaves behind: sums of all frames, few of them whole."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.engines import Frames, Sampler
from diffpair.engines.equilibration import equilibrated_from
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.tasks.sample import Sample, spread
from diffpair.fit.tasks.task import Recipe, seed_of
from diffpair.potentials import TableGrid
from diffpair.settings.sampling import Sampling
from diffpair.states import build_lattice
from diffpair.tables import PairTable
from diffpair.targets import RdfTarget

GRID = TableGrid(0.7, 1.5, 24)
R = np.arange(0.5, 1.4, 0.02)


@pytest.fixture(scope="module")
def table():
    """Soft spheres."""
    r = GRID.r_min + (GRID.cutoff - GRID.r_min) / (GRID.knots - 1) * (np.arange(GRID.knots + 2) - 1)
    return PairTable(("A",), GRID.r_min, GRID.cutoff, np.where(r < 1.4, 200 * (1.4 - r) ** 3, 0.0)[None])


def live(table, equilibration=20, **changes):
    target = RdfTarget(("A", "A"), R, np.ones_like(R))
    state = build_lattice("soft", 64, 0.8, {"A": 1.0}, 1.0, 120.0, targets=[target])
    settings = Sampling(
        timestep="5 fs", equilibration=equilibration, steps=200, every=5, platform="Reference", **changes
    )
    return LiveState(Recipe(state, GRID, table, settings), seed=4)


def sampled(state: LiveState, table, **wanted) -> Sample:
    state.perform(state.tasks(table, 1, **wanted))
    return state.sampled


def same(one: Sample, other: Sample) -> bool:
    return np.array_equal(one.sums.observables, other.sums.observables) and np.array_equal(
        one.sums.splines, other.sums.splines
    )


@pytest.mark.parametrize(("count", "starts"), [(1, 4), (12, 4), (150, 16), (10_000, 16), (33, 16), (10_000, 0)])
def test_whole_frames_are_few_and_evenly_spread(count, starts):
    """Never many more than are wanted, however long the sampling is; and enough of them after the largest part of two
    samplings is dropped."""
    kept = spread(count, starts)
    assert kept[0] == 0 and kept[-1] == count - 1 and len(np.unique(np.diff(kept[:-1]))) <= 1
    wanted = min(count, max(starts, 8))
    assert wanted <= len(kept) <= 2 * max(starts, 8) + 1
    both = np.concatenate([kept, count + kept])
    assert np.count_nonzero(both >= 1.5 * count) >= wanted // 2


def test_a_sampling_in_small_pieces_is_the_same(table, monkeypatch):
    """Bit by bit, and every frame is that of a Sampler on its own."""
    whole = sampled(live(table, adaptive=False), table, starts=20)
    assert len(whole) == 40 and np.array_equal(whole.indices, np.arange(40))
    monkeypatch.setattr("diffpair.engines.engine._HELD", 7 * 64)
    state = live(table, adaptive=False)
    pieces = sampled(state, table, starts=6)
    assert same(whole, pieces) and np.array_equal(whole.potential_energy, pieces.potential_energy)
    assert np.array_equal(pieces.indices, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39])
    alone = Sampler(state.state, table, timestep=0.005, seed=seed_of(4, 0, 1, 0, 0), platform="Reference")
    alone.equilibrate(20)
    frames = alone.sample(200, 5)
    for name in ("positions", "velocities", "boxes", "potential_energy"):
        assert np.array_equal(getattr(pieces.whole(99), name), getattr(frames, name)[pieces.indices]), name


def test_what_precedes_equilibrium_is_dropped(table):
    """From a lattice the energy drifts. Two samplings are joined, and frames, sums and energies dropped alike."""
    state = live(table, equilibration=0, friction="5 /ps")
    found = sampled(state, table, starts=4)
    assert state.extended and state.steps_done == 400
    again = live(table, equilibration=0, friction="5 /ps", adaptive=False)
    (task,) = again.tasks(table, 1, starts=20)
    again.station.begin(task)
    first, second = (again.station._sample(task, None) for _ in range(2))
    energies = np.concatenate([first.potential_energy, second.potential_energy])
    start = equilibrated_from(energies)[0]
    assert 0 < start <= 60
    assert np.array_equal(found.potential_energy, energies[start:]) and len(found) == 80 - start
    assert same(found, first.joined(second).since(start))
    frames = Frames.joined(first.kept + second.kept)
    assert found.indices[0] >= 0 and len(found.indices) == len(found.kept) < len(found)
    assert np.array_equal(found.whole(99).positions, frames.positions[start + found.indices])
    assert np.array_equal(found.whole(1).positions[0], found.kept[0].positions[0])
    assert len(found.whole(3)) == 3 and np.array_equal(found.whole(3).positions[-1], found.kept[-1].positions[0])
    assert np.array_equal(state.weights.ravel(), found.sums.splines.mean(0))
