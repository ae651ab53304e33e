"""Charged trimers A-B-A as a LAMMPS data file and input script, and the same as an OpenMM System."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.states import State, make_system
from diffpair.tables import PairTable

NUMBER, EDGE = 64, 2.4  # molecules; nm
MASSES, CHARGES = (12.0, 30.0), (0.1, -0.2)  # of A and B
BOND, LENGTH, CUTOFF = 40_000.0, 0.2, 0.9  # kJ/mol/nm^2 (of r^2 / 2), nm, nm
COULOMB = 332.06371 * 4.184 / 10  # kJ/mol nm e^-2, as LAMMPS' units real have it
ORIGIN = (-3.0, 5.0, 0.0)  # of the box, Angstrom

SCRIPT = """units real
atom_style full
bond_style harmonic
{pair_style}
special_bonds lj 0 0 1 coul 0 0 1   # none are three bonds apart
read_data trimers.data
{pair_coeff}
bond_coeff 1 {stiffness} {length}
velocity all create 300 4928 dist gaussian
variable seed index 1
fix 1 all nve
fix 2 all langevin 300 300 200 ${{seed}}
timestep 2
thermo 100
dump mine all atom 10 never-written.dump
"""
PAIRS = {"pair_style": "pair_style coul/cut 9.0", "pair_coeff": "pair_coeff * *"}
ALONE = {"pair_style": "", "pair_coeff": ""}


def repulsion(scale: float = 1.0, types: tuple[str, ...] = ("A", "B")) -> PairTable:
    """As r^-9, ends at the cutoff."""
    r = 0.25 + 0.65 / 39 * (np.arange(42) - 1)
    u = 2.0 * ((0.35 / r) ** 9 - (0.35 / CUTOFF) ** 9)
    u[-3:] = 0
    rows = {1: [[1.0]], 2: [[1.0], [0.8], [1.2]]}[len(types)]
    return PairTable(types, 0.25, CUTOFF, scale * np.array(rows) * u)


def write_trimers(folder: Path, seed: int = 1, edge: float = EDGE, **lines: str) -> Path:
    """Data file and script; the script's path. lines: `pair_style` and `pair_coeff` of it."""
    random, side = np.random.default_rng(seed), round(NUMBER ** (1 / 3))
    cells = np.stack(np.meshgrid(*3 * [np.arange(side)], indexing="ij"), axis=-1).reshape(-1, 3)
    atoms, bonds = [], []
    for molecule, cell in enumerate(cells[:NUMBER], start=1):
        centre = (cell + 0.5) * 10 * edge / side + ORIGIN
        axis = random.standard_normal(3)
        axis *= 10 * LENGTH / np.linalg.norm(axis)
        first = 3 * molecule - 2
        for k, kind in enumerate((1, 2, 1)):
            x, y, z = centre + (k - 1) * axis
            atoms.append(f"{first + k} {molecule} {kind} {CHARGES[kind - 1]} {x:.10f} {y:.10f} {z:.10f}")
        for k in range(2):
            bonds.append(f"{len(bonds) + 1} 1 {first + k} {first + k + 1}")
    sides = [f"{low} {low + 10 * edge} {axis}lo {axis}hi" for low, axis in zip(ORIGIN, "xyz", strict=True)]
    text = ["trimers", "", f"{len(atoms)} atoms", f"{len(bonds)} bonds", "2 atom types", "1 bond types", *sides]
    text += ["", "Masses", "", *(f"{k} {mass}" for k, mass in enumerate(MASSES, start=1))]
    text += ["", "Atoms # full", "", *atoms, "", "Bonds", "", *bonds, ""]
    (folder / "trimers.data").write_text("\n".join(text))
    stiffness, length = BOND / 2 / 4.184 / 100, 10 * LENGTH
    script = folder / "in.trimers"
    script.write_text(SCRIPT.format(**{**PAIRS, **lines}, stiffness=f"{stiffness:.17g}", length=length))
    return script


def openmm_system(state: State, table: PairTable, charged: bool = True) -> openmm.System:
    """The same in OpenMM, by a state's positions, types and exclusions."""
    system = openmm.System()
    for mass in state.masses:
        system.addParticle(mass)
    bonds = openmm.HarmonicBondForce()
    bonds.setUsesPeriodicBoundaryConditions(True)
    for molecule in range(NUMBER):
        for k in range(2):
            bonds.addBond(3 * molecule + k, 3 * molecule + k + 1, LENGTH, BOND)
    system.addForce(bonds)
    coulomb = openmm.CustomNonbondedForce(f"{COULOMB}*q1*q2/r")
    coulomb.addPerParticleParameter("q")
    coulomb.setNonbondedMethod(coulomb.CutoffPeriodic)
    coulomb.setCutoffDistance(CUTOFF)
    for atom in range(3 * NUMBER):
        coulomb.addParticle([CHARGES[atom % 3 % 2] if charged else 0.0])
    for molecule in range(NUMBER):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            coulomb.addExclusion(3 * molecule + i, 3 * molecule + j)
    system.addForce(coulomb)
    system.setDefaultPeriodicBoxVectors(*state.box)
    pairs, _ = make_system(dataclasses.replace(state, script=None), table)
    system.addForce(openmm.XmlSerializer.clone(pairs.getForce(pairs.getNumForces() - 1)))
    return system


def energies_and_forces(system: openmm.System, positions: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """kJ/mol and kJ/mol/nm of frames [F, N, 3], by the Reference platform."""
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    found = []
    for x in positions:
        context.setPositions(x)
        state = context.getState(energy=True, forces=True)
        found.append((state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value))
    return np.array([one[0] for one in found]), np.array([one[1] for one in found])
