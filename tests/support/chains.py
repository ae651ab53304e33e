"""Chains of four beads: bonds, angles and torsions, and whatever else is asked for."""

from __future__ import annotations

import numpy as np
import openmm
import torch

from diffpair.segments import FurtherForces, LangevinMiddle, SystemForces, Topology, run_segment

BEADS = 4
BOX = np.array([[2.6, 0, 0], [0.4, 2.5, 0], [-0.3, 0.5, 2.7]])


def bonded_forces(chains: int, periodic: bool) -> list[openmm.Force]:
    """Unlike parameters everywhere, so that none can be another's."""
    bonds, angles, torsions = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce(), openmm.PeriodicTorsionForce()
    for first in range(0, BEADS * chains, BEADS):
        a, b, c, d = range(first, first + BEADS)
        for k, (i, j) in enumerate([(a, b), (c, b), (c, d)]):
            bonds.addBond(i, j, 0.16 + 0.01 * k, 8000.0 + 100 * first)
        angles.addAngle(a, b, c, 1.9, 150.0 + first)
        angles.addAngle(b, c, d, 2.2, 90.0)
        torsions.addTorsion(a, b, c, d, 1 + first // BEADS % 3, 0.4, 4.0)
        torsions.addTorsion(d, c, b, a, 3, -1.1, 2.5)
    for force in (bonds, angles, torsions):
        force.setUsesPeriodicBoundaryConditions(periodic)
    return [bonds, angles, torsions]


def charges(chains: int) -> openmm.NonbondedForce:
    """PME and Lennard-Jones, switched off smoothly: differences of forces see no jump."""
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(force.PME)
    force.setCutoffDistance(1.0)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(0.8)
    for i in range(BEADS * chains):
        force.addParticle(0.3 * (-1) ** i, 0.25, 0.4)
    bonds = [(i, i + 1) for i in range(BEADS * chains - 1) if (i + 1) % BEADS]
    force.createExceptionsFromBonds(bonds, 0.5, 0.5)
    return force


def system_of(chains: int, *forces: openmm.Force, box: np.ndarray = BOX) -> openmm.System:
    """A System of these forces, with unlike masses."""
    system = openmm.System()
    for i in range(BEADS * chains):
        system.addParticle(14.0 + i % 5)
    system.setDefaultPeriodicBoxVectors(*box)
    for force in forces:
        system.addForce(force)
    return system


def positions_of(chains: int, seed: int = 0) -> np.ndarray:
    """Zigzags on a lattice, bent at random, and some of them in other images of the box."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(chains ** (1 / 3)))
    x = []
    for chain in range(chains):
        corner = np.array([chain % side, chain // side % side, chain // side**2]) / side @ BOX
        zigzag = [[0.14 * k, 0.09 * (k % 2), 0.05 * (k // 2)] for k in range(BEADS)]
        x.append(corner + zigzag + 0.01 * rng.normal(size=(BEADS, 3)) + rng.integers(-1, 2, size=3) @ BOX)
    return np.concatenate(x)


def exclusions_of(chains: int) -> np.ndarray:
    """All pairs within a chain."""
    return np.array([(b + i, b + j) for b in range(0, BEADS * chains, BEADS) for i in range(BEADS) for j in range(i)])


def run(
    forces: SystemForces | FurtherForces, system: openmm.System, x: np.ndarray, v: np.ndarray,
    coefficients: torch.Tensor, *,
    steps: int = 30, every: int = 10, dtype: torch.dtype = torch.float64, **more,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Frames of a Langevin segment of one type of bead under a table from 0.1 to 1 nm; x, v [R, N, 3]."""
    masses = [system.getParticleMass(i)._value for i in range(system.getNumParticles())]
    inverse_mass = more.pop("inverse_mass", None)
    if inverse_mass is None:
        inverse_mass = 1 / torch.tensor(masses, dtype=torch.float64)
    boxes = np.repeat(BOX[None], len(x), 0)
    if isinstance(forces, SystemForces):
        forces = forces.in_boxes(boxes)
    return run_segment(
        torch.from_numpy(x).to(dtype), torch.from_numpy(v).to(dtype), coefficients,
        topology=Topology.of(np.zeros(len(masses)), 1, exclusions_of(len(masses) // BEADS)),
        boxes=torch.from_numpy(boxes), inverse_mass=inverse_mass, r_min=0.1, cutoff=1.0,
        timestep=0.002, steps=steps, frame_every=every, forces=forces,
        **{"integrator": LangevinMiddle(300.0, 5.0, 7)} | more,
    )  # fmt: skip


def table(knots: int = 24) -> torch.Tensor:
    """A soft repulsion [1, knots + 2]."""
    c = torch.zeros((1, knots + 2), dtype=torch.float64)
    c[0, :-3] = torch.linspace(2.5, 0, knots - 1, dtype=torch.float64) ** 2
    return c


def gradient(forces: SystemForces, system: openmm.System, x: np.ndarray, v: np.ndarray, **more) -> torch.Tensor:
    """d loss / d coefficients [knots - 1] of a loss that sees all frames."""
    c = table().requires_grad_()
    loss = loss_of(*run(forces, system, x, v, c, **more))
    return torch.autograd.grad(loss, c)[0].flatten()[:-3]


def loss_of(x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Smooth in all frames."""
    return x.double().sin().sum() + v.double().pow(2).sum()
