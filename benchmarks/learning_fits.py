"""One fit of the learning benchmark, through what users touch: a config, `run_fit`, summary.json."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bars import Bar, at_most, figure, missing
from learning_targets import CUTOFF, KELVIN, Array, Simulated, Target, Truth, make_target
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from diffpair import DiffPairError, PairTable
from diffpair.config import FitConfig, run_fit
from diffpair.fit.record.progress import FitProgress

Document = dict[str, Any]
SPLINE: Document = {"form": "bspline", "cutoff": f"{CUTOFF} nm"}
MLP: Document = {"form": "mlp", "cutoff": f"{CUTOFF} nm"}
UNIT = "mean |g - target|"


@dataclass(frozen=True)
class Fitted:
    """What a fit left. summary: summary.json. document: potential.json. targets: those of its states, by name, where
    they were simulated."""

    summary: Document
    document: Document
    table: PairTable
    targets: dict[str, Target]
    folder: Path

    def state(self, name: str) -> Document:
        """Its entry in the summary."""
        return next(entry for entry in self.summary["states"] if entry["name"] == name)

    def mae(self, held_out: bool | None = None) -> tuple[float, float]:
        """The largest mae of all targets, or of held-out or fitted states only, and its noise."""
        found = [
            (target["mae"], target["mae_noise"])
            for state in self.summary["states"]
            for target in state["targets"]
            if "mae" in target and held_out in (None, state["held_out"])
        ]
        return max(found)

    def words(self, held_out: bool | None = None) -> str:
        """The noise of that figure, for the name of a bar."""
        noise = max((target.noise for target in self.targets.values()), default=0.0)
        text = f"noise {self.mae(held_out)[1]:.4f}"
        return f"({text}, of the target {noise:.4f})" if noise else f"({text})"

    def energy_error(self, truth: Truth, r: Array, pair: tuple[int, int] = (0, 0)) -> float:
        """RMS error of U at distances r [n], kJ/mol, both with U(cutoff) = 0."""
        learned = self.table.energy(r, *("AB"[i] for i in pair))
        return float(np.sqrt(np.mean((learned - truth.energy(r, pair)) ** 2)))

    def sigma(self, r: Array) -> Array:
        """Standard deviation of U of the first pair at distances r [n], kJ/mol."""
        band = self.document["fit"]["uncertainty"]
        return np.asarray(np.interp(r, band["r"], band["pairs"][0]["sigma"]))


@dataclass(frozen=True)
class Run:
    """How to measure. quick: small systems and few steps. seed: of the fits. folder: of the targets. keep: where the
    folders of the fits go, or a temporary one. measured: measured RDFs of others, if there are any."""

    quick: bool
    seed: int
    folder: Path
    keep: Path | None
    measured: Path | None
    console: Console
    progress: Progress
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def target(self, state: Simulated) -> Target:
        """Made now, or found in the folder."""
        state = self.smaller(state)
        task = self.progress.add_task(f"target {state.name}", total=state.steps)
        try:
            return make_target(state, self.folder, lambda steps: self.progress.advance(task, steps))
        finally:
            self.progress.remove_task(task)

    def smaller(self, state: Simulated) -> Simulated:
        """The same state, or for a quick run one of few particles that is simulated for a moment."""
        if not self.quick:
            return state
        from dataclasses import replace

        return replace(state, atoms=256, steps=400, equilibration=200, r_range=(0.7, 2.3), bins=50)

    def section(self, state: Simulated, **extra: Any) -> tuple[Document, Target]:
        """The config's entry for a state, and its target."""
        target = self.target(state)
        state = target.state
        names = "AB"[: len(state.fractions)]
        lattice = {
            "n": state.atoms,
            "density": f"{state.density} nm^-3",
            "types": dict(zip(names, state.fractions, strict=True)),
            "mass": "1 amu",
        }
        rdfs = [
            {"rdf": {"pair": [names[a], names[b]], "file": str(file.resolve())}}
            for (a, b), file in zip(state.pairs, target.files, strict=True)
        ]
        section = {
            "name": state.name,
            "system": {"lattice": lattice},
            "temperature": f"{KELVIN * state.temperature} K",
            "targets": rdfs,
        }
        return {**section, **extra}, target

    def fit(self, case: str, states: list[tuple[Document, Target | None]], **sections: Any) -> Fitted:
        """Fit the states with these sections of a config. Raises DiffPairError if the fit fails."""
        document = {
            "potential": SPLINE,
            "states": [section for section, _ in states],
            "sampling": {"timestep": "5 fs"},
            "seed": self.seed,
            **copy.deepcopy(sections),
        }
        if self.quick:
            document["sampling"] |= {"steps": 200, "equilibration": 50, "melt": 300}
            document["production"] = {"max_steps": 400}
            document.setdefault("update", {"method": "gauss-newton"})["iterations"] = 2
        with self._place(case) as folder:
            console = Console(file=(folder.parent / f"{folder.name}.log").open("w"), width=150)
            path = run_fit(FitConfig.model_validate(document), folder, progress=FitProgress(console))
            summary = json.loads(path.read_text())
            potential = folder / summary["files"]["potential"]
            targets = {section["name"]: target for section, target in states if target is not None}
            result = Fitted(summary, json.loads(potential.read_text()), PairTable.load(potential), targets, folder)
            self._row(case, result)
        return result

    @contextmanager
    def _place(self, case: str) -> Iterator[Path]:
        name = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in case)
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            yield self.keep / name
        else:
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder) / name

    def _row(self, case: str, result: Fitted) -> None:
        mae, noise = result.mae()
        summary = result.summary
        row = (case, f"{mae:.4f}", f"{noise:.4f}", *(f"{t.noise:.4f}" for t in list(result.targets.values())[:1]))
        row = (*row, *[""] * (4 - len(row)), str(summary["iterations"]), str(summary["md_steps"]))
        self.rows.append((*row, f"{summary['wall_seconds']:.0f}"))
        self.console.print("  ".join(self.rows[-1]), highlight=False)

    def report(self) -> None:
        """Print what all fits took."""
        table = Table("fit", "mae", "its noise", "target's", "iterations", "MD steps", "s", title="Fits")
        for row in self.rows:
            table.add_row(*row)
        self.console.print(table)

    def bar(self, case: str, states: list[tuple[Document, Target | None]], bar: float | None, **sections: Any) -> Bar:
        """The largest mae of one fit, judged by a bar where there is one; a fit that fails is a figure that falls
        short."""
        try:
            result = self.fit(case, states, **sections)
        except DiffPairError as error:
            return failed(case, bar, error)
        return judged(case, result, bar)


def judged(case: str, result: Fitted, bar: float | None, held_out: bool | None = None) -> Bar:
    """The largest mae as a bar."""
    name = f"{case} {result.words(held_out)}"
    mae = result.mae(held_out)[0]
    return figure(name, mae, UNIT) if bar is None else at_most(name, mae, bar, UNIT)


def failed(case: str, bar: float | None, error: DiffPairError) -> Bar:
    """The bar of a fit that did not come to its end: it is not held."""
    return Bar(f"{case} (the fit failed: {error})", None, UNIT, bar, None if bar is None else False)


__all__ = ["MLP", "SPLINE", "UNIT", "Document", "Fitted", "Run", "failed", "judged", "missing"]
