"""The live simulation: seeds, temperature, melting, write-back, explosion and roll back."""

import dataclasses

import numpy as np
import openmm
import pytest
from exploding import exploded_and_restored

from diffpair.constants import BOLTZMANN
from diffpair.engines import Frames, Sampler
from diffpair.errors import DiffPairError
from diffpair.states import build_lattice, make_system
from diffpair.tables import PairTable

PLATFORMS = ["Reference", "CPU"]


def sampler(state, table, **changes):
    return Sampler(state, table, **({"timestep": 0.005, "seed": 1} | changes))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_seed_gives_the_same_run(liquid, lj_table, platform):
    def run(seed):
        live = sampler(liquid, lj_table, seed=seed, platform=platform)
        live.melt(60)
        return live.sample(40, 20)

    first, again, other = run(3), run(3), run(4)
    for name in ("positions", "velocities", "boxes", "potential_energy"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    assert not np.array_equal(first.positions, other.positions)
    assert first.positions.shape == first.velocities.shape == (2, 108, 3)
    assert first.boxes.shape == (2, 3, 3) and np.array_equal(first.boxes[1], liquid.box)


def test_frames_are_what_the_table_says(liquid, lj_table):
    """Energy of a frame = sum of the table over minimum-image pairs, in NumPy."""
    live = sampler(liquid, lj_table)
    live.melt(200)
    frames = live.sample(20, 10)
    i, j = np.triu_indices(108, 1)
    edge = liquid.box[0, 0]
    for x, energy in zip(frames.positions, frames.potential_energy, strict=True):
        separation = x[i] - x[j]
        separation -= edge * np.round(separation / edge)
        expected = lj_table.energy(np.linalg.norm(separation, axis=1)).sum()
        assert energy == pytest.approx(expected, rel=1e-4)


def test_steps_and_progress_are_counted(liquid, lj_table):
    live, seen = sampler(liquid, lj_table), []
    live.melt(151, seen.append)
    live.equilibrate(130, seen.append)
    frames = live.sample(105, 10, seen.append)
    assert live.steps_done == sum(seen) == 151 + 130 + 105
    assert len(frames) == 10


def test_a_stream_is_the_same_run_in_small_pieces(liquid, lj_table, monkeypatch):
    """No piece is larger than it may be; steps beyond the last frame are taken, too."""

    def live():
        result = sampler(liquid, lj_table)
        result.melt(60)
        return result

    whole = live().sample(75, 10)
    monkeypatch.setattr("diffpair.engines.engine._HELD", 3 * liquid.num_atoms)
    again = live()
    pieces = list(again.stream(75, 10))
    assert [len(piece) for piece in pieces] == [3, 3, 1] and again.steps_done == 60 + 75
    for name, array in vars(Frames.joined(pieces)).items():
        np.testing.assert_array_equal(array, getattr(whole, name), err_msg=name)
    monkeypatch.setattr("diffpair.engines.engine._HELD", 1)
    assert [len(piece) for piece in live().stream(20, 10)] == [1, 1]
    with pytest.raises(DiffPairError, match="every 1 or more steps"):
        next(live().stream(10, 0))


def test_a_lattice_melts_and_has_its_temperature(liquid, lj_table):
    live = sampler(liquid, lj_table)
    wave = 2 * np.pi / liquid.box[0, 0] * 3 * np.array([1, 1, 1])  # 3 cells to a side: a Bragg peak of height N

    def order(x):
        return abs(np.exp(1j * x @ wave).sum()) ** 2 / 108

    assert order(liquid.positions) == pytest.approx(108)
    live.melt(1500)
    frames = live.sample(2000, 20)
    assert np.mean([order(x) for x in frames.positions]) < 5
    assert live.integrator.getStepSize()._value == 0.005 and live.integrator.getFriction()._value == 1.0
    temperature = np.mean([live.kinetic_temperature(v) for v in frames.velocities])
    assert temperature == pytest.approx(120.27, rel=0.04)


def test_further_forces_of_the_state_act(no_table):
    """Particles in harmonic wells: <x^2> = kT / k per coordinate."""
    well = openmm.CustomExternalForce("0.5*50*((x-x0)^2+(y-y0)^2+(z-z0)^2)")
    for name in ("x0", "y0", "z0"):
        well.addPerParticleParameter(name)
    state = build_lattice("wells", 216, 1.0, {"A": 1.0}, 1.0, 120.27)
    system = openmm.System()
    for index, place in enumerate(state.positions):
        system.addParticle(1.0)
        well.addParticle(index, place)
    system.addForce(well)
    state.base_system = system
    live = sampler(state, no_table, timestep=0.02)
    live.equilibrate(500)
    frames = live.sample(8000, 40)
    assert system.getNumForces() == 1, "the state's own System must stay as it is"
    expected = BOLTZMANN * 120.27 / 50
    assert np.mean((frames.positions - state.positions) ** 2) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_table_written_into_the_live_context_equals_a_fresh_one(liquid, lj_table, platform):
    live = sampler(liquid, lj_table, platform=platform)
    live.melt(200)
    half = PairTable(lj_table.types, lj_table.r_min, lj_table.cutoff, 0.5 * lj_table.coefficients)
    context = live.context
    live.set_table(half)
    assert live.context is context
    x = live.snapshot().positions
    updated = live.context.getState(energy=True, forces=True)
    system, _ = make_system(liquid, half)
    fresh = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform))
    fresh.setPositions(x)
    expected = fresh.getState(energy=True, forces=True)
    assert updated.getPotentialEnergy()._value == pytest.approx(expected.getPotentialEnergy()._value, rel=1e-6)
    assert np.allclose(
        updated.getForces(asNumpy=True)._value, expected.getForces(asNumpy=True)._value, atol=1e-4, rtol=1e-5
    )


