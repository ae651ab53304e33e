"""PairTableForce against finite differences, OpenMM's own forces, and answers known on paper."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairTableForce

EXCLUSIONS = [(0, 1), (5, 2), (98, 99), (10, 50), (10, 51)]


def test_equals_custom_nonbonded_force(tools, precise_platform, method):
    """The same piecewise polynomial as a formula in CustomNonbondedForce, with two types and exclusions."""
    pair_system = tools.PairSystem(method=method, exclusions=EXCLUSIONS)
    expected_energy, expected = tools.evaluate(pair_system.context(pair_system.exact_force(), "Reference"))
    energy, forces = tools.evaluate(pair_system.context(pair_system.table_force(), precise_platform))
    tools.assert_same_forces(forces, expected, tools.tolerance(precise_platform))
    assert energy == pytest.approx(expected_energy, rel=tools.tolerance(precise_platform) / 10)


def test_forces_are_the_derivative_of_the_energy(tools, method):
    pair_system = tools.PairSystem(method=method, exclusions=EXCLUSIONS, num_particles=100)
    context = pair_system.context(pair_system.table_force(), "Reference")
    _, forces = tools.evaluate(context)
    direction = np.random.default_rng(1).standard_normal(forces.shape)
    step = 2e-6
    energies = []
    for sign in (1, -1):
        context.setPositions(pair_system.positions + sign * step * direction)
        energies.append(tools.evaluate(context)[0])
    # -dE/ds along a random direction checks every component at once. Distances cross knots, where U''' jumps.
    slope = (energies[0] - energies[1]) / (2 * step)
    assert -slope == pytest.approx(np.sum(forces * direction), rel=1e-7)


def test_lennard_jones_equals_the_formula(tools, platform):
    """A finely tabulated, switched Lennard-Jones potential against OpenMM's formula for the same function."""
    sigma, epsilon, cutoff, switch, r_min, knots = 0.34, 1.0, 0.85, 0.7, 0.27, 1200
    nodes = np.linspace(r_min, cutoff, knots)
    x = np.clip((nodes - switch) / (cutoff - switch), 0, 1)
    values = 4 * epsilon * ((sigma / nodes) ** 12 - (sigma / nodes) ** 6) * (1 - x**3 * (10 - x * (15 - 6 * x)))
    # Cardinal interpolation, c[k-1] + 4 c[k] + c[k+1] = 6 u[k], solved densely here; one-sided ends.
    matrix = np.diag(np.full(knots + 2, 4.0)) + np.diag(np.ones(knots + 1), 1) + np.diag(np.ones(knots + 1), -1)
    matrix[0, :3], matrix[-1, :] = (1, -2, 1), 0
    matrix[-1, -1] = 1
    coefficients = np.linalg.solve(matrix, np.concatenate([[0], 6 * values, [0]]))
    coefficients[-3:] = 0

    positions = np.stack(np.meshgrid(*[np.arange(6) * 0.36] * 3), axis=-1).reshape(-1, 3)
    positions += 0.03 * np.random.default_rng(0).uniform(-1, 1, positions.shape)
    pair_system = tools.PairSystem(num_particles=216)
    pair_system.box, pair_system.positions = np.eye(3) * 2.16, positions
    table_force = PairTableForce(1, r_min, cutoff, knots)
    table_force.setPairCoefficients(0, 0, coefficients)
    formula = openmm.CustomNonbondedForce(f"4*{epsilon}*(({sigma}/r)^12-({sigma}/r)^6)")
    for force in (table_force, formula):
        for _ in range(216):
            force.addParticle(*([0] if force is table_force else [[]]))
        force.setNonbondedMethod(force.CutoffPeriodic)
        force.setCutoffDistance(cutoff)
    formula.setUseSwitchingFunction(True)
    formula.setSwitchingDistance(switch)
    expected_energy, expected = tools.evaluate(pair_system.context(formula, "Reference"))
    energy, forces = tools.evaluate(pair_system.context(table_force, platform))
    tools.assert_same_forces(forces, expected, 1e-4)
    assert energy == pytest.approx(expected_energy, rel=1e-6)


