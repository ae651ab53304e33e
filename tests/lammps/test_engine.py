"""LAMMPS as an engine: the states that it runs are those that OpenMM runs, and its end is told."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import openmm
import pytest
from exploding import exploded_and_restored

from diffpair.engines import Sampler, production
from diffpair.engines.lammps import LammpsEngine, LammpsFailed, check_command
from diffpair.errors import DiffPairError
from diffpair.observables.rdf import histogram_rdf
from diffpair.states import build_lattice, make_system
from diffpair.tables import PairTable

T_STAR = 120.27  # K at which kT is 1 kJ/mol
TWO_RANKS = "mpiexec -n 2 lmp"


@pytest.fixture(scope="module")
def lj_table():
    """Lennard-Jones with sigma 1 nm and epsilon 1 kJ/mol, ends at 2.5 nm."""
    nodes = 0.8 + 1.7 / 79 * (np.arange(82) - 1)
    u = 4 * (nodes**-12 - nodes**-6) - 4 * (2.5**-12 - 2.5**-6)
    u[-3:] = 0
    return PairTable(("A",), 0.8, 2.5, u[None])


@pytest.fixture
def liquid():
    return build_lattice("liquid", 108, 0.845, {"A": 1.0}, 1.0, T_STAR)


def engine(state, table, command="lmp", **changes):
    return LammpsEngine(state, table, **({"timestep": 0.005, "seed": 1} | changes), command=command)


def energies(state, table, positions):
    """Of frames [F, N, 3], by OpenMM's Reference platform."""
    system, _ = make_system(state, table)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    found = []
    for x in positions:
        context.setPositions(x)
        found.append(context.getState(energy=True).getPotentialEnergy()._value)
    return np.array(found)


def mixture():
    """Two types, one of them with two masses, in a box whose vectors are not at right angles, at rest."""
    state = build_lattice("mixture", 108, 0.845, {"A": 0.5, "B": 0.5}, {"A": 1.0, "B": 2.0}, T_STAR)
    edge = state.box[0, 0]
    tilted = np.array([[edge, 0, 0], [0.2 * edge, edge, 0], [-0.1 * edge, 0.3 * edge, edge]])
    state.positions = state.positions @ np.linalg.inv(state.box) @ tilted
    state.box = tilted
    state.masses[np.flatnonzero(state.types == 0)[:9]] = 3.0
    return state


@pytest.mark.parametrize("command", ["lmp", TWO_RANKS])
def test_frames_are_what_the_table_says(lj_table, command):
    """Energies of frames are those of OpenMM, also with a table that is written into the live program."""
    state, scale = mixture(), np.array([[1.0], [0.8], [1.2]])
    table = PairTable(("A", "B"), 0.8, 2.3, scale * lj_table.coefficients)
    live = engine(state, table, command, timestep=0.002)
    for weaker in (1.0, 0.5):
        table = PairTable(("A", "B"), 0.8, 2.3, weaker * scale * lj_table.coefficients)
        live.set_table(table)
        frames = live.sample(25, 10)
        assert len(frames) == 2 and np.array_equal(frames.boxes[1], state.box)
        np.testing.assert_allclose(frames.potential_energy, energies(state, table, frames.positions), rtol=1e-10)
    moved = frames.positions[1] - frames.positions[0]
    mean = 0.02 * np.mean(frames.velocities, axis=0)
    assert np.abs(moved - mean).max() < 0.2 * np.abs(moved).max()  # units of velocity, and atoms in order


def test_each_mass_has_its_share(lj_table):
    """m v^2 of every group of atoms is kT."""
    state = mixture()
    table = PairTable(("A", "B"), 0.8, 2.3, 0.01 * np.tile(lj_table.coefficients, (3, 1)))
    live = engine(state, table, timestep=0.01, friction=20.0)
    live.equilibrate(200)
    frames = live.sample(4000, 20)
    for mass in (1.0, 2.0, 3.0):
        v = frames.velocities[:, state.masses == mass]
        assert mass * np.mean(v**2) == pytest.approx(1.0, abs=5 * np.sqrt(2 / v.size) + 0.01), mass


