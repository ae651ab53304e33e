"""The segment of chains: bonds beside the table, by the core and by OpenMM."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import openmm
from bars import Bar, at_most
from fluid import Cells, Fluid, melt
from gradient_cases import CELLS, Run, evaluation
from rdf_loss import CUTOFF, DENSITY, GRID, TEMPERATURE, TIMESTEP, RdfLoss

from diffpair import PairTableForce
from diffpair.potentials import LennardJones, to_table
from diffpair.segments import SystemForces

BEADS = 4
REPLICAS = 4  # through the bridge


def chain_system(fluid: Fluid) -> openmm.System:
    """Every four atoms, neighbours in the lattice that they were melted from, with bonds, angles and a torsion."""
    bonds, angles, torsions = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce(), openmm.PeriodicTorsionForce()
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(fluid.box))
    for first in range(0, fluid.atoms, BEADS):
        a, b, c, d = range(first, first + BEADS)
        for i, j in ((a, b), (b, c), (c, d)):
            bonds.addBond(i, j, 1.0, 400.0)
        for i, j, k in ((a, b, c), (b, c, d)):
            angles.addAngle(i, j, k, 1.8, 20.0)
        torsions.addTorsion(a, b, c, d, 3, 0.0, 1.0)
    for _ in range(fluid.atoms):
        system.addParticle(1.0)
    for force in (bonds, angles, torsions):
        force.setUsesPeriodicBoundaryConditions(True)
        system.addForce(force)
    return system


def exclusions(atoms: int) -> np.ndarray:
    """All pairs within a chain."""
    within = list(itertools.combinations(range(BEADS), 2))
    return (np.arange(0, atoms, BEADS)[:, None, None] + np.array(within)).reshape(-1, 2)


@functools.cache
def melted_chains(cells: Cells, threads: int, steps: int) -> Fluid:
    """See melt; Lennard-Jones between the chains."""

    def context_of(small: Fluid) -> openmm.Context:
        system = chain_system(small)
        force = PairTableForce.fromTable(to_table(LennardJones(("A",), CUTOFF), GRID))
        force.setNonbondedMethod(force.CutoffPeriodic)
        for _ in range(small.atoms):
            force.addParticle(0)
        for i, j in exclusions(small.atoms):
            force.addExclusion(int(i), int(j))
        system.addForce(force)
        integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, TIMESTEP)
        integrator.setRandomNumberSeed(1)
        context = openmm.Context(system, integrator, openmm.Platform.getPlatform("CPU"), {"Threads": str(threads)})
        context.setPositions(small.positions)
        context.setVelocitiesToTemperature(TEMPERATURE, 1)
        return context

    return melt(cells, DENSITY, TEMPERATURE, context_of, steps)


def bonded(run: Run) -> list[Bar]:
    """Chains of four beads against as many beads, and what OpenMM is asked for where it makes the bonds."""
    fluid = melted_chains(CELLS[256 if run.quick else 4000], run.threads, 100 if run.quick else 1500)
    system, steps = chain_system(fluid), run.steps(50)
    native = SystemForces(system)
    beads = RdfLoss(fluid, run.integrator, steps=steps)
    chains = RdfLoss(fluid, run.integrator, steps=steps, forces=native, exclusions=exclusions(fluid.atoms))
    contenders = {"beads": evaluation(beads), "chains": evaluation(chains)}
    rounds = run.measure(contenders, f"{fluid.atoms} beads in chains of {BEADS}, {steps} steps")
    bars = [
        at_most(
            "value and gradient at 4000 atoms, chains of 4 against beads", rounds.ratio("chains", "beads"), 1.3, "x"
        )
    ]

    bridge = SystemForces(system, "CPU", native=False)
    run.console.print(bridge.describe())
    assert bridge.bridge is not None
    of_openmm, of_core = (
        RdfLoss(fluid, run.integrator, REPLICAS, steps, forces=forces, exclusions=exclusions(fluid.atoms))
        for forces in (bridge, native)
    )
    gradients = [loss.gradient()[1] for loss in (of_core, of_openmm)]
    cosine = gradients[0] @ gradients[1] / np.linalg.norm(gradients[0]) / np.linalg.norm(gradients[1])
    per_step = bridge.bridge.evaluations / steps
    rounds = run.measure(
        {"by OpenMM": evaluation(of_openmm), "by the core": evaluation(of_core)},
        f"bonds of {REPLICAS} replicas, {steps} steps", repeats=1,
    )  # fmt: skip
    slower = rounds.ratio("by OpenMM", "by the core")
    run.console.print(
        f"{REPLICAS} replicas: OpenMM evaluates forces {per_step:g} times per step; the gradients' cosine is "
        f"1 - {1 - cosine:.1e}, the time {slower:.3g} times that of the core's bonds"
    )
    return [
        *bars,
        at_most(f"OpenMM's force evaluations per step of {REPLICAS} replicas", per_step, 1.2 * (2 * REPLICAS + 1), ""),
    ]
