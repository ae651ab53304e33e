"""A user's own LAMMPS input script as a state: its forces stay, the learned pair is added, and OpenMM has the same."""

from __future__ import annotations

import os
import signal

import numpy as np
import openmm
import pytest
from lammps_trimers import ALONE, CUTOFF, NUMBER, PAIRS, energies_and_forces, openmm_system, repulsion, write_trimers

from diffpair.engines import Exploded
from diffpair.engines.lammps import LammpsFailed, ScriptEngine
from diffpair.engines.make import make_engine
from diffpair.engines.series_error import series_error
from diffpair.errors import DiffPairError
from diffpair.lammps.dumps import read_dump
from diffpair.observables.pressure import BAR
from diffpair.observables.rdf import histogram_rdf
from diffpair.states import State
from diffpair.tables import PairTable

TWO_RANKS = "mpiexec -n 2 lmp"
TYPES = {1: "A", 2: "B"}
OVERLAY = {"pair_style": "pair_style hybrid/overlay coul/cut 9.0", "pair_coeff": "pair_coeff * * coul/cut"}
NAMED = {
    "pair_style": "pair_style hybrid/overlay coul/cut 9.0 diffpair",
    "pair_coeff": "pair_coeff * * coul/cut\npair_coeff * * diffpair &\n   learned.json A B  # is not there yet",
}
ONLY_NAMED = {"pair_style": "pair_style diffpair", "pair_coeff": "pair_coeff * * learned.json A B"}
KINDS = {"pairs": PAIRS, "alone": ALONE, "overlay": OVERLAY, "named": NAMED, "only named": ONLY_NAMED}


def trimers(folder, lines=PAIRS, command="lmp", types=TYPES, **options):
    named = "diffpair" in lines["pair_style"]
    script = write_trimers(folder, **lines)
    return State.from_lammps(script, None if named else types, temperature=300.0, command=command, **options)


def forces(live):
    """Of the live LAMMPS at its last step, without the random ones of its thermostat, kJ/mol/nm."""
    file = live._file("forces.bin")
    live._do(["unfix 2", "run 0 post no", f'write_dump all custom "{file}" id fx fy fz'])
    (frame,) = read_dump(file, ("id", "fx", "fy", "fz"))
    return frame.rows * 4.184 * 10


@pytest.mark.parametrize(("kind", "command"), [(kind, "lmp") for kind in KINDS] + [("pairs", TWO_RANKS)])
def test_frames_are_those_of_the_same_system_in_openmm(kind, command, tmp_path):
    """Energies and forces, also with a table that is written into the live program."""
    state = trimers(tmp_path, KINDS[kind], command)
    charged = "coul" in KINDS[kind]["pair_style"]
    assert (state.num_atoms, len(state.bonds), len(state.exclusions)) == (3 * NUMBER, 2 * NUMBER, 3 * NUMBER)
    assert state.type_names == ("A", "B") and state.pairs_act == charged
    assert state.timestep == pytest.approx(0.002) and state.script.degrees == 9 * NUMBER - 3
    live = make_engine(state, repulsion(), timestep=state.timestep, friction=1.0, seed=1, platform=None)
    for scale in (1.0, 0.5):
        live.set_table(repulsion(scale))
        frames = live.sample(30, 10)
        expected, pulls = energies_and_forces(openmm_system(state, repulsion(scale), charged), frames.positions)
        np.testing.assert_allclose(frames.potential_energy, expected, rtol=1e-9)
    np.testing.assert_allclose(forces(live), pulls[-1], rtol=0, atol=1e-8 * np.abs(pulls[-1]).max())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.trimers", "trimers.data"]  # and no dump of its own


