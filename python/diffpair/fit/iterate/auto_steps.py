"""`steps: auto`: a short audit at the start of a fit chooses the segments of its adjoint gradient."""

from __future__ import annotations

from pathlib import Path

from diffpair.audit import common, lengths_for
from diffpair.audit.report import JSON, save
from diffpair.fit.assemble import segment_integrator, segment_jacobian
from diffpair.fit.iterate.live_audit import audit_live
from diffpair.fit.iterate.loop import FitLoop
from diffpair.fit.setup import Setup
from diffpair.settings.gradient import Adjoint

SEGMENTS = 12  # of each length
SAMPLINGS = 3  # as long as that many iterations sample; the equilibrium gradient wants more frames than a step


def choose_segments(setup: Setup, loop: FitLoop, out: Path | None) -> None:
    """Audit every fitted state with its present table, and have the loop's gradient use what is recommended.

    Segments longer than the first chaotic length are not tried. A number of segments that the config gives is kept; a
    Jacobian is made of no fewer than its default, since it serves many steps.
    Writes audit.json and audit.png to `out`, if there is such a folder. Raises Exploded, or DiffPairError where no
    length will do.
    """
    section, sampling = setup.settings.gradient, setup.settings.sampling
    assert isinstance(section, Adjoint)
    frames = sampling.steps // sampling.every
    audits = [
        audit_live(
            live,
            frames=max(SAMPLINGS * frames, 100),
            segments=SEGMENTS,
            every=section.every,
            lengths=lengths_for(section.every),
            stop_at_chaos=True,
            integrator=segment_integrator(section),
            seed=setup.settings.seed,
            progress=loop.progress,
        )
        for live in loop.states
    ]
    choice = common(audits, sampling.steps, frames)
    least = section.segments if segment_jacobian(setup.settings) else 1
    segments = section.given_segments or max(choice.segments, least)
    loop.learner.gradient.set_numbers(segments, choice.steps)
    if out is not None:
        save(out, audits, choice, section.segment_keys)
    where = "" if out is None else f" ({out / JSON})"
    for line in choice.sentence.splitlines():
        loop.progress.say(f"audit{where}: {line}")
    if segments > choice.segments and section.given_segments is None:
        loop.progress.say(f"the Jacobian, which serves many steps, is made of {segments} segments")