def test_only_a_table_of_the_same_grid_and_types_can_be_written_back(liquid, lj_table, no_table):
    live = sampler(liquid, lj_table)
    with pytest.raises(
        DiffPairError, match=r"a table of 80 knots from 0 to 1 nm cannot replace one of 80 knots from 0.8"
    ):
        live.set_table(no_table)
    with pytest.raises(DiffPairError, match="a table of B cannot replace one of A"):
        live.set_table(PairTable(("B",), 0.8, 2.5, lj_table.coefficients))


def test_an_explosion_is_told_and_rolled_back(liquid, lj_table):
    live = sampler(liquid, lj_table)
    kept = exploded_and_restored(live, lj_table)
    now = live.snapshot()
    assert np.array_equal(now.positions, kept.positions) and np.array_equal(now.velocities, kept.velocities)
    assert np.array_equal(now.box, kept.box) and now.steps_done >= 400
    frames = live.sample(400, 40)
    assert 60 < live.kinetic_temperature(frames.velocities[-1]) < 240


def test_cores_that_overlap_on_the_lattice_do_not_explode(table_of):
    """A core of 1.4 nm where the lattice has neighbours at 1.19 nm: 40 kT and more for each pair."""
    wide = table_of(lambda r: 4 * ((1.4 / r) ** 12 - (1.4 / r) ** 6), 1.0, 2.5)
    state = build_lattice("tight", 108, 0.845, {"A": 1.0}, 1.0, 120.27)
    assert wide.energy(1.19) > 10
    live = sampler(state, wide, timestep=0.002)
    live.melt(600)
    assert np.isfinite(live.sample(20, 10).potential_energy).all()


def test_a_snapshot_goes_on_in_another_sampler(liquid, lj_table):
    first = sampler(liquid, lj_table)
    first.melt(100)
    second = sampler(liquid, lj_table, seed=2)
    second.restore(first.snapshot())
    assert np.array_equal(second.snapshot().positions, first.snapshot().positions)


def test_refusals(liquid, gas, lj_table):
    with pytest.raises(DiffPairError, match="no platform 'Abacus'"):
        sampler(liquid, lj_table, platform="Abacus")
    with pytest.raises(DiffPairError, match="time step must be positive, not 0 ps"):
        sampler(liquid, lj_table, timestep=0.0)
    with pytest.raises(DiffPairError, match="state 'gas'"):
        sampler(gas, lj_table)  # the cutoff of 2.5 nm is beyond half the box of 2 nm
    with pytest.raises(DiffPairError, match="particles of type 'A', but the potential has only B"):
        sampler(liquid, PairTable(("B",), 0.8, 2.5, lj_table.coefficients))
    live = sampler(liquid, lj_table)
    with pytest.raises(DiffPairError, match="kept every 1 or more steps, not 0"):
        live.sample(10, 0)
    small = dataclasses.replace(live.snapshot(), positions=np.zeros((3, 3)))
    with pytest.raises(DiffPairError, match="the snapshot has 3 particles, but state 'liquid' has 108"):
        live.restore(small)