def affine_virials(system, frames):
    """-dU/dV of frames as box and all atoms are scaled, bar, by central differences in double precision."""
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    found, strain = [], 1e-8  # no pair may cross the cutoff of charges, where their energy jumps
    for x, box in zip(frames.positions, frames.boxes, strict=True):
        energies = []
        for scale in (1 + strain, 1 - strain):
            context.setPeriodicBoxVectors(*(scale * box))
            context.setPositions(scale * x)
            energies.append(context.getState(energy=True).getPotentialEnergy()._value)
        found.append(-BAR * (energies[0] - energies[1]) / (6 * strain * np.linalg.det(box)))
    return np.array(found)


@pytest.mark.parametrize("lines", [PAIRS, ALONE], ids=["pairs", "alone"])
def test_pressures_are_those_of_all_forces(lines, tmp_path):
    """And what the script's own forces add is what is left without the learned pair."""
    state, table = trimers(tmp_path, lines), repulsion()
    live = ScriptEngine(state, table, seed=1, further_virial=True)
    frames = live.sample(40, 10)
    kinetic = BAR * state.num_atoms / state.beta / state.volume
    expected = affine_virials(openmm_system(state, table, lines is PAIRS), frames)
    np.testing.assert_allclose(frames.pressure - kinetic, expected, rtol=1e-4)  # LAMMPS' nktv2p has seven digits
    own = affine_virials(openmm_system(state, repulsion(0.0), lines is PAIRS), frames)
    np.testing.assert_allclose(frames.further_virial, own, rtol=0, atol=1e-3 * np.abs(expected).max())
    np.testing.assert_array_equal(frames.centres, frames.positions)


@pytest.mark.parametrize("lines", [PAIRS, ALONE], ids=["pairs", "alone"])
def test_exclude_bonds_is_of_the_learned_pair_alone(lines, tmp_path):
    """Ends of a trimer feel the learned pair, and still no charges; a fit counts them."""
    script = write_trimers(tmp_path, **lines)
    script.write_text(script.read_text().replace("lj 0 0 1", "lj 0 0.5 1"))
    with pytest.raises(DiffPairError, match=r"scale the pairs 2 bonds apart by 0.5.* exclude_bonds: 2 or 1$"):
        State.from_lammps(script, TYPES, temperature=300)
    state = State.from_lammps(script, TYPES, temperature=300, exclude_bonds=1)
    assert len(state.exclusions) == 2 * NUMBER
    live = ScriptEngine(state, repulsion(), seed=1)
    frames = live.sample(10, 10)
    system = openmm_system(state, repulsion(), charged=lines is PAIRS)
    np.testing.assert_allclose(frames.potential_energy, energies_and_forces(system, frames.positions)[0], rtol=1e-9)


@pytest.mark.parametrize("lines", [PAIRS, ALONE], ids=["pairs", "alone"])
def test_types_that_take_no_part(lines, tmp_path):
    state = trimers(tmp_path, lines, types={"1": "A", "*": None})
    assert state.type_names == ("A",) and len(state.typed) == 2 * NUMBER
    live = ScriptEngine(state, repulsion(types=("A",)), seed=1)
    frames = live.sample(10, 10)
    system = openmm_system(state, repulsion(types=("A",)), charged=lines is PAIRS)
    np.testing.assert_allclose(frames.potential_energy, energies_and_forces(system, frames.positions)[0], rtol=1e-9)


