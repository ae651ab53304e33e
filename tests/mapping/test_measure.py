"""What is measured on beads: against mdtraj's g(r), and distributions and errors that are known."""

from __future__ import annotations

import mdtraj
import numpy as np
import pytest
from scipy import stats
from tests.support.mapped import ARGON, BUTANE, MAP, WATER, rotations, topology_of, trajectory_of

from diffpair.errors import DiffPairError
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.kinds import find_kinds
from diffpair.mapping.measure import Measurement, Range
from diffpair.mapping.settings import MapSettings
from diffpair.states.state import AMU_PER_NM3
from diffpair.trajectories.files import Frames

SPECIES = ((BUTANE, 12), (WATER, 20), (ARGON, 1))
SOLUTE = {"residue": "AR", "beads": [{"type": "S", "atoms": ["AR"]}]}


def measured(traj, molecules, exclude_bonds=None, intramolecular=False, r=None, blocks=5, size=10):
    beads = BeadMap(find_kinds(traj.topology, MapSettings(temperature=300, molecules=molecules)))
    measurement = Measurement(beads, exclude_bonds, intramolecular, r or Range(0.8, 0.05))
    boxes = traj.unitcell_vectors.astype(np.float64)
    positions = []
    for start in range(0, len(traj), size):
        part = slice(start, start + size)
        positions.append(measurement.add(Frames(traj.xyz[part], boxes[part]), "t.dcd"))
    return measurement.result(blocks), np.concatenate(positions), beads


def rdf_of_mdtraj(positions, traj, pairs, r_max=0.8):
    beads = mdtraj.Trajectory(
        positions, None, unitcell_lengths=traj.unitcell_lengths, unitcell_angles=traj.unitcell_angles
    )
    return mdtraj.compute_rdf(beads, np.array(pairs), r_range=(0, r_max), n_bins=round(r_max / 0.05))[1]


@pytest.mark.parametrize("exclude_bonds", [None, 0])
def test_g_is_that_of_mdtraj(exclude_bonds):
    traj = trajectory_of(*SPECIES, frames=37)
    found, x, beads = measured(traj, [*MAP["molecules"], SOLUTE], exclude_bonds)
    assert list(found.rdfs) == [("A", "A"), ("A", "W"), ("A", "S"), ("W", "W"), ("W", "S")]
    for pair, rdf in found.rdfs.items():
        first, second = ([i for i, kind in enumerate(beads.types) if kind == name] for name in pair)
        excluded = {} if exclude_bonds == 0 else {tuple(bond) for bond in beads.bonds.tolist()}
        pairs = [(i, j) for i in first for j in second if (i < j or pair[0] != pair[1]) and (i, j) not in excluded]
        np.testing.assert_allclose(rdf.g, rdf_of_mdtraj(x, traj, pairs), atol=2e-4)
        assert rdf.frames == 37 and rdf.error is None
    assert (found.rdfs["A", "A"].g.max() > 3) == (exclude_bonds == 0), "bonded pairs are a peak of their own"


def test_g_of_all_pairs_beside_that_of_interacting_ones():
    traj = trajectory_of(*SPECIES, frames=10)
    found, *_ = measured(traj, MAP["molecules"], intramolecular=True)
    apart, *_ = measured(traj, MAP["molecules"], exclude_bonds=0)
    for pair, rdf in found.all_rdfs.items():
        np.testing.assert_array_equal(rdf.g, apart.rdfs[pair].g)
    assert "within molecules too" in found.all_rdfs["A", "A"].pairs
    assert found.rdfs["A", "A"].g.max() < found.all_rdfs["A", "A"].g.max()


def test_density_box_and_error():
    traj = trajectory_of(*SPECIES, frames=100)
    found, *_ = measured(traj, MAP["molecules"])
    mass = 12 * 4 * (12.011 + 1.008) + 20 * 18.015
    each = AMU_PER_NM3 * mass / traj.unitcell_volumes
    assert found.density == pytest.approx(each.mean(), rel=1e-4)
    assert found.density_error == pytest.approx(each.reshape(5, 20).mean(1).std(ddof=1) / 5**0.5, rel=1e-3)
    assert AMU_PER_NM3 * mass / np.linalg.det(found.box) == pytest.approx(found.density, rel=1e-4)
    assert found.half_box == pytest.approx(traj.unitcell_lengths.min() / 2, rel=1e-6)


