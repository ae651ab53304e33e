"""The temperature of a user's Simulation, from whatever holds it, and the ensembles that a fit refuses."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
from openmm import unit
from own_simulations import CUTOFF, TEMPERATURE, TIMESTEP, forces_of, langevin, liquid, lj_force, table

from diffpair import DiffPairError, State
from diffpair.engines.simulation_sampler import SimulationSampler


def nose_hoover() -> mm.NoseHooverIntegrator:
    return mm.NoseHooverIntegrator(TEMPERATURE, 10.0, TIMESTEP)


def custom() -> mm.CustomIntegrator:
    integrator = mm.CustomIntegrator(TIMESTEP)
    integrator.addComputePerDof("v", "0.9*v + dt*f/m + sqrt(0.19/m)*gaussian")
    integrator.addComputePerDof("x", "x + dt*v")
    return integrator


def compound() -> mm.CompoundIntegrator:
    integrator = mm.CompoundIntegrator()
    integrator.addIntegrator(mm.VerletIntegrator(TIMESTEP))
    integrator.addIntegrator(langevin())
    integrator.setCurrentIntegrator(1)
    return integrator


@pytest.mark.parametrize(
    ("make", "forces", "options"),
    [
        (langevin, [], {}),
        (lambda: mm.LangevinIntegrator(TEMPERATURE, 1.0, TIMESTEP), [], {}),
        (lambda: mm.BrownianIntegrator(TEMPERATURE, 50.0, 0.001), [], {}),
        (nose_hoover, [], {}),
        (lambda: mm.MTSLangevinIntegrator(TEMPERATURE, 1.0, TIMESTEP, [(0, 1)]), [], {}),
        (lambda: mm.VerletIntegrator(TIMESTEP), [mm.AndersenThermostat(TEMPERATURE, 1.0)], {}),
        (custom, [], {"temperature": TEMPERATURE * unit.kelvin}),
        (compound, [], {}),
        (langevin, [mm.AndersenThermostat(TEMPERATURE, 1.0)], {"temperature": "120.27 K"}),
    ],
)
def test_temperature_and_a_run_with_every_thermostat(make, forces, options):
    """It is the integrator's; and no step of an undisturbed liquid is taken for an explosion."""
    integrator = make()
    simulation = liquid(*forces, integrator=integrator)
    state = State.from_simulation(simulation, **options)
    assert state.temperature == pytest.approx(TEMPERATURE, abs=1e-9)
    sampler = SimulationSampler(state, table(scale=0.5))
    sampler.equilibrate(2000)  # ten collision times: a melting lattice takes half of the kinetic energy
    frames = sampler.sample(2000, 20)
    hot = np.mean([sampler.kinetic_temperature(v) for v in frames.velocities])
    assert 0.85 * TEMPERATURE < hot < 1.15 * TEMPERATURE
    assert simulation.integrator is integrator


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (lambda: mm.VerletIntegrator(TIMESTEP), {}, "its VerletIntegrator has no temperature"),
        (lambda: mm.VerletIntegrator(TIMESTEP), {"temperature": 300}, "its VerletIntegrator has no temperature"),
        (lambda: mm.VariableVerletIntegrator(1e-4), {}, "its VariableVerletIntegrator changes its time step"),
        (lambda: mm.VariableLangevinIntegrator(TEMPERATURE, 1, 1e-3), {}, "VariableLangevinIntegrator changes"),
        (lambda: mm.NoseHooverIntegrator(TIMESTEP), {}, "its NoseHooverIntegrator has no temperature"),
        (custom, {}, r"its CustomIntegrator has no temperature.*or give temperature="),
        (lambda: mm.QTBIntegrator(TEMPERATURE, 10.0, TIMESTEP), {}, "QTBIntegrator does not sample the can"),
        (lambda: mm.DrudeLangevinIntegrator(TEMPERATURE, 1, 1, 1, TIMESTEP), {}, "DrudeLangevinIntegrator does not"),
        (langevin, {"temperature": 300}, r"120\.27 K \(LangevinMiddleIntegrator\) and 300 K \(the arg"),
        (custom, {"temperature": -1}, "temperature of -1 K: it must be positive"),
        (custom, {"temperature": 3 * unit.nanometer}, "'nanometer' is not a unit of temperature"),
    ],
)  # fmt: skip
def test_ensembles_that_are_refused(make, options, said):
    forces = []
    if "Drude" in said:
        forces.append(mm.DrudeForce())
    with pytest.raises(DiffPairError, match=said):
        State.from_simulation(liquid(*forces, integrator=make()), **options)


def test_group_that_the_integrator_leaves_out():
    force = lj_force()
    force.setForceGroup(3)
    simulation = liquid(force, integrator=mm.MTSLangevinIntegrator(TEMPERATURE, 1.0, TIMESTEP, [(0, 1), (3, 2)]))
    sampler = SimulationSampler(State.from_simulation(simulation), table())
    assert simulation.system.getForce(1).getForceGroup() == 3
    np.testing.assert_allclose(forces_of(sampler.context, groups={3}), forces_of(sampler.context), atol=1e-6 * CUTOFF)
    with pytest.raises(DiffPairError, match="leaves out the forces of group 0, to which the learned potential would"):
        State.from_simulation(liquid(integrator=mm.MTSLangevinIntegrator(TEMPERATURE, 1, TIMESTEP, [(3, 1)])))
    integrator = langevin()
    integrator.setIntegrationForceGroups({1, 2})
    with pytest.raises(DiffPairError, match="leaves out the forces of group 0"):
        State.from_simulation(liquid(integrator=integrator))