def test_structure_and_temperature_are_those_of_openmm(tmp_path):
    state, table = trimers(tmp_path), repulsion()
    live = ScriptEngine(state, table, seed=2)
    live.equilibrate(2000)
    frames = live.sample(12_000, 20)
    assert live.temperature_fault() == ""
    temperatures = [live.kinetic_temperature(v) for v in frames.velocities]
    assert np.mean(temperatures) == pytest.approx(300, rel=0.03)
    integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
    integrator.setRandomNumberSeed(1)
    context = openmm.Context(openmm_system(state, table), integrator, openmm.Platform.getPlatform("CPU"))
    context.setPositions(frames.positions[0])
    context.setVelocitiesToTemperature(300, 1)
    integrator.step(1000)
    others = []
    for _ in range(600):
        integrator.step(20)
        others.append(context.getState(positions=True).getPositions(asNumpy=True)._value)
    edges = np.linspace(0.25, 1.1, 35)
    for pair in ((0, 0), (0, 1), (1, 1)):
        found = []
        for positions in (frames.positions, np.array(others)):
            parts = [slice(k, k + 60) for k in range(0, len(positions), 60)]
            blocks = [
                histogram_rdf(positions[p], frames.boxes[p], state.types, state.exclusions, pair, edges) for p in parts
            ]
            found.append((np.mean(blocks, 0), np.std(blocks, 0, ddof=1) / np.sqrt(len(blocks))))
        (g, error), (expected, its_error) = found
        off = (g - expected) / np.maximum(np.hypot(error, its_error), 1e-3)
        assert np.sqrt(np.mean(off**2)) < 1.8, pair


@pytest.mark.parametrize("lines", [PAIRS, ALONE], ids=["pairs", "alone"])
def test_a_snapshot_comes_back(lines, tmp_path):
    """Into the live program, and into one that is started anew after it was killed; whole molecules, far away."""
    state = trimers(tmp_path, lines)
    live = ScriptEngine(state, repulsion(), seed=1)
    live.equilibrate(100)
    kept = live.snapshot()
    far = type(kept)(kept.positions + 2 * state.box[0] - state.box[2], kept.velocities, kept.box, kept.steps_done)
    live.equilibrate(50)
    for wanted in (kept, far):
        live.restore(wanted)
        np.testing.assert_allclose(live.snapshot().positions, wanted.positions, rtol=0, atol=1e-12)
    os.killpg(live._program._popen.pid, signal.SIGKILL)
    with pytest.raises(LammpsFailed, match="state 'script': LAMMPS .* ended before its work was done"):
        live.equilibrate(20)
    live.restore(kept)
    frames = live.sample(20, 10)
    charged = lines is PAIRS
    expected, _ = energies_and_forces(openmm_system(state, repulsion(), charged), frames.positions)
    np.testing.assert_allclose(frames.potential_energy, expected, rtol=1e-9)
    assert np.abs(frames.positions[0] - kept.positions).max() < 0.1


def test_the_seed_is_the_variable_of_the_script(tmp_path):
    state = trimers(tmp_path)
    first, again, other = (ScriptEngine(state, repulsion(), seed=seed).sample(40, 20) for seed in (3, 3, 4))
    assert np.array_equal(first.positions, again.positions)
    assert not np.array_equal(first.positions, other.positions)


@pytest.mark.filterwarnings("ignore")
def test_an_explosion_is_told_and_rolled_back(tmp_path):
    state = trimers(tmp_path, ALONE)
    live = ScriptEngine(state, repulsion(), seed=1)
    live.equilibrate(1000)
    kept = live.snapshot()
    live.set_table(PairTable(("A", "B"), 0.25, CUTOFF, -200 * repulsion().coefficients))
    with pytest.raises(Exploded, match="the simulation of state 'script' exploded by step"):
        live.equilibrate(3000)
    live.set_table(repulsion())
    live.restore(kept)
    assert 150 < live.kinetic_temperature(live.sample(200, 20).velocities[-1]) < 600


def test_another_temperature_than_the_thermostats_is_told(tmp_path):
    state = State.from_lammps(write_trimers(tmp_path), TYPES, temperature=400.0)
    live = ScriptEngine(state, repulsion(), seed=1)
    live.equilibrate(1000)
    live.sample(2000, 20)
    assert "its temperature is given as 400 K: give the one that the thermostat of in.trimers holds" in (
        live.temperature_fault()
    )


