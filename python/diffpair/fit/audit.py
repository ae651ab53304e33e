"""`diffpair audit`: how far the adjoint gradient can be trusted in the states of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from diffpair.audit import Recommendation, common, lengths_for
from diffpair.audit.report import JSON, PLOT, save, table_of
from diffpair.engines import Exploded
from diffpair.engines.fastest import platform_of
from diffpair.errors import DiffPairError
from diffpair.fit.assemble import fit_states, segment_integrator
from diffpair.fit.fit import Fit
from diffpair.fit.iterate.live_audit import audit_live
from diffpair.fit.record.folder import make_folder
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import prepare, where
from diffpair.gradients import DiscreteAdjoint
from diffpair.join import timestep_of
from diffpair.settings.gradient import Adjoint


def run_audit(
    fit: Fit,
    out: Path,
    *,
    lengths: Sequence[int] = (),
    segments: int = 24,
    frames: int = 1000,
    progress: FitProgress | None = None,
) -> Recommendation:
    """Audit the potential that a fit starts from, in every state that is fitted.

    Prints a table per state and the recommendation; writes audit.json and audit.png to the folder `out`.

    Args:
        lengths: of segments, in steps; the usual ones by default. segments: of each length. frames: for the equilibrium
            gradient.

    Raises: DiffPairError.
    """
    settings = fit.settings
    setup = prepare(settings, fit.states)
    section = settings.gradient if isinstance(settings.gradient, Adjoint) else Adjoint()
    every = section.every
    chosen = sorted(set(lengths)) or lengths_for(every)
    states = fit_states(setup, settings.seed)
    for live in states:
        for steps in chosen:
            method = DiscreteAdjoint(
                1,
                steps,
                every,
                timestep=timestep_of(settings.sampling, live.state),
                platform=platform_of(settings.sampling.platform),
            )
            method.check(live.rows)
    make_folder(out)
    progress = progress or FitProgress()
    audits = []
    with progress:
        progress.say(where(settings, fit.states))
        for live in states:
            try:
                if live.state.on_lattice:
                    progress.begin(f"melting {live.state.name}", settings.sampling.melt)
                live.perform(live.melting(), progress.advance)
                if forces := method.describe_forces(live.rows):
                    progress.say(f"further forces of {live.state.name} in segments: {forces}")
                audits.append(
                    audit_live(
                        live,
                        frames=frames,
                        segments=segments,
                        every=every,
                        lengths=chosen,
                        integrator=segment_integrator(section),
                        seed=settings.seed,
                        progress=progress,
                    )
                )
            except Exploded as error:
                raise DiffPairError(f"the audit did not get beyond its start: {error}") from None
        choice = common(audits, settings.sampling.steps, settings.sampling.steps // settings.sampling.every)
        for audit in audits:
            progress.console.print(table_of(audit, choice.steps))
            progress.say(
                f"equilibrium gradient of {audit.frames} frames, noise {100 * audit.noise:.0f} % of its norm; mean "
                f"|g - target| {audit.mae:.4f}"
            )
        save(out, audits, choice, section.segment_keys)
        for line in choice.sentence.splitlines():
            progress.say(f"recommended for {line}")
        progress.say(f"in the config: gradient: {section.spelled(choice.segments, choice.steps)}")
        progress.say(f"wrote {out / JSON}, {out / PLOT}")
    return choice
