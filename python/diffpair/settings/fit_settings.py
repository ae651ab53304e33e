"""All choices of a fit together, and what must hold between them and the states that are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from diffpair.errors import DiffPairError
from diffpair.settings.base import CountOrZero, Settings
from diffpair.settings.bonded import Bonded
from diffpair.settings.gradient import BATCHES, Adjoint, Fluctuation, Gradient
from diffpair.settings.potentials import Potential
from diffpair.settings.sampling import Production, Sampling
from diffpair.settings.start import Start, StartChoice
from diffpair.settings.update import GaussNewton, InverseMonteCarlo, IterativeBoltzmann, TorchOptimizer, Update
from diffpair.systems.bonded_paths import Kind


class FitSettings(Settings):
    """What a fit is told beside its states. All values are in nm, ps, K, amu, kJ/mol and bar."""

    potential: Potential
    sampling: Sampling = Sampling()
    production: Production = Production()
    gradient: Gradient = Fluctuation()
    update: Update | None = None
    start: StartChoice | None = None
    bonded: tuple[Bonded, ...] = ()
    seed: CountOrZero = 1

    title: ClassVar[str] = "Fit"

    @property
    def method(self) -> GaussNewton | IterativeBoltzmann | InverseMonteCarlo | TorchOptimizer:
        """The update; if none is named, the one that fits the gradient."""
        if self.update is not None:
            return self.update
        enough = isinstance(self.gradient, Adjoint) and self.gradient.segments >= BATCHES
        return GaussNewton() if enough or isinstance(self.gradient, Fluctuation) else TorchOptimizer(method="adam")

    @property
    def starting_point(self) -> Start:
        """The start; if none is named, an inversion, or the given parameters of an analytic form or module."""
        if self.start is not None:
            return self.start
        form = self.potential.form
        inverts = form in ("bspline", "mlp", "sum") or (
            form == "energy_entropy" and self.potential.parts[0].form in ("bspline", "mlp")
        )
        return Start(method="auto" if inverts else "parameters")

    def content(self) -> dict[str, Any]:
        """What a fit cannot change on its way: neither its length, nor the production after it, nor where it runs."""
        left_out: dict[str, Any] = {
            "production": True,
            "update": {"iterations"},
            "sampling": {"platform", "device", "engine", "command"},
        }
        return self.model_dump(exclude=left_out if self.bonded else {**left_out, "bonded": True})


@dataclass(frozen=True)
class Outline:
    """What the checks below need to know of a state. rdfs, pressures, densities, vacfs: how many targets of each
    kind. scale_errors: those of the rdfs. distributions: kinds of bonded terms. parameters: names of the potential's
    global parameters that it gives."""

    name: str
    held_out: bool
    temperature: float
    parameters: Sequence[str]
    rdfs: int
    pressures: int
    densities: int
    vacfs: int
    scale_errors: Sequence[float]
    distributions: Sequence[Kind] = ()


def check_together(settings: FitSettings, states: Sequence[Outline]) -> None:
    """Refuse settings and states that do not go together (DiffPairError)."""
    fitted = [state for state in states if not state.held_out]
    _check_states(settings, states, fitted)
    _check_update(settings, states, fitted)
    _check_gradient(settings)
    _check_bonded(settings, states)


def _check_states(settings: FitSettings, states: Sequence[Outline], fitted: Sequence[Outline]) -> None:
    names = [state.name for state in states]
    for name in names:
        if names.count(name) > 1:
            raise DiffPairError(f"states: two states are named {name!r}")
    if not fitted:
        raise DiffPairError("states: every state is held out, so nothing can be fitted")
    if not any(state.rdfs for state in fitted):
        raise DiffPairError(
            "states: no state that is fitted has an rdf as a target, and without one nothing tells where the "
            "potential's core is"
        )
    if settings.potential.form == "energy_entropy":
        _check_temperatures(states, fitted)
    first = states[0]
    for state in states[1:]:
        if set(state.parameters) != set(first.parameters):
            raise DiffPairError(
                f"states: {state.name!r} gives the parameters {_listed(state.parameters)}, "
                f"but {first.name!r} gives {_listed(first.parameters)}"
            )


def _check_update(settings: FitSettings, states: Sequence[Outline], fitted: Sequence[Outline]) -> None:
    method, gradient = settings.method, settings.gradient
    if isinstance(method, IterativeBoltzmann):
        for kind, given in (("pressure", "pressures"), ("density", "densities")):
            if any(getattr(state, given) for state in fitted):
                raise DiffPairError(f"update: ibi knows g(r) alone; a {kind} as a target needs another update")
    if not isinstance(method, GaussNewton) and any(error for state in states for error in state.scale_errors):
        raise DiffPairError(
            f"update: {method.method} takes every target's scale as it is; an rdf with a scale_error needs gauss-newton"
        )
    learns = isinstance(gradient, Adjoint) and gradient.learn_friction is not None
    moving = any(state.vacfs for state in fitted)
    if moving and not learns:
        raise DiffPairError(
            "states: a vacf as a target needs gradient: {method: adjoint, learn_friction: 1 /ps}, which starts the "
            "friction there and learns it"
        )
    for state in fitted:
        if state.vacfs and not state.rdfs and not state.pressures:
            raise DiffPairError(
                f"states: {state.name!r} is fitted but has a vacf alone, which tells nothing of the potential; "
                f"give it an rdf or a pressure, too"
            )
    if learns and not moving:
        raise DiffPairError("gradient: learn_friction needs a vacf as a target of a state that is fitted")


def _check_gradient(settings: FitSettings) -> None:
    method, gradient = settings.method, settings.gradient
    if isinstance(gradient, Fluctuation):
        return
    if isinstance(method, IterativeBoltzmann):
        raise DiffPairError(
            f"update: ibi compares g(r) with its target and uses no gradient; leave gradient: {gradient.method} out"
        )
    if isinstance(method, GaussNewton) and isinstance(gradient, Adjoint):
        if gradient.segments < BATCHES:
            raise DiffPairError(
                f"gradient: gauss-newton learns the noise of the adjoint's Jacobian from {BATCHES} or more "
                f"segments, not from {gradient.segments}"
            )
    elif isinstance(method, GaussNewton | InverseMonteCarlo):
        raise DiffPairError(
            f"update: {method.method} needs the whole Jacobian, which gradient: fluctuation gives and "
            f"{gradient.method} does not; use an update such as adam"
        )


def _check_bonded(settings: FitSettings, states: Sequence[Outline]) -> None:
    kinds = [term.kind for term in settings.bonded]
    for term in settings.bonded:
        if kinds.count(term.kind) > 1:
            raise DiffPairError(f"bonded: the {term.label} is given twice")
    for state in states:
        for kind in state.distributions:
            if kind not in kinds:
                raise DiffPairError(
                    f"states: {state.name!r} has the distribution of {'-'.join(kind)} as a target, but the section "
                    f"bonded has no such term: add {{types: [{', '.join(kind)}]}} to it"
                )
            if state.distributions.count(kind) > 1:
                raise DiffPairError(f"states: {state.name!r} has the distribution of {'-'.join(kind)} twice")
    if not settings.bonded:
        return
    method, gradient = settings.method.method, settings.gradient.method
    if method != "gauss-newton" or gradient != "fluctuation":
        raise DiffPairError(
            f"bonded: terms of bonds, angles and dihedrals are learned with update: gauss-newton and gradient: "
            f"fluctuation, not with {method} and {gradient}"
        )


def _check_temperatures(states: Sequence[Outline], fitted: Sequence[Outline]) -> None:
    for state in states:
        if state.parameters:
            raise DiffPairError(
                f"states: {state.name!r} gives the parameters {_listed(state.parameters)}, but the form "
                f"energy_entropy takes the temperature of the state, and no other parameter"
            )
    if len({state.temperature for state in fitted}) < 2:
        raise DiffPairError(
            "states: the form energy_entropy needs fitted states of two or more temperatures; one does not tell "
            "energy and entropy apart"
        )


def _listed(parameters: Sequence[str]) -> str:
    return ", ".join(parameters) or "none"
