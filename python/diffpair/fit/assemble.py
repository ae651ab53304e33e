"""From a fit before its first step to what does the work: live states, update, gradient method, the loop."""

from __future__ import annotations

from collections.abc import Callable

import torch

from diffpair.engines.fastest import platform_of
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.friction import FrictionFit
from diffpair.fit.iterate.learner import EquilibriumLearner, Learner, ReweightingLearner, SegmentLearner
from diffpair.fit.iterate.live_state import LiveState
from diffpair.fit.iterate.loop import FitLoop
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.fit.judge.stopping import Stopping
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import Setup
from diffpair.fit.start.chain_jacobian import chain_jacobian, is_prior
from diffpair.fit.tasks.crew import Crew
from diffpair.fit.tasks.task import Recipe
from diffpair.gradients import (
    CHAOS,
    DiscreteAdjoint,
    Fluctuation,
    MakeIntegrator,
    Reweighting,
    TargetRows,
    langevin_middle,
    nose_hoover,
    verlet,
)
from diffpair.join import timestep_of
from diffpair.settings import update as update_sections
from diffpair.settings.fit_settings import FitSettings
from diffpair.settings.gradient import Adjoint
from diffpair.settings.gradient import Reweighting as ReweightingSection
from diffpair.updates import (
    FirstOrder,
    GaussNewton,
    InverseMonteCarlo,
    IterativeBoltzmann,
    Memory,
    SegmentMemory,
    Update,
)

FIRST_RADIUS = 0.35  # part of the trust radius while the gain of segments is not known: they see half the response


def make_loop(
    setup: Setup, states: list[LiveState], progress: FitProgress, keep: Callable[[FitLoop], None],
    crew: Crew | None = None,
) -> FitLoop:  # fmt: skip
    """The iterations of a fit, none of them done. keep, crew: see FitLoop. Says how segments treat further forces."""
    loop = FitLoop(
        setup.space,
        states,
        make_update(setup),
        make_learner(setup),
        setup.settings.method.iterations,
        progress,
        keep,
        make_stopping(setup),
        adaptive_samplings(setup.settings),
        crew,
    )
    for live in states:
        if forces := loop.learner.gradient.describe_forces(live.rows):
            progress.say(f"further forces of {live.state.name} in segments: {forces}")
    loop.friction = make_friction(setup, states)
    loop.afterwards = len(setup.states) * setup.settings.production.max_steps
    return loop


def fit_states(setup: Setup, seed: int) -> list[LiveState]:
    """The fitted states; they go on where the start has left them."""
    space, tables, section = setup.space, {}, segment_jacobian(setup.settings)
    for variant in space.variants:
        tables[variant] = space.table(variant)
    live = [
        LiveState(
            Recipe(state, space.grid, tables[state.parameters], setup.settings.sampling),
            index,
            space.variants.index(state.parameters),
            seed,
            SegmentMemory(section.modes) if section else Memory(),
            space.bonded.probe() if space.bonded.size else None,
        )
        for index, state in enumerate(setup.fitted)
    ]
    for state in live:
        if state.state.name in setup.own:
            state.snapshots = list(setup.own[state.state.name].last)
        chain = setup.chosen.good.get(state.state.name)
        trusted = chain is not None and is_prior(chain, state.state, setup.chosen.start.method, space.bonded.size > 0)
        if section is None and chain is not None and trusted:
            state.theory.chain = chain_jacobian(chain, state.state, state.rows.rdf, space.grid)
            if len(state.rows) == len(state.rows.rdf) and not space.bonded.size:
                state.memory.theory = state.theory.chain
    return live


def segment_jacobian(settings: FitSettings) -> Adjoint | None:
    """The adjoint gradient where its segments give the Jacobian of a Gauss-Newton fit."""
    wanted = isinstance(settings.method, update_sections.GaussNewton)
    return settings.gradient if wanted and isinstance(settings.gradient, Adjoint) else None


def segment_integrator(section: Adjoint) -> MakeIntegrator:
    """What the config says that moves the segments."""
    match section.integrator:
        case "verlet":
            return verlet
        case "langevin-middle":
            return langevin_middle(section.friction)
        case "nose-hoover":
            return nose_hoover(section.collision_frequency, section.chain_length)


def make_learner(setup: Setup) -> Learner:
    """What the config's gradient method gives to its update, checked against the states.

    With steps: auto it has the shortest segments there are, until the fit's audit has chosen.
    """
    section = setup.settings.gradient
    if isinstance(section, ReweightingSection):
        return ReweightingLearner(Reweighting(section.min_effective, section.updates))
    if not isinstance(section, Adjoint):
        return EquilibriumLearner(Fluctuation())
    steps = section.every if section.steps == "auto" else section.steps
    method = DiscreteAdjoint(
        section.segments, steps, section.every, timestep=_common_timestep(setup), max_growth=CHAOS,
        integrator=segment_integrator(section), seed=setup.settings.seed,
        dtype=torch.float32 if segment_jacobian(setup.settings) else torch.float64,
        platform=platform_of(setup.settings.sampling.platform),
    )  # fmt: skip
    for state in setup.fitted:
        method.check(TargetRows(state))
    watched = WatchedAdjoint(method)
    return SegmentLearner(watched) if segment_jacobian(setup.settings) else EquilibriumLearner(watched)


def _common_timestep(setup: Setup) -> float:
    """Of all fitted states, ps. Raises DiffPairError where they differ."""
    steps = {timestep_of(setup.settings.sampling, state) for state in setup.fitted}
    if len(steps) > 1:
        named = ", ".join(f"{step:g}" for step in sorted(steps))
        raise DiffPairError(
            f"gradient: segments of the adjoint have one time step, but the states have {named} ps; give all the same, "
            f"or use gradient: {{method: fluctuation}}"
        )
    return steps.pop()


def adaptive_samplings(settings: FitSettings) -> bool:
    """Whether samplings grow. A friction needs its iterations: it is not known by when it settles."""
    learns = isinstance(settings.gradient, Adjoint) and settings.gradient.learn_friction is not None
    return settings.sampling.adaptive and isinstance(settings.method, update_sections.GaussNewton) and not learns


def make_friction(setup: Setup, states: list[LiveState]) -> FrictionFit | None:
    """What learns the friction, where the config asks for it."""
    section = setup.settings.gradient
    if not isinstance(section, Adjoint) or section.learn_friction is None:
        return None
    return FrictionFit(section.learn_friction, states, _common_timestep(setup), section.segments, setup.settings.seed)


def make_update(setup: Setup) -> Update:
    """The config's update."""
    section = setup.settings.method
    match section:
        case update_sections.GaussNewton():
            update = GaussNewton(section.damping or 1.0, section.smoothness)
            if segment_jacobian(setup.settings):
                update.radius *= FIRST_RADIUS
            return update
        case update_sections.IterativeBoltzmann():
            return IterativeBoltzmann(section.damping, section.smoothing)
        case update_sections.InverseMonteCarlo():
            given = section.regularisation
            return InverseMonteCarlo(section.damping, None if given == "auto" else given)
    return FirstOrder(
        setup.space, section.method, section.learning_rate, section.momentum, precondition=section.precondition
    )


def make_stopping(setup: Setup) -> Stopping | None:
    """What may end the fit before its last iteration: the noise that production resolves is small enough."""
    section = setup.settings.method
    if not isinstance(section, update_sections.GaussNewton) or not section.stop_at_noise:
        return None
    return Stopping(setup.settings.production.noise_target)
