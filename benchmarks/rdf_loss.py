"""What the gradient benchmark differentiates: an RDF loss through a trajectory of the Lennard-Jones fluid.

Reduced units, written as nm, kJ/mol and amu: sigma = epsilon = mass = 1, rho = 0.845, T = 1, dt = 0.005, cutoff 2.5.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import numpy as np
import openmm
import torch
from fluid import Cells, Fluid, melt
from torch import Tensor

from diffpair import PairTableForce
from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.potentials import BSpline, GaussianMLP, LennardJones, PairPotential, TableGrid, tabulate, to_table
from diffpair.segments import Checkpoints, Integrator, NoseHoover, SystemForces, Topology, Verlet

DENSITY, TIMESTEP, CUTOFF, R_MIN, KNOTS = 0.845, 0.005, 2.5, 0.75, 100
TEMPERATURE = 1 / 0.00831446261815324  # K
BINS, FIRST, LAST = 100, 0.75, 2.4  # edges of the RDF's window
STEPS, FRAME_EVERY = 50, 5
GRID = TableGrid(R_MIN, CUTOFF, KNOTS)
# The Nose-Hoover chain; multiple time steps and Yoshida-Suzuki order as OpenMM has them by default.
CHAIN_LENGTH, CHAIN_STEPS, YOSHIDA_SUZUKI = 5, 3, 7
COLLISION_FREQUENCY = 2.0  # 1/ps

INTEGRATORS = ("verlet", "nose-hoover")
DEFAULT_INTEGRATOR = INTEGRATORS[-1]


@functools.cache
def liquid(cells: Cells, threads: int, steps: int) -> Fluid:
    """The fluid under its own potential, Lennard-Jones; cells: see melt."""

    def context_of(small: Fluid) -> openmm.Context:
        force = PairTableForce.fromTable(to_table(LennardJones(("A",), CUTOFF), GRID))
        force.setNonbondedMethod(force.CutoffPeriodic)
        system = openmm.System()
        system.setDefaultPeriodicBoxVectors(*np.diag(small.box))
        for _ in range(small.atoms):
            system.addParticle(1.0)
            force.addParticle(0)
        system.addForce(force)
        integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, TIMESTEP)
        integrator.setRandomNumberSeed(1)
        platform = openmm.Platform.getPlatform("CPU")
        context = openmm.Context(system, integrator, platform, {"Threads": str(threads)})
        context.setPositions(small.positions)
        context.setVelocitiesToTemperature(TEMPERATURE, 1)
        return context

    return melt(cells, DENSITY, TEMPERATURE, context_of, steps)


def make_integrator(name: str, atoms: int) -> Integrator:
    """One of INTEGRATORS; the momentum of the fluid is 0 and stays so."""
    if name == "verlet":
        return Verlet()
    return NoseHoover(
        TEMPERATURE, COLLISION_FREQUENCY, CHAIN_LENGTH, CHAIN_STEPS, YOSHIDA_SUZUKI, degrees_of_freedom=3 * atoms - 3
    )


def spline() -> BSpline:
    """A potential to be learned, on 100 knots: Lennard-Jones of four fifths of the depth."""
    potential = BSpline(("A",), CUTOFF, R_MIN, KNOTS)
    with torch.no_grad():
        potential.set_coefficients(tabulate(LennardJones(("A",), CUTOFF, epsilon=0.8), GRID))
    return potential


def network() -> GaussianMLP:
    """The same with a neural network on top, on the same knots."""
    return GaussianMLP(("A",), CUTOFF, prior=LennardJones(("A",), CUTOFF, epsilon=0.8))


@dataclass(frozen=True)
class Timing:
    """Seconds of one value and gradient: the value, and the gradient."""

    forward: float
    backward: float

    @property
    def total(self) -> float:
        return self.forward + self.backward


class RdfLoss:
    """L = mean over bins of (g - target)^2, g averaged over frames and replicas; the target is the fluid's own g.

    Args:
        fluid: start positions; velocities are drawn at T = 1.
        replicas: how many trajectories, with velocities of their own.
        integrator: one of INTEGRATORS.
        checkpoints: see run_segment.
        forces: what acts beside the table. exclusions: pairs that feel no table.
    """

    def __init__(
        self,
        fluid: Fluid,
        integrator: str,
        replicas: int = 1,
        steps: int = STEPS,
        *,
        checkpoints: Checkpoints | None = None,
        dtype: torch.dtype = torch.float32,
        forces: SystemForces | None = None,
        exclusions: np.ndarray | None = None,
    ) -> None:
        self.integrator, self.steps, self.checkpoints, atoms = integrator, steps, checkpoints, fluid.atoms
        self.forces = forces
        self.topology = Topology.of(np.zeros(atoms, dtype=int), 1, exclusions)
        width = (LAST - FIRST) / BINS
        self.rdf = SmoothRdf(FIRST + width / 2, width, BINS, self.topology)
        velocities = np.random.default_rng(3).standard_normal((replicas, atoms, 3))
        velocities -= velocities.mean(1, keepdims=True)
        self.x0 = torch.from_numpy(fluid.positions).to(dtype).repeat(replicas, 1, 1)
        self.v0 = torch.from_numpy(velocities).to(dtype)
        self.boxes = torch.diag(torch.from_numpy(fluid.box)).repeat(replicas, 1, 1)
        self.inverse_mass = torch.ones(atoms, dtype=torch.float64)
        self.target = self.rdf.g(self.x0[:1], self.boxes[:1])[0, 0]

    def __call__(self, coefficients: Tensor, replicas: slice = slice(None)) -> Tensor:
        """L with the table coefficients [1, KNOTS + 2], over some of the replicas."""
        _, _, g = self.rdf.along_segment(
            self.x0[replicas], self.v0[replicas], coefficients, boxes=self.boxes[replicas],
            inverse_mass=self.inverse_mass, r_min=R_MIN, cutoff=CUTOFF, timestep=TIMESTEP, steps=self.steps,
            frame_every=FRAME_EVERY, integrator=make_integrator(self.integrator, self.topology.num_atoms),
            checkpoints=self.checkpoints,
            forces=None if self.forces is None else self.forces.in_boxes(self.boxes[replicas].numpy()),
        )  # fmt: skip
        g = g[:, :, 0].mean((0, 1))
        return ((g - self.target) ** 2).mean()

    def value_and_gradient(self, potential: PairPotential, replicas: slice = slice(None)) -> Timing:
        """The gradient is added to that of the potential's parameters."""
        start = time.perf_counter()
        loss = self(tabulate(potential, GRID), replicas)
        middle = time.perf_counter()
        loss.backward()
        return Timing(middle - start, time.perf_counter() - middle)

    def coefficients(self) -> Tensor:
        """The table of spline(), [1, KNOTS + 2]."""
        return tabulate(spline(), GRID).detach()

    def gradient(self) -> tuple[float, np.ndarray]:
        """L and dL/dc [KNOTS + 2] there."""
        coefficients = self.coefficients().requires_grad_()
        loss = self(coefficients)
        loss.backward()
        assert coefficients.grad is not None
        return loss.item(), coefficients.grad[0].numpy()