def test_the_last_frame_in_the_box_of_the_mean_density():
    """Molecules whole, as they were, and their centres within the box."""
    traj = trajectory_of(*SPECIES, frames=20)
    found, x, _ = measured(traj, MAP["molecules"])
    last, place = x[-1], found.positions
    np.testing.assert_allclose(place[1::2][:12] - place[0::2][:12], last[1::2][:12] - last[0::2][:12], atol=1e-12)
    centres = np.concatenate([0.5 * (place[0:24:2] + place[1:24:2]), place[24:]])
    edge = found.box[0, 0]
    assert (centres >= 0).all() and (centres < edge).all()
    scaled = np.concatenate([0.5 * (last[0:24:2] + last[1:24:2]), last[24:]]) / traj.unitcell_lengths[-1]
    np.testing.assert_allclose(centres / edge, scaled - np.floor(scaled), atol=1e-6)


def test_by_default_g_goes_to_half_of_the_smallest_box():
    """The third frame's box is smaller: what was counted before is cut, not refused."""
    traj = trajectory_of(*SPECIES, frames=30)
    traj.unitcell_lengths[:] = 2.2
    traj.unitcell_lengths[25:] = 2.0
    found, x, beads = measured(traj, MAP["molecules"], r=Range(None, 0.05))
    assert found.rdfs["W", "W"].r[-1] == pytest.approx(0.925), "0.95 to 1.00 nm would end at half the box itself"
    first = beads.types.index("W")
    pairs = [(i, j) for i in range(first, len(beads.types)) for j in range(first, i)]
    np.testing.assert_allclose(found.rdfs["W", "W"].g, rdf_of_mdtraj(x, traj, pairs, 0.95), atol=2e-4)


def chains(frames, count=30, seed=0, edge=6.0):
    """A-B-B-A of single atoms: bonds, angles and dihedrals drawn from known distributions; and those drawn."""
    rng = np.random.default_rng(seed)
    shape = (frames, count)
    bonds = [rng.normal(mean, 0.01, shape) for mean in (0.25, 0.30, 0.25)]
    angles = [rng.normal(np.radians(110), np.radians(6), shape) for _ in range(2)]
    dihedral = rng.vonmises(0.8, 4.0, shape)
    x = np.zeros((*shape, 4, 3))
    x[:, :, 1, 0] = bonds[0]
    x[:, :, 2] = x[:, :, 1]
    x[:, :, 2, 0] -= bonds[1] * np.cos(angles[0])
    x[:, :, 2, 1] += bonds[1] * np.sin(angles[0])
    along = (x[:, :, 2] - x[:, :, 1]) / bonds[1][..., None]
    normal = np.cross(x[:, :, 1], along)  # of the plane of the first three
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    turn = np.cos(dihedral)[..., None] * np.cross(normal, along) + np.sin(dihedral)[..., None] * normal
    x[:, :, 3] = x[:, :, 2] + bonds[2][..., None] * (
        np.sin(angles[1])[..., None] * turn - np.cos(angles[1])[..., None] * along
    )
    turned = np.einsum("fmij,fmkj->fmki", rotations(frames * count, rng).reshape(*shape, 3, 3), x)
    turned += edge * rng.random((frames, count, 1, 3))
    residue = ("CHN", [("A1", "C"), ("B1", "C"), ("B2", "C"), ("A2", "C")], [(0, 1), (1, 2), (2, 3)], None)
    traj = mdtraj.Trajectory(
        np.mod(turned.reshape(frames, -1, 3), edge), topology_of((residue, count)),
        unitcell_lengths=np.full((frames, 3), edge), unitcell_angles=np.full((frames, 3), 90.0),
    )  # fmt: skip
    beads = [{"name": name, "type": name[0], "atoms": [name]} for name in ("A1", "B1", "B2", "A2")]
    drawn = {("A", "B"): bonds[::2], ("B", "B"): bonds[1], ("A", "B", "B"): angles, ("A", "B", "B", "A"): dihedral}
    return traj, [{"residue": "CHN", "beads": beads}], drawn