def test_metal_units_rigid_molecules_and_labels(tmp_path):
    """Degrees of freedom that constraints take, pairs that neigh_modify leaves out, types by their labels."""
    write_trimers(tmp_path)
    script = tmp_path / "in.rigid"
    script.write_text(
        "units metal\natom_style full\nbond_style zero\nspecial_bonds lj 1 1 1\n"
        "read_data trimers.data\nbond_coeff *\nlabelmap atom 1 outer 2 inner\n"
        "neigh_modify exclude molecule/intra all\nfix 1 all rigid/nvt/small molecule temp 300 300 0.1\n"
        "velocity all create 300 1 dist gaussian\ntimestep 0.002\n"
    )
    state = State.from_lammps(script, {"outer": "A", "inner": "B"}, temperature=300)
    assert len(state.exclusions) == 3 * NUMBER and state.script.degrees == 5 * NUMBER - 3  # of lines
    live = ScriptEngine(state, repulsion(), seed=1)
    frames = live.sample(20, 10)
    system = openmm_system(state, repulsion(), charged=False)
    system.removeForce(0)  # bonds
    np.testing.assert_allclose(frames.potential_energy, energies_and_forces(system, frames.positions)[0], rtol=1e-7)


def test_constant_pressure_has_the_density_of_openmm(tmp_path):
    """With fix nph and the Langevin thermostat; a snapshot brings its box back."""
    script, table = write_trimers(tmp_path, edge=3.0, **ALONE), repulsion()
    assert "fix 1 all nve" in script.read_text()
    script.write_text(script.read_text().replace("fix 1 all nve", "fix 1 all nph iso 400 400 1000"))
    state = State.from_lammps(script, TYPES, temperature=300, pressure=f"{400 * 1.01325} bar")
    assert state.barostat_pressure == pytest.approx(405.3)
    live = ScriptEngine(state, table, seed=1)
    live.equilibrate(8000)
    kept = live.snapshot()
    frames = live.sample(30_000, 50)
    system = openmm_system(state, table, charged=False)
    for box, x, energy in zip(
        frames.boxes[::200], frames.positions[::200], frames.potential_energy[::200], strict=True
    ):
        system.setDefaultPeriodicBoxVectors(*box)
        assert energy == pytest.approx(energies_and_forces(system, x[None])[0][0], rel=1e-9)
    live.restore(kept)
    np.testing.assert_allclose(live.snapshot().box, kept.box, rtol=0, atol=1e-12)
    np.testing.assert_allclose(live.snapshot().positions, kept.positions, rtol=0, atol=1e-12)
    system.addForce(openmm.MonteCarloBarostat(state.barostat_pressure, 300, 20))
    integrator = openmm.LangevinMiddleIntegrator(300, 5, 0.002)
    integrator.setRandomNumberSeed(1)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatform("CPU"))
    context.setPeriodicBoxVectors(*kept.box)
    context.setPositions(kept.positions)
    integrator.step(8000)
    others = []
    for _ in range(600):
        integrator.step(50)
        others.append(context.getState().getPeriodicBoxVolume()._value)
    volumes = [np.linalg.det(frames.boxes), np.array(others)]
    errors = [series_error(v[:, None]).error[0] for v in volumes]
    assert abs(volumes[0].mean() - volumes[1].mean()) < 4 * np.hypot(*errors) < 0.05 * volumes[1].mean()
    assert abs(frames.pressure.mean() - 405.3) < 4 * series_error(frames.pressure[:, None]).error[0]


@pytest.mark.filterwarnings("ignore")
def test_a_box_that_shrinks_below_the_cutoff_is_told(tmp_path):
    script = write_trimers(tmp_path, edge=2.0, **ALONE)
    script.write_text(script.read_text().replace("fix 1 all nve", "fix 1 all nph iso 50000 50000 100"))
    state = State.from_lammps(script, TYPES, temperature=300, pressure="50 kbar")
    live = ScriptEngine(state, repulsion(), seed=1)
    with pytest.raises(Exploded, match="the box of state 'script' shrank under the barostat of its script"):
        live.equilibrate(3000)
