"""One fitted state at work: its live simulation, what it measures, what it remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import block_diag

from diffpair.engines import Frames, Snapshot
from diffpair.engines.equilibration import drifts, equilibrated_from, inefficiency
from diffpair.engines.fastest import platform_of
from diffpair.engines.make import make_engine
from diffpair.engines.phases import FRAMES, structure
from diffpair.fit.iterate.expansion import expansion
from diffpair.fit.iterate.sample import Sample, spread
from diffpair.fit.iterate.theory import Theory
from diffpair.gradients import Blocks, Fluctuation, FrameSums, TargetRows, pick_device, remembered
from diffpair.join import timestep_of
from diffpair.potentials import TableGrid
from diffpair.settings.sampling import Sampling
from diffpair.states import State, has_nonbonded_forces
from diffpair.tables import PairTable, pair_row, type_pairs
from diffpair.targets.sampled import VISITED
from diffpair.updates import Memory, Observation, RdfView, StateView
from diffpair.updates.basis import spline_basis
from diffpair.updates.observations import KEPT

Array = NDArray[np.float64]
COVERED = 0.95  # of the cutoff: a target that ends beyond goes on as it ended; a table has hardly a slope there


@dataclass(frozen=True)
class Known:
    """What a state knows of U. blocks: of the frames that the memory's observations were made of, newest last; only
    those of the present process, so fewer where a fit was resumed."""

    memory: Memory
    blocks: list[Blocks]

    @property
    def complete(self) -> bool:
        """Whether the frames of every observation are there."""
        return len(self.blocks) == len(self.memory.observations)


class LiveState:
    """A state that is fitted.

    Args:
        state: with targets. variant: index of its set of global parameters. grid: of the tables. table: to start with.
        sampling: the config's section. seed: of its thermostat. memory: where it keeps what it has
        seen; an empty one by default. bonded_probe: of the bonded terms, see BondedColumns.
    """

    def __init__(
        self, state: State, variant: int, grid: TableGrid, table: PairTable, sampling: Sampling, seed: int,
        memory: Memory | None = None, bonded_probe: Array | None = None,
    ) -> None:  # fmt: skip
        self.state, self.variant, self.grid, self.sampling = state, variant, grid, sampling
        learned = [term for term in table.bonded if not term.fixed]
        self.rows = TargetRows(state, pick_device(sampling.device), learned)
        self.memory = memory or Memory()
        self.theory = Theory(self.rows, table.coefficients.size)
        self.last: Sample | None = None
        self._sampled: list[tuple[Observation, Blocks]] = []  # of the last good tables, with the Jacobian of each
        self.extended = False
        self.weights: Array = np.zeros(table.coefficients.shape)
        self.sampler = make_engine(
            state,
            table,
            timestep=timestep_of(sampling, state),
            friction=sampling.friction,
            seed=seed,
            platform=platform_of(sampling.platform),
            further_virial=self.rows.pressure.molecular and len(self.rows.pressure) > 0,
            command=sampling.lammps,
        )
        width = grid.knots + 2
        probes = [np.zeros((0, table.coefficients.size))]
        rdf = self.rows.rdf
        for where, pair in zip(rdf.slices, rdf.pair_rows, strict=True):
            r, g = rdf.radii[where], rdf.target[where]
            visited = r[(g > VISITED) & (r < grid.cutoff)]
            probe = np.zeros((len(visited), table.coefficients.size))
            probe[:, pair * width : (pair + 1) * width] = spline_basis(grid, visited)
            probes.append(probe)
        self.probe: Array = np.concatenate(probes)
        self.pairs = self.probe.shape[1]  # columns; those of bonded terms follow
        if bonded_probe is not None:
            self.probe = block_diag(self.probe, bonded_probe)
        # where other forces keep particles apart the potential need not
        self.own_core = state.base_system is not None and has_nonbonded_forces(state.base_system)
        # others may have further forces; and where a pressure is wanted or held, it may be negative
        guarded = state.on_lattice and not state.pressures and state.barostat is None
        self.virial = virial_row(self.rows, grid) if guarded and not state.bonded else None

    def melt(self, progress: Callable[[int], None] | None = None) -> None:
        """From the lattice to a liquid, where the state starts from one."""
        if self.state.on_lattice and self.sampling.melt:
            self.sampler.melt(self.sampling.melt, progress)

    def sample(
        self, table: PairTable, progress: Callable[[int], None] | None = None, factor: float = 1.0,
        may_repeat: bool = True, starts: int = 0,
    ) -> Sample:  # fmt: skip
        """Write the table into the live Context, equilibrate, sample `factor` times the config's steps.

        After a sampling whose potential energy drifts a second one is taken, if that may be, and what precedes
        equilibrium dropped. starts: whole frames that segments want to start from.
        """
        every = self.sampling.every
        self.theory.begin()
        self.sampler.set_table(table)
        self.sampler.equilibrate(self.sampling.equilibration, progress)
        steps = self.sampling.steps if factor == 1 else max(2, round(factor * self.sampling.steps / every)) * every
        keep = spread(steps // every, self.rows.state.num_atoms, starts)
        found = self.run(steps, every, keep, progress)
        self.extended = may_repeat and self.sampling.adaptive and drifts(found.potential_energy)
        if self.extended:
            found = found.joined(self.run(steps, every, keep, progress))
            found = found.since(equilibrated_from(found.potential_energy)[0])
        self.weights = found.sums.splines.mean(0)[: self.pairs].reshape(self.weights.shape)
        self.last = found
        return found

    def run(
        self, steps: int, every: int, keep: NDArray[np.intp], progress: Callable[[int], None] | None = None
    ) -> Sample:
        """Every `every`-th of `steps` steps with the present table, one frame or more. keep: indices of those that are
        kept whole, in order; with the atoms that have a type, which are those that `rows` knows."""
        sums, energies, kept, done = [], [], [], 0
        for piece in self.sampler.stream(steps, every, progress):
            frames = piece if self.state.complete else piece.of_atoms(self.state.typed)
            sums.append(self._measure(frames))
            self.theory.add(frames)
            energies.append(frames.potential_energy)
            kept += [frames.at([k - done]) for k in keep if done <= k < done + len(frames)]
            done += len(frames)
        joined = self.rows.recut(FrameSums.joined(sums))
        return Sample(joined, np.concatenate(energies), tuple(kept), keep)

    def independent(self, sums: FrameSums) -> float:
        """Number of independent frames: the smallest of those of the energy, of each target's first shell and of
        a target density."""
        assert self.last is not None
        shells = []
        rdf = self.rows.rdf
        for where in rdf.slices:
            first = int(np.argmax(rdf.target[where]))
            shells.append(sums.observables[:, where][:, max(first - 2, 0) : first + 3].sum(1))
        shells += list(sums.observables[:, len(self.rows) - len(self.rows.density) :].T)
        return min(len(s) / inefficiency(s) for s in (self.last.potential_energy, *shells))

    def faults(self) -> list[str]:
        """What makes the last sampling worth nothing, as sentences: its box has become that of a gas, or it runs at
        another temperature."""
        if self.last is None:
            return []
        found = [expansion(self.state, self.last.kept[-1].boxes[-1]), self.sampler.temperature_fault()]
        return [said for said in found if said]

    def warnings(self) -> list[str]:
        """What is unusual about the last sampling, as sentences; nothing if the state is a fluid in equilibrium."""
        if self.last is None or len(self.last) < 2:
            return []
        said = [self.rows.rdf.note] if self.rows.rdf.note else []
        if drifts(self.last.potential_energy):
            said.append(f"state {self.state.name} still drifts: its potential energy has not reached equilibrium")
        said += self.faults()
        phase = structure(self.last.whole(FRAMES)).note
        if phase:
            said.append(f"state {self.state.name} {phase}")
        return said

    def _measure(self, frames: Frames) -> FrameSums:
        """A and S of frames, which the present table has made."""
        coefficients = torch.from_numpy(self.sampler.table.coefficients.copy())
        return Fluctuation(single=True).sums(self.rows, coefficients, self.grid, frames)

    def observe(self, sums: FrameSums, coefficients: Array, with_jacobian: bool = True) -> Observation:
        """Residual, its error and the Jacobian at a table [columns]."""
        sigma = self.rows.sigma(sums.standard_error())
        residual = sums.mean - self.rows.target
        if not with_jacobian:
            none = np.zeros((0, len(coefficients)))
            return Observation(coefficients, residual, sigma, none, none, sums.covariance(), len(sums.observables))
        jacobian = Fluctuation().jacobian(sums, self.state.beta)
        doubt = sums.jacobian_doubt(self.state.beta, sigma)
        return Observation(coefficients, residual, sigma, jacobian, doubt, sums.covariance(), len(sums.observables))

    def remember(self, observation: Observation, sums: FrameSums) -> None:
        """Keep what an iteration that is taken has found."""
        self.memory.add(observation)
        if self.pairs < len(observation.coefficients):
            self.memory.theory, self.memory.untold = self.theory.of(sums)
        if len(sums.observables) < 2:
            return
        if not (self.memory.has_jacobian and self.memory.of_fluctuations):
            observation = self.observe(sums, observation.coefficients)
        self._sampled = [*self._sampled[-(KEPT - 1) :], (observation, remembered(sums))]

    def known(self) -> Known | None:
        """The memory with the Jacobians of fluctuations: another one of the last samplings for a fit without those;
        None without frames.

        Jacobians of segments are good for steps. But they are off by a gain that is not the same in all directions,
        which makes those that g hardly answers to look far better known than they are.
        """
        if self.memory.has_jacobian and self.memory.of_fluctuations:
            return Known(self.memory, [blocks for _, blocks in self._sampled])
        if not self._sampled:
            return None
        observations, blocks = zip(*self._sampled, strict=True)
        return Known(Memory(list(observations)), list(blocks))

    def pressure_residual(self, residual: Array) -> dict[str, float]:
        """Pressure less its target in bar, by the state's name; empty without such a target."""
        if not len(self.rows.pressure):
            return {}
        return {self.state.name: float(residual[len(self.rows.rdf)]) * self.rows.pressure.ideal}

    def bonded_residuals(self, residual: Array) -> dict[str, float]:
        """integral |p - target| of the target distributions, by the names of state and term."""
        first, bonded = len(self.rows.rdf) + len(self.rows.pressure), self.rows.bonded
        found = zip(bonded.l1(residual[first : first + len(bonded)]), self.state.distributions, strict=True)
        return {f"{self.state.name} {target.coordinate.name} {'-'.join(target.kind)}": one for one, target in found}

    def view(
        self, gradient: Array | None = None, gradient_noise: Array | None = None, memory: Memory | None = None
    ) -> StateView:
        """What updates see; with dL/dc [npairs * (knots + 2)] and its noise for one that needs it. memory: another."""
        rows, rdf = self.rows, self.rows.rdf
        rdfs = tuple(
            RdfView(pair, where, rdf.radii[where], rdf.target[where], scale_error)
            for where, pair, scale_error in zip(rdf.slices, rdf.pair_rows, rdf.scale_errors, strict=True)
        )
        return StateView(
            memory or self.memory,
            self.variant,
            self.probe,
            1 / self.state.beta,
            self.weights,
            gradient,
            gradient_noise,
            rdfs,
            rows.error,
            self.virial,
            rows.floor,
            self._distributions(),
        )

    def _distributions(self) -> tuple[tuple[slice, Array], ...]:
        """Rows of bonded terms among those of the state, and their targets."""
        first, bonded = len(self.rows.rdf) + len(self.rows.pressure), self.rows.bonded
        return tuple((slice(first + w.start, first + w.stop), bonded.target[w]) for w in bonded.slices)

    def snapshot(self) -> Snapshot:
        return self.sampler.snapshot()


