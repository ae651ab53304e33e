"""Global parameters that a user's Context has been given: everything that is computed beside it has them too."""

from __future__ import annotations

import dataclasses

import numpy as np
import openmm as mm
import pytest
from own_simulations import LIQUID, TEMPERATURE, liquid, table

from diffpair import Rdf, State
from diffpair.engines.simulation_sampler import SimulationSampler
from diffpair.gradients import TargetRows
from diffpair.gradients.dynamics import segment_forces
from diffpair.observables.pressure import PressureProbe
from diffpair.states.system import make_system
from diffpair.systems.platforms import platform_like

REFERENCE = mm.Platform.getPlatformByName("Reference")


def repulsion(k: float) -> mm.CustomNonbondedForce:
    """Between molecules: bonds add nothing to a molecular pressure."""
    force = mm.CustomNonbondedForce("k*exp(-4*r)")
    force.addGlobalParameter("k", k)
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(2.4)
    for _ in range(108):
        force.addParticle()
    return force


def collective(k: float) -> mm.CustomCVForce:
    force = mm.CustomCVForce("scale*repulsion")
    force.addGlobalParameter("scale", 1.0)
    force.addCollectiveVariable("repulsion", repulsion(k))
    return force


def state_of(simulation) -> State:
    return State.from_simulation(simulation, targets=[Rdf("A", "A", LIQUID, range=[0.75, 2.5])])


@pytest.mark.parametrize("make", [repulsion, collective])
def test_pressure_has_the_parameters_of_the_context(make):
    """Against a System that was made with these values; before and after the user changes them."""
    simulation = liquid(make(0.0), platform="Reference")
    simulation.context.setParameter("k", 50.0)
    state = state_of(simulation)
    sampler = SimulationSampler(state, table(), further_virial=True)
    probe = sampler.pressure_probe()
    frame = state.positions[None], state.box[None]
    found: list[float] = []
    for k in (50.0, 20.0):
        simulation.context.setParameter("k", k)
        made = dataclasses.replace(state, simulation=None, base_system=liquid(make(k)).system)
        expected = PressureProbe(make_system(made, table())[0], TEMPERATURE, REFERENCE).pressures(*frame)
        assert probe.pressures(*frame) == pytest.approx(expected, rel=1e-9)
        found.append(float(expected[0]))
        own = PressureProbe(made.base_system, TEMPERATURE, REFERENCE).virial(state.positions, state.box)
        assert sampler._own.virial(state.positions, state.box) == pytest.approx(own, rel=1e-9)
    assert found[0] > found[1] + 1


@pytest.mark.parametrize("make", [repulsion, collective])
def test_the_system_of_a_state_has_them_from_the_start(make):
    simulation = liquid(make(0.0), mm.AndersenThermostat(TEMPERATURE, 1.0), platform="Reference")
    simulation.context.setParameter("k", 50.0)
    simulation.context.setParameter("AndersenCollisionFrequency", 3.0)
    system = state_of(simulation).base_system
    context = mm.Context(system, mm.VerletIntegrator(0.001), REFERENCE)
    wanted = dict(simulation.context.getParameters())
    assert wanted["k"] == 50.0 and dict(context.getParameters()) == wanted
    before = mm.Context(simulation.system, mm.VerletIntegrator(0.001), REFERENCE).getParameters()
    assert before["k"] == 0.0, "the user's own forces stay as they are"


def test_contexts_beside_have_its_precision():
    names = [mm.Platform.getPlatform(i).getName() for i in range(mm.Platform.getNumPlatforms())]
    found = [name for name in ("CUDA", "HIP", "OpenCL") if name in names]
    if not found:
        pytest.skip("no platform with a choice of precision")
    system = mm.System()
    system.addParticle(1.0)
    platform = mm.Platform.getPlatformByName(found[0])
    try:
        context = mm.Context(system, mm.VerletIntegrator(0.001), platform, {"Precision": "double"})
    except mm.OpenMMException as error:
        pytest.skip(str(error))
    context.setPositions(np.zeros((1, 3)))
    beside = mm.Context(system, mm.VerletIntegrator(0.001), *platform_like(context))
    for name in ("Precision", "DeviceIndex"):
        assert platform.getPropertyValue(beside, name) == platform.getPropertyValue(context, name)
    assert platform.getPropertyValue(beside, "Precision") == "double"


def test_segments_have_the_parameters_of_the_context_when_they_begin():
    """They follow a callback's setParameter; one that has begun keeps to what it began with."""
    force = mm.CustomExternalForce("k*(x-1)^2")
    force.addGlobalParameter("k", 0.0)
    for index in range(108):
        force.addParticle(index)
    simulation = liquid(force, platform="Reference")
    state = state_of(simulation)
    rows, hooks = TargetRows(state), {}
    for k in (5.0, 9.0):
        simulation.context.setParameter("k", k)
        hooks[k] = segment_forces(rows).in_boxes(state.box[None]).hook
    for k in (5.0, 9.0, 5.0):
        found = hooks[k].forces(0, state.positions)
        assert found[:, 0] == pytest.approx(-2 * k * (state.positions[:, 0] - 1), rel=1e-9)
        assert not found[:, 1:].any()
