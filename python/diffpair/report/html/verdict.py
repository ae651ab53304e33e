"""What a reader wants to know first: one sentence on a fit, and what limits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diffpair.report.html.folder import FitFolder, Step
from diffpair.report.html.targets import CLOSE, OFF, SAME, UNKNOWN, WORST_FIRST, TargetReport, short

GOOD, FAIR, BAD = "good", "fair", "bad"


@dataclass(frozen=True)
class Verdict:
    """level: GOOD, FAIR or BAD. sentence: the verdict. more: sentences that limit it."""

    level: str
    sentence: str
    more: tuple[str, ...] = ()


def judge(fit: FitFolder) -> Verdict:
    """The verdict on a fit."""
    if fit.stopped:
        return Verdict(BAD, f"The fit failed before its production: {fit.stopped}.", (_best(fit.history),))
    if not fit.finished:
        return Verdict(BAD, "The fit has not finished.", (_best(fit.history),))
    targets = [target for state in fit.states for target in state.targets]
    fitted = [target for target in targets if not target.held_out]
    held_out = [target for target in targets if target.held_out]
    if not fitted:
        return Verdict(FAIR, "The fit has ended, but its production could be compared with no target.", _limits(fit))
    worst = _worst(fitted)
    if worst.level in (OFF, CLOSE):
        return _deviating(fit, worst, fitted, held_out)
    more = [*_limits(fit)]
    if worst.level == UNKNOWN:
        sentence = f"Production was too short to tell its noise: {_told(worst, fitted)}."
        return Verdict(FAIR, sentence, (*more, *_held_out(held_out)))
    bad = [target for target in held_out if target.level in (OFF, CLOSE)]
    if bad:
        far = _worst(bad)
        kept = "The potential reproduces what it was fitted to"
        sentence = f"{kept}, but not the held-out state {far.state}, {_the(far)}: {far.told}."
        level = BAD if far.level == OFF else FAIR
        return Verdict(level, sentence, (f"Of the fitted states: {_told(worst, fitted)}.", *more))
    subject = _the(worst) if len(fitted) == 1 else f"all {len(fitted)} targets"
    noise = "its noise" if len(fitted) == 1 else "their noise"
    short_run = any(state.converged is False for state in fit.states)
    ending = ", but production is noisier than was asked for" if short_run else ""
    sentence = f"The potential reproduces {subject} within {noise}{ending}: {_told(worst, fitted)}."
    return Verdict(FAIR if short_run else GOOD, sentence, (*more, *_held_out(held_out)))


def _deviating(
    fit: FitFolder, worst: TargetReport, fitted: Sequence[TargetReport], held_out: Sequence[TargetReport]
) -> Verdict:
    """Of a fit that leaves more than noise."""
    off = [target for target in fitted if target.level in (OFF, CLOSE)]
    level = FAIR if worst.level == CLOSE else BAD
    which = _the(worst) if len(fitted) == 1 else f"{len(off)} of {len(fitted)} targets"
    told = _told(worst, fitted)
    if fit.exhausted:
        much = "differ" if len(off) > 1 else "differs"
        begin = f"The fit has not converged within its {len(fit.history)} iterations"
        joint = ";" if len(fitted) > 1 else ","
        return Verdict(level, f"{begin}: {which} {much} by more than noise{joint} {told}.", _held_out(held_out))
    if level == FAIR:
        sentence = f"The potential comes close to {which}, but the difference is more than noise"
    else:
        sentence = f"The potential does not reproduce {which}"
    return Verdict(level, f"{sentence}: {told}.", (*_limits(fit), *_held_out(held_out)))


def _told(worst: TargetReport, among: Sequence[TargetReport]) -> str:
    """The outcome of the worst target; where there are several, with its name."""
    if len(among) == 1:
        return worst.told
    states = len({target.state for target in among}) > 1
    return f"the worst is {_the(worst)}{f' of state {worst.state}' if states else ''}, {worst.told}"


def _the(target: TargetReport) -> str:
    return f"the {target.name}" if target.kind in ("pressure", "density", "bond", "angle", "dihedral") else target.name


def _worst(targets: Sequence[TargetReport]) -> TargetReport:
    return min(targets, key=lambda target: (WORST_FIRST.index(target.level), -target.ratio))


def _held_out(targets: Sequence[TargetReport]) -> tuple[str, ...]:
    """Held-out states, in a sentence."""
    if not targets:
        return ()
    worst = _worst(targets)
    well = worst.level == SAME
    alike = "Held-out states are reproduced as well" if well else "Held-out states are not reproduced within noise"
    return (f"{alike}: the worst is {_the(worst)} of state {worst.state}, {worst.told}.",)


def _limits(fit: FitFolder) -> tuple[str, ...]:
    """Why the iterations ended."""
    if fit.exhausted:
        return (f"The fit used all of its {len(fit.history)} iterations; more of them may bring it closer.",)
    return (f"The iterations ended because {_after_because(fit.reason)}.",) if fit.reason else ()


def _after_because(reason: str) -> str:
    return f"there was {reason}" if reason.startswith("no progress") else reason


def _best(history: Sequence[Step]) -> str:
    """How far an unfinished fit has come."""
    known = [step for step in history if step.accepted and step.mae is not None]
    if not known:
        return "No iteration is complete."
    best = min(known, key=lambda step: step.mae or 0.0)
    noise = "" if best.noise is None else f", noise {short(best.noise)}"
    return (
        f"The best of {len(history)} iterations is number {best.number}: mean |g − target| "
        f"{short(best.mae or 0.0)}{noise}, as the fit's own short samplings have it."
    )
