"""`diffpair fit`: from a checked config to a learned potential, its report and its summary."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openmm
import torch

from diffpair.config import FitConfig
from diffpair.engines import Exploded, ProductionResult, Snapshot, production
from diffpair.errors import DiffPairError
from diffpair.fit.history import load_checkpoint, save_checkpoint, write_history
from diffpair.fit.loop import FitLoop, FitStopped
from diffpair.fit.progress import FitProgress
from diffpair.fit.setup import TOLERANCE, Setup, fit_states, make_gradient, make_update, prepare, production_interval
from diffpair.potentials import refine, to_table
from diffpair.report import plot_fit, summary_document, write_summary
from diffpair.tables import PairTable

POTENTIAL, SUMMARY, PLOT, START = "potential.json", "summary.json", "fit.png", "start.json"


def run_fit(config: FitConfig, out: Path, resume: bool = False, progress: FitProgress | None = None) -> Path:
    """Fit, run production, and write everything to the folder `out`.

    Files: potential.json (the learned potential; potential-NAME.json per state where global parameters differ),
    summary.json, fit.png, history.json, start.json, iterations/ (the potential of every iteration), checkpoint.pt.

    Args:
        config: the checked config. out: an existing folder. resume: go on from its checkpoint.
        progress: what to report to; the terminal by default.

    Returns: the path of summary.json.

    Raises:
        DiffPairError: bad input; or the fit failed repeatedly, and then the message names the file with the last good
            potential.
    """
    setup = prepare(config)
    progress = progress or FitProgress()
    digest = config_hash(config)
    content = load_checkpoint(out, digest) if resume else None
    done = len(content["history"]) if content else 0
    states = fit_states(setup, config.seed + 101 * done)

    def keep(loop: FitLoop) -> None:
        number = len(loop.history)
        (out / "iterations").mkdir(exist_ok=True)
        for name, table in _tables(setup, "iterations/", f"-{number:03d}"):
            table.save(out / name)
        write_history(out, loop.history)
        save_checkpoint(out, {"config": digest, "grid": list(setup.space.grid), **loop.content()})

    with progress:
        _announce(setup, progress)
        loop = FitLoop(
            setup.space, states, make_update(setup), make_gradient(setup), config.method.iterations, progress, keep
        )
        if content is None:
            for old in (out / "iterations").glob("potential*.json"):  # of an earlier fit in this folder
                old.unlink()
            for name, table in _tables(setup, stem="start"):
                table.save(out / name)
            loop.melt()
        else:
            if list(setup.space.grid) != content["grid"]:
                raise DiffPairError(f"{out}: the table's knots have changed since the checkpoint was made; start anew")
            loop.restore(content)
            progress.say(f"resuming after iteration {done}")
        try:
            loop.run()
        except FitStopped as error:
            raise DiffPairError(_keep_best(setup, loop, out, digest, str(error))) from None
        loop.finish()
        return _finish(setup, loop, out, digest, progress)


def config_hash(config: FitConfig) -> str:
    """SHA-256 of the values that a fit cannot change on its way: not its length, nor the production after it."""
    values = config.model_dump(mode="json", exclude={"production": True, "update": {"iterations"}})
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _announce(setup: Setup, progress: FitProgress) -> None:
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
    if setup.start_misfit > 0.5:
        progress.say(f"note: the start misses the inverted potential by {setup.start_misfit:.2g} kT (rms)")


def _tables(setup: Setup, folder: str = "", suffix: str = "", stem: str = "potential") -> list[tuple[str, PairTable]]:
    """File name and table of every set of global parameters; one file if there is but one."""
    variants = setup.space.variants
    named = []
    for index, variant in enumerate(variants):
        which = "" if len(variants) == 1 else "-" + next(s.name for s in setup.fitted if s.parameters == variant)
        named.append(
            (
                f"{folder}{stem}{which if index else ''}{suffix}.json",
                to_table(setup.potential, setup.space.grid, variant),
            )
        )
    return named


def _keep_best(setup: Setup, loop: FitLoop, out: Path, digest: str, reason: str) -> str:
    """Write the best potential and tell where it is."""
    if loop.best is None:
        return f"{reason}; {out / START} holds that potential"
    setup.space.set(loop.best.theta)
    for name, table in _tables(setup):
        table.save(
            out / name, provenance=_provenance(setup, loop, digest), fit={"stopped": reason, "mae": loop.best.mae}
        )
    return (
        f"{reason}; {out / POTENTIAL} holds the last good potential, of iteration {loop.best.number} with a mean "
        f"|g - target| of {loop.best.mae:.4f}"
    )


def _finish(setup: Setup, loop: FitLoop, out: Path, digest: str, progress: FitProgress) -> Path:
    """Production with the final table, and the files that report it."""
    seconds, md_steps = loop.seconds, loop.md_steps
    notes: list[str] = []
    try:
        results = _production(setup, loop, progress)
    except Exploded as error:
        if loop.best is None:
            raise
        notes.append(
            f"the last potential was unstable in production, that of iteration {loop.best.number} is kept: {error}"
        )
        progress.say(f"note: {notes[-1]}")
        setup.space.set(loop.best.theta)
        results = _production(setup, loop, progress)
    tabulation = _final_grid(setup)
    fit = {
        "iterations": len(loop.history),
        "md_steps": md_steps,
        "tabulation_error": tabulation.error,
        "tabulation_converged": tabulation.converged,
        "targets": [
            {"state": r.state, "pair": list(t.pair), "mae": t.mae, "mae_noise": t.mae_noise}
            for r in results
            for t in r.targets
        ],
        "notes": notes,
    }
    tables = _tables(setup)
    for name, table in tables:
        table.save(out / name, provenance=_provenance(setup, loop, digest), fit=fit)
    losses = [h.mae for h in loop.history if np.isfinite(h.mae)]
    start = PairTable.load(out / START) if (out / START).is_file() else None
    plot_fit(out / PLOT, results, tables[0][1], losses, start=start, loss_label="mean |g − target|")
    for result in results:
        for note in result.notes:
            progress.say(f"note: {note}")
        for target in result.targets:
            held_out = " (held out)" if result.held_out else ""
            progress.say(
                f"state {result.state}{held_out}, g of {'-'.join(target.pair)}: mean |g - target| = {target.mae:.4f} "
                f"in production (noise {target.mae_noise:.4f})"
            )
    document = summary_document(
        iterations=len(loop.history), wall_seconds=seconds, md_steps=md_steps, results=results, potential=POTENTIAL
    )
    path = write_summary(out / SUMMARY, document)
    progress.say(f"wrote {', '.join(str(out / name) for name in (POTENTIAL, SUMMARY, PLOT))}")
    return path


def _final_grid(setup: Setup) -> Any:
    """How well the fit's grid holds the potential that it ended with."""
    grid = setup.space.grid
    tolerance = setup.config.potential.tolerance or TOLERANCE
    return refine(setup.potential, grid.r_min, grid.knots, setup.space.kT, tuple(setup.space.variants), tolerance)