def test_particles_far_outside_the_box(tools, platform, method):
    """Any periodic image gives the same forces; without a box, so does any common translation."""
    pair_system = tools.PairSystem(method=method, exclusions=EXCLUSIONS)
    context = pair_system.context(pair_system.table_force(), platform)
    _, expected = tools.evaluate(context)
    # Devices take over positions in single precision and lose digits before any force sees them.
    far = 1 if platform in ("Reference", "CPU") else 1 / 256
    if pair_system.table_force().usesPeriodicBoundaryConditions():
        shifts = np.random.default_rng(0).integers(int(-400 * far), int(400 * far), (100, 3)) @ pair_system.box
    else:
        shifts = far * np.array([812.5, -1024.25, 300.0])
    context.setPositions(pair_system.positions + shifts)
    _, forces = tools.evaluate(context)
    tools.assert_same_forces(forces, expected, max(1e-9, tools.tolerance(platform)))


def test_box_and_positions_may_change_between_evaluations(tools, method):
    """The CPU platform's neighbour list follows jumps, drifts and new boxes."""
    pair_system = tools.PairSystem(method=method)
    contexts = [pair_system.context(pair_system.table_force(), name) for name in ("Reference", "CPU")]
    random = np.random.default_rng(4)
    positions = pair_system.positions
    for step in range(30):
        scale = 1.0 + 0.01 * (step % 5)
        positions = positions + random.uniform(-0.02, 0.02, positions.shape)
        if step == 20:
            positions = random.permutation(positions)
        results = []
        for context in contexts:
            context.setPeriodicBoxVectors(*(openmm.Vec3(*row) for row in pair_system.box * scale))
            context.setPositions(positions * scale)
            results.append(tools.evaluate(context))
        tools.assert_same_forces(results[1][1], results[0][1], tools.tolerance("CPU"))
        assert results[1][0] == pytest.approx(results[0][0], rel=1e-5)


def test_energy_alone_and_forces_alone(tools, platform):
    """Every combination of what can be asked gives the same numbers: nothing is left over from the call before."""
    pair_system = tools.PairSystem()
    context = pair_system.context(pair_system.table_force(), platform)
    energy, forces = tools.evaluate(context)
    for _ in range(2):
        alone = context.getState(energy=True).getPotentialEnergy()._value
        tools.assert_repeats(
            (alone, context.getState(forces=True).getForces(asNumpy=True)._value), (energy, forces), platform
        )


def test_same_bits_twice(tools, method):
    pair_system = tools.PairSystem(method=method, exclusions=EXCLUSIONS)
    results = [tools.evaluate(pair_system.context(pair_system.table_force(), "CPU")) for _ in range(2)]
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_force_groups(tools, platform):
    pair_system = tools.PairSystem()
    first, second = pair_system.table_force(), pair_system.table_force()
    for a, b in pair_system.pair_indices():
        second.setPairCoefficients(a, b, 2 * np.array(second.getPairCoefficients(a, b)))
    first.setForceGroup(1)
    second.setForceGroup(4)
    context = tools.make_context(pair_system.system(first, second), platform, pair_system.positions)
    energy, forces = tools.evaluate(context, groups=1 << 1)
    assert energy != 0
    double_energy, double_forces = tools.evaluate(context, groups=1 << 4)
    assert double_energy == pytest.approx(2 * energy, rel=1e-6)
    tools.assert_same_forces(double_forces, 2 * forces, 1e-5)
    assert tools.evaluate(context)[0] == pytest.approx(3 * energy, rel=1e-6)
    assert tools.evaluate(context, groups=1)[0] == 0


