"""A start that knows the System's own forces: what they make of g(r) already, the potential need not.

Where a state's System has nonbonded forces of its own, -kT ln g would count them twice. So that System is sampled once
without the potential. Where its g(r) is the target's within noise, U = 0 is the answer as far as anybody can tell;
elsewhere the first guess is the step of iterative Boltzmann inversion from there, -kT ln(g_target / g_own). That guess
is sampled, too, and the nearer of the two is taken: in a dense fluid of several types it may well lead away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm
from diffpair.engines import Exploded, Snapshot
from diffpair.engines.statistics import mean_absolute_noise
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.start.inversion import boltzmann_inversion, continued, crystalline
from diffpair.fit.tasks.task import Recipe
from diffpair.gradients.rdf_rows import RdfRows
from diffpair.potentials import PairPotential, TableGrid
from diffpair.settings.fit_settings import FitSettings
from diffpair.settings.gradient import Adjoint
from diffpair.states import State
from diffpair.tables import PairTable
from diffpair.targets import RdfTarget
from diffpair.targets.sampled import invertible

Array = NDArray[np.float64]
# Times the noise: nothing else need be between target and System. Blocks of slow fluids say too little noise, and that
# of a target is often not known at all.
ALIKE = 3.0
SEED = 6007  # added to the fit's


@dataclass(frozen=True)
class OwnForces:
    """What a state's System does without the potential.

    state: with its targets. rows: of those. g: mean g there, [rows]. mae, noise: mean |g - target| of all targets, and
    what the noise of both would make of it. last: where the simulations ended. enough: whether U = 0 is the best guess.
    guess: mean |g - target| with what is missing; None where that was not sampled, or exploded.
    """

    state: State
    rows: RdfRows
    g: Array
    mae: float
    noise: float
    last: list[Snapshot | None]
    enough: bool
    guess: float | None = None

    def missing(self, wanted: RdfTarget, r: Array, cutoff: float) -> Array:
        """-kT ln(g_target / g_own) of one of the state's targets at distances r [n] in nm; in kJ/mol.

        It begins where both are known. Nearer it stays as it is there where the System's own forces keep particles
        apart, and grows as r^-12 where only the target does.
        """
        where = self.rows.slices[[target is wanted for target in self.state.rdfs].index(True)]
        radii, target, own = self.rows.radii[where], self.rows.target[where], self.g[where]
        least = invertible(target)
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
        missing = "-kT ln(g_target / g) of that"
        given = "" if self.guess is None else f", {missing} added to them {self.guess:.4f}"
        return (
            f"state {self.state.name}: its System's own forces give a mean |g - target| of {self.mae:.4f} "
            f"(noise {self.noise:.4f}){given}; the fit starts from {'U = 0' if self.enough else missing}"
        )


def sample_own_forces(
    states: list[State], potential: PairPotential, grid: TableGrid, contact: Array, settings: FitSettings,
    progress: FitProgress, bonded: tuple[BondedTerm, ...] = (),
) -> dict[str, OwnForces]:  # fmt: skip
    """By the state's name, for those with nonbonded forces and a g(r); says what it found.

    None where the gradient is one that refuses further forces anyway. A state whose System cannot be simulated without
    the potential is left out: nothing may keep its particles apart.

    Args:
        grid: of the tables. contact: contact distance per pair of types, nm. bonded: terms that hold molecules.
    """
    found: dict[str, OwnForces] = {}
    for index, state in enumerate([] if isinstance(settings.gradient, Adjoint) else states):
        if not state.rdfs or not state.pairs_act:
            continue
        nothing = PairTable(potential.types, *grid[:2], np.zeros((potential.all_pairs, grid.knots + 2)), bonded=bonded)
        live = LiveState(Recipe(state, grid, nothing, settings.sampling), index, seed=settings.seed + SEED)
        begin = live.snapshots[0]
        try:
            own = _sample(live, nothing, 1, progress)
        except Exploded:
            if state.runs_itself and begin is not None:
                live.station.engine.restore(begin)  # what the user runs goes on
            progress.note(
                f"state {state.name}: its System's own forces do not keep particles apart without the "
                f"potential, so the fit starts from -kT ln g of the target"
            )
            continue
        if not own.enough:
            own = _nearer(own, live, potential, contact, progress)
        progress.say(own.sentence)
        found[state.name] = own
    return found


def _sample(live: LiveState, table: PairTable, iteration: int, progress: FitProgress) -> OwnForces:
    """Raises Exploded."""
    sampling, rows = live.sampling, live.rows.rdf
    progress.begin(f"start of {live.state.name}", sampling.equilibration + sampling.steps)
    live.perform(live.tasks(table, iteration), progress.advance)
    sums = live.sampled.sums
    g, error = sums.mean[: len(rows)], sums.standard_error()[: len(rows)]
    mae, noise = float(np.mean(np.abs(g - rows.target))), mean_absolute_noise(np.hypot(error, rows.error))
    # of two crystals the ratio of g says nothing
    enough = mae < ALIKE * noise or any(crystalline(target) for target in live.state.rdfs)
    return OwnForces(live.state, rows, g, mae, noise, live.snapshots, enough)


def _nearer(
    own: OwnForces, live: LiveState, potential: PairPotential, contact: Array, progress: FitProgress
) -> OwnForces:
    """With `enough` as the dynamics with what is missing says; it goes on from where that without it ended."""
    rows = boltzmann_inversion([live.state], live.grid, contact, {live.state.name: own})
    table = np.zeros(rows.shape)
    table[list(potential.learned)] = rows[list(potential.learned)]
    try:
        guess = _sample(live, replace(live.table, coefficients=table), 2, progress).mae
    except Exploded:
        return replace(own, enough=True)
    return replace(own, enough=guess >= own.mae, guess=guess, last=live.snapshots)
