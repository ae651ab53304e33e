"""The checkpoint of a fit, with which it goes on after an interruption: what is in it, and its file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diffpair.engines import Snapshot
from diffpair.errors import DiffPairError
from diffpair.fit.record.iteration import Iteration
from diffpair.tables.document import write_atomically

if TYPE_CHECKING:
    from diffpair.fit.iterate.loop import FitLoop

CHECKPOINT = "checkpoint.pt"
VERSION = 3
REQUIRED = {"config", "grid", "theta", "history", "states", "update"}


def content_of(loop: FitLoop) -> dict[str, Any]:
    """Everything that `restore` needs, as tensors and plain values. After an iteration: the simulations are then where
    the last accepted one has left them; or before the first."""
    return {
        "theta": torch.from_numpy(loop.space.get()),
        "history": [{**vars(entry), "theta": torch.from_numpy(entry.theta)} for entry in loop.history],
        "warnings": loop.warnings(),
        "md_steps": loop.md_steps,
        "seconds": loop.seconds,
        "md_seconds": loop.md_seconds,
        "update": loop.update.content(),
        "effort": loop.effort.content(),
        "gradient": loop.learner.gradient.content(),
        "friction": None if loop.friction is None else loop.friction.content(),
        "states": [
            {
                "snapshots": [None if one is None else _pack(one) for one in live.snapshots],
                "weights": torch.from_numpy(live.weights),
                "memory": live.memory.content(),
            }
            for live in loop.states
        ],
    }


def restore(loop: FitLoop, content: dict[str, Any]) -> None:
    """Go on where `content` was taken."""
    loop.space.set(content["theta"].numpy())
    loop.history = [Iteration(**{**entry, "theta": entry["theta"].numpy()}) for entry in content["history"]]
    loop.seconds_before, loop.md_seconds_before = content["seconds"], content["md_seconds"]
    loop.steps_before, loop.warnings_before = content["md_steps"], content["warnings"]
    loop.update.restore(content["update"])
    loop.effort.restore(content["effort"])
    loop.learner.gradient.restore(content["gradient"])
    if loop.friction is not None:
        loop.friction.restore(content["friction"])
    loop.placed = True
    for live, kept in zip(loop.states, content["states"], strict=True):
        live.snapshots = [None if one is None else _unpack(one) for one in kept["snapshots"]]
        if live.state.runs_itself:
            live.station.engine.begin(live.snapshots[0], 0)
        live.weights = kept["weights"].numpy()
        live.memory.restore(kept["memory"])


def save_checkpoint(out: Path, content: dict[str, Any]) -> None:
    """Write the checkpoint: tensors, numbers, text, lists and dicts only, so that loading it executes nothing.

    The file is the old one or the complete new one. Raises DiffPairError if it cannot be written.
    """
    memory = io.BytesIO()
    torch.save({"version": VERSION, **content}, memory)
    write_atomically(out / CHECKPOINT, memory.getvalue())


def load_checkpoint(out: Path, config_hash: str) -> dict[str, Any]:
    """Read the checkpoint of a fit with the same config. Raises DiffPairError naming the file."""
    path = out / CHECKPOINT
    if not path.is_file():
        raise DiffPairError(f"{out} holds no fit to resume: {path} does not exist")
    try:
        with zipfile.ZipFile(path) as archive:  # torch.save packs nothing, and would unpack 1 MB to 1 GB
            plain = all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        content = torch.load(path, weights_only=True) if plain else None
    except Exception:  # torch and zipfile raise many kinds for damaged bytes
        raise DiffPairError(f"{path} is not a checkpoint of a fit, or is damaged") from None
    if not isinstance(content, dict) or not isinstance(content.get("version"), int):
        raise DiffPairError(f"{path} is not a checkpoint of a fit, or is damaged")
    if content["version"] != VERSION:
        raise DiffPairError(f"{path} was written by another version of diffpair")
    if REQUIRED - content.keys():
        raise DiffPairError(f"{path} is not a checkpoint of a fit, or is damaged")
    if not isinstance(content["config"], str) or content["config"] != config_hash:
        raise DiffPairError(
            f"{path} belongs to another fit: resume with the states and settings that it was made with, or use another "
            f"folder"
        )
    return content


def _pack(snapshot: Snapshot) -> dict[str, Any]:
    return {k: torch.from_numpy(np.array(getattr(snapshot, k))) for k in ("positions", "velocities", "box")}


def _unpack(packed: dict[str, Any]) -> Snapshot:
    """Its steps count in those of the run before."""
    return Snapshot(packed["positions"].numpy(), packed["velocities"].numpy(), packed["box"].numpy(), steps_done=0)
