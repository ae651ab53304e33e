"""The end of a fit: production with the learned potential, its report and its summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from diffpair.engines import ProductionResult
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.loop import FitLoop
from diffpair.fit.judge.fallback import produce_or_go_back
from diffpair.fit.produce import Producing
from diffpair.fit.record.folder import (
    AUDIT,
    PLOT,
    POTENTIAL,
    REPORT,
    RESULTS,
    START,
    SUMMARY,
    save_tables,
    table_names,
)
from diffpair.fit.record.iteration import accepted
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.record.provenance import Origin, provenance
from diffpair.fit.record.result import FitResult
from diffpair.fit.record.results import misfits, say_results
from diffpair.fit.setup import (
    TOLERANCE,
    Setup,
)
from diffpair.join import timestep_of
from diffpair.model.folder import SECTION, Ran, told, write_model
from diffpair.potentials import judge
from diffpair.report import summary_document, write_summary
from diffpair.report.html import write_report
from diffpair.report.results import results_document, write_results
from diffpair.settings.gradient import Adjoint
from diffpair.states import State
from diffpair.states.learned_forces import learned_forces, term_names
from diffpair.states.system import table_of_force
from diffpair.tables import PairTable, TableUncertainty


@dataclass(frozen=True)
class Work:
    """A fit at work. start: the potential that it started from, if that is known. out: folder of its files, or None.
    digest: see `fingerprint`."""

    setup: Setup
    loop: FitLoop
    start: PairTable | None
    out: Path | None
    digest: str
    origin: Origin
    progress: FitProgress

    def save(self, bands: Sequence[TableUncertainty] = (), **fit: Any) -> None:
        """Write the present potential with where it comes from, if there is a folder."""
        if self.out is None:
            return
        origin = provenance(self.setup, len(self.loop.history), self.digest, self.origin)
        origin["gradient"] = _describe_gradient(self.setup, self.loop)
        save_tables(self.out, self.setup, bands, provenance=origin, fit=fit)


def _describe_gradient(setup: Setup, loop: FitLoop) -> dict[str, Any]:
    """The gradient that the fit used, for summary.json and the provenance."""
    section = setup.settings.gradient
    result: dict[str, Any] = section.model_dump()
    result |= loop.learner.gradient.describe()
    if isinstance(section, Adjoint) and section.steps == "auto":
        result["audit"] = AUDIT
    if loop.friction is not None:
        result |= {
            "friction": {"value": loop.friction.friction, "error": loop.friction.friction * loop.friction.error,
                         "unit": "1/ps", "gradients": loop.friction.gradients},
        }  # fmt: skip
    if any(entry.effective for entry in loop.history):
        result["updates"] = sum(entry.updates for entry in loop.history if entry.accepted)
    return result


def hand_over(setup: Setup, states: Sequence[State] | None = None) -> None:
    """Have the users' Simulations run the present potential; those of all states by default."""
    for state in setup.states if states is None else states:
        if state.simulation is not None:
            table = setup.space.table(state.parameters)
            state.simulation.write(
                table_of_force(state, table), partial(learned_forces, state, table), term_names(state, table)
            )


def put_back(states: Sequence[State]) -> None:
    """Leave the users' Simulations of a fit that found nothing as they were."""
    for state in states:
        if state.simulation is not None:
            state.simulation.put_back()


def leave_in_order(work: Work) -> None:
    """Have the users' Simulations of a fit that is broken off run the present potential, from a sound structure.

    Those that the fit has not run stay where they are, and those that another fit has taken over as they are.
    """
    setup, loop = work.setup, work.loop
    if not loop.placed:
        put_back(setup.states)
        return
    hand_over(setup, [s for s in setup.states if s.simulation is None or not s.simulation.lost])
    for live in loop.states:
        user, (snapshot, *_) = live.state.simulation, live.snapshots
        if user is not None and snapshot is not None and not user.lost and (user.moved or not user.sound):
            live.station.engine.restore(snapshot)
    for held_out in setup.states:
        if held_out.held_out and held_out.simulation is not None and not held_out.simulation.lost:
            held_out.simulation.rewind()


def keep_best(work: Work, reason: str) -> str:
    """Go back to the best potential of a fit that has to stop, write it, and tell where it is."""
    setup, loop, out = work.setup, work.loop, work.out
    if loop.best is None:
        put_back(setup.states)
        held = "" if out is None else f"; {out / START} holds the potential that the fit started from"
        return reason + held
    setup.space.set(loop.best.theta)
    leave_in_order(work)
    best = f"of iteration {loop.best.number} with a mean |g - target| of {loop.best.mae:.4f}"
    if out is None:
        return f"{reason}; the fit's table is the last good one, {best}"
    try:
        work.save(stopped=reason, mae=loop.best.mae)
        write_report(out)
    except DiffPairError as error:
        return f"{reason}; saving the best potential to {out} failed: {error}"
    return f"{reason}; {out / POTENTIAL} holds the last good potential, {best}"


