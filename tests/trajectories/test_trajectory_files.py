"""`diffpair target` takes trajectories as they are meant: LAMMPS dumps, boxes, units; and which pairs it counts."""

import warnings

import mdtraj
import numpy as np
import openmm as mm
import pytest

from diffpair.errors import DiffPairError
from diffpair.observables.rdf import histogram_rdf
from diffpair.states import build_from_files
from diffpair.trajectories.check import check_made
from diffpair.trajectories.files import read_frames
from diffpair.trajectories.rdf import PairChoice, TrajectoryRdf, rdf_of_trajectory

BOX = np.array([[20.0, 0, 0], [9.0, 21.0, 0], [-8.0, 7.0, 22.0]])  # reduced: tilts are below half the edges
MOLECULES = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Trimers of one bead type as `b.pdb`, and 6 frames of them in a triclinic box, lengths in Angstrom."""
    folder = tmp_path_factory.mktemp("dumps")
    rng = np.random.default_rng(1)
    centres = rng.random((6, MOLECULES, 1, 3)) @ BOX
    x = (centres + np.array([[-2.8, 0, 0], [0, 0, 0], [0, 3.2, 0]])).reshape(6, -1, 3)
    lines = ["CRYST1   30.000   30.000   30.000  90.00  90.00  90.00 P 1           1"]
    for k in range(3 * MOLECULES):
        name = "B" + "123"[k % 3]
        lines.append(f"HETATM{k + 1:5d}  {name:<3s} TRI A{k // 3 + 1:4d}    {k:8.3f}{0:8.3f}{0:8.3f}  1.00  0.00")
    for k in range(0, 3 * MOLECULES, 3):
        lines += [f"CONECT{k + 1:5d}{k + 2:5d}", f"CONECT{k + 2:5d}{k + 3:5d}"]
    (folder / "b.pdb").write_text("\n".join([*lines, "END", ""]))
    system, bonds = mm.System(), mm.HarmonicBondForce()
    for k in range(0, 3 * MOLECULES, 3):
        for _ in range(3):
            system.addParticle(1.0)
        bonds.addBond(k, k + 1, 0.3, 1.0)
        bonds.addBond(k + 1, k + 2, 0.3, 1.0)
    nonbonded = mm.NonbondedForce()
    for _ in range(3 * MOLECULES):
        nonbonded.addParticle(0, 1, 0)
    nonbonded.createExceptionsFromBonds([(k, k + 1) for k in range(0, 3 * MOLECULES, 3)], 1, 1)
    for force in (bonds, nonbonded):
        system.addForce(force)
    (folder / "s.xml").write_text(mm.XmlSerializer.serialize(system))
    return folder, x


def write_dump(path, x, columns="x y z", unit=1.0, boundary="pp pp pp", head=()):
    """A LAMMPS dump; scaled coordinates are parts of the box vectors, unwrapped ones several boxes away."""
    cells = BOX / unit
    tilts, edges = (cells[1, 0], cells[2, 0], cells[2, 1]), np.diag(cells)
    low = [min(0, tilts[0], tilts[1], tilts[0] + tilts[1]), min(0, tilts[2]), 0]
    high = [max(0, tilts[0], tilts[1], tilts[0] + tilts[1]), max(0, tilts[2]), 0]
    lines = []
    for step, frame in enumerate(x / unit):
        scaled = frame @ np.linalg.inv(cells)
        wrapped = scaled - np.floor(scaled)
        far = scaled + 3 * np.random.default_rng(step).integers(-1, 2, scaled.shape)
        values = {"x y z": wrapped @ cells, "xs ys zs": wrapped, "xu yu zu": far @ cells, "xsu ysu zsu": far}[columns]
        lines += [*head, "ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(len(frame))]
        lines.append(f"ITEM: BOX BOUNDS xy xz yz {boundary}")
        lines += [f"{low[k]:.8f} {edges[k] + high[k]:.8f} {tilts[k]:.8f}" for k in range(3)]
        lines.append(f"ITEM: ATOMS id type {columns}")
        order = np.random.default_rng(step).permutation(len(frame))  # as LAMMPS writes them
        lines += [f"{k + 1} 1 " + " ".join(f"{value:.8f}" for value in values[k]) for k in order]
    path.write_text("\n".join(lines) + "\n")
    return path


def make(path, folder, choice=None, **change):
    arguments = {"topology": folder / "b.pdb", "first": "all", "second": None, "r_min": 0.0, "r_max": 1.0}
    return rdf_of_trajectory([path], **(arguments | {"bin_width": 0.05, "choice": choice} | change))


def expected(x, exclusions, r_max=1.0):
    types = np.zeros(x.shape[1], int)
    return histogram_rdf(x / 10, BOX / 10, types, exclusions, (0, 0), np.linspace(0, r_max, round(r_max / 0.05) + 1))


@pytest.mark.parametrize("columns", ["x y z", "xs ys zs", "xu yu zu", "xsu ysu zsu"])
def test_columns_of_lammps_dumps(files, tmp_path, columns):
    folder, x = files
    rdf = make(write_dump(tmp_path / "t.lammpstrj", x, columns), folder, PairChoice("all"))
    np.testing.assert_allclose(rdf.g, expected(x, None), rtol=0.01, atol=1e-6)  # a pair or two at a bin's edge
    assert rdf.density == pytest.approx(3 * MOLECULES / np.linalg.det(BOX / 10), rel=1e-5)


def test_lengths_in_units_of_sigma(files, tmp_path):
    folder, x = files
    dump = write_dump(tmp_path / "lj.lammpstrj", x, unit=3.4)
    rdf = make(dump, folder, PairChoice("all"), length_unit=0.34)
    np.testing.assert_allclose(rdf.g, expected(x, None), rtol=0.01, atol=1e-6)
    dense = make(dump, folder, r_max=0.25)
    with pytest.raises(DiffPairError, match=r"g\.csv: 765\.\d atoms per nm\^3 are more than any .*--length-unit"):
        check_made(tmp_path / "g.csv", dense, length_unit_given=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boundary": "pp pp ff"}, r"its box is not periodic \(xy xz yz pp pp ff\)"),
        ({"head": ("ITEM: UNITS", "real")}, "no dumps with units or times"),
    ],
)
def test_dumps_that_mdtraj_reads_wrongly(files, tmp_path, options, message):
    folder, x = files
    with pytest.raises(DiffPairError, match=message):
        make(write_dump(tmp_path / "t.lammpstrj", x, **options), folder)


def test_a_box_that_is_not_reduced(files, tmp_path):
    """The same lattice by other vectors, which MDTraj's DCD files keep as they are."""
    folder, x = files
    vectors = (BOX + np.array([np.zeros(3), 2 * BOX[0], 3 * BOX[1] - 5 * BOX[0]])) / 10
    traj = mdtraj.Trajectory(x / 10, mdtraj.load_topology(str(folder / "b.pdb")))
    traj.unitcell_vectors = np.repeat(vectors[None], len(x), axis=0)
    traj.save_dcd(str(tmp_path / "t.dcd"))
    (frames,) = read_frames(tmp_path / "t.dcd", traj.topology, 10, None)
    np.testing.assert_allclose(frames.boxes, np.repeat(BOX[None] / 10, len(x), axis=0), atol=1e-5)
    rdf = make(tmp_path / "t.dcd", folder, PairChoice("all"))
    np.testing.assert_allclose(rdf.g, expected(x, None), rtol=0.01, atol=1e-6)


