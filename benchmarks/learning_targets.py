"""Targets of the learning benchmark: g(r) as plain histograms of simulations with OpenMM's own forces.

Reduced units: 1 nm, 1 kJ/mol, 1 amu, so that T* = 1 is 120.27 K and the unit of time 1 ps.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import openmm
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
KELVIN = 120.27  # of T* = 1
BOLTZMANN = 0.00831446261815324  # kJ/mol/K
CUTOFF = 2.5
FRICTION = 1.0  # 1/ps, of all simulations
MELTING, BLOCKS = 3000, 10
BAR = 16.6053907  # of 1 kJ/mol/nm^3
VERSION = 2  # of what a file in the folder of targets means


@dataclass(frozen=True)
class Truth:
    """The potential that made a target. formula: U(r) in OpenMM's notation; empty: Lennard-Jones, epsilon 1, with
    these sigmas per type, unlike pairs the mean of both."""

    formula: str = ""
    sigmas: tuple[float, ...] = (1.0,)

    def force(self, types: NDArray[np.int64]) -> openmm.Force:
        """OpenMM's own force between particles of these types [N]."""
        if self.formula:
            force = openmm.CustomNonbondedForce(self.formula)
            for _ in types:
                force.addParticle([])
        else:
            force = openmm.NonbondedForce()
            force.setUseDispersionCorrection(False)
            for kind in types:
                force.addParticle(0.0, self.sigmas[kind], 1.0)
        force.setNonbondedMethod(force.CutoffPeriodic)
        force.setCutoffDistance(CUTOFF)
        return force

    def energy(self, r: Array, pair: tuple[int, int] = (0, 0)) -> Array:
        """U(r) - U(cutoff) in kJ/mol of two particles of these types, by OpenMM."""
        energies = self._two_particles(np.append(r, CUTOFF * (1 - 1e-9)), pair)[0]
        return energies[:-1] - energies[-1]

    def virial(self, r: Array) -> Array:
        """-r dU/dr in kJ/mol of particles of the first type."""
        return np.where(r < CUTOFF, r * self._two_particles(r, (0, 0))[1], 0.0)

    def _two_particles(self, r: Array, pair: tuple[int, int]) -> tuple[Array, Array]:
        """Energies and repulsive forces at the distances."""
        system = openmm.System()
        system.setDefaultPeriodicBoxVectors(*(4 * CUTOFF * np.eye(3)))
        system.addParticle(1.0)
        system.addParticle(1.0)
        system.addForce(self.force(np.array(pair)))
        platform = openmm.Platform.getPlatformByName("Reference")
        context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)

        def one(distance: float) -> tuple[float, float]:
            context.setPositions([[0, 0, 0], [distance, 0, 0]])
            found = context.getState(energy=True, forces=True)
            return found.getPotentialEnergy()._value, found.getForces()[1].x

        energies, forces = np.array([one(distance) for distance in r]).T
        return energies, forces


