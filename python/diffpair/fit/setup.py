"""From settings and states to a fit that can run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.fastest import platform_of
from diffpair.engines.lammps import check_command
from diffpair.engines.planned import production_interval
from diffpair.engines.series_error import SHORTEST
from diffpair.errors import DiffPairError
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.start.bonded import starting_terms
from diffpair.fit.start.choose import ChosenStart, choose_start
from diffpair.fit.start.inversion import (
    beyond_contact,
    boltzmann_inversion,
    from_file,
    hypernetted_chain,
    modified_verlet,
)
from diffpair.fit.start.own_forces import OwnForces, sample_own_forces
from diffpair.fit.start.scales import choose_scales, coldest, contact_distances, grid_in_systems
from diffpair.gradients import (
    pick_device,
    spoken,
)
from diffpair.potentials import PairPotential, Refined, TableGrid, build_potential, judge, refine
from diffpair.settings.fit_settings import FitSettings
from diffpair.settings.start import CLOSURES
from diffpair.states import State
from diffpair.updates import (
    ParameterSpace,
    pull_back,
)

Array = NDArray[np.float64]
TOLERANCE = 1e-3
START_STEPS = 40  # of Levenberg-Marquardt, to bring a network to the inverted potential


@dataclass
class Setup:
    """A fit before its first step.

    states: all, held-out ones included. fitted: those that are fitted. space: the potential's parameters and grid.
    tabulation: how well that grid holds the potential. start_misfit: rms distance in kT between the wanted start and
    the potential's own, 0 where it starts from its parameters. wanted: that start, a flat table per set of global
    parameters; empty where it starts from its parameters. own: what the states' own forces do, by name, where they were
    sampled for the start. chosen: the start, and what is known of the states without a simulation.
    """

    settings: FitSettings
    states: list[State]
    fitted: list[State]
    potential: PairPotential
    space: ParameterSpace
    tabulation: Refined
    start_misfit: float
    wanted: list[Array]
    own: dict[str, OwnForces]
    chosen: ChosenStart

    @property
    def variants(self) -> list[tuple[float, ...]]:
        """The sets of global parameters of all states, those of fitted ones first."""
        return _variants(self.fitted + self.states)


def prepare(
    settings: FitSettings,
    states: list[State],
    progress: FitProgress | None = None,
    wanted: list[Array] | None = None,
) -> Setup:
    """Potential, grid and start. Raises DiffPairError for whatever does not fit together.

    Args:
        states: see `join_states`.
        progress: what to tell of the dynamics that a start from a System's own forces takes; None: no dynamics, and
            such a state starts by Boltzmann inversion.
        wanted: the start of a fit that is resumed, see Setup.
    """
    _check_production(settings)
    fitted = [s for s in states if not s.held_out]
    contact = contact_distances(fitted, settings.potential.learned_rows(states[0].type_names))
    given = grid_in_systems(settings.potential, states)
    scales = choose_scales(fitted, settings.potential, contact, given)
    variants = _variants(fitted)
    potential = build_potential(
        settings.potential, states[0].type_names, scales, global_names=states[0].parameter_names,
        parameters=variants[0], seed=settings.seed,
    )  # fmt: skip
    tolerance = settings.potential.tolerance or TOLERANCE
    grid = given or potential.own_grid() or TableGrid(scales.r_min, potential.cutoff, scales.knots)
    chosen = choose_start(settings.starting_point, fitted, contact)
    start = chosen.start
    beyond = beyond_contact(start.method, fitted)
    bonded = starting_terms(settings.bonded, fitted, start.file if start.method == "file" else None)
    space = ParameterSpace(potential, grid, variants, scales.energy, contact, beyond, bonded)
    misfit, own = 0.0, {}
    if start.method != "parameters":
        if not wanted:
            if start.method == "boltzmann-inversion" and progress is not None:
                own = sample_own_forces(fitted, potential, grid, contact, settings, progress, space.bonded.terms)
            wanted = _wanted(chosen, potential, fitted, grid, contact, own)
        misfit = pull_back(space, wanted, steps=START_STEPS, tolerance=0.02)
    # a soft start may be low in the core, too, where the learned potential will not be
    everywhere = tuple(_variants(states))
    if given:
        tabulation = judge(potential, grid, scales.energy, everywhere, tolerance, space.core)
    else:
        tabulation = refine(potential, grid.r_min, grid.knots, scales.energy, everywhere, tolerance, space.core)
    if tabulation.grid != grid:
        space = ParameterSpace(potential, tabulation.grid, variants, scales.energy, contact, beyond, bonded)
    return Setup(settings, states, fitted, potential, space, tabulation, misfit, wanted or [], own, chosen)


def _wanted(
    chosen: ChosenStart, potential: PairPotential, fitted: list[State], grid: TableGrid, contact: Array,
    own: dict[str, OwnForces],
) -> list[Array]:  # fmt: skip
    """The table, flat, that each set of global parameters is to start from."""
    variants, kT, start = _variants(fitted), coldest(fitted), chosen.start
    if start.method == "file":
        assert start.file is not None
        given = [dict(zip(potential.global_names, v, strict=True)).get("temperature") for v in variants]
        return [from_file(start.file, potential, grid, kT, t).ravel() for t in given]
    wanted = []
    for variant in variants:
        known_by = [s for s in fitted if s.parameters == variant and s.rdfs] or fitted
        if start.method in CLOSURES:
            close = hypernetted_chain if start.method == "hypernetted-chain" else modified_verlet
            wanted.append(close(known_by, grid, contact, chosen.chains).ravel())
        else:
            wanted.append(boltzmann_inversion(known_by, grid, contact, own).ravel())
    if len(wanted) > 1 and not potential.global_names:
        wanted = [np.mean(wanted, axis=0)] * len(wanted)
    return wanted


def _variants(states: list[State]) -> list[tuple[float, ...]]:
    return list(dict.fromkeys(s.parameters for s in states))


def where(settings: FitSettings, states: list[State]) -> str:
    """On what the fit will run, for the user. Raises DiffPairError where that is not here."""
    sampling = settings.sampling
    device, fits = spoken(pick_device(sampling.device)), any(not s.runs_itself for s in states)
    given = [s.simulation.context.getPlatform().getName() for s in states if s.simulation is not None]
    programs = [f"in LAMMPS ({command})" for command in dict.fromkeys(s.script.command for s in states if s.script)]
    if fits and sampling.lammps is not None:
        check_command(sampling.lammps)
        programs.append(f"in LAMMPS ({sampling.lammps})")
    elif fits:
        given.append(platform_of(sampling.platform))
    if given:
        programs.append(f"on OpenMM's {' and '.join(dict.fromkeys(given))}")
    return f"dynamics {' and '.join(dict.fromkeys(programs))}, g(r) and gradients on {device}"


def _check_production(settings: FitSettings) -> None:
    """Before the fit, not after it: production must give enough frames for error bars, sampling for a covariance."""
    sampling = settings.sampling
    if settings.production.max_steps < SHORTEST * production_interval(settings):
        raise DiffPairError(
            f"production: max_steps = {settings.production.max_steps} with a frame every "
            f"{production_interval(settings)} steps is too short: error bars need {SHORTEST} frames"
        )
    if sampling.steps < 2 * sampling.every:
        raise DiffPairError(
            f"sampling: steps = {sampling.steps} with every = {sampling.every} gives fewer than 2 frames"
        )