def test_structure_and_temperature_are_those_of_openmm(liquid, lj_table):
    lammps, openmm_ = engine(liquid, lj_table), Sampler(liquid, lj_table, timestep=0.005, seed=2)
    found = []
    for live in (lammps, openmm_):
        live.melt(1500)
        frames = live.sample(10_000, 20)
        assert live.temperature_fault() == ""
        temperature = np.mean([live.kinetic_temperature(v) for v in frames.velocities])
        assert temperature == pytest.approx(T_STAR, rel=0.03)
        edges, none = np.linspace(0.9, 2.5, 33), np.zeros((0, 2), int)
        parts = [slice(k, k + 25) for k in range(0, len(frames), 25)]
        blocks = np.array(
            [histogram_rdf(frames.positions[p], frames.boxes[p], liquid.types, none, (0, 0), edges) for p in parts]
        )
        found.append((blocks.mean(0), blocks.std(0, ddof=1) / np.sqrt(len(blocks))))
    (g, error), (expected, its_error) = found
    off = (g - expected) / np.hypot(error, its_error)
    assert np.sqrt(np.mean(off**2)) < 1.8
    assert np.mean(np.abs(g - expected)) < 0.02


def test_the_same_seed_gives_the_same_run(liquid, lj_table):
    def run(seed):
        live = engine(liquid, lj_table, seed=seed)
        live.melt(60)
        return live.sample(40, 20)

    first, again, other = run(3), run(3), run(4)
    for name in ("positions", "velocities", "potential_energy"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    assert not np.array_equal(first.positions, other.positions)


def test_steps_and_progress_are_counted(liquid, lj_table):
    live, seen = engine(liquid, lj_table), []
    live.melt(151, seen.append)
    live.equilibrate(1130, seen.append)
    frames = live.sample(105, 10, seen.append)
    assert live.steps_done == sum(seen) == 151 + 1130 + 105
    assert len(frames) == 10 and live.md_seconds > 0


def test_a_snapshot_goes_on_in_either_engine(liquid, lj_table):
    """Unwrapped positions and velocities come back as they were."""
    first = engine(liquid, lj_table)
    first.melt(400)
    kept = first.snapshot()
    away = kept.positions + 2 * liquid.box[0]
    first.equilibrate(50)
    second = Sampler(liquid, lj_table, timestep=0.005, seed=2)
    for live in (first, second):
        live.restore(type(kept)(away, kept.velocities, kept.box, kept.steps_done))
        now = live.snapshot()
        np.testing.assert_allclose(now.positions, away, rtol=0, atol=1e-12)
        np.testing.assert_allclose(now.velocities, kept.velocities, rtol=0, atol=1e-12)
    assert first.steps_done == 450
    with pytest.raises(DiffPairError, match="the snapshot has 3 particles, but state 'liquid' has 108"):
        first.restore(type(kept)(np.zeros((3, 3)), np.zeros((3, 3)), kept.box, 0))


def test_it_moves_as_newton_has_it(lj_table):
    """With next to no friction: velocity Verlet in OpenMM, from a snapshot that both restore after other steps."""
    state = mixture()
    table = PairTable(("A", "B"), 0.8, 2.3, np.array([[1.0], [0.8], [1.2]]) * lj_table.coefficients)
    live = engine(state, table, timestep=0.002, friction=1e-9)
    live.equilibrate(100)
    kept = live.snapshot()
    live.equilibrate(57)
    live.restore(kept)
    (frame,) = live.sample(30, 30).positions
    verlet = openmm.CustomIntegrator(0.002)
    for line in ("v = v + 0.5*dt*f/m", "x = x + dt*v", "v = v + 0.5*dt*f/m"):
        verlet.addComputePerDof(*line.split(" = "))
    system, _ = make_system(state, table)
    context = openmm.Context(system, verlet, openmm.Platform.getPlatform("Reference"))
    context.setPositions(kept.positions)
    context.setVelocities(kept.velocities)
    verlet.step(30)
    expected = context.getState(positions=True).getPositions(asNumpy=True)._value
    went = np.abs(expected - kept.positions).max()
    assert went > 0.05
    np.testing.assert_allclose(frame, expected, rtol=0, atol=1e-4 * went)


def test_friction_slows_diffusion(liquid, lj_table):
    """What set_friction writes into the live program: with much of it, free flight lasts 1 / friction."""
    live = engine(liquid, lj_table, timestep=0.002)
    live.melt(600)
    live.set_friction(200.0)
    frames = live.sample(400, 5)
    correlation = np.mean(frames.velocities[1:] * frames.velocities[:-1]) / np.mean(frames.velocities**2)
    assert correlation == pytest.approx(np.exp(-200 * 5 * 0.002), abs=0.03)


@pytest.mark.parametrize("command", ["lmp", TWO_RANKS])
def test_an_explosion_is_told_and_rolled_back(liquid, lj_table, command):
    live = engine(liquid, lj_table, command)
    kept = exploded_and_restored(live, lj_table)
    np.testing.assert_allclose(live.snapshot().positions, kept.positions, rtol=0, atol=1e-12)
    frames = live.sample(400, 40)
    assert 60 < live.kinetic_temperature(frames.velocities[-1]) < 240


@pytest.mark.parametrize("command", ["lmp", TWO_RANKS])
def test_a_killed_lammps_is_told_with_its_last_lines(liquid, lj_table, command):
    live = engine(liquid, lj_table, command)
    live.equilibrate(20)
    kept = live.snapshot()
    os.killpg(live._program._popen.pid, signal.SIGKILL)
    with pytest.raises(
        LammpsFailed, match=r"state 'liquid': LAMMPS \(.*lmp\) ended before its work was done; its last"
    ):
        live.equilibrate(20)
    live.restore(kept)
    assert len(live.sample(20, 10)) == 2


@pytest.mark.parametrize("command", ["lmp", TWO_RANKS])
def test_an_error_of_lammps_is_told(liquid, lj_table, command):
    live = engine(liquid, lj_table, command)
    with pytest.raises(LammpsFailed, match=r"(?s)its last lines:.*ERROR: Unknown command: nonsense"):
        live._do(["nonsense"])


def test_an_interrupt_leaves_it_usable(liquid, lj_table):
    def interrupt(steps):
        raise KeyboardInterrupt

    live = engine(liquid, lj_table)
    with pytest.raises(KeyboardInterrupt):
        live.equilibrate(500, interrupt)
    frames = live.sample(20, 10)
    np.testing.assert_allclose(frames.potential_energy, energies(liquid, lj_table, frames.positions), rtol=1e-10)


def test_it_ends_with_its_engine(liquid, lj_table):
    live = engine(liquid, lj_table)
    popen, folder = live._program._popen, Path(live._folder.name)
    assert popen.poll() is None and folder.is_dir()
    del live
    assert popen.poll() is not None and not folder.exists()


def used_by(popen):
    """Processor time of a process and all that it has started, s."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            found[int(folder.name)] = int(words[1]), int(words[11]) + int(words[12])
    family = {popen.pid}
    while more := {pid for pid, (parent, _) in found.items() if parent in family} - family:
        family |= more
    return len(family), sum(found[pid][1] for pid in family if pid in found) / os.sysconf("SC_CLK_TCK")


def test_it_sleeps_where_there_is_nothing_to_do(liquid, lj_table):
    """Two processes, one of which would ask for the next command without a pause."""
    live = engine(liquid, lj_table, TWO_RANKS)
    live.equilibrate(20)
    _, before = used_by(live._program._popen)
    time.sleep(2)
    size, after = used_by(live._program._popen)
    assert size >= 4  # mpiexec, its helper, two of LAMMPS
    assert after - before < 0.5
    assert len(live.sample(20, 10)) == 2


def test_production_has_the_pressure_of_openmm(liquid, lj_table):
    options = {"timestep": 0.005, "max_steps": 6000, "noise_target": 1e-9, "melt": 1500}
    lammps = production(liquid, lj_table, command="lmp", **options)
    expected = production(liquid, lj_table, **options)
    assert lammps.no_pressure == ""
    noise = np.hypot(lammps.pressure.error, expected.pressure.error)
    assert abs(lammps.pressure.value - expected.pressure.value) < 4 * noise


def test_what_is_not_here_is_told(monkeypatch, tmp_path):
    with pytest.raises(LammpsFailed, match="command 'mpiexek -n 2 lmp': there is no program 'mpiexek' here"):
        check_command("mpiexek -n 2 lmp")
    with pytest.raises(
        LammpsFailed, match="(?s)command 'mpiexec -n 2 lmpp' does not start LAMMPS, of 2025 or later; its last .*lmpp"
    ):
        check_command("mpiexec -n 2 lmpp")
    plain = Path(__import__("lammps").__file__).parent / "lmp"  # without the package's search for plugins
    monkeypatch.setenv("LAMMPS_PLUGIN_PATH", str(tmp_path))
    with pytest.raises(LammpsFailed, match=r"this LAMMPS has no pair_style diffpair; docs/guide/lammps.md"):
        check_command(str(plain))
