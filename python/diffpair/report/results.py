"""results.json: the curves of production beside their targets, which summary.json has the numbers of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.atomic_file import write_atomically
from diffpair.engines.results import ProductionResult
from diffpair.states import State
from diffpair.states.ideal_pressure import own_error

FORMAT = "diffpair-results"
Array = NDArray[np.float64]


def results_document(
    results: Sequence[ProductionResult], states: Sequence[State], *, settings: dict[str, Any], exhausted: bool
) -> dict[str, Any]:
    """The content of results.json.

    Args:
        results: production, state by state.
        states: the same states in the same order.
        settings: of the fit, defaults included, as JSON.
        exhausted: the fit did all iterations that it was allowed, and had no other reason to end.
    """
    return {
        "format": FORMAT,
        "version": 1,
        "exhausted": exhausted,
        "settings": settings,
        "states": [_state(result, state) for result, state in zip(results, states, strict=True)],
    }


def write_results(path: Path, document: dict[str, Any]) -> None:
    """Write it whole or not at all (DiffPairError)."""
    write_atomically(path, json.dumps(document, allow_nan=False) + "\n")


def _state(result: ProductionResult, state: State) -> dict[str, Any]:
    curves = [
        _curve("rdf", rdf.pair, rdf.r, rdf.g, rdf.g_target, rdf.error) | {"misfit": rdf.misfit} for rdf in result.rdfs
    ]
    curves += [_curve("vacf", (), vacf.t, vacf.c, vacf.c_target, vacf.error) for vacf in result.vacfs]
    curves += [_curve(d.order, d.kind, d.x, d.p, d.p_target, d.error) for d in result.distributions]
    return {
        "name": result.state,
        "temperature_K": state.temperature,
        "particles": state.num_atoms,
        "steps": result.steps,
        "converged": result.converged,
        "notes": result.notes,
        "curves": curves,
        # how well the numbers that are targets are known, in the order of summary.json
        "own_errors": {
            "pressure": [own_error(state, target) for target in state.pressures if result.pressure is not None],
            "density": [target.own_error for target in state.densities],
        },
    }


def _curve(kind: str, types: Sequence[str], x: Array, found: Array, target: Array, error: Array) -> dict[str, Any]:
    """x in nm, ps or radians; an error that is not known is null."""
    return {
        "kind": kind,
        "types": list(types),
        "x": x.tolist(),
        "found": found.tolist(),
        "target": target.tolist(),
        "error": [value if np.isfinite(value) else None for value in error.tolist()],
    }
