"""An audit as a table, a figure and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from diffpair.atomic_file import write_atomically
from diffpair.audit.measure import StateAudit
from diffpair.audit.recommend import Recommendation
from diffpair.gradients import CHAOS
from diffpair.report.files import AUDIT
from diffpair.report.style import COLORS, plain, style

JSON, PLOT = AUDIT, "audit.png"


def table_of(audit: StateAudit, steps: int) -> Table:
    """One state for the terminal; the recommended length is marked."""
    table = Table(title=f"state {audit.state}", title_justify="left")
    for name in ("steps", "cosine", "norm ratio", "noise / mean", "growth", ""):
        table.add_column(name, justify="right")
    for entry in audit.lengths:
        table.add_row(
            str(entry.steps),
            f"{entry.cosine:.2f} ± {entry.error:.2f}",
            f"{entry.ratio:.2g}",
            f"{entry.noise:.2g}",
            f"{entry.growth:.2g}",
            "chaos" if entry.chaotic else "recommended" if entry.steps == steps else "",
        )
    return table


def document(audits: list[StateAudit], choice: Recommendation, keys: dict[str, Any]) -> dict[str, Any]:
    """The content of audit.json. keys: of the section `gradient` that the audit was told."""
    return {
        "recommended": {
            "steps": choice.steps,
            "segments": choice.segments,
            **keys,
            "expected_cosine": _finite(choice.cosine),
            "sentences": choice.sentence.splitlines(),
        },
        "chaos_above_growth": CHAOS,
        "states": [
            {
                "name": audit.state,
                "frames": audit.frames,
                "equilibrium_noise": _finite(audit.noise),
                "mae": _finite(audit.mae),
                "not_finite_from": audit.unusable,
                "lengths": [
                    {
                        key: value if isinstance(value, int) else _finite(value)
                        for key, value in asdict(entry).items()
                        if key not in ("along", "signal", "scatter")
                    }
                    for entry in audit.lengths
                ],
            }
            for audit in audits
        ],
    }


def save(out: Path, audits: list[StateAudit], choice: Recommendation, keys: dict[str, Any]) -> None:
    """Write audit.json and audit.png to the folder `out`, which exists. Raises DiffPairError."""
    write_atomically(out / JSON, json.dumps(document(audits, choice, keys), indent=1, allow_nan=False) + "\n")
    plot_audit(out / PLOT, audits, choice)


def plot_audit(path: Path, audits: list[StateAudit], choice: Recommendation) -> None:
    """Cosine, norm ratio, and noise with growth, against the length of the segments; one colour per state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.6, 3.6), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    cosine, ratio, noise = figure.subplots(1, 3)
    for index, audit in enumerate(audits):
        color, name = COLORS[index % len(COLORS)], plain(audit.state)
        steps = [entry.steps for entry in audit.lengths]
        cosine.errorbar(
            steps, [e.cosine for e in audit.lengths], [e.error for e in audit.lengths], color=color, marker="o",
            markersize=3.5, linewidth=1.2, capsize=2, label=name,
        )  # fmt: skip
        ratio.plot(steps, [e.ratio for e in audit.lengths], color=color, marker="o", markersize=3.5, linewidth=1.2)
        noise.plot(
            steps, [e.noise for e in audit.lengths], color=color, marker="o", markersize=3.5, linewidth=1.2,
            label=f"noise / mean, {name}",
        )  # fmt: skip
        noise.plot(
            steps, [e.growth for e in audit.lengths], color=color, linestyle="--", linewidth=1.2,
            label=f"growth, {name}",
        )  # fmt: skip
    noise.axhline(CHAOS, color="#222222", linewidth=0.6)
    for axes, label in ((cosine, "cosine"), (ratio, "norm ratio"), (noise, "noise and growth")):
        axes.set_xscale("log")
        axes.axvline(choice.steps, color="#222222", linestyle=":", linewidth=1.0)
        style(axes, xlabel="steps of a segment", ylabel=label)
        ticks = sorted({entry.steps for audit in audits for entry in audit.lengths})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
    for axes in (ratio, noise):
        axes.set_yscale("log")
    cosine.set_ylim(min(0.0, *(e.cosine for a in audits for e in a.lengths)) - 0.05, 1.05)
    cosine.set_title(f"recommended: {choice.segments} segments of {choice.steps} steps", fontsize=9)
    noise.legend(frameon=False, fontsize=8)
    if len(audits) > 1:
        cosine.legend(frameon=False, fontsize=8)
    figure.savefig(path)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
