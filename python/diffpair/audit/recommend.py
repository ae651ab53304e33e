"""From an audit to the length and number of segments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from diffpair.audit.measure import LengthAudit, StateAudit
from diffpair.errors import DiffPairError

BELOW = 3.0  # times the noise of the averaged gradient is to be below its mean
FEWEST = 4  # segments, however calm they are
USEFUL = 0.5  # expected cosine below which the user is warned
DOUBTFUL = 0.5  # noise of the equilibrium gradient, as a part of it, above which cosines with it say little


@dataclass(frozen=True)
class Recommendation:
    """steps, segments: of the adjoint gradient. cosine: to be expected of it, with the equilibrium gradient, noise
    included. sentence: for the user, a line per state."""

    steps: int
    segments: int
    cosine: float
    sentence: str


def recommend(audit: StateAudit, budget: int, most_segments: int) -> Recommendation:
    """The length whose gradient points best at a fixed cost, before chaos sets in, and how many segments it needs.

    At equal cost long segments are few. A length's merit is the cosine of the mean over budget / steps segments with
    the equilibrium gradient: bias and noise in one number. Where that gradient is itself too noisy to tell, the longest
    length is taken whose adjoint does not grow.

    Args:
        budget: steps that one gradient may cost. most_segments: frames that there are to start from.

    Raises: DiffPairError if even the shortest segments are chaos.
    """
    return _advise(audit, *_choose(audit, budget), most_segments)


def common(audits: list[StateAudit], budget: int, most_segments: int) -> Recommendation:
    """One choice for all states: the shortest of their lengths, as many segments as the neediest wants of it."""
    chosen = [_choose(audit, budget) for audit in audits]
    steps = min(entry.steps for entry, _ in chosen)
    advice = []
    for audit, (_, why) in zip(audits, chosen, strict=True):
        entry = next(entry for entry in audit.lengths if entry.steps == steps)
        advice.append(_advise(audit, entry, why, most_segments))
    return Recommendation(
        steps,
        max(a.segments for a in advice),
        min(a.cosine for a in advice),
        "\n".join(a.sentence for a in advice),
    )


def _choose(audit: StateAudit, budget: int) -> tuple[LengthAudit, str]:
    """The length, and what else there is to say of the choice."""
    calm = list(takewhile(lambda entry: not entry.chaotic, audit.lengths))
    if not calm:
        raise DiffPairError(
            f"the adjoint gradient of state {audit.state!r} is chaos even for the shortest segments; use "
            f"gradient: {{method: fluctuation}} or a shorter timestep"
        )
    if audit.noise <= DOUBTFUL:

        def merit(entry: LengthAudit) -> float:
            return entry.expected_cosine(max(1.0, budget / entry.steps))

        best = max(calm, key=merit)
        return best, "" if merit(
            best
        ) >= USEFUL else "no length points the right way: use gradient: {method: fluctuation}"
    quiet = [entry for entry in calm if entry.growth <= 1] or calm[:1]
    return quiet[-1], (
        f"the equilibrium gradient is too noisy to compare with ({100 * audit.noise:.0f} % of its norm), so this is "
        f"the longest length over which the adjoint does not grow; more frames would tell more"
    )


def _advise(audit: StateAudit, chosen: LengthAudit, why: str, most_segments: int) -> Recommendation:
    """How many segments of this length; the sentence."""
    # where noise hides the mean, not more than ten times as many segments are asked for as were audited
    size = max(chosen.signal, 0.1 * chosen.scatter / chosen.segments, np.finfo(float).tiny)
    needed = max(FEWEST, math.ceil(BELOW**2 * chosen.scatter / size))
    segments = max(1, min(needed, most_segments))
    cosine = chosen.expected_cosine(segments)
    noise = math.sqrt(chosen.scatter / size / segments)
    sentence = (
        f"state {audit.state}: {segments} segments of {chosen.steps} steps; their gradient should have a cosine of "
        f"{cosine:.2f} with the equilibrium gradient and {100 * chosen.ratio:.0f} % of its norm, and noise of "
        f"{100 * noise:.0f} % of its mean"
    )
    if needed > segments:
        sentence += f" (1/{BELOW:g} of the mean would take {needed}, but sampling gives only {most_segments} frames)"
    ends = [entry.steps for entry in audit.lengths if entry.chaotic]
    if audit.unusable is not None:
        ends.append(audit.unusable)
    if ends:
        sentence += f"; segments of {min(ends)} steps are chaos"
    return Recommendation(chosen.steps, segments, cosine, f"{sentence}; {why}" if why else sentence)