def _production(setup: Setup, loop: FitLoop, progress: FitProgress) -> list[ProductionResult]:
    """Every state, held-out ones too, with the final table and a seed of its own."""
    config = setup.config
    section, sampling = config.production, config.sampling
    ends: dict[str, Snapshot] = {s.state.name: s.snapshot() for s in loop.states}
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
                progress=lambda steps, noise: progress.advance(steps),
            )
        )
    return results


def _provenance(setup: Setup, loop: FitLoop, digest: str) -> dict[str, Any]:
    from diffpair import __version__

    config = setup.config
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": str(config.file) if config.file else None,
        "config_sha256": digest,
        "config_text": config.text,
        "form": config.potential.form,
        "seed": config.seed,
        "iterations": len(loop.history),
        "versions": {
            "diffpair": __version__,
            "openmm": openmm.version.version,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "states": [
            {"name": s.name, "temperature_K": s.temperature, "particles": s.num_atoms, "held_out": s.held_out}
            for s in setup.states
        ],
        "targets": [
            {
                "state": s.name,
                "pair": list(t.pair),
                "file": str(t.file) if t.file else None,
                "sha256": _file_hash(t.file),
            }
            for s in setup.states
            for t in s.targets
        ],
    }


def _file_hash(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None and path.is_file() else None


def read_history(out: Path) -> list[dict[str, Any]]:
    """The iterations that history.json of a fit's folder holds."""
    return list(json.loads((out / "history.json").read_text()))