@pytest.mark.parametrize(
    ("choice", "options", "left_out"),
    [
        (PairChoice(), {}, 3),
        (PairChoice(exclude_bonds=1), {"exclude_bonds": 1}, 2),
        (PairChoice("intermolecular"), {"exclude_bonds": 9}, 3),
    ],
)
def test_pairs_are_those_that_a_state_counts(files, tmp_path, choice, options, left_out):
    folder, x = files
    path = write_dump(tmp_path / "t.lammpstrj", x)
    state = build_from_files("t", folder / "b.pdb", types={"TRI": "M"}, masses=1.0, **options)
    rdf = make(path, folder, choice)
    assert len(state.exclusions) == left_out * MOLECULES
    np.testing.assert_allclose(rdf.g, expected(x, state.exclusions), rtol=0.01, atol=1e-6)
    assert rdf.pairs.endswith(f"{left_out * MOLECULES} are left out")


def test_pairs_that_a_system_excludes(files, tmp_path):
    folder, x = files
    rdf = make(write_dump(tmp_path / "t.lammpstrj", x), folder, PairChoice(system=folder / "s.xml"))
    bonds = [(k, k + 1) for k in range(0, 3 * MOLECULES, 3)]
    np.testing.assert_allclose(rdf.g, expected(x, bonds), rtol=0.01, atol=1e-6)
    assert "that s.xml does not exclude; 60 are left out" in rdf.pairs