LAWS = {
    ("A", "B"): stats.norm(0.25, 0.01),
    ("B", "B"): stats.norm(0.30, 0.01),
    ("A", "B", "B"): stats.norm(np.radians(110), np.radians(6)),
}


@pytest.mark.filterwarnings("ignore:.*carbon and no hydrogen")
def test_distributions_are_those_that_were_drawn():
    traj, molecules, drawn = chains(frames=400)
    found, *_ = measured(traj, molecules, size=40)
    by_kind = {one.kind: one for one in found.distributions}
    assert set(by_kind) == {*LAWS, ("A", "B", "B", "A")}
    for kind, values in drawn.items():
        counts = np.histogram(values, by_kind[kind].edges)[0]
        assert by_kind[kind].l1(counts / (np.size(values) * by_kind[kind].width)) < 0.004, "but for rounding"
    for kind, law in LAWS.items():
        one = by_kind[kind]
        wanted = np.diff(law.cdf(one.edges)) / one.width
        counted = 400 * 30 * (1 if kind == ("B", "B") else 2) * one.width
        off = (one.p - wanted) / np.sqrt(np.maximum(wanted, 1 / counted) / counted)
        assert np.abs(off).max() < 5, kind
        assert one.l1(wanted) < 0.06 and one.p.sum() * one.width == pytest.approx(1)
        assert 5 < law.std() / one.width < 20, "bins resolve the distribution"
    dihedral = by_kind["A", "B", "B", "A"]
    wanted = stats.vonmises(4.0, loc=0.8).pdf(dihedral.centres)
    assert dihedral.l1(wanted) < 0.06, "of the right sign"
    assert len(dihedral.p) == 72


@pytest.mark.filterwarnings("ignore:.*carbon and no hydrogen")
def test_errors_of_distributions_are_those_of_independent_draws():
    traj, molecules, _ = chains(frames=400, seed=1)
    found, *_ = measured(traj, molecules, blocks=20)
    for one in found.distributions:
        many = one.p > 0.2 * one.p.max()
        draws = 400 * 30 * (1 if one.kind in {("B", "B"), ("A", "B", "B", "A")} else 2) * one.width
        ratio = one.error[many] / np.sqrt(one.p[many] / draws)
        assert 0.8 < np.median(ratio) < 1.25, one.kind


def test_a_bond_that_a_constraint_holds_is_told():
    traj = trajectory_of((BUTANE, 12), frames=10)
    with pytest.warns(UserWarning, match=r"the bond A-A is 0\.30\d* nm in all frames, as a constraint holds it"):
        measured(traj, MAP["molecules"][:1])


def test_beads_that_are_not_bonded_are_found_out():
    topology = topology_of((ARGON, 2))
    atoms = list(topology.atoms)
    topology.add_bond(*atoms)
    traj = mdtraj.Trajectory(
        [[[0, 0, 0], [0.9, 0.9, 0.9]]], topology, unitcell_lengths=[[2, 2, 2]], unitcell_angles=[[90, 90, 90]]
    )
    beads = [{"name": "S1", "type": "S", "select": "resid 0"}, {"name": "S2", "type": "S", "select": "resid 1"}]
    with pytest.raises(DiffPairError, match=r"t\.dcd: the bond S1-S2 of molecule 1 is 1\.56 nm long, more than half"):
        measured(traj, [{"residue": "AR", "beads": beads}], exclude_bonds=0)


@pytest.mark.parametrize(
    ("r", "message"),
    [
        (Range(1.5, 0.05), r"--r-max = 1\.5 nm is beyond half the box, 1\.0\d* nm"),
        (Range(0.5, 0.6), r"--bin-width = 0\.6 nm is wider than the range of g\(r\), 0\.5 nm"),
    ],
)
def test_bins_that_do_not_fit(r, message):
    with pytest.raises(DiffPairError, match=message):
        measured(trajectory_of(*SPECIES, frames=2), MAP["molecules"], r=r)


def test_no_two_beads_interact():
    traj = trajectory_of((BUTANE, 1), frames=2)
    with pytest.raises(DiffPairError, match="no two beads interact"):
        measured(traj, MAP["molecules"][:1])
