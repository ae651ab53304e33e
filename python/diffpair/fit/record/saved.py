"""The state of a fit as the checkpoint holds it: tensors, numbers, text, lists and dicts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diffpair.engines import Snapshot
from diffpair.fit.record.best import Best, Tried
from diffpair.fit.record.history import Iteration

if TYPE_CHECKING:
    from diffpair.fit.iterate.loop import FitLoop


def content_of(loop: FitLoop) -> dict[str, Any]:
    """Everything that `restore` needs, as tensors and plain values."""
    best = loop.best
    return {
        "theta": torch.from_numpy(loop.space.get()),
        "history": [asdict(h) for h in loop.history],
        "warnings": loop.warnings(),
        "failures": loop.failures,
        "late": [torch.from_numpy(t) for t in loop.late],
        "tried": [{**vars(t), "theta": torch.from_numpy(t.theta)} for t in loop.tried],
        "md_steps": loop.md_steps,
        "seconds": loop.seconds,
        "md_seconds": loop.md_seconds,
        "update": loop.update.content(),
        "effort": loop.effort.content(),
        "gradient": loop.learner.gradient.content(),
        "friction": None if loop.friction is None else loop.friction.content(),
        "best": None
        if best is None
        else {"theta": torch.from_numpy(best.theta), "mae": best.mae, "number": best.number},
        "states": [
            {
                "snapshot": _pack(s.snapshot()),
                "best": _pack(best.snapshots[i]) if best is not None else None,
                "weights": torch.from_numpy(s.weights),
                "memory": s.memory.content(),
            }
            for i, s in enumerate(loop.states)
        ],
    }


def restore(loop: FitLoop, content: dict[str, Any]) -> None:
    """Go on where `content` was taken."""
    loop.space.set(content["theta"].numpy())
    loop.history = [Iteration(**h) for h in content["history"]]
    loop.independent = loop.history[-1].independent if loop.history else {}
    loop.failures, loop.late = content["failures"], [t.numpy() for t in content["late"]]
    loop.tried = [Tried(t["theta"].numpy(), t["mae"], t["number"]) for t in content.get("tried", [])]
    loop.seconds_before, loop.md_seconds_before = content["seconds"], content.get("md_seconds", 0.0)
    if loop.friction is not None:
        loop.friction.restore(content["friction"])
    loop.update.restore(content["update"])
    loop.effort.restore(content["effort"])
    loop.learner.gradient.restore(content["gradient"])
    for state, kept in zip(loop.states, content["states"], strict=True):
        state.sampler.restore(_unpack(kept["snapshot"]))
        state.weights = kept["weights"].numpy()
        state.memory.restore(kept["memory"])
    if content["best"] is not None:
        best = content["best"]
        snapshots = [_unpack(kept["best"]) for kept in content["states"]]
        loop.best = Best(best["theta"].numpy(), best["mae"], best["number"], snapshots)
    loop.steps_before, loop.warnings_before = content["md_steps"], content["warnings"]


def _pack(snapshot: Snapshot) -> dict[str, Any]:
    arrays = {k: torch.from_numpy(np.array(getattr(snapshot, k))) for k in ("positions", "velocities", "box")}
    return {**arrays, "steps_done": 0}


def _unpack(packed: dict[str, Any]) -> Snapshot:
    return Snapshot(
        packed["positions"].numpy(), packed["velocities"].numpy(), packed["box"].numpy(), packed["steps_done"]
    )
