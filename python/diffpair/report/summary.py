"""summary.json: the outcome of a fit for machines."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diffpair.atomic_file import write_atomically
from diffpair.engines.production import ProductionResult
from diffpair.targets.density_target import MASS


def summary_document(
    *,
    iterations: int,
    wall_seconds: float,
    md_seconds: float,
    md_steps: int,
    results: Sequence[ProductionResult],
    potential: str,
) -> dict[str, Any]:
    """The content of summary.json.

    Args:
        iterations: updates of the fit.
        wall_seconds: of the fit.
        md_seconds: the part of them in which OpenMM took steps.
        md_steps: melting, equilibration and sampling of the fit, all states together, without production.
        results: production with the final table, state by state.
        potential: file of the learned potential, relative to the folder of summary.json.
    """
    return {
        "iterations": int(iterations),
        "wall_seconds": float(wall_seconds),
        "md_seconds": float(md_seconds),
        "md_steps": int(md_steps),
        "states": [_state(result) for result in results],
        "files": {"potential": potential},
    }


def _state(result: ProductionResult) -> dict[str, Any]:
    pressure: dict[str, Any] = {"value": None, "error": None, "unit": "bar"}
    if result.pressure is None:
        pressure["reason"] = result.no_pressure
    else:
        pressure |= {"value": result.pressure.value, "error": result.pressure.error}
    density = {"value": None, "error": None} if result.density is None else asdict(result.density)
    return {
        "name": result.state,
        "held_out": result.held_out,
        "pressure": pressure,
        "density": density | {"unit": MASS},
        "targets": [
            {
                "kind": "rdf",
                "pair": list(target.pair),
                "mae": target.mae,
                "mae_noise": target.mae_noise,
                "independent_frames": _number(target.independent),
                "noise_known": target.known,
            }
            for target in result.rdfs
        ]
        + [{"kind": "pressure", **asdict(found), "unit": "bar"} for found in result.pressures]
        + [{"kind": "density", **asdict(found)} for found in result.densities]
        + [{"kind": "vacf", **found.figures()} for found in result.vacfs]
        + [{"kind": found.order, **found.figures()} for found in result.distributions],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_summary(path: str | os.PathLike[str], document: dict[str, Any]) -> Path:
    """Write summary.json: the file is the old one or the complete new one, never a part of it (DiffPairError)."""
    target = Path(path)
    write_atomically(target, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return target