def test_combines_with_other_forces(tools, platform):
    """The forces of different Force objects add up, whether they are OpenMM's or DiffPair's."""
    pair_system = tools.PairSystem()
    bonds = openmm.HarmonicBondForce()
    nonbonded = openmm.NonbondedForce()
    for i in range(100):
        nonbonded.addParticle(0.1 * (-1) ** i, 0.2, 0.5)
    for i in range(0, 100, 2):
        bonds.addBond(i, i + 1, 0.3, 100.0)
    # Without Ewald sums on devices, where their kernels take long to compile and stand beside the pairs'.
    on_host = platform in ("Reference", "CPU")
    nonbonded.setNonbondedMethod(nonbonded.PME if on_host else nonbonded.CutoffPeriodic)
    nonbonded.setCutoffDistance(0.9)
    parts = [bonds, nonbonded, pair_system.table_force()]
    for group, force in enumerate(parts):
        force.setForceGroup(group)
    context = tools.make_context(pair_system.system(*parts), platform, pair_system.positions)
    alone = tools.evaluate(pair_system.context(pair_system.table_force(), platform))
    assert tools.evaluate(context, groups=1 << 2)[0] == pytest.approx(alone[0], rel=1e-6)
    total = sum(tools.evaluate(context, groups=1 << group)[1] for group in range(3))
    tools.assert_same_forces(tools.evaluate(context)[1], total, 1e-6 if on_host else 1e-5)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_any_number_of_threads(tools, threads):
    pair_system = tools.PairSystem(exclusions=EXCLUSIONS)
    expected = tools.evaluate(pair_system.context(pair_system.table_force(), "Reference"))
    system = pair_system.system(pair_system.table_force())
    cpu = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), cpu, {"Threads": str(threads)})
    context.setPositions(pair_system.positions)
    found = tools.evaluate(context)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    tools.assert_same_forces(found[1], expected[1], tools.tolerance("CPU"))


DIRECTION = np.array([2.0, -1.0, 2.0]) / 3


def place(context: openmm.Context, r: float) -> None:
    """Put two particles at a distance r along a skewed direction."""
    first = np.array([0.1, 0.2, 0.3])
    context.setPositions([first, first + r * DIRECTION])


# r_min 0.25, cutoff 0.8, 14 knots: below and at r_min, between and on knots, at the cutoff, beyond.
KNOT_7 = 0.25 + 7 * 0.55 / 13


@pytest.mark.parametrize("method", ["NoCutoff", "CutoffNonPeriodic"])
def test_two_particles_at_every_kind_of_distance(tools, precise_platform, method):
    pair_system = tools.PairSystem(num_particles=2, num_types=1, method=method)
    force = pair_system.table_force()
    context = pair_system.context(force, precise_platform)
    absolute = 1e-8 if tools.tolerance(precise_platform) < 1e-8 else 2e-4
    for r in (0.01, 0.2, 0.25, 0.26, KNOT_7, 0.75, 0.79, 0.8, 0.81, 5.0):
        place(context, r)
        energy, forces = tools.evaluate(context)
        expected_energy, expected_force = force.getPairEnergy(0, 0, r)._value, force.getPairForce(0, 0, r)._value
        assert energy == pytest.approx(expected_energy, abs=absolute), f"r = {r}"
        assert forces[1] == pytest.approx(expected_force * DIRECTION, abs=10 * absolute), f"r = {r}"
        assert forces[0] == pytest.approx(-forces[1], abs=1e-12)
        if r > 0.8:  # at 0.8, rounding decides on which side of the cutoff it is
            assert energy == 0
            assert not forces.any()
    # At one place: no direction to push in, and a finite energy.
    place(context, 0.0)
    energy, forces = tools.evaluate(context)
    assert energy == pytest.approx(force.getPairEnergy(0, 0, 0)._value, rel=1e-6)
    assert not forces.any()


def test_below_r_min_the_potential_is_linear():
    force = PairTableForce(1, 0.25, 0.8, 6)
    force.setPairCoefficients(0, 0, [9, 7, 4, 2, 1, 0, 0, 0])
    h = 0.55 / 5
    slope = (4 - 9) / (2 * h)  # (c2 - c0) / 2h
    for r in (0.0, 0.1, 0.25):
        assert force.getPairForce(0, 0, r)._value == pytest.approx(-slope, rel=1e-12)
        assert force.getPairEnergy(0, 0, r)._value == pytest.approx((9 + 4 * 7 + 4) / 6 + slope * (r - 0.25), rel=1e-12)


def test_one_particle(tools, platform, method):
    if platform.startswith("OpenCL"):
        pytest.skip("OpenMM 8.6 crashes on PoCL with a single particle, with any force")
    pair_system = tools.PairSystem(num_particles=1, method=method)
    energy, forces = tools.evaluate(pair_system.context(pair_system.table_force(), platform))
    assert energy == 0
    assert not forces.any()


def test_no_particles(tools, platform):
    """OpenMM itself refuses a System without particles; a force without any is fine as an object."""
    pair_system = tools.PairSystem(num_particles=0)
    force = pair_system.table_force()
    assert force.getNumParticles() == 0
    with pytest.raises(openmm.OpenMMException, match="no particles"):
        tools.make_context(pair_system.system(force), platform)


