"""The Lennard-Jones fluid of the production benchmark, and the forces that can run it.

Argon: sigma = 0.34 nm, epsilon = 0.996 kJ/mol, 39.948 amu, at rho* = 0.8, T* = 0.79, dt* = 0.0019, cutoff 2.5 sigma.
The learned potential is a TorchScript module, a small MLP added to Lennard-Jones.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import openmm

from diffpair import PairTable, PairTableForce, TorchPairForce

SIGMA, EPSILON, MASS = 0.34, 0.996, 39.948
DENSITY = 0.8 / SIGMA**3
TEMPERATURE = 0.79 * EPSILON / 0.00831446261815324
TIME = SIGMA * math.sqrt(MASS / EPSILON)  # ps
TIMESTEP = 0.0019 * TIME
CUTOFF = 2.5 * SIGMA
R_MIN, KNOTS = 0.75 * SIGMA, 120
FRICTION = 1.0  # 1/ps

Cells = tuple[int, int, int]


@dataclass(frozen=True)
class Fluid:
    """A melted state: positions [N, 3] and box edges [3] in nm."""

    positions: np.ndarray
    box: np.ndarray

    @property
    def atoms(self) -> int:
        return len(self.positions)


@functools.cache
def learned_module() -> Any:
    """TorchScript of Lennard-Jones plus an MLP with two hidden layers of 128 units."""
    import torch

    class Learned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            sizes = [1, 128, 128, 1]
            layers: list[torch.nn.Module] = []
            for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
                layers += [torch.nn.Linear(n_in, n_out, dtype=torch.float64), torch.nn.Tanh()]
            self.network = torch.nn.Sequential(*layers[:-1])

        def forward(self, r: torch.Tensor) -> torch.Tensor:
            sixth = (0.34 / r) ** 6
            correction = self.network(r[:, None] / 0.34)[:, 0]
            return 4 * 0.996 * (sixth * sixth - sixth) + 0.05 * correction

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        return torch.jit.script(Learned())


@functools.cache
def learned_table() -> PairTable:
    """The module on its table."""
    force = TorchPairForce.fromModule(learned_module(), ["Ar"], R_MIN, CUTOFF, KNOTS)
    return PairTable(("Ar",), R_MIN, CUTOFF, np.array([force.getEmbeddedTable()]))


def table_of_types(number: int) -> PairTable:
    """The learned potential for several types, each pair slightly different, so that nothing can be shared."""
    one = learned_table()
    scales = 1 + 1e-3 * np.arange(number * (number + 1) // 2)
    return PairTable(tuple("ABCDEFGH"[:number]), R_MIN, CUTOFF, scales[:, None] * one.coefficients)


def force_of_table(table: PairTable, atoms: int) -> PairTableForce:
    """The PairTableForce of a table, with particles of random types."""
    force = PairTableForce.fromTable(table)
    for particle_type in np.random.default_rng(2).integers(0, len(table.types), atoms).tolist():
        force.addParticle(particle_type)
    force.setNonbondedMethod(force.CutoffPeriodic)
    return force


def make_force(kind: str, atoms: int, num_types: int = 1) -> openmm.Force | None:
    """A force that acts on the fluid.

    kind: "none", "NonbondedForce" and "Custom formula" (Lennard-Jones), "Custom tabulated" (a Continuous1DFunction of
    the learned potential, how it is done without DiffPair), "PairTableForce", or "TorchPairForce" (learned).
    """
    if kind == "none":
        return None
    if kind == "NonbondedForce":
        nonbonded = openmm.NonbondedForce()
        nonbonded.setUseDispersionCorrection(False)
        for _ in range(atoms):
            nonbonded.addParticle(0.0, SIGMA, EPSILON)
        force = nonbonded
    elif kind.startswith("Custom"):
        if kind == "Custom formula":
            force = openmm.CustomNonbondedForce(f"4*{EPSILON}*((s/r)^12-(s/r)^6); s={SIGMA}")
        else:
            force = openmm.CustomNonbondedForce("u(r)")
            r = np.linspace(0.5 * SIGMA, CUTOFF, 500)
            force.addTabulatedFunction("u", openmm.Continuous1DFunction(learned_table().energy(r), r[0], r[-1]))
        for _ in range(atoms):
            force.addParticle([])
    elif kind == "TorchPairForce":
        force = TorchPairForce.fromModule(learned_module(), ["Ar"], R_MIN, CUTOFF, KNOTS)
        for _ in range(atoms):
            force.addParticle(0)
    else:
        return force_of_table(learned_table() if num_types == 1 else table_of_types(num_types), atoms)
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(CUTOFF)
    return force


def make_context(
    fluid: Fluid,
    force: openmm.Force | None,
    *,
    threads: int = 2,
    platform: str = "CPU",
    properties: dict[str, str] | None = None,
    integrator: openmm.Integrator | None = None,
) -> openmm.Context:
    """A live Context of the fluid with LangevinMiddle, unless another integrator is given."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(fluid.box))
    for _ in range(fluid.atoms):
        system.addParticle(MASS)
    if force is not None:
        system.addForce(force)
    if integrator is None:
        integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, TIMESTEP)
        integrator.setRandomNumberSeed(1)
    if properties is None:
        properties = {"Threads": str(threads)} if platform == "CPU" else {}
    context = openmm.Context(system, integrator, openmm.Platform.getPlatform(platform), properties)
    context.setPositions(fluid.positions)
    context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return context


@functools.cache
def melted(cells: Cells, threads: int = 2, steps: int = 1500) -> Fluid:
    """4 cells[0] cells[1] cells[2] atoms of argon; see melt."""

    def context_of(small: Fluid) -> openmm.Context:
        return make_context(small, make_force("PairTableForce", small.atoms), threads=threads)

    return melt(cells, DENSITY, TEMPERATURE, context_of, steps)


def melt(
    cells: Cells, density: float, temperature: float, context_of: Callable[[Fluid], openmm.Context], steps: int
) -> Fluid:
    """4 cells[0] cells[1] cells[2] atoms, melted from a face-centred cubic lattice.

    A smaller box is melted and repeated; the copies part ways soon.

    Args:
        density: atoms per nm^3. temperature: K, at the end; three times that before.
        context_of: makes a Context whose integrator has a temperature.
        steps: of melting, and again of cooling down.
    """
    repeats = [max(n // base for base in range(5, n + 1) if n % base == 0) if n >= 5 else 1 for n in cells]
    base = [n // repeat for n, repeat in zip(cells, repeats, strict=True)]
    edge = (4 / density) ** (1 / 3)
    atoms = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    lattice = (np.array(list(np.ndindex(*base)))[:, None] + atoms).reshape(-1, 3) * edge
    small = Fluid(lattice, np.array(base) * edge)
    context = context_of(small)
    integrator = context.getIntegrator()
    for factor in (3.0, 1.0):
        integrator.setTemperature(factor * temperature)
        integrator.step(steps)
    positions = context.getState(positions=True).getPositions(asNumpy=True)._value
    shifts = np.array(list(np.ndindex(*repeats))) * small.box
    return Fluid((positions + shifts[:, None]).reshape(-1, 3), small.box * repeats)
