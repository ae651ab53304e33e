"""Tasks are pure: what they find depends on nothing but what they are given."""

from __future__ import annotations

import pickle

import numpy as np
import openmm as mm
import pytest
from lammps_run import PACKAGE, environment

from diffpair.engines import Exploded
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.tasks.crew import Serial
from diffpair.fit.tasks.remote import KEPT, _here, perform
from diffpair.fit.tasks.station import Station
from diffpair.fit.tasks.task import Outcome, Recipe, seed_of
from diffpair.potentials import TableGrid
from diffpair.settings.sampling import Sampling
from diffpair.states import build_lattice
from diffpair.tables import PairTable
from diffpair.targets import DensityTarget, PressureTarget, RdfTarget

GRID = TableGrid(0.7, 1.5, 24)
R = np.arange(0.5, 1.44, 0.02)


def table(height: float = 200.0) -> PairTable:
    """Soft spheres."""
    r = GRID.r_min + (GRID.cutoff - GRID.r_min) / (GRID.knots - 1) * (np.arange(GRID.knots + 2) - 1)
    return PairTable(("A",), GRID.r_min, GRID.cutoff, np.where(r < 1.4, height * (1.4 - r) ** 3, 0.0)[None])


def plain(**settings):
    target = RdfTarget(("A", "A"), R, np.ones_like(R))
    return build_lattice("soft", 125, 0.8, {"A": 1.0}, 1.0, 120.0, targets=[target]), settings


def under_a_barostat():
    """Whose box becomes so small that rows of g(r) are left out."""
    targets = [RdfTarget(("A", "A"), np.arange(0.5, 2.65, 0.02), np.ones(108)), DensityTarget(0.8, unit="nm^-3")]
    return build_lattice("soft", 125, 0.8, {"A": 1.0}, 1.0, 120.0, targets=targets, pressure=4000.0), {}


def with_further_forces():
    """Bonds and charges, beside which the pressure is measured."""
    targets = [RdfTarget(("A", "A"), R, np.ones_like(R)), PressureTarget(0.0)]
    state = build_lattice("soft", 128, 0.8, {"A": 1.0}, 1.0, 120.0, targets=targets)
    system, bonds, charges = mm.System(), mm.HarmonicBondForce(), mm.NonbondedForce()
    charges.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    charges.setCutoffDistance(1.5)
    for i in range(128):
        system.addParticle(1.0)
        charges.addParticle(0.05 * (-1) ** i, 1.0, 0.0)
        if i % 2:
            bonds.addBond(i - 1, i, 1.0, 50.0)
            charges.addException(i - 1, i, 0.0, 1.0, 0.0)
    bonds.setUsesPeriodicBoundaryConditions(True)
    system.addForce(bonds)
    system.addForce(charges)
    system.setDefaultPeriodicBoxVectors(*state.box)
    state.base_system = system
    state.bonds = state.exclusions = np.arange(128).reshape(-1, 2)
    return state, {}


def in_lammps():
    return plain(engine="lammps")


STATES = [
    pytest.param(plain, id="plain"),
    pytest.param(under_a_barostat, id="barostat"),
    pytest.param(with_further_forces, id="further forces"),
    pytest.param(in_lammps, id="lammps", marks=pytest.mark.skipif(PACKAGE is None, reason="LAMMPS is missing")),
]


def recipe(state, settings) -> Recipe:
    sampling = Sampling(timestep="5 fs", equilibration=20, steps=120, every=5, melt=60, **settings)
    return Recipe(state, GRID, table(), sampling)


def same(one: Outcome, other: Outcome) -> bool:
    """Bit by bit; the wall time is none of it."""
    arrays = [
        [o.snapshot.positions, o.snapshot.velocities, o.snapshot.box, o.sample.potential_energy, o.sample.indices,
         o.sample.sums.observables, o.sample.sums.splines, *o.sample.sums.explicit.values(),
         *(frame.positions for frame in o.sample.kept)]
        for o in (one, other)
    ]  # fmt: skip
    equal = [np.array_equal(a, b) for a, b in zip(*arrays, strict=False)] + [len(arrays[0]) == len(arrays[1])]
    return all(equal) and (one.half_box, one.fault, one.steps) == (other.half_box, other.fault, other.steps)


