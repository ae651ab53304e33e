"""`diffpair target`'s g(r): equal to mdtraj's over the whole trajectory, whatever the pieces and the changing box."""

import mdtraj
import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.targets import read_rdf
from diffpair.trajectories.rdf import rdf_of_trajectory, write_rdf


def trajectory(frames=37, atoms=60, seed=0):
    rng = np.random.default_rng(seed)
    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for i in range(atoms):
        residue = topology.add_residue("MOL", chain)
        element = mdtraj.element.oxygen if i % 3 else mdtraj.element.argon
        topology.add_atom("O" if i % 3 else "AR", element, residue)
    lengths = 2.0 + 0.1 * rng.random(frames)[:, None] * np.ones(3)
    xyz = rng.random((frames, atoms, 3)) * lengths[:, None, :]
    return mdtraj.Trajectory(xyz, topology, unitcell_lengths=lengths, unitcell_angles=np.full((frames, 3), 90.0))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trajectory")
    traj = trajectory()
    traj.save_dcd(str(folder / "t.dcd"))
    traj[0].save_pdb(str(folder / "top.pdb"))
    bare = mdtraj.Trajectory(traj.xyz, traj.topology)
    bare.save_dcd(str(folder / "bare.dcd"))
    (folder / "bad.dcd").write_text("no trajectory")
    return folder


def options(files, **change):
    arguments = {
        "topology": files / "top.pdb",
        "first": "name O",
        "second": None,
        "r_min": 0.1,
        "r_max": 0.9,
        "bin_width": 0.05,
    }
    return arguments | change


@pytest.mark.parametrize("second", [None, "name AR"])
@pytest.mark.parametrize("skip", [0, 13])
def test_equals_mdtraj(files, second, skip):
    rdf = rdf_of_trajectory([files / "t.dcd"], **options(files, second=second, skip=skip))
    traj = mdtraj.load(str(files / "t.dcd"), top=str(files / "top.pdb"))[skip:]
    pairs = traj.topology.select_pairs("name O", second or "name O")
    expected_r, expected_g = mdtraj.compute_rdf(traj, pairs, r_range=(0.1, 0.9), n_bins=16)
    np.testing.assert_allclose(rdf.r, expected_r, rtol=1e-6)
    np.testing.assert_allclose(rdf.g, expected_g, rtol=1e-5)
    assert rdf.frames == len(traj)


def test_error_estimate_of_an_ideal_gas(files, tmp_path):
    # Counts in bins are Poisson: the error of g is 1 / sqrt(pairs counted).
    trajectory(frames=300, seed=3).save_dcd(str(tmp_path / "long.dcd"))
    rdf = rdf_of_trajectory([tmp_path / "long.dcd"], **options(files, blocks=10))
    counted = rdf.frames * (40 * 39 / 2) * 4 * np.pi * rdf.r**2 * 0.05 / 2.05**3
    ratio = rdf.error * np.sqrt(counted)
    assert 0.7 < np.median(ratio) < 1.4
    assert (np.abs(rdf.g - 1) < 5 / np.sqrt(counted)).all()


def test_written_file_is_a_target(files, tmp_path):
    rdf = rdf_of_trajectory([files / "t.dcd"], **options(files, blocks=3))
    write_rdf(tmp_path / "g.csv", rdf, ["a, comment; 1 2 3"])
    target = read_rdf(tmp_path / "g.csv", ("O", "O"))
    np.testing.assert_allclose(target.r, rdf.r, rtol=1e-6)
    np.testing.assert_allclose(target.g, rdf.g, rtol=1e-6)
    np.testing.assert_allclose(target.error, rdf.error, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("gone.dcd", {}, r"gone\.dcd: no such trajectory"),
        ("bad.dcd", {}, r"bad\.dcd: cannot be read as a trajectory"),
        ("bare.dcd", {}, "no periodic box"),
        ("t.dcd", {"topology": None}, r"t\.dcd: holds no topology; give a structure file with --topology"),
        ("t.dcd", {"first": "name ???"}, r"'name \?\?\?' is not a selection that mdtraj understands"),
        (
            "t.dcd",
            {"second": "name C"},
            "'name C' matches none of the 60 atoms; mdtraj reads MOL-AR, MOL-O,",
        ),
        ("t.dcd", {"first": "index 3"}, "matches one atom only"),
        ("t.dcd", {"r_max": 1.5}, r"--r-max = 1\.5 nm is beyond half the box, 1\.0\d* nm"),
        ("t.dcd", {"r_min": 0.9}, "must be below --r-max"),
        ("t.dcd", {"bin_width": 2.0}, "is wider than the range"),
        ("t.dcd", {"skip": 37}, "no frames are left after --skip 37"),
    ],
)
def test_refusals(files, name, change, message):
    with pytest.raises(DiffPairError, match=message):
        rdf_of_trajectory([files / name], **options(files, **change))
