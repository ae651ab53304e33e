"""A user's Simulation as a state: what is read from it, what stays as it is, what is refused."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
from openmm import app
from own_simulations import (
    LIQUID,
    TEMPERATURE,
    TIMESTEP,
    alone,
    dimers,
    forces_of,
    langevin,
    liquid,
    lj_force,
    pair_force,
    table,
)

from diffpair import DiffPairError, PairTableForce, Rdf, State, VacfTarget
from diffpair.engines.simulation_sampler import SimulationSampler
from diffpair.states.state import NO_TYPE
from diffpair.targets import RdfTarget

PLATFORMS = [mm.Platform.getPlatform(i).getName() for i in range(mm.Platform.getNumPlatforms())]
FREE = {name: name for name in ("P", "Q", "NA")}


def everything(context: mm.Context) -> dict[str, object]:
    state = context.getState(positions=True, velocities=True, parameters=True)
    return {
        "x": state.getPositions(asNumpy=True)._value,
        "v": state.getVelocities(asNumpy=True)._value,
        "box": np.array(state.getPeriodicBoxVectors(asNumpy=True)._value),
        "parameters": dict(state.getParameters()),
        "steps": state.getStepCount(),
        "time": state.getTime()._value,
    }


def field() -> mm.CustomExternalForce:
    force = mm.CustomExternalForce("k * periodicdistance(x, 0, 0, 1, 0, 0)^2")
    force.addGlobalParameter("k", 0.1)
    force.setForceGroup(7)
    for index in range(108):
        force.addParticle(index, [])
    return force


@pytest.mark.parametrize("platform", PLATFORMS)
def test_taking_up_the_potential_changes_nothing_else(platform):
    """Positions, velocities, box, parameters, time and steps; other forces, their groups, integrator and reporters."""
    barostat = mm.MonteCarloBarostat(10.0, TEMPERATURE, 5)
    simulation = liquid(lj_force(), field(), barostat, platform=platform)
    box = np.diag([5.4, 5.5, 5.6])
    simulation.context.setPeriodicBoxVectors(*box)
    simulation.context.setParameter("k", 0.25)
    simulation.context.setParameter(mm.MonteCarloBarostat.Pressure(), 17.0)
    simulation.step(7)
    reporter = app.StateDataReporter("/dev/null", 10)
    simulation.reporters.append(reporter)
    before, integrator = everything(simulation.context), simulation.integrator
    without = forces_of(simulation.context)
    state = State.from_simulation(simulation)
    assert everything(simulation.context)["steps"] == 7 and simulation.system.getNumForces() == 3
    assert state.barostat_pressure == 17.0 and state.timestep == TIMESTEP and state.temperature == TEMPERATURE

    sampler = SimulationSampler(state, table())
    after = everything(simulation.context)
    for key, value in before.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, after[key], err_msg=key)
        else:
            assert value == after[key], key
    assert simulation.integrator is integrator and simulation.context.getIntegrator().this == integrator.this
    assert simulation.reporters == [reporter]
    assert [force.getForceGroup() for force in simulation.system.getForces()] == [0, 7, 0, 0]
    learned = forces_of(simulation.context) - without
    np.testing.assert_allclose(learned, alone(simulation, table()), atol=2e-4 * np.abs(learned).max())

    sampler.set_table(table(scale=0.4))
    learned = forces_of(simulation.context) - without
    np.testing.assert_allclose(learned, alone(simulation, table(scale=0.4)), atol=2e-4 * np.abs(without).max())
    sampler.equilibrate(20)
    assert simulation.context.getStepCount() == 27 and simulation.currentStep == 27


def test_reporters_see_the_steps_of_a_fit(tmp_path):
    simulation = liquid()
    simulation.reporters.append(app.StateDataReporter(str(tmp_path / "log.csv"), 20, step=True, potentialEnergy=True))
    sampler = SimulationSampler(State.from_simulation(simulation), table())
    sampler.equilibrate(50)
    frames = sampler.sample(60, 10)
    rows = np.loadtxt(tmp_path / "log.csv", delimiter=",")
    assert list(rows[:, 0]) == [20, 40, 60, 80, 100]
    assert rows[3, 1] == pytest.approx(frames.potential_energy[2], rel=1e-5) and len(frames) == 6


def test_exclusions_of_the_nonbonded_force_are_taken():
    state = State.from_simulation(dimers(), types={"P": "P", "Q": "Q", "Na": None})
    assert [list(pair) for pair in state.exclusions] == [[k, k + 1] for k in range(0, 126, 2)]
    assert state.type_names == ("P", "Q") and state.types[-1] == NO_TYPE and not state.complete


def test_bonds_exclude_where_no_force_says_so():
    simulation = dimers()
    simulation.system.removeForce(1)
    simulation.context.reinitialize(preserveState=True)
    assert len(State.from_simulation(simulation).exclusions) == 63
    assert len(State.from_simulation(dimers(), exclude_bonds=0).exclusions) == 0


def by_charge(atom):
    return "P" if atom.name == "P" else None


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ({"P": "head", "Q": "tail", "NA": "ion"}, ["head", "tail", "ion"]),
        ({"DIM-P": "head", "DIM": "rest", "*": "other"}, ["head", "rest", "other"]),
        ({"DIM": "bead", "Na": "ion"}, ["bead", "bead", "ion"]),
        ({"DIM": "bead", "ION": None}, ["bead", "bead", None]),
        ({"P": "head", "*": None}, ["head", None, None]),
        (None, ["P", "Q", "NA"]),
        (by_charge, ["P", None, None]),
    ],
)
def test_types(types, expected):
    state = State.from_simulation(dimers(), types=types)
    found = [None if k == NO_TYPE else state.type_names[k] for k in state.types]
    assert found == expected[:2] * 63 + expected[2:]
    assert state.type_names == tuple(dict.fromkeys(name for name in expected if name))
    assert ("without a type" in repr(state)) is (None in expected)


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ({"P": "P"}, r"atom 1 \(DIM-Q\) has no type: no key of `types` fits it"),
        ({"*": None}, "no atom has a type"),
        (lambda atom: atom.index, r"`types` gives atom 0 \(DIM-P\) the type 0, which is neither a name nor None"),
    ],
)
def test_types_that_are_refused(types, said):
    with pytest.raises(DiffPairError, match=said):
        State.from_simulation(dimers(), types=types)


@pytest.mark.parametrize("from_xml", [False, True])
def test_force_of_the_system_is_used(from_xml):
    force = pair_force(108, table(knots=33))
    force.addExclusion(0, 1)
    simulation = liquid(force)
    if from_xml:
        system = mm.XmlSerializer.deserialize(mm.XmlSerializer.serialize(simulation.system))
        again = app.Simulation(simulation.topology, system, langevin(), mm.Platform.getPlatformByName("CPU"))
        again.context.setState(simulation.context.getState(positions=True, velocities=True))
        simulation = again
    state = State.from_simulation(simulation)
    assert state.exclusions.tolist() == [[0, 1]] and state.type_names == ("A",)
    assert state.base_system.getNumForces() == 0
    with pytest.raises(DiffPairError, match="has 33 knots from 0.8 to 2.5 nm, but the fit's table has 40 from"):
        SimulationSampler(state, table())
    SimulationSampler(state, table(knots=33, scale=0.5))
    assert simulation.system.getNumForces() == 1
    assert PairTableForce.cast(simulation.system.getForce(0)).getTable() == table(knots=33, scale=0.5)
    with pytest.raises(DiffPairError, match="atom 0 has the type B by `types`, but A in the System's PairTableForce"):
        State.from_simulation(simulation, types={"*": "B"})


def test_later_fit_may_give_the_force_of_an_earlier_one_another_grid_and_other_types():
    simulation = liquid()
    SimulationSampler(State.from_simulation(simulation), table())
    first = State.from_simulation(simulation, types=lambda atom: "B" if atom.index % 2 else None)
    SimulationSampler(first, table(("B",), knots=30))
    (force,) = (PairTableForce.cast(force) for force in simulation.system.getForces())
    assert force.getNumKnots() == 30 and force.getNumTypes() == 2
    again = State.from_simulation(simulation)  # types of the force that is there
    assert again.type_names == ("B",) and np.array_equal(again.types, first.types)


def test_two_forces_are_refused():
    with pytest.raises(DiffPairError, match="holds 2 PairTableForces, and which of them is learned is not clear"):
        State.from_simulation(liquid(pair_force(108, table()), pair_force(108, table())))


def test_force_that_is_not_periodic_is_refused():
    force = pair_force(108, table())
    force.setNonbondedMethod(PairTableForce.CutoffNonPeriodic)
    with pytest.raises(DiffPairError, match="the PairTableForce in its System is not periodic"):
        State.from_simulation(liquid(force))


def test_simulation_that_is_broken_already():
    simulation = liquid(lj_force())
    x = simulation.context.getState(positions=True).getPositions(asNumpy=True)._value
    x[4] = np.nan
    simulation.context.setPositions(x)
    with pytest.raises(DiffPairError, match="the Simulation is broken already: a coordinate is not a number"):
        State.from_simulation(simulation)
    x[4] = x[5]
    simulation.context.setPositions(x)
    with pytest.raises(DiffPairError, match="broken already: its potential energy is not a number"):
        State.from_simulation(simulation)


def test_simulation_without_positions_box_or_name():
    simulation = liquid()
    fresh = app.Simulation(simulation.topology, simulation.system, langevin(), mm.Platform.getPlatformByName("CPU"))
    with pytest.raises(DiffPairError, match="cannot run as it is: Particle positions have not been set"):
        State.from_simulation(fresh)
    simulation.topology.setPeriodicBoxVectors(None)
    with pytest.raises(DiffPairError, match="neither the System nor the topology is periodic"):
        State.from_simulation(simulation)
    with pytest.raises(DiffPairError, match=r"wants an openmm\.app\.Simulation, not a Context"):
        State.from_simulation(simulation.context)


def test_targets_that_do_not_go_with_the_types():
    with pytest.raises(
        DiffPairError, match=r"rdf\.csv names type 'Na', which state 'simulation' does not have \(P, Q\)"
    ):
        State.from_simulation(dimers(), types={"NA": None, "P": "P", "Q": "Q"}, targets=[Rdf("P", "Na", LIQUID)])
    r = 0.05 * np.arange(1, 50)
    one = RdfTarget(("NA", "NA"), r, np.ones(49))
    with pytest.raises(DiffPairError, match="has a single particle of type 'NA', and so no pairs NA-NA"):
        State.from_simulation(dimers(), types=FREE, targets=[one])
    simulation = liquid(integrator=mm.BrownianIntegrator(TEMPERATURE, 50.0, 0.001))
    with pytest.raises(DiffPairError, match="has a vacf as a target, but Brownian dynamics has no velocities"):
        State.from_simulation(simulation, targets=[VacfTarget(0.01 * np.arange(20), np.linspace(1, 0, 20))])


needs_opencl = pytest.mark.skipif("OpenCL" not in PLATFORMS, reason="there is no OpenCL")


@needs_opencl
def test_gpu_beside_a_force_of_a_longer_cutoff():
    """One cutoff for both is what OpenMM wants there; the table ends where it did."""
    simulation = liquid(lj_force(), platform="OpenCL")
    without = forces_of(simulation.context)
    sampler = SimulationSampler(State.from_simulation(simulation), table(cutoff=2.0))
    learned = forces_of(sampler.context) - without
    np.testing.assert_allclose(learned, alone(simulation, table(cutoff=2.0)), atol=2e-4 * np.abs(without).max())


@needs_opencl
def test_gpu_that_refuses_the_potential_leaves_the_simulation_as_it_was():
    simulation = liquid(lj_force(), platform="OpenCL")
    simulation.step(3)
    before = everything(simulation.context)
    state = State.from_simulation(simulation)
    state.exclusions = np.array([[0, 1]])
    with pytest.raises(DiffPairError, match="cannot take up the potential on the platform OpenCL: .*exclude different"):
        SimulationSampler(state, table())
    after = everything(simulation.context)
    np.testing.assert_array_equal(before["x"], after["x"])
    assert after["steps"] == 3 and simulation.system.getNumForces() == 1
    simulation.step(2)


def test_the_potential_is_taken_back():
    simulation = liquid(lj_force())
    before = everything(simulation.context)
    state = State.from_simulation(simulation)
    SimulationSampler(state, table()).equilibrate(20)
    state.simulation.put_back()
    after = everything(simulation.context)
    assert simulation.system.getNumForces() == 1
    for key in ("x", "v", "box"):
        np.testing.assert_array_equal(before[key], after[key])
    SimulationSampler(state, table()).equilibrate(20)  # and may come again