@pytest.mark.parametrize("make", STATES)
def test_an_outcome_depends_on_its_task_alone(make, monkeypatch):
    """In a station that is new, in one that has done other tasks, and in what another process would make of it; and a
    chain of tasks goes on from snapshots alone."""
    monkeypatch.setenv("PATH", environment()["PATH"])
    live = LiveState(recipe(*make()), seed=5)
    live.perform(live.melting())
    first, other = live.tasks(table(), 1)[0], live.tasks(table(300.0), 2)[0]
    used, fresh = live.station, Station(live.recipe)
    one = used.perform(first)
    changed = used.perform(other)
    assert not same(one, changed)
    assert same(one, fresh.perform(first)) and same(one, used.perform(first))
    sent = pickle.loads(pickle.dumps((live.recipe.packed, first)))
    assert same(one, perform(*sent))
    live.take([one])
    live.accept()
    (later,) = live.tasks(table(), 2)
    assert later.snapshot is one.snapshot and later.seed != first.seed
    assert same(used.perform(later), Station(live.recipe).perform(later))


def test_the_barostat_test_leaves_rows_out():
    """Otherwise it shows less than it says."""
    live = LiveState(recipe(*under_a_barostat()), seed=5)
    live.perform(live.melting())
    live.perform(live.tasks(table(), 1))
    assert not live.rows.rdf.compared.all() and live.tasks(table(), 2)[0].half_box < np.inf


def test_seeds_are_those_of_their_path():
    seeds = {
        seed_of(1, state, iteration, replica) for state in range(9) for iteration in range(9) for replica in (0, 1)
    }
    assert len(seeds) == 162 and all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(1, 2, 3) == seed_of(1, 2, 3) != seed_of(1, 3, 2)


def test_replicas_are_independent_and_add_up():
    """Twice the frames and, since they do not know of each other, the standard error of a run of both lengths."""
    state, settings = plain()
    live = LiveState(recipe(state.with_replicas(2), settings), seed=5)
    live.perform(live.melting())
    tasks = live.tasks(table(), 1)
    assert len(tasks) == 2 and tasks[0].seed != tasks[1].seed and tasks[0].snapshot is not tasks[1].snapshot
    outcomes = [live.station.perform(task) for task in tasks]
    live.take(outcomes)
    sums = live.sampled.sums
    assert len(live.sampled) == 48 and live.steps_done == 2 * (60 + 140)
    assert np.array_equal(sums.observables[24:], outcomes[1].sample.sums.observables)
    assert np.array_equal(sums.mean, np.mean([o.sample.sums.observables for o in outcomes], axis=(0, 1)))
    energies = [o.sample.potential_energy for o in outcomes]
    assert abs(np.corrcoef(*energies)[0, 1]) < 0.9 and not np.array_equal(*energies)


def test_states_on_a_lattice_are_melted_once():
    live = LiveState(recipe(*plain()), seed=5)
    (melt,) = live.melting()
    assert melt.total == 60
    live.perform([melt])
    assert live.melting() == [] and live.steps_done == 60


def test_all_calls_are_done_also_after_an_explosion():
    """So the steps that a fit has paid for are the same wherever it runs."""
    live = LiveState(recipe(*plain()), seed=5)
    live.perform(live.melting())
    (bad,), (good,) = live.tasks(table(1e7), 1), live.tasks(table(), 2)
    exploded, sound = Serial().run([live.call(bad), live.call(good)])
    assert isinstance(exploded, Exploded) and exploded.steps > 0 and "'soft' exploded by step" in str(exploded)
    assert isinstance(sound, Outcome) and same(sound, Station(live.recipe).perform(good))
    back = pickle.loads(pickle.dumps(perform(live.recipe.packed, bad)))
    assert isinstance(back, Exploded) and str(back) == str(exploded) and back.steps == exploded.steps


def test_a_worker_keeps_few_states():
    """The last ones; the others are made again where they are needed."""
    state, settings = plain()
    recipes = [recipe(build_lattice(f"s{i}", 64, 0.8, {"A": 1.0}, 1.0, 120.0, targets=state.targets), settings)
               for i in range(KEPT + 3)]  # fmt: skip
    for one in recipes:
        (task,) = LiveState(one).melting()
        perform(one.packed, task)
    assert len(_here.stations) == KEPT
    assert recipes[0].packed.key not in _here.stations and recipes[-1].packed.key in _here.stations
