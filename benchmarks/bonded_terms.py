"""What a tabulated bond, angle or dihedral costs, against OpenMM's own forces that could stand in its place."""

from __future__ import annotations

import numpy as np
import openmm
from bars import Bar, figure
from interleaved import Contender
from production_cases import Run, steps_of

from diffpair.bonded import TabulatedTerm

BEADS, NODES, STRENGTH = 4000, 30, 5.0  # kJ/mol
BOND = 0.25  # nm
VARIABLES = {2: "distance(p1, p2)", 3: "angle(p1, p2, p3)", 4: "dihedral(p1, p2, p3, p4)"}
TABULATED, COMPOUND, SIMPLE = "diffpair", "CustomCompoundBondForce", "formula"


def forces(size: int, paths: np.ndarray) -> dict[str, openmm.Force]:
    """Of a chain: the tabulated term, the same table in CustomCompoundBondForce, and a formula of OpenMM's."""
    ends = {2: {"low": 0.1, "high": 0.5}, 3: {"low": 0.5, "high": np.pi}, 4: {}}[size]
    values = np.random.default_rng(1).normal(0, STRENGTH, NODES)
    term = TabulatedTerm(("A",) * size, values, **ends)
    compound = openmm.CustomCompoundBondForce(size, f"t({VARIABLES[size]})")
    shown = [*values, values[0]] if size == 4 else values
    compound.addTabulatedFunction("t", openmm.Continuous1DFunction(shown, term.low, term.high, size == 4))
    simple = {2: openmm.HarmonicBondForce, 3: openmm.HarmonicAngleForce, 4: openmm.PeriodicTorsionForce}[size]()
    for path in paths.tolist():
        compound.addBond(path)
        match size:
            case 2:
                simple.addBond(*path, BOND, STRENGTH)
            case 3:
                simple.addAngle(*path, 2.0, STRENGTH)
            case _:
                simple.addTorsion(*path, 1, 0.0, STRENGTH)
    for force in (compound, simple):
        force.setUsesPeriodicBoundaryConditions(True)
    return {TABULATED: term.create_force(paths), COMPOUND: compound, SIMPLE: simple}


def bonded(run: Run) -> list[Bar]:
    """Steps of one long chain that has no other force."""
    beads = 100 if run.quick else BEADS
    steps = np.random.default_rng(2).normal(size=(beads, 3))
    positions = np.cumsum(BOND * steps / np.linalg.norm(steps, axis=1)[:, None], axis=0)
    bars = []
    for size, name in ((2, "bonds"), (3, "angles"), (4, "dihedrals")):
        paths = np.arange(beads - size + 1)[:, None] + np.arange(size)
        contenders = []
        for kind, force in forces(size, paths).items():
            system = openmm.System()
            for _ in range(beads):
                system.addParticle(50.0)
            system.addForce(force)
            integrator = openmm.VerletIntegrator(1e-5)  # ps; the chain keeps its shape
            context = openmm.Context(
                system, integrator, openmm.Platform.getPlatform("CPU"), {"Threads": str(run.threads)}
            )
            context.setPositions(positions)
            contenders.append(Contender(kind, steps_of(context)))
        rounds = run.measure(contenders, f"{len(paths)} tabulated {name}")
        run.show(f"{len(paths)} {name} of {NODES} nodes", rounds, SIMPLE)
        text = f"speed of tabulated {name} against the same table in {COMPOUND}"
        bars.append(figure(text, rounds.ratio(COMPOUND, TABULATED), "x"))
    return bars