def virial_row(rows: TargetRows, grid: TableGrid) -> Array | None:
    """W, [npairs * (knots + 2)], such that the pressure of a table c is rho kT (1 + W c) if g(r) is the targets':

    P = rho kT - 1/(3 V) sum over pairs of types of N_pairs / V integral 4 pi r^3 g(r) U'(r) dr

    (D. Frenkel, B. Smit, Understanding Molecular Simulation, 2002, eq. 4.4.12). None where the targets do not tell
    all of it: a pair of types has none, or its target ends before the cutoff.
    """
    state, width = rows.state, grid.knots + 2
    counts, volume = np.bincount(state.types, minlength=len(state.type_names)), float(np.linalg.det(state.box))
    result = np.zeros((len(type_pairs(state.type_names)), width))
    known = np.zeros(len(result), dtype=bool)
    for target in state.rdfs:
        a, b = state.pair_types(target.pair)
        row = pair_row(a, b, len(counts))
        if known[row] or target.r_max < COVERED * grid.cutoff:
            continue
        known[row] = True
        pairs = counts[a] * (counts[a] - 1) / 2 if a == b else counts[a] * counts[b]
        r = np.linspace(max(grid.r_min, target.edges[0]), grid.cutoff, 40 * grid.knots)
        step = 1e-3 * grid.spacing
        slope = (spline_basis(grid, r + step) - spline_basis(grid, r - step)) / (2 * step)
        integrand = 4 * np.pi * r**3 * np.interp(r, target.r, target.g)
        result[row] = -pairs / (3 * volume**2) * np.trapezoid(integrand[:, None] * slope, r, axis=0)
    if not known.all():
        return None
    return np.asarray(result.ravel() * state.beta * volume / len(state.types))
