"""A start that knows the System's own forces: what they make of g(r) already, the potential need not.

Where a state's System has nonbonded forces of its own, -kT ln g would count them twice. So that System is sampled once
without the potential. Where its g(r) is the target's within noise, U = 0 is the answer as far as anybody can tell;
elsewhere the first guess is the step of iterative Boltzmann inversion from there, -kT ln(g_target / g_own).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.config import FitConfig
from diffpair.config.gradient import Adjoint
from diffpair.config.sampling import Sampling
from diffpair.engines import Exploded, Snapshot
from diffpair.engines.statistics import mean_absolute_noise
from diffpair.fit.fit_state import FitState
from diffpair.fit.progress import FitProgress
from diffpair.fit.start import TRUSTED, continued, crystalline
from diffpair.gradients.rdf_rows import RdfRows
from diffpair.potentials import TableGrid
from diffpair.states import State, has_nonbonded_forces
from diffpair.tables import PairTable, type_pairs
from diffpair.targets import RdfTarget

Array = NDArray[np.float64]
ALIKE = 3.0  # times the noise: block errors of a slow fluid are half of the truth, and targets have noise of their own
SEED = 6007  # added to the fit's


@dataclass(frozen=True)
class OwnForces:
    """What a state's System does without the potential.

    state: with its targets. rows: of those. g: mean g there, [rows]. mae, noise: mean |g - target| of all targets, and
    what the noise of both would make of it. last: where the simulation ended. steps: of dynamics.
    """

    state: State
    rows: RdfRows
    g: Array
    mae: float
    noise: float
    last: Snapshot
    steps: int

    @property
    def enough(self) -> bool:
        """Whether U = 0 is the best guess: the targets are reproduced, or crystals, of which the ratio of two g(r) says
        nothing."""
        return self.mae < ALIKE * self.noise or any(crystalline(target) for target in self.state.rdfs)

    def missing(self, wanted: RdfTarget, r: Array, cutoff: float) -> Array:
        """-kT ln(g_target / g_own) of one of the state's targets at distances r [n] in nm; in kJ/mol.

        It begins where both are known. Nearer it stays as it is there where the System's own forces keep particles
        apart, and grows as r^-12 where only the target does.
        """
        where = self.rows.slices[[target is wanted for target in self.state.rdfs].index(True)]
        radii, target, own = self.rows.radii[where], self.rows.target[where], self.g[where]
        least = TRUSTED * min(1.0, float(target.max()))
        known = (target > least) & (own > least)
        if self.enough or np.count_nonzero(known) < 2:
            return np.zeros(len(r))
        first = int(np.argmax(known))
        ratio = np.log(np.maximum(own[first:], least) / np.maximum(target[first:], least))
        bare = bool((own[:first] > least).any())
        kT = 1 / self.state.beta
        return continued(radii[first:], kT * ratio, r, cutoff, kT if bare else 0.0)

    @property
    def sentence(self) -> str:
        """For the user."""
        start = "U = 0" if self.enough else "-kT ln(g_target / g) of that"
        return (
            f"state {self.state.name}: its System's own forces give a mean |g - target| of {self.mae:.4f} "
            f"(noise {self.noise:.4f}); the fit starts from {start}"
        )


def sample_own_forces(
    states: list[State], grid: TableGrid, config: FitConfig, progress: FitProgress
) -> dict[str, OwnForces]:
    """By the state's name, for those with nonbonded forces and a g(r); says what it found.

    None where the gradient is one that refuses further forces anyway. A state whose System cannot be simulated without
    the potential is left out: nothing may keep its particles apart.
    """
    found: dict[str, OwnForces] = {}
    if isinstance(config.gradient, Adjoint):
        return found
    sampling = config.sampling
    for index, state in enumerate(states):
        if state.rdfs and state.base_system is not None and has_nonbonded_forces(state.base_system):
            progress.begin(f"{state.name} without U", sampling.equilibration + sampling.steps)
            try:
                found[state.name] = _sample(state, grid, sampling, config.seed + SEED + 7919 * index, progress)
                progress.say(found[state.name].sentence)
            except Exploded:
                progress.say(
                    f"note: state {state.name}: its System's own forces do not keep particles apart without the "
                    f"potential, so the fit starts from -kT ln g of the target"
                )
    return found


def _sample(state: State, grid: TableGrid, sampling: Sampling, seed: int, progress: FitProgress) -> OwnForces:
    shape = (len(type_pairs(state.type_names)), grid.knots + 2)
    nothing = PairTable(state.type_names, grid.r_min, grid.cutoff, np.zeros(shape))
    live = FitState(state, 0, grid, nothing, sampling, seed)
    frames = live.sample(nothing, progress.advance)
    sums = live.measure(frames)
    rows = live.rows.rdf
    g, error = sums.mean[: len(rows)], sums.standard_error()[: len(rows)]
    mae = float(np.mean(np.abs(g - rows.target)))
    noise = mean_absolute_noise(np.hypot(error, rows.error))
    return OwnForces(state, rows, g, mae, noise, live.snapshot(), live.sampler.steps_done)