def conclude(work: Work) -> FitResult:
    """Production with the final table, and the files that report it. The potential is saved before and after it."""
    setup, loop, out, progress = work.setup, work.loop, work.out, work.progress
    seconds = loop.seconds
    warnings = loop.warnings()
    fit: dict[str, Any] = {"iterations": len(loop.history), "md_steps": loop.md_steps, "notes": []}
    try:
        work.save(**fit)

        def changed(notes: list[str]) -> None:
            fit["notes"] = notes
            work.save(**fit)

        produce = Producing(setup, loop, progress, work.digest, out)
        outcome = produce_or_go_back(setup.space, accepted(loop.history), produce, changed)
        results, fit["notes"] = outcome.results, outcome.notes
        for note in outcome.notes:
            progress.note(note)
        fit |= _errors(setup, results)
    except DiffPairError as error:
        kept = f"; {out / POTENTIAL} holds the learned potential" if out and (out / POTENTIAL).is_file() else ""
        raise DiffPairError(f"{error}{kept}") from None
    hand_over(setup)
    bands = loop.bands()
    work.save(bands, **fit)
    say_results(results, progress)
    notes = [*warnings, *misfits(results), *dict.fromkeys(note for band in bands for note in band.notes)]
    for note in notes:
        progress.note(note)
    document = summary_document(
        iterations=len(loop.history),
        wall_seconds=seconds,
        md_seconds=loop.md_seconds,
        md_steps=fit["md_steps"],
        results=results,
        potential=POTENTIAL,
    )
    document["notes"] = [*fit["notes"], *notes]
    document["independent_frames"] = loop.independent
    document["stopped"] = loop.stopped or f"all {len(loop.history)} iterations were done"
    document["gradient"] = _describe_gradient(setup, loop)
    names = table_names(setup)
    if len(names) > 1:
        document["files"]["potentials"] = {s.name: f"{names[s.parameters]}.json" for s in setup.states}
    result = FitResult(
        tables={s.name: setup.space.table(s.parameters) for s in setup.states},
        uncertainties=_by_state(setup, bands),
        start=work.start,
        production=results,
        history=list(loop.history),
        summary=document,
    )
    if out is not None:
        result.plot(out / PLOT)
        ran = _ran(setup, loop, results)
        if ran:
            document[SECTION] = write_model(out, ran, progress.note)
        settings = json.loads(setup.settings.model_dump_json())
        exhausted = loop.stopped in ("", loop.effort.reason())
        curves = results_document(results, setup.states, settings=settings, exhausted=exhausted)
        write_results(out / RESULTS, curves)
        write_summary(out / SUMMARY, document)
        write_report(out)
        told(out)
        produce.forget()
        progress.say(f"wrote {', '.join(str(out / name) for name in (POTENTIAL, SUMMARY, PLOT, REPORT))}")
        if ran:
            progress.say(f"production: diffpair run {out} --steps 1000000 --out run")
    return result


def _ran(setup: Setup, loop: FitLoop, results: Sequence[ProductionResult]) -> list[Ran]:
    """Where production left the states, but those that something of the user's own runs."""
    names, sampling = table_names(setup), setup.settings.sampling
    friction = sampling.friction if loop.friction is None else loop.friction.friction
    return [
        Ran(
            state, setup.space.table(state.parameters), found.last.positions, found.last.box,
            timestep_of(sampling, state), friction, f"{names[state.parameters]}.json",
        )
        for state, found in zip(setup.states, results, strict=True)
        if not state.runs_itself and found.last is not None
    ]  # fmt: skip


def _by_state(setup: Setup, bands: Sequence[TableUncertainty]) -> dict[str, TableUncertainty]:
    """Error bands, which belong to sets of global parameters of fitted states, by the names of the states."""
    known = dict(zip(setup.space.variants, bands, strict=False))
    return {state.name: known[state.parameters] for state in setup.states if state.parameters in known}


def _errors(setup: Setup, results: list[ProductionResult]) -> dict[str, Any]:
    """How good the potential is: its g(r) in production, and its table."""
    tolerance = setup.settings.potential.tolerance or TOLERANCE
    tabulation = judge(
        setup.potential, setup.space.grid, setup.space.kT, tuple(setup.variants), tolerance, setup.space.core
    )
    return {
        "tabulation_error": tabulation.error,
        "tabulation_converged": tabulation.converged,
        "targets": [
            {"state": r.state, "pair": list(t.pair), "mae": t.mae, "mae_noise": t.mae_noise}
            for r in results
            for t in r.rdfs
        ]
        + [{"state": r.state, "pressure": asdict(p)} for r in results for p in r.pressures]
        + [{"state": r.state, "density": asdict(d)} for r in results for d in r.densities]
        + [{"state": r.state, "vacf": v.figures()} for r in results for v in r.vacfs]
        + [{"state": r.state, d.order: d.figures()} for r in results for d in r.distributions],
    }
