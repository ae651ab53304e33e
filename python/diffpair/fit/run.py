"""`diffpair fit`: from a checked config to a learned potential, its report and its summary."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffpair.config import FitConfig
from diffpair.config.gradient import Adjoint
from diffpair.engines import Exploded, ProductionResult, Snapshot, production
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.auto_steps import choose_segments
from diffpair.fit.iterate.loop import FitLoop, FitStopped
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.fit.judge.fallback import produce_or_go_back
from diffpair.fit.record.folder import (
    AUDIT,
    PLOT,
    POTENTIAL,
    START,
    SUMMARY,
    make_folder,
    save_iteration,
    save_tables,
    set_aside,
    table_names,
)
from diffpair.fit.record.history import load_checkpoint, save_checkpoint, write_history
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.record.provenance import config_files, config_hash, provenance
from diffpair.fit.record.results import misfits, say_results
from diffpair.fit.record.saved import content_of, restore
from diffpair.fit.setup import (
    TOLERANCE,
    Setup,
    adaptive_samplings,
    fit_states,
    make_friction,
    make_gradient,
    make_stopping,
    make_update,
    prepare,
    production_interval,
)
from diffpair.potentials import judge, to_table
from diffpair.report import plot_fit, summary_document, write_summary
from diffpair.tables import PairTable


def run_fit(config: FitConfig, out: Path, resume: bool = False, progress: FitProgress | None = None) -> Path:
    """Fit, run production, and write everything to the folder `out`.

    Files: potential.json (the learned potential; potential-NAME.json per state where global parameters differ),
    summary.json, fit.png, history.json, start.json, iterations/ (the potential of every iteration), checkpoint.pt; with
    steps: auto also audit.json and audit.png.
    Those of an earlier fit in the folder are moved to previous-N/.

    Args:
        config: the checked config. out: a folder, made once the config is found to be good. resume: go on from its
            checkpoint.
        progress: what to report to; the terminal by default.

    Returns: the path of summary.json.

    Raises:
        DiffPairError: bad input; or the fit failed repeatedly, and then the message names the file with the last good
            potential.
    """
    progress = progress or FitProgress()
    digest = config_hash(config)
    content = load_checkpoint(out, digest) if resume else None
    done = len(content["history"]) if content else 0
    with progress:
        setup = prepare(config, progress, [t.numpy() for t in content.get("start", [])] if content else None)
        states = fit_states(setup, config.seed + 101 * done)

        def keep(loop: FitLoop) -> None:
            save_iteration(out, setup, len(loop.history))
            write_history(out, loop.history)
            start = [torch.from_numpy(table) for table in setup.wanted]
            save_checkpoint(out, {"config": digest, "grid": list(setup.space.grid), "start": start, **content_of(loop)})

        _announce(setup, progress, resumed=content is not None)
        loop = FitLoop(
            setup.space,
            states,
            make_update(setup),
            make_gradient(setup),
            config.method.iterations,
            progress,
            keep,
            make_stopping(setup),
            adaptive_samplings(config),
        )
        loop.friction = make_friction(setup, states)
        try:
            if content is None:
                make_folder(out)
                said = set_aside(out, config_files(config))
                if said:
                    progress.say(f"note: {said}")
                save_tables(out, setup, stem="start")
                loop.melt()
                if isinstance(config.gradient, Adjoint) and config.gradient.steps == "auto":
                    _audit(setup, loop, out)
            else:
                if list(setup.space.grid) != content["grid"]:
                    raise DiffPairError(
                        f"{out}: the table's knots have changed since the checkpoint was made; start anew"
                    )
                restore(loop, content)
                progress.say(f"resuming after iteration {done}")
            loop.run()
        except FitStopped as error:
            raise DiffPairError(_keep_best(setup, loop, out, digest, str(error))) from None
        loop.finish()
        return _finish(setup, loop, out, digest, progress)


def _announce(setup: Setup, progress: FitProgress, resumed: bool) -> None:
    grid, tabulation = setup.space.grid, setup.tabulation
    progress.say(
        f"{setup.config.potential.form} potential with {setup.space.size} parameters, table of {grid.knots} knots from "
        f"{grid.r_min:.4g} to {grid.cutoff:.4g} nm"
    )
    if not tabulation.converged:
        progress.say(
            f"note: even {grid.knots} knots hold the potential's force only to {tabulation.error:.2g}; "
            f"it may be too rough, or too soft at r_min"
        )
    if setup.chosen.sentence and not setup.own and not resumed:
        progress.say(setup.chosen.sentence)
    if setup.start_misfit > 0.5:
        progress.say(f"note: the start misses the inverted potential by {setup.start_misfit:.2g} kT (rms)")


def _audit(setup: Setup, loop: FitLoop, out: Path) -> None:
    try:
        choose_segments(setup, loop, out)
    except Exploded as error:
        raise FitStopped(f"the fit did not get beyond its start: {error}") from None


def _describe_gradient(setup: Setup, loop: FitLoop) -> dict[str, Any]:
    """The gradient that the fit used, for summary.json and the provenance."""
    section = setup.config.gradient
    result: dict[str, Any] = section.model_dump()
    if isinstance(section, Adjoint) and isinstance(loop.gradient, WatchedAdjoint):
        result |= (
            loop.gradient.numbers()
            | {"gradients": loop.gradient.count}
            | ({"audit": AUDIT} if section.steps == "auto" else {})
        )
    if loop.friction is not None:
        result |= {
            "friction": {"value": loop.friction.friction, "error": loop.friction.friction * loop.friction.error,
                         "unit": "1/ps", "gradients": loop.friction.gradients},
        }  # fmt: skip
    if any(entry.effective for entry in loop.history):
        result["updates"] = sum(entry.updates for entry in loop.history if entry.accepted)
    return result


def _keep_best(setup: Setup, loop: FitLoop, out: Path, digest: str, reason: str) -> str:
    """Write the best potential and tell where it is."""
    if loop.best is None:
        return f"{reason}; {out / START} holds the potential that the fit started from"
    setup.space.set(loop.best.theta)
    origin = provenance(setup, len(loop.history), digest) | {"gradient": _describe_gradient(setup, loop)}
    try:
        save_tables(out, setup, provenance=origin, fit={"stopped": reason, "mae": loop.best.mae})
    except DiffPairError as error:
        return f"{reason}; saving the best potential to {out} failed: {error}"
    return (
        f"{reason}; {out / POTENTIAL} holds the last good potential, of iteration {loop.best.number} with a mean "
        f"|g - target| of {loop.best.mae:.4f}"
    )


def _finish(setup: Setup, loop: FitLoop, out: Path, digest: str, progress: FitProgress) -> Path:
    """Production with the final table, and the files that report it. The potential is saved before and after it."""
    seconds = loop.seconds
    warnings = loop.warnings()
    fit: dict[str, Any] = {"iterations": len(loop.history), "md_steps": loop.md_steps, "notes": []}
    origin = provenance(setup, len(loop.history), digest) | {"gradient": _describe_gradient(setup, loop)}
    try:
        save_tables(out, setup, provenance=origin, fit=fit)

        def changed(notes: list[str]) -> None:
            fit["notes"] = notes
            save_tables(out, setup, provenance=origin, fit=fit)

        outcome = produce_or_go_back(
            setup.space, loop.tried, lambda anew: _production(setup, loop, progress, anew), changed
        )
        results, fit["notes"] = outcome.results, outcome.notes
        for note in outcome.notes:
            progress.say(f"note: {note}")
        fit |= _errors(setup, results)
    except DiffPairError as error:
        kept = f"; {out / POTENTIAL} holds the learned potential" if (out / POTENTIAL).is_file() else ""
        raise DiffPairError(f"{error}{kept}") from None
    bands = loop.bands()
    save_tables(out, setup, bands, provenance=origin, fit=fit)
    losses = [h.mae for h in loop.history if np.isfinite(h.mae)]
    start = PairTable.load(out / START) if (out / START).is_file() else None
    plot_fit(
        out / PLOT,
        results,
        PairTable.load(out / POTENTIAL),
        losses,
        start=start,
        uncertainty=bands[0] if bands else None,
        loss_label="mean |g − target|",
    )
    say_results(results, progress)
    notes = [*warnings, *misfits(results), *dict.fromkeys(note for band in bands for note in band.notes)]
    for note in notes:
        progress.say(f"note: {note}")
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
    path = write_summary(out / SUMMARY, document)
    progress.say(f"wrote {', '.join(str(out / name) for name in (POTENTIAL, SUMMARY, PLOT))}")
    return path


def _errors(setup: Setup, results: list[ProductionResult]) -> dict[str, Any]:
    """How good the potential is: its g(r) in production, and its table."""
    tolerance = setup.config.potential.tolerance or TOLERANCE
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
        + [{"state": r.state, "vacf": v.figures()} for r in results for v in r.vacfs],
    }


def _production(setup: Setup, loop: FitLoop, progress: FitProgress, anew: bool) -> list[ProductionResult]:
    """Every state, held-out ones too, with the final table and a seed of its own; anew: not from the fit's end."""
    config = setup.config
    section, sampling = config.production, config.sampling
    ends: dict[str, Snapshot] = {} if anew else {s.state.name: s.snapshot() for s in loop.states}
    results = []
    for index, state in enumerate(setup.states):
        progress.begin(f"production {state.name}", section.max_steps)
        table = to_table(setup.potential, setup.space.grid, state.parameters)
        results.append(
            production(
                state,
                table,
                timestep=sampling.timestep,
                max_steps=section.max_steps,
                noise_target=section.noise_target,
                every=production_interval(config),
                seed=config.seed + 50021 + index,
                melt=sampling.melt,
                equilibration=max(sampling.equilibration, 1000),
                start=ends.get(state.name),
                platform=sampling.platform,
                friction=sampling.friction if loop.friction is None else loop.friction.friction,
                progress=lambda steps, noise: progress.advance(steps),
            )
        )
    return results
