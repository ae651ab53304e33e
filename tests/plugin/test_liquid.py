"""A Lennard-Jones liquid: accuracy on every platform, hundreds of live updates, the density at constant pressure."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairTableForce

SIGMA, EPSILON = 0.34, 1.0
R_MIN, CUTOFF, KNOTS = 0.27, 0.85, 120
SWITCH = 0.75


def lennard_jones(sigma: float, epsilon: float) -> np.ndarray:
    """B-spline coefficients of a switched Lennard-Jones potential, interpolated with a natural end at r_min."""
    r = np.linspace(R_MIN, CUTOFF, KNOTS)
    x = np.clip((r - SWITCH) / (CUTOFF - SWITCH), 0, 1)
    values = 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) * (1 - x**3 * (10 - x * (15 - 6 * x)))
    matrix = 4 * np.eye(KNOTS + 2) + np.eye(KNOTS + 2, k=1) + np.eye(KNOTS + 2, k=-1)
    matrix[0, :3] = 1, -2, 1
    matrix[-1] = np.eye(KNOTS + 2)[-1]
    coefficients = np.linalg.solve(matrix, np.concatenate([[0], 6 * values, [0]]))
    coefficients[-3:] = 0
    return coefficients


def liquid(tools, num_cells: int, num_types: int = 1, density: float = 0.8):
    """A face-centred lattice of 4 num_cells^3 atoms, disturbed as if it had melted; types at random."""
    cell = (4 / density) ** (1 / 3) * SIGMA
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    cells = np.stack(np.meshgrid(*[np.arange(num_cells)] * 3), axis=-1).reshape(-1, 1, 3)
    system = tools.PairSystem(R_MIN, CUTOFF, KNOTS, num_types, num_particles=4 * num_cells**3)
    system.box = np.eye(3) * cell * num_cells
    random = np.random.default_rng(1)
    system.positions = cell * (cells + corners).reshape(-1, 3) + random.normal(0, 0.02, (system.num_particles, 3))
    rows = [
        lennard_jones(SIGMA * (1 - 0.03 * (a + b)), EPSILON * (1 + 0.2 * (a + b))) for a, b in system.pair_indices()
    ]
    system.coefficients = np.array(rows)
    return system


def test_accuracy(tools, precise_platform):
    """Against Reference: forces to 1e-4 or 1e-9 of the rms force, the energy to 1e-6 or 1e-12."""
    system = liquid(tools, 6, num_types=2)
    expected_energy, expected = tools.evaluate(system.context(system.table_force(), "Reference"))
    energy, forces = tools.evaluate(system.context(system.table_force(), precise_platform))
    double = precise_platform == "Reference" or precise_platform.endswith("double")
    assert energy == pytest.approx(expected_energy, rel=1e-12 if double else 1e-6)
    tools.assert_same_forces(forces, expected, 1e-9 if double else 1e-4)


def test_200_updates_between_steps(tools, precise_platform):
    """New tables and types, every time as in a fresh Context, also when OpenMM has reordered the atoms of a device."""
    system = liquid(tools, 4, num_types=2)
    integrator = openmm.LangevinMiddleIntegrator(100, 1.0, 0.002)
    integrator.setRandomNumberSeed(2)
    context = tools.make_context(
        system.system(system.table_force(), mass=39.9), precise_platform, system.positions, integrator
    )
    force = PairTableForce.cast(context.getSystem().getForce(0))
    random = np.random.default_rng(3)
    start, types = system.coefficients.copy(), system.types.copy()
    energies = set()
    for update in range(200):
        system.coefficients = start * random.uniform(0.8, 1.2, (len(start), 1))
        system.types = types.copy()
        system.types[random.integers(0, len(types), 10)] = random.integers(0, 2, 10)
        for (a, b), row in zip(system.pair_indices(), system.coefficients, strict=True):
            force.setPairCoefficients(a, b, row)
        for particle, particle_type in enumerate(system.types):
            force.setParticleType(particle, int(particle_type))
        force.updateParametersInContext(context)
        integrator.step(2)
        if update % 8 and precise_platform != "CPU":  # these take longer
            continue
        found = tools.evaluate(context)
        system.positions = context.getState(positions=True).getPositions(asNumpy=True)._value
        fresh = tools.evaluate(
            system.context(system.table_force(), "CPU" if precise_platform == "CPU" else "Reference")
        )
        tolerance = tools.tolerance(precise_platform)
        assert found[0] == pytest.approx(fresh[0], rel=max(tolerance / 10, 1e-9))
        # Positions in single precision have fewer digits than those of the fresh Context.
        tools.assert_same_forces(found[1], fresh[1], 4 * tolerance)
        energies.add(round(found[0], 3))
    assert len(energies) > 20


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error from ten blocks."""
    blocks = values[: len(values) // 10 * 10].reshape(10, -1).mean(axis=1)
    return values.mean(), blocks.std(ddof=1) / np.sqrt(10)


def test_density_at_constant_pressure(tools):
    """The same liquid by CustomNonbondedForce has the same density, within what the error bars allow.

    It is hot enough to melt at once.
    """
    system = liquid(tools, 4, density=0.7)
    formula = openmm.CustomNonbondedForce(f"4*{EPSILON}*(({SIGMA}/r)^12-({SIGMA}/r)^6)")
    for _ in range(system.num_particles):
        formula.addParticle([])
    formula.setNonbondedMethod(formula.CutoffPeriodic)
    formula.setCutoffDistance(CUTOFF)
    formula.setUseSwitchingFunction(True)
    formula.setSwitchingDistance(SWITCH)
    densities = []
    for seed, force in enumerate((system.table_force(), formula)):
        barostat = openmm.MonteCarloBarostat(600.0, 150.0, 5)
        barostat.setRandomNumberSeed(7 + seed)
        integrator = openmm.LangevinMiddleIntegrator(150.0, 2.0, 0.004)
        integrator.setRandomNumberSeed(3 + seed)
        context = tools.make_context(system.system(force, barostat, mass=39.9), "CPU", system.positions, integrator)
        integrator.step(1500)
        volumes = []
        for _ in range(300):
            integrator.step(30)
            volumes.append(context.getState().getPeriodicBoxVolume()._value)
        densities.append(mean_and_error(system.num_particles / np.array(volumes)))
    (ours, our_error), (theirs, their_error) = densities
    error = np.hypot(our_error, their_error)
    assert error < 0.01 * theirs
    assert abs(ours - theirs) < 4.5 * error, (
        f"{ours:.3f} +- {our_error:.3f} and {theirs:.3f} +- {their_error:.3f} per nm^3"
    )