def test_choices_that_contradict_each_other(files, tmp_path):
    folder, x = files
    with pytest.raises(DiffPairError, match="--exclude-bonds goes with --pairs interacting, not with --pairs all"):
        PairChoice("all", exclude_bonds=2)
    with pytest.raises(DiffPairError, match="--pairs all leaves out none"):
        PairChoice("all", system=folder / "s.xml")
    path = write_dump(tmp_path / "t.lammpstrj", x[:1])
    with pytest.raises(DiffPairError, match="no pair is left .* all 2 are within molecules"):
        make(path, folder, first="resSeq 1 and name B2", second="resSeq 1 and (name B1 or name B3)")


def rdf_with(g, edge=0.0):
    r = edge + 0.01 * (np.arange(len(g)) + 0.5)
    return TrajectoryRdf(r, np.array(g), None, edge, 10, "all", 30.0)


@pytest.mark.parametrize(
    ("g", "message"),
    [
        ([0.0] * 20 + [1.5] * 80, "g averages 1.5 over the last fifth of r"),
        ([0.0] * 9 + [1.0] * 91, "neighbours begin at r = 0.095 nm, nearer than atoms without a bond come"),
        ([1.0] * 100, "pairs at r < 0.05 nm: particles lie on top of each other"),
        ([0.0] * 20 + [1.0] * 80, None),
    ],
)
def test_what_is_made_is_judged(tmp_path, recwarn, g, message):
    check_made(tmp_path / "g.csv", rdf_with(g), length_unit_given=False)
    assert [message in str(warning.message) for warning in recwarn] == ([] if message is None else [True])


def test_a_range_without_pairs_is_refused(tmp_path):
    with pytest.raises(DiffPairError, match="no pair came as near as that"):
        check_made(tmp_path / "g.csv", rdf_with([0.0] * 50), length_unit_given=True)


def test_molecules_whose_topology_has_no_bonds(files, tmp_path):
    """As a .gro: nothing then tells which pairs are within molecules."""
    folder, x = files
    path = write_dump(tmp_path / "t.lammpstrj", x)
    lines = [line for line in (folder / "b.pdb").read_text().splitlines() if not line.startswith("CONECT")]
    (tmp_path / "bare.pdb").write_text("\n".join([*lines, ""]))
    with pytest.warns(UserWarning, match="several atoms but no bonds: if they are molecules, their inner pairs count"):
        rdf = make(path, folder, topology=tmp_path / "bare.pdb")
    np.testing.assert_allclose(rdf.g, expected(x, None), rtol=0.01, atol=1e-6)
    with pytest.raises(DiffPairError, match="has no bonds, which --pairs intermolecular needs; give a file that has"):
        make(path, folder, PairChoice("intermolecular"), topology=tmp_path / "bare.pdb")
    for choice in (PairChoice(system=folder / "s.xml"), PairChoice("all"), PairChoice(exclude_bonds=0)):
        with warnings.catch_warnings(record=True) as caught:
            make(path, folder, choice, topology=tmp_path / "bare.pdb")
        assert not any("no bonds" in str(warning.message) for warning in caught)
