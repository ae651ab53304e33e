"""The checkpoint of a fit, with which it goes on after an interruption: what is in it, and its file.

What follows an iteration depends on nothing else: a fit that goes on from it ends with the bits of one that was never
interrupted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffpair.atomic_file import TEMPORARY, write_atomically
from diffpair.engines import Snapshot
from diffpair.errors import DiffPairError
from diffpair.fit.record.iteration import Iteration, accepted
from diffpair.fit.record.sealed import Damaged, is_sound, packed, read_sealed, unpacked, write_sealed
from diffpair.gradients import blocks_from
from diffpair.updates import Observation

if TYPE_CHECKING:
    from diffpair.fit.iterate.live_state import LiveState
    from diffpair.fit.iterate.loop import FitLoop

CHECKPOINT, BEFORE, KIND = "checkpoint.pt", "checkpoint.previous.pt", "checkpoint"
VERSION = 4
REQUIRED = {"config", "grid", "theta", "history", "states", "update"}


def content_of(loop: FitLoop) -> dict[str, Any]:
    """Everything that `restore` needs, as tensors and plain values. After an iteration: the simulations are then where
    the last accepted one has left them; or before the first."""
    return {
        "theta": packed(loop.space.get()),
        "history": [packed(entry) for entry in loop.history],
        "md_steps": loop.md_steps,
        "seconds": loop.seconds,
        "md_seconds": loop.md_seconds,
        "begun": loop.begun,
        "iterations": loop.iterations,
        "stopped": loop.asked,
        "update": loop.update.content(),
        "effort": loop.effort.content(),
        "gradient": loop.learner.gradient.content(),
        "friction": None if loop.friction is None else loop.friction.content(),
        "states": [_of_state(live) for live in loop.states],
    }


def restore(loop: FitLoop, content: dict[str, Any]) -> None:
    """Go on where `content` was taken."""
    loop.space.set(content["theta"].numpy())
    loop.history = [Iteration(**unpacked(entry)) for entry in content["history"]]
    loop.seconds_before, loop.md_seconds_before = content["seconds"], content["md_seconds"]
    loop.steps_before, loop.begun = content["md_steps"], content["begun"]
    if content["stopped"] and content["iterations"] == loop.iterations:  # one that was made longer goes on
        loop.stop(content["stopped"])
    loop.update.restore(content["update"])
    loop.effort.restore(content["effort"])
    loop.learner.gradient.restore(content["gradient"])
    if loop.friction is not None:
        loop.friction.restore(content["friction"])
    loop.placed = bool(accepted(loop.history))
    for live, kept in zip(loop.states, content["states"], strict=True):
        _restore_state(live, kept)


def _of_state(live: LiveState) -> dict[str, Any]:
    seen = live.memory.observations
    return {
        "snapshots": packed(live.snapshots),
        "half_box": live.rows.rdf.half_box,
        "weights": packed(live.weights),
        "warnings": live.warnings() if live.has_sampled else None,
        "memory": live.memory.content(),
        # most are the memory's own observations, which need not be written twice
        "samplings": [
            {"observation": _index_or_content(observation, seen), "blocks": packed(blocks)}
            for observation, blocks in live.samplings
        ],
    }


def _index_or_content(observation: Observation, seen: list[Observation]) -> Any:
    found = [k for k, one in enumerate(seen) if one is observation]
    return found[0] if found else packed(observation)


def _restore_state(live: LiveState, kept: dict[str, Any]) -> None:
    live.snapshots = [None if one is None else Snapshot(**one) for one in unpacked(kept["snapshots"])]
    if live.state.runs_itself:
        live.station.engine.begin(live.snapshots[0], 0)
    live.rows.rdf.cut(kept["half_box"])
    live.weights, live.warnings_before = kept["weights"].numpy(), kept["warnings"]
    live.memory.restore(kept["memory"])
    live.samplings = []
    for entry in unpacked(kept["samplings"]):
        known = entry["observation"]
        observation = live.memory.observations[known] if isinstance(known, int) else Observation(**known)
        live.samplings.append((observation, blocks_from(entry["blocks"])))


def save_checkpoint(out: Path, content: dict[str, Any]) -> None:
    """Write the checkpoint: tensors, numbers, text, lists and dicts only, so that loading it executes nothing.

    The one before is kept beside it, unless that is damaged. Raises DiffPairError if it cannot be written.
    """
    path = out / CHECKPOINT
    if path.is_file():
        _keep_before(path, out / BEFORE)
    write_sealed(path, KIND, VERSION, content)


def _keep_before(path: Path, before: Path) -> None:
    """The same file under both names, until a new one takes the first; there is no moment without either."""
    raw = path.read_bytes()
    if not is_sound(raw):
        return
    other = before.with_name(f".{before.name}{TEMPORARY}")
    try:
        other.unlink(missing_ok=True)
        os.link(path, other)
        os.replace(other, before)
    except OSError:  # a file system without hard links
        write_atomically(before, raw)


def load_checkpoint(out: Path, config_hash: str) -> tuple[dict[str, Any], str]:
    """Read the checkpoint of a fit with the same config, or the one before where it is damaged.

    Returns: the content, and a sentence for the user where it is that of the one before, or nothing. Raises
    DiffPairError naming the file.
    """
    path, before, said = out / CHECKPOINT, out / BEFORE, ""
    if not path.is_file() and not before.is_file():
        raise DiffPairError(f"{out} holds no fit to resume: {path} does not exist; start the fit without --resume")
    try:
        content = _read(path if path.is_file() else before, config_hash)
    except Damaged as error:
        if not path.is_file() or not before.is_file():
            raise DiffPairError(
                f"{error}, and there is none before it: start anew without --resume, which moves the "
                f"results so far to another folder"
            ) from None
        try:
            content = _read(before, config_hash)
        except Damaged as worse:
            raise DiffPairError(
                f"{error}; so is the one before: {worse}; start anew without --resume, which moves the "
                f"results so far to another folder"
            ) from None
        said = f"{error}: the fit goes on from the one before it, {before}"
    return content, said


def _read(path: Path, config_hash: str) -> dict[str, Any]:
    content = read_sealed(path, KIND, VERSION)
    if REQUIRED - content.keys():
        raise Damaged(f"{path} is not a checkpoint of a fit, or is damaged")
    if not isinstance(content["config"], str) or content["config"] != config_hash:
        raise DiffPairError(
            f"{path} belongs to another fit: resume with the states and settings that it was made with, or use another "
            f"folder"
        )
    return content
