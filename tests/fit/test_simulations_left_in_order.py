"""What is left of users' Simulations where fits fail, follow one another or cross."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
from openmm import app
from own_simulations import LIQUID, TEMPERATURE, liquid, pair_force, runs, sound, table

from diffpair import DiffPairError, Fit, GaussNewton, PairTableForce, Potential, Production, Rdf, Sampling, Start, State
from diffpair.engines import Exploded
from diffpair.engines.simulation_sampler import SimulationSampler
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import prepare
from diffpair.fit.tasks.station import Station
from diffpair.targets import RdfTarget

SHORT = Sampling(timestep=0.005, equilibration=20, steps=200, every=10, adaptive=False)
POTENTIAL = Potential("bspline", cutoff=2.4, knots=30)


def state_of(simulation, **options):
    return State.from_simulation(simulation, **({"targets": [Rdf("A", "A", LIQUID, range=[0.75, 2.5])]} | options))


def fit_of(states, iterations=1, potential=POTENTIAL):
    update = GaussNewton(iterations=iterations, stop_at_noise=False)
    brief = Production(max_steps=400, noise_target=0.5)
    return Fit(potential, states, sampling=SHORT, production=brief, update=update, progress=False)


def where(simulation):
    return simulation.context.getState(positions=True).getPositions(asNumpy=True)._value.copy()


def learned(simulation):
    return [PairTableForce.cast(f).getTable() for f in simulation.system.getForces() if PairTableForce.isinstance(f)]


class BrokenOff(Exception):
    pass


def test_what_an_earlier_fit_has_learned_survives_one_that_does_not_begin(tmp_path):
    simulation = liquid()
    state = state_of(simulation)
    result = fit_of(state).run()
    simulation.step(50)
    now = where(simulation)
    with pytest.raises(DiffPairError, match="holds no fit to resume"):
        Fit.resume(tmp_path / "none", POTENTIAL, state, progress=False)
    assert runs(simulation, result.table) and np.array_equal(where(simulation), now)


@pytest.mark.parametrize(("knots", "same_state"), [(30, True), (25, False)])
def test_what_an_earlier_fit_has_learned_comes_back_after_one_that_is_broken_off(knots, same_state, monkeypatch):
    simulation = liquid()
    state = state_of(simulation)
    first = fit_of(state)
    result = first.run()
    simulation.step(50)
    now = where(simulation)

    def broken(*args):
        raise BrokenOff

    second = fit_of(
        state if same_state else state_of(simulation), potential=Potential("bspline", cutoff=2.4, knots=knots)
    )
    with monkeypatch.context() as patch:
        patch.setattr(Station, "_sample", broken)  # after the equilibration of iteration 1
        with pytest.raises(BrokenOff):
            second.run()
    assert len(learned(simulation)) == 1 and runs(simulation, result.table)
    assert np.array_equal(where(simulation), now)
    second.run()
    assert runs(simulation, second.table) and not runs(simulation, result.table)


def test_steps_of_the_users_own_stay_where_the_fit_has_not_run(tmp_path):
    simulation, other = liquid(), liquid(density=0.7)
    fit = fit_of([state_of(simulation), state_of(other, name="other", held_out=True)], 2)
    result = fit.run()
    for each in (simulation, other):
        each.step(50)
    now = [where(simulation), where(other)]
    with pytest.raises(DiffPairError, match="has begun already"):
        fit.run(tmp_path / "a", resume=True)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises((DiffPairError, OSError)):
        fit.run(file)
    for each, x in zip((simulation, other), now, strict=True):
        assert np.array_equal(where(each), x) and runs(each, result.table)


def test_fits_that_cross_are_refused():
    simulation = liquid()
    one, two = (fit_of(state_of(simulation), 3, Potential("bspline", cutoff=2.4, knots=n)) for n in (30, 25))
    one.step()
    two.step()
    now = where(simulation)
    with pytest.raises(DiffPairError, match="no longer the one that this fit knows"):
        one.step()
    assert runs(simulation, two.table) and np.array_equal(where(simulation), now)
    two.step()
    assert runs(simulation, two.table)


def test_force_that_the_user_has_removed_or_added():
    simulation = liquid()
    fit = fit_of(state_of(simulation), 3)
    fit.step()
    simulation.system.removeForce(0)
    simulation.context.reinitialize(preserveState=True)
    with pytest.raises(DiffPairError, match="no longer the one that this fit knows"):
        fit.step()
    state = state_of(simulation)
    simulation.system.addForce(pair_force(108, table(knots=30, cutoff=2.4)))
    simulation.context.reinitialize(preserveState=True)
    with pytest.raises(DiffPairError, match="no longer the one that this fit knows"):
        fit_of(state).step()
    assert learned(simulation) == [table(knots=30, cutoff=2.4)]


def test_force_that_the_context_does_not_take_leaves_the_others():
    simulation = liquid(mm.AndersenThermostat(TEMPERATURE, 1.0))
    SimulationSampler(state_of(simulation), table()).equilibrate(20)
    now = where(simulation)
    user = state_of(simulation).simulation
    other = table(knots=25)
    with pytest.raises(DiffPairError, match="its Context cannot take up the potential on the platform CPU"):
        user.write(other, lambda: (pair_force(3, other), []))
    assert np.array_equal(where(simulation), now) and runs(simulation, table()) and learned(simulation) == [table()]
    assert [f.getName() for f in simulation.system.getForces()] == ["AndersenThermostat", "LearnedPairTableForce"]
    simulation.step(5)
    user.write(other, lambda: (pair_force(108, other), []))
    assert runs(simulation, other)


def test_reporter_that_finds_the_explosion_first(tmp_path):
    force = mm.CustomExternalForce("step(x + 1e6) * sqrt(t)")  # its energy is NaN from t < 0 on, and nothing else
    force.addGlobalParameter("t", 0.0)
    for index in range(108):
        force.addParticle(index, [])
    simulation = liquid(force)
    simulation.reporters.append(app.StateDataReporter(str(tmp_path / "log.csv"), 1, potentialEnergy=True))
    sampler = SimulationSampler(state_of(simulation), table())
    sampler.equilibrate(10)
    simulation.context.setParameter("t", -1.0)
    with pytest.raises(Exploded, match="exploded by step 10: Energy is NaN"):
        sampler.equilibrate(10)


def test_reporter_with_an_error_of_its_own():
    class Full:
        def describeNextReport(self, simulation):
            return {"steps": 10, "periodic": None, "include": []}

        def report(self, simulation, state):
            raise ValueError("the disk is full")

    simulation = liquid()
    simulation.reporters.append(Full())
    with pytest.raises(ValueError, match="the disk is full"):
        fit_of(state_of(simulation)).run()
    assert sound(simulation) and not learned(simulation)


def test_own_forces_that_explode_without_the_potential_leave_the_structure():
    """Charges that nothing keeps apart: the fit starts from where the user had the ions, not from their clumps."""
    edge = 2.1
    topology, system, force = app.Topology(), mm.System(), mm.NonbondedForce()
    chain = topology.addChain()
    force.setNonbondedMethod(force.PME)
    sites = np.array(list(np.ndindex(6, 6, 6)))
    for site in sites:
        name = ("CL", "NA")[int(site.sum()) % 2]
        topology.addAtom(name, None, topology.addResidue(name, chain))
        system.addParticle(30.0)
        force.addParticle(1.0 if name == "NA" else -1.0, 1.0, 0.0)
    system.addForce(force)
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * edge))
    topology.setPeriodicBoxVectors(np.eye(3) * edge)
    integrator = mm.LangevinMiddleIntegrator(1200, 1, 0.002)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("CPU"))
    simulation.context.setPositions((sites + 0.5) * edge / 6)
    simulation.context.setVelocitiesToTemperature(1200, 1)
    before = where(simulation)
    r = np.linspace(0.15, 0.99, 43)
    pairs = [("NA", "CL"), ("NA", "NA"), ("CL", "CL")]
    cores = [(0.27, 0.01), (0.36, 0.02), (0.36, 0.02)]
    targets = [RdfTarget(p, r, 1 / (1 + np.exp((c - r) / w))) for p, (c, w) in zip(pairs, cores, strict=True)]
    state = state_of(simulation, targets=targets)
    start = Start(method="boltzmann-inversion")
    fit = Fit(Potential("bspline", cutoff=1.0, knots=24), state, sampling=SHORT, start=start)
    setup = prepare(fit.settings, fit.states, FitProgress.of(False))
    assert not setup.own and simulation.currentStep > 0 and np.array_equal(where(simulation), before)


def test_stopped_before_its_first_step():
    simulation = liquid()
    fit = fit_of(state_of(simulation), 2)
    fit.stop("enough")
    assert fit.stopped == "enough"
    result = fit.run()
    assert not result.history and result.summary["stopped"] == "enough"
    assert result.table == result.start and runs(simulation, result.start)
    assert fit.step().number == 1
