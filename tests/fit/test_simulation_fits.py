"""Fits that run in users' own Simulations, and what is left of these when a fit fails."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
from openmm import app
from own_simulations import (
    LIQUID,
    TEMPERATURE,
    dimers,
    liquid,
    pair_force,
    runs,
    sound,
    table,
)

from diffpair import (
    Adjoint,
    DiffPairError,
    Fit,
    GaussNewton,
    PairTableForce,
    Potential,
    Production,
    Rdf,
    Sampling,
    State,
)
from diffpair.targets import RdfTarget

SHORT = Sampling(timestep=0.005, equilibration=20, steps=200, every=10, melt=300, adaptive=False)
BRIEF = Production(max_steps=400, noise_target=0.5)
POTENTIAL = Potential("bspline", cutoff=2.4, knots=30)
PLATFORMS = [mm.Platform.getPlatform(i).getName() for i in range(mm.Platform.getNumPlatforms())]
TRICLINIC = 5.04 * np.array([[1, 0, 0], [0.4, 1, 0], [-0.3, 0.2, 1]])


def target():
    return Rdf("A", "A", LIQUID, range=[0.75, 2.5])


def state_of(simulation, **options):
    return State.from_simulation(simulation, **({"targets": [target()]} | options))


def fit_of(states, iterations=2, potential=POTENTIAL, **options):
    update = GaussNewton(iterations=iterations, stop_at_noise=False)
    chosen = {"sampling": SHORT, "production": BRIEF, "update": update, "progress": False}
    return Fit(potential, states, **(chosen | options))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_simulation_runs_what_was_learned(platform, tmp_path):
    simulation = liquid(platform=platform)
    simulation.reporters.append(app.StateDataReporter(str(tmp_path / "log.csv"), 100, step=True))
    fit = fit_of(state_of(simulation))
    entry = fit.step()
    assert runs(simulation, fit.table) and entry.md_steps == simulation.currentStep == 220
    result = fit.run()
    assert runs(simulation, result.table) and not runs(simulation, result.start)
    assert fit.history[0] is entry and len(fit.history) == 2
    done = simulation.currentStep
    assert done == result.summary["md_steps"] + 1000 + result.production[0].steps
    simulation.step(40)
    steps = np.loadtxt(tmp_path / "log.csv", delimiter=",")
    np.testing.assert_array_equal(steps, np.arange(100, done + 41, 100))


@pytest.mark.parametrize("box", [None, TRICLINIC], ids=["cube", "triclinic"])
def test_it_is_fitted_as_well_as_a_lattice(box):
    """The known g(r) of Lennard-Jones, from a structure that was not equilibrated."""
    simulation = liquid(box=box)
    simulation.context.setVelocitiesToTemperature(7 * TEMPERATURE, 1)  # melts the lattice
    sampling = Sampling(equilibration=800, steps=1500, every=15, adaptive=False)
    start = {"form": "lj", "sigma": 1.0, "epsilon": 1.0, "cutoff": 2.5}
    fit = fit_of(state_of(simulation), 1, Potential(**start), sampling=sampling)
    assert fit.step().mae < 0.035  # noise of 100 frames of 108 particles is 0.01 to 0.02


def test_simulations_and_a_lattice_in_one_fit():
    """Two are fitted beside a lattice, one is held out; all end with the one potential."""
    two = [liquid(density=0.75), liquid()]
    held_out = liquid(density=0.7)
    lattice = State.from_lattice(
        "lattice", n=108, density=0.845, types={"A": 1.0}, masses=1.0, temperature=TEMPERATURE, targets=[target()]
    )
    states = [
        lattice,
        state_of(two[0], name="thin"),
        state_of(two[1], name="dense"),
        state_of(held_out, name="other", held_out=True),
    ]  # fmt: skip
    fit = fit_of(states)
    result = fit.run()
    assert [entry["name"] for entry in result.summary["states"]] == ["lattice", "thin", "dense", "other"]
    assert len(result.tables) == 4 and len(set(map(id, two))) == 2
    for simulation in (*two, held_out):
        assert runs(simulation, result.table)
    assert held_out.currentStep == 1000 + result.production[3].steps
    assert "held out" in repr(fit).splitlines()[4]


def test_molecules_with_charges_and_an_ion_without_a_type():
    simulation = dimers(charge=0.5)
    r = np.linspace(0.3, 2.3, 41)
    targets = [RdfTarget(pair, r, 1 / (1 + np.exp((0.85 - r) / 0.03))) for pair in (("P", "P"), ("P", "Q"), ("Q", "Q"))]
    types = {"P": "P", "Q": "Q", "NA": None}
    state = State.from_simulation(simulation, types=types, targets=targets)
    result = fit_of(state, 1, Potential("bspline", cutoff=2.0, knots=20)).run()
    assert result.table.types == ("P", "Q")
    force = next(f for f in simulation.system.getForces() if PairTableForce.isinstance(f))
    force = PairTableForce.cast(force)
    assert force.getNumExclusions() == 63 and force.getTypeName(force.getParticleType(126)) == "none"
    assert [force.getTypeName(force.getParticleType(k)) for k in (0, 1)] == ["P", "Q"]


def test_force_with_its_grid_that_was_there():
    simulation = liquid(pair_force(108, table(knots=33, cutoff=2.4)))
    fit = fit_of(state_of(simulation), potential=Potential("bspline", cutoff="24 angstrom"))
    result = fit.run()
    assert (result.table.r_min, result.table.knots) == (0.8, 33) and simulation.system.getNumForces() == 1
    assert runs(simulation, result.table)


class Spoil:
    """A callback that makes the time step far too long after some iteration."""

    def __init__(self, simulation, after):
        self.simulation, self.after = simulation, after

    def __call__(self, fit, entry):
        if entry.number == self.after:
            self.simulation.integrator.setStepSize(2.0)


def test_fit_that_explodes_leaves_the_best_potential(tmp_path):
    simulation = liquid()
    fit = fit_of(state_of(simulation), 12)
    with pytest.raises(DiffPairError, match=r"5 failures in a row.*potential\.json holds the last good pot") as caught:
        fit.run(tmp_path, callback=Spoil(simulation, 2))
    best = min(fit.history[:2], key=lambda entry: entry.mae)
    assert f"of iteration {best.number} " in str(caught.value)
    simulation.integrator.setStepSize(0.005)
    assert sound(simulation) and runs(simulation, fit.table)
    at_best = "start.json" if best.number == 1 else "iterations/potential-001.json"
    assert fit.table == type(fit.table).load(tmp_path / at_best) == type(fit.table).load(tmp_path / "potential.json")
    assert simulation.currentStep < 2 * 220 + 5 * 100 + 1, "repeated steps do not count"
    simulation.step(50)
    assert sound(simulation)


def test_loop_of_steps_that_explodes_leaves_it_too():
    simulation = liquid()
    fit = fit_of(state_of(simulation), 12)
    fit.callbacks.append(Spoil(simulation, 1))
    with pytest.raises(DiffPairError, match="the fit's table is the last good one, of iteration 1"):
        for _ in range(12):
            fit.step()
    assert sound(simulation) and runs(simulation, fit.table)


def test_production_that_explodes():
    simulation = liquid()
    fit = fit_of(state_of(simulation), 2)
    with pytest.raises(DiffPairError, match="exploded by step"):
        fit.run(callback=Spoil(simulation, 2))
    assert sound(simulation) and runs(simulation, fit.table)


def test_held_out_simulation_whose_production_explodes():
    simulation, other = liquid(), liquid(density=0.7)
    fit = fit_of([state_of(simulation), state_of(other, name="other", held_out=True)], 1)
    with pytest.raises(DiffPairError, match="the simulation of state 'other' exploded"):
        fit.run(callback=Spoil(other, 1))
    for each in (simulation, other):
        assert sound(each) and runs(each, fit.table)


def test_fit_that_does_not_get_beyond_its_start_leaves_all_as_it_was():
    simulation = liquid(integrator=mm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, 2.0))
    before = simulation.context.getState(positions=True, velocities=True)
    with pytest.raises(DiffPairError, match="did not get beyond its start: the simulation of state .* exploded"):
        fit_of(state_of(simulation)).run()
    after = simulation.context.getState(positions=True, velocities=True)
    assert simulation.system.getNumForces() == 0
    np.testing.assert_array_equal(before.getPositions(asNumpy=True)._value, after.getPositions(asNumpy=True)._value)
    np.testing.assert_array_equal(before.getVelocities(asNumpy=True)._value, after.getVelocities(asNumpy=True)._value)


def test_saved_and_resumed_in_a_new_simulation(tmp_path):
    simulation = liquid()
    fit = fit_of(state_of(simulation))
    fit.step()
    fit.save(tmp_path)
    now = simulation.context.getState(positions=True).getPositions(asNumpy=True)._value
    anew = liquid()
    resumed = Fit.resume(
        tmp_path, POTENTIAL, state_of(anew), sampling=SHORT, production=BRIEF, progress=False,
        update=GaussNewton(iterations=2, stop_at_noise=False),
    )  # fmt: skip
    there = anew.context.getState(positions=True).getPositions(asNumpy=True)._value
    np.testing.assert_allclose(there, now, atol=1e-6)
    assert resumed.table == fit.table and len(resumed.run().history) == 2


def test_what_is_refused_before_anything_runs():
    simulation = liquid()
    with pytest.raises(DiffPairError, match="states 'simulation' and 'b' are one and the same Simulation"):
        fit_of([state_of(simulation), state_of(simulation, name="b")])
    with pytest.raises(DiffPairError, match=r"cutoff of 2\.6 nm is beyond half the box of state 'simulation'"):
        fit_of(state_of(simulation), potential=Potential("bspline", cutoff=2.6))
    given = liquid(pair_force(108, table(knots=33)))
    with pytest.raises(DiffPairError, match=r"has 33 knots from 0\.8 to 2\.5 nm, but the potential wants 30 knots"):
        fit_of(state_of(given)).run()
    two = [state_of(liquid(pair_force(108, table(knots=knots, cutoff=2.4))), name=f"{knots}") for knots in (33, 34)]
    with pytest.raises(DiffPairError, match="33 knots from .* but state '34' has 34 knots from"):
        fit_of(two, potential=Potential("bspline", cutoff=2.4)).run()
    r = np.linspace(0.1, 1, 20)
    other = State.from_simulation(liquid(), types={"*": "B"}, targets=[RdfTarget(("B", "B"), r, np.ones(20))], name="b")
    adjoint = Adjoint(segments=4, learn_friction=1.0)
    with pytest.raises(DiffPairError, match="learn_friction needs a vacf"):
        fit_of(other, gradient=adjoint, update="adam")
    assert all(s.currentStep == 0 for s in (simulation, given)) and simulation.system.getNumForces() == 0


@pytest.mark.skipif("OpenCL" not in PLATFORMS, reason="there is no OpenCL")
def test_cutoff_that_a_gpu_does_not_allow():
    force = mm.NonbondedForce()
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(1.9)
    for _ in range(108):
        force.addParticle(0.0, 1.0, 0.1)
    simulation = liquid(force, platform="OpenCL")
    said = (
        r"potential's cutoff of 2\.4 nm is longer than that of the System's NonbondedForce \(1\.9 nm\), and the "
        r"platform OpenCL has one for all nonbonded forces of a group: give the potential a cutoff of 1\.9 nm or less"
    )
    with pytest.raises(DiffPairError, match=said):
        fit_of(state_of(simulation))
    assert simulation.system.getNumForces() == 1
    shorter = state_of(simulation, targets=[Rdf("A", "A", LIQUID, range=[0.75, 1.9])])
    fit_of(shorter, potential=Potential("bspline", cutoff=1.9))
