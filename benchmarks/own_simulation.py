"""What a fit in a user's own Simulation costs beside the steps and frames that the Simulation takes anyway."""

from __future__ import annotations

import numpy as np
import openmm
from bars import Bar, at_most
from fluid import FRICTION, MASS, TEMPERATURE, TIMESTEP, Fluid, force_of_table, learned_table
from interleaved import Contender, measure, timed
from openmm import app, unit
from production_cases import Run

from diffpair import State
from diffpair.engines.simulation_sampler import SimulationSampler

ATOMS, EVERY = 2048, 10  # steps between frames: the default of a fit
MORE, LEAST = 6, 80  # times as many turns, of so many steps or more
SHARE = 4  # one step in so many equilibrates, as with the defaults of a fit


def make_simulation(fluid: Fluid, threads: int) -> app.Simulation:
    """An ordinary script's: the fluid under a PairTableForce, without reporters."""
    topology, system = app.Topology(), openmm.System()
    chain = topology.addChain()
    for _ in range(fluid.atoms):
        topology.addAtom("Ar", None, topology.addResidue("Ar", chain))
        system.addParticle(MASS)
    box = np.diag(fluid.box)
    topology.setPeriodicBoxVectors(box * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*box)
    system.addForce(force_of_table(learned_table(), fluid.atoms))
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, TIMESTEP)
    integrator.setRandomNumberSeed(1)
    platform = openmm.Platform.getPlatform("CPU")
    made = app.Simulation(topology, system, integrator, platform, {"Threads": str(threads)})
    made.context.setPositions(fluid.positions)
    made.context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return made


def plain(simulation: app.Simulation) -> Contender:
    """simulation.step, and the positions of every frame."""

    def block(steps: int) -> None:
        simulation.step(steps // SHARE)
        for _ in range((steps - steps // SHARE) // EVERY):
            simulation.step(EVERY)
            simulation.context.getState(positions=True).getPositions(asNumpy=True)

    return Contender("simulation.step", timed(block))


def fitted(simulation: app.Simulation) -> Contender:
    """An iteration of a fit without its sums: a table is written, then equilibration and sampling."""
    sampler = SimulationSampler(State.from_simulation(simulation), learned_table())

    def block(steps: int) -> None:
        sampler.set_table(learned_table())
        sampler.equilibrate(steps // SHARE)
        for _ in sampler.stream(steps - steps // SHARE, EVERY):  # as a fit does
            pass

    return Contender("from_simulation", timed(block))


def simulation(run: Run) -> list[Bar]:
    """A fit's engine in a user's Simulation against the Simulation alone."""
    fluid = run.fluid(ATOMS)
    contenders = [plain(make_simulation(fluid, run.threads)), fitted(make_simulation(fluid, run.threads))]
    # many short turns: a few per cent are less than what a busy machine does to a single one
    rounds = measure(contenders, MORE * run.rounds, run.seconds / MORE, run.progress, "own Simulation", LEAST)
    run.show(f"own Simulation, {fluid.atoms} atoms, a frame every {EVERY} steps", rounds, "simulation.step")
    percent = 100 * (rounds.ratio("from_simulation", "simulation.step") - 1)
    return [at_most(f"overhead of from_simulation over simulation.step, {ATOMS} atoms", percent, 10.0, "%")]