def test_larger_cutoff_distance_changes_nothing(tools, platform):
    pair_system = tools.PairSystem()
    force = pair_system.table_force()
    expected = tools.evaluate(pair_system.context(pair_system.table_force(), platform))
    force.setCutoffDistance(0.94)
    tools.assert_repeats(tools.evaluate(pair_system.context(force, platform)), expected, platform)


def test_bonds_exclude(tools):
    """A chain of six: pairs up to two bonds apart, none twice, those already there kept."""
    force = tools.PairSystem(num_particles=6, num_types=1).table_force()
    force.addExclusion(2, 0)
    force.createExclusionsFromBonds([(0, 1), (1, 2), (3, 2), (3, 4), (4, 5)], 2)
    found = [tuple(sorted(force.getExclusionParticles(i))) for i in range(force.getNumExclusions())]
    assert sorted(found) == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5)]


BAD_COORDINATES = (
    (np.inf, "The coordinates of particle 17 are not finite"),
    (np.nan, "coordinate is NaN|17 are not finite"),
    (1e110, r"Particle 17 is at 1e\+110 nm, but coordinates must be within 1e\+09 nm"),
)


@pytest.mark.parametrize("name", ["Reference", "CPU"])
def test_bad_positions_are_named_and_nothing_of_them_stays(tools, method, name):
    """Neither of the positions nor of the box that came with them."""
    pair_system = tools.PairSystem(method=method)
    context = pair_system.context(pair_system.table_force(), name)
    expected = tools.evaluate(context)
    positions = pair_system.positions.copy()
    for scale in (1.0, 1.1):
        for value, problem in BAD_COORDINATES:
            positions[17, 1] = value
            context.setPeriodicBoxVectors(*(openmm.Vec3(*row) for row in scale * pair_system.box))
            context.setPositions(positions)
            with pytest.raises(openmm.OpenMMException, match=problem):
                tools.evaluate(context)
            context.setPeriodicBoxVectors(*(openmm.Vec3(*row) for row in pair_system.box))
            context.setPositions(pair_system.positions)
            tools.assert_repeats(tools.evaluate(context), expected, name)


@pytest.mark.parametrize("far", [1e2, 1e4, 1e6])
def test_far_particles_cost_no_precision(tools, far):
    """One that is far away, and then half of them, without a box: once all places were floats from one corner."""
    pair_system = tools.PairSystem(method="NoCutoff", num_particles=200)
    for moved in (slice(0, 1), slice(0, 100)):
        pair_system.positions[moved] -= far
        contexts = [pair_system.context(pair_system.table_force(), name) for name in ("Reference", "CPU")]
        expected, found = (tools.evaluate(context) for context in contexts)
        tools.assert_same_forces(found[1], expected[1], tools.tolerance("CPU"))


def test_pairs_below_r_min_are_reported_once(tools, platform, capfd):
    pair_system = tools.PairSystem(num_particles=2, num_types=1, method="NoCutoff")
    pair_system.positions = np.array([[0.0, 0, 0], [0.2, 0, 0]])
    context = pair_system.context(pair_system.table_force(), platform)
    for again in range(3):
        tools.evaluate(context)
        if again:
            context.reinitialize(preserveState=True)
    said = capfd.readouterr().err
    assert said.count("DiffPair warning: 1 pair of particles is closer than the table's r_min, 0.25 nm") == 1
    tools.evaluate(pair_system.context(pair_system.table_force(), platform))
    assert "DiffPair warning" in capfd.readouterr().err  # another force says it again


def test_close_pairs_whose_table_is_0_are_no_reason_to_warn(tools, platform, capfd):
    """Particles that take no part may be anywhere."""
    pair_system = tools.PairSystem(num_particles=3, num_types=1, method="NoCutoff")
    pair_system.positions = np.array([[0.0, 0, 0], [0.2, 0, 0], [0.4, 0, 0]])
    force = pair_system.table_force()
    force = PairTableForce.fromTable(force.getTable().with_inert_type())
    for kind in (0, 1, 0):
        force.addParticle(kind)
    tools.evaluate(pair_system.context(force, platform))
    assert "DiffPair warning" not in capfd.readouterr().err
