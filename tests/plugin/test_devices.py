"""What is particular to OpenCL, CUDA and HIP: one nonbonded machinery for all forces of a System; several devices."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairTableForce, TorchPairForce

EXCLUSIONS = [(0, 1), (5, 2), (98, 99)]


def lennard_jones(exclusions=(), cutoff: float = 0.8, method: int = openmm.NonbondedForce.CutoffPeriodic):
    force = openmm.NonbondedForce()
    for _ in range(100):
        force.addParticle(0, 0.2, 0.5)
    for a, b in exclusions:
        force.addException(a, b, 0, 1, 0)
    force.setNonbondedMethod(method)
    force.setCutoffDistance(cutoff)
    return force


def sums(tools, pair_system, platform, forces) -> tuple[float, np.ndarray]:
    """Energy and forces of every force alone, added up."""
    parts = [tools.evaluate(pair_system.context(force, platform)) for force in forces]
    return sum(energy for energy, _ in parts), sum(force for _, force in parts)


def test_beside_nonbonded_force(tools, platform):
    """In one force group, with the same exclusions and the larger of the two cutoffs."""
    pair_system = tools.PairSystem(exclusions=EXCLUSIONS)

    def forces():
        table = pair_system.table_force()
        table.setCutoffDistance(0.9)
        return [table, lennard_jones(EXCLUSIONS, 0.9)]

    expected = sums(tools, pair_system, "Reference", forces())
    found = tools.evaluate(tools.make_context(pair_system.system(*forces()), platform, pair_system.positions))
    tools.assert_same_forces(found[1], expected[1], 1e-4)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)


def test_two_table_forces(tools, platform):
    """Of different types, tables and force groups; the one without exclusions beside a force that excludes."""
    pair_system = tools.PairSystem(exclusions=EXCLUSIONS)
    other = tools.PairSystem(num_types=3, cutoff=0.9, knots=20, seed=8)

    def forces():
        second = other.table_force()
        second.setForceGroup(1)
        return [pair_system.table_force(), second]

    context = tools.make_context(pair_system.system(*forces()), platform, pair_system.positions)
    expected = sums(tools, pair_system, "Reference", forces())
    found = tools.evaluate(context)
    tools.assert_same_forces(found[1], expected[1], 1e-4)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    # An update of one leaves the other alone.
    second = PairTableForce.cast(context.getSystem().getForce(1))
    for a, b in other.pair_indices():
        second.setPairCoefficients(a, b, np.zeros(22))
    second.updateParametersInContext(context)
    alone = tools.evaluate(pair_system.context(pair_system.table_force(), "Reference"))
    tools.assert_same_forces(tools.evaluate(context)[1], alone[1], 1e-4)


CONFLICTS = [
    (lennard_jones([(3, 4)]), r"they exclude different pairs of particles, 3 and 1; give both the same exclusions"),
    (
        lennard_jones(EXCLUSIONS, 0.9),
        r"cutoff distances are 0\.8 and 0\.9 nm and their force group is 0; call setCutoffDistance on both with the "
        r"larger one, or setForceGroup on one",
    ),
    (
        lennard_jones(EXCLUSIONS, method=openmm.NonbondedForce.NoCutoff),
        "this force has a cutoff and that one has none; set the nonbonded methods alike",
    ),
    (
        lennard_jones(EXCLUSIONS, method=openmm.NonbondedForce.CutoffNonPeriodic),
        "one of them is periodic and the other is not; set the nonbonded methods alike",
    ),
]


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize(("other", "problem"), CONFLICTS, ids=["exclusions", "distance", "cutoff", "periodic"])
def test_combinations_that_openmm_cannot_evaluate(tools, device, other, problem, first):
    """The message names the other force and says what to do, whichever comes first in the System."""
    pair_system = tools.PairSystem(exclusions=EXCLUSIONS)
    forces = [pair_system.table_force(), openmm.NonbondedForce(other)]
    if not first:
        forces.reverse()
    name = device.split()[0]
    words = f"PairTableForce: the platform {name} cannot evaluate it together with force {int(first)} of the System, "
    with pytest.raises(openmm.OpenMMException, match=f"{words}NonbondedForce: .*{problem}, or use the platform CPU"):
        tools.make_context(pair_system.system(*forces), device, pair_system.positions)


def test_the_message_names_the_users_force(tools, device):
    """A TorchPairForce runs an internal table, of which the user knows nothing; and force names are used."""
    pair_system = tools.PairSystem(num_types=1)
    force = TorchPairForce(b"never looked at", 1, 0.2, 0.8, 8)
    force.setEmbeddedTable(np.zeros(10), [])
    pair_system.fill(force)
    custom = openmm.CustomNonbondedForce("1/r")
    for _ in range(100):
        custom.addParticle([])
    custom.setNonbondedMethod(custom.CutoffPeriodic)
    custom.setCutoffDistance(0.7)
    custom.setName("repulsion")
    with pytest.raises(openmm.OpenMMException, match=r"^TorchPairForce: .* force 1 of the System, repulsion: "):
        tools.make_context(pair_system.system(force, custom), device, pair_system.positions)


def test_groups_of_other_interactions_do_not_matter(tools, device):
    """CustomNonbondedForce with interaction groups has a kernel of its own."""
    pair_system = tools.PairSystem(exclusions=EXCLUSIONS)
    custom = openmm.CustomNonbondedForce("1/r")
    for _ in range(100):
        custom.addParticle([])
    custom.setNonbondedMethod(custom.CutoffPeriodic)
    custom.setCutoffDistance(0.7)
    custom.addInteractionGroup(range(50), range(50, 100))
    tools.make_context(pair_system.system(pair_system.table_force(), custom), device)


def test_two_devices_share_the_pairs(tools, device):
    """The same device twice, which OpenMM treats as two."""
    pair_system = tools.PairSystem(exclusions=EXCLUSIONS)
    expected = tools.evaluate(pair_system.context(pair_system.table_force(), "Reference"))
    name, precision = device.split()
    context = openmm.Context(
        pair_system.system(pair_system.table_force()),
        openmm.VerletIntegrator(0.001),
        openmm.Platform.getPlatformByName(name),
        {"Precision": precision, "DeviceIndex": "0,0"},
    )
    context.setPositions(pair_system.positions)
    force = PairTableForce.cast(context.getSystem().getForce(0))
    for scale in (1, 2):
        for (a, b), row in zip(pair_system.pair_indices(), pair_system.coefficients, strict=True):
            force.setPairCoefficients(a, b, scale * row)
        force.updateParametersInContext(context)
        energy, forces = tools.evaluate(context)
        tools.assert_same_forces(forces, scale * expected[1], 1e-4)
        assert energy == pytest.approx(scale * expected[0], rel=1e-6)