@dataclass(frozen=True)
class Simulated:
    """A state whose g(r) is simulated.

    density: nm^-3. temperature: T*. fractions: of the types A, B, ... timestep: ps. steps: those that are sampled, of
    which every `every`-th counts; `equilibration` stand before them. melt: whether the lattice is melted first; a
    crystal is not.
    """

    name: str
    density: float
    temperature: float
    truth: Truth = Truth()
    fractions: tuple[float, ...] = (1.0,)
    steps: int = 40_000
    every: int = 25
    atoms: int = 864
    r_range: tuple[float, float] = (0.75, 3.3)
    bins: int = 100
    timestep: float = 0.005
    equilibration: int = 3000
    seed: int = 1
    melt: bool = True

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """All pairs of types."""
        return list(combinations_with_replacement(range(len(self.fractions)), 2))

    def files(self, folder: Path) -> list[Path]:
        """One file per pair of types, named after everything that makes it."""
        content = json.dumps([VERSION, dataclasses.asdict(self)], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        stem = self.name.replace(" ", "_").replace("/", "_")
        return [folder / f"{stem}-{'AB'[a]}{'AB'[b]}-{digest}.csv" for a, b in self.pairs]


@dataclass(frozen=True)
class Target:
    """Files (r, g, standard error) of a state, one per pair of types, what the noise of g adds to a mean |g - g'| (the
    mean over the pairs), and the pressure in bar (of one type: of a mixture NaN)."""

    state: Simulated
    files: list[Path]
    noise: float
    pressure: float


def make_target(state: Simulated, folder: Path, progress: Callable[[int], None] | None = None) -> Target:
    """The target of a state: simulated, unless the folder holds it already."""
    files = state.files(folder)
    if not all(file.is_file() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        r, results, pressure = _simulate(state, progress or (lambda steps: None))
        for file, (g, error) in zip(files, results, strict=True):
            half_written = file.with_suffix(".part")
            columns = np.column_stack([r, g, error])
            np.savetxt(half_written, columns, delimiter=",", header="r,g,error", comments=f"# {pressure!r} bar\n")
            half_written.rename(file)
    errors = [read_columns(file)[2] for file in files]
    pressure = float(files[0].read_text().split()[1])
    return Target(state, files, float(np.sqrt(2 / np.pi) * np.mean(errors)), pressure)


def make_vacf(state: Simulated, folder: Path, lags: int = 51, stride: int = 2) -> Path:
    """A file t (ps), C(t) / C(0) of a state at FRICTION, lags `stride` time steps apart, unless the folder holds it."""
    rdf = state.files(folder)[0]
    file = rdf.with_name(f"{rdf.stem}-vacf-{lags}-{stride}-{FRICTION:g}.csv")
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        context = _context(state, composition(state), (state.atoms / state.density) ** (1 / 3))
        velocities = []
        for _ in range(max(state.steps // stride, 2 * lags)):
            context.getIntegrator().step(stride)
            velocities.append(context.getState(velocities=True).getVelocities(asNumpy=True)._value.astype(np.float32))
        v = np.array(velocities).reshape(len(velocities), -1)
        origins = len(v) - lags
        c = np.array([np.einsum("ij,ij->", v[:origins], v[lag : lag + origins]) for lag in range(lags)])
        times = stride * state.timestep * np.arange(lags)
        np.savetxt(file, np.column_stack([times, c / c[0]]), delimiter=",", header="t,c", comments="")
    return file


def liquid(state: Simulated) -> Array:
    """Positions [N, 3] of a melted and equilibrated box, in units of its edge."""
    edge = (state.atoms / state.density) ** (1 / 3)
    found = _context(state, composition(state), edge).getState(positions=True)
    return np.asarray(found.getPositions(asNumpy=True)._value / edge % 1)


def read_columns(file: Path) -> Array:
    """r, g and its standard error, [3, bins], of a target's file."""
    return np.loadtxt(file, delimiter=",", skiprows=2).T


def composition(state: Simulated) -> NDArray[np.int64]:
    """Types of all particles, [N], in a random order."""
    counts = np.round(np.array(state.fractions) * state.atoms).astype(int)
    types = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(state.seed).shuffle(types)
    return types


def _simulate(state: Simulated, progress: Callable[[int], None]) -> tuple[Array, list[tuple[Array, Array]], float]:
    """Bin centres [bins], per pair of types g and its standard error from blocks, the pressure in bar."""
    types, edge = composition(state), (state.atoms / state.density) ** (1 / 3)
    context = _context(state, types, edge)
    edges = np.linspace(*state.r_range, state.bins + 1)
    shells = 4 / 3 * np.pi * np.diff(edges**3) / edge**3
    counts: list[list[NDArray[np.int64]]] = []
    virial = CubicSpline(fine := np.linspace(0.3, CUTOFF, 4000), state.truth.virial(fine))
    virials = []
    for _ in range(state.steps // state.every):
        context.getIntegrator().step(state.every)
        progress(state.every)
        x = context.getState(positions=True, enforcePeriodicBox=True).getPositions(asNumpy=True)._value
        i, j, r = _distances(x % edge, edge, edges[-1])
        low, high = np.minimum(types[i], types[j]), np.maximum(types[i], types[j])
        counts.append([np.histogram(r[(low == a) & (high == b)], edges)[0] for a, b in state.pairs])
        virials.append(float(virial(r[r < CUTOFF]).sum()))
    of_type = np.bincount(types, minlength=len(state.fractions))
    results = []
    for index, (a, b) in enumerate(state.pairs):
        pairs = of_type[a] * (of_type[a] - 1) / 2 if a == b else of_type[a] * of_type[b]
        g = np.array([frame[index] for frame in counts]) / (pairs * shells)
        length = len(g) // BLOCKS
        means = g[len(g) - BLOCKS * length :].reshape(BLOCKS, length, -1).mean(1)
        results.append((g.mean(0), means.std(0, ddof=1) / np.sqrt(BLOCKS)))
    ideal = state.density * KELVIN * state.temperature * BOLTZMANN
    pressure = BAR * (ideal + float(np.mean(virials)) / (3 * edge**3)) if len(of_type) == 1 else float("nan")
    return 0.5 * (edges[1:] + edges[:-1]), results, pressure


def _context(state: Simulated, types: NDArray[np.int64], edge: float) -> openmm.Context:
    """A melted and equilibrated simulation."""
    kelvin = KELVIN * state.temperature
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*(edge * np.eye(3)))
    for _ in types:
        system.addParticle(1.0)
    system.addForce(state.truth.force(types))
    integrator = openmm.LangevinMiddleIntegrator(kelvin, FRICTION, state.timestep)
    integrator.setRandomNumberSeed(state.seed)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"))
    cells = int(np.ceil((state.atoms / 4) ** (1 / 3) - 1e-9))
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    sites = np.concatenate([(basis + cell) / cells for cell in np.ndindex(cells, cells, cells)])
    context.setPositions(edge * sites[: state.atoms])
    context.setVelocitiesToTemperature(2 * kelvin, state.seed)
    if state.melt:
        integrator.setTemperature(max(2 * kelvin, 1.5 * KELVIN))
        integrator.step(MELTING // 2)
        integrator.setTemperature(kelvin)
        integrator.step(MELTING // 2)
    integrator.step(state.equilibration)
    return context


def _distances(x: Array, edge: float, reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Pairs i, j of positions [N, 3] in a cube, and their distances, up to `reach`."""
    i, j = cKDTree(x, boxsize=edge).query_pairs(reach, output_type="ndarray").T
    d = x[i] - x[j]
    d -= edge * np.rint(d / edge)
    return i, j, np.sqrt((d * d).sum(1))
