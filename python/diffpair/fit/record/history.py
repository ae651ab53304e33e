"""What is kept of every iteration, and the files that let an interrupted fit go on."""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from diffpair.errors import DiffPairError
from diffpair.tables.document import write_atomically

CHECKPOINT, HISTORY = "checkpoint.pt", "history.json"
VERSION = 3
REQUIRED = {"config", "grid", "theta", "history", "failures", "late", "best", "states", "update"}


@dataclass
class Iteration:
    """One line of the history.

    mae: mean |g - target| of the smooth g(r) of the frames, all targets of all fitted states. noise: the part of it
    that the frames' statistics explain. accepted: whether the fit went on from it. step: size of the update in kT
    (largest change of U at a visited distance). chi: pooled residual in standard errors. note: what went wrong, if
    anything. updates: of the potential after the sampling; 1 but for reweighting. effective: then also, per state, the
    effective number of its frames under the table after the last update, as a part of all frames. pressure: per state
    with a pressure as a target, that of the frames less the target, in bar. significance:
    reduction of chi^2 that the step predicts, per parameter that the data fix. pooled_noise: mean |error of g| of the
    pooled residual. ratio: actual over predicted reduction by the step before. independent: per state, the
    number of independent frames of the sampling.
    """

    number: int
    mae: float
    noise: float
    accepted: bool
    step: float
    chi: float
    md_steps: int
    seconds: float
    note: str = ""
    updates: int = 1
    effective: dict[str, float] = field(default_factory=dict)
    pressure: dict[str, float] = field(default_factory=dict)
    significance: float = float("nan")
    pooled_noise: float = float("nan")
    ratio: float = float("nan")
    independent: dict[str, float] = field(default_factory=dict)


def write_history(out: Path, history: list[Iteration]) -> None:
    """history.json: a list of iterations, for plots and machines."""
    rows = [{k: (None if v != v else v) for k, v in asdict(h).items()} for h in history]
    write_atomically(out / HISTORY, json.dumps(rows, indent=1))


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
        content = torch.load(path, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, OSError):
        raise DiffPairError(f"{path} is not a checkpoint of a fit, or is damaged") from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise DiffPairError(f"{path} was written by another version of diffpair")
    if REQUIRED - content.keys():
        raise DiffPairError(f"{path} is not a checkpoint of a fit, or is damaged")
    if content["config"] != config_hash:
        raise DiffPairError(
            f"{path} belongs to another config: resume with the config it was made with, or use another folder"
        )
    return content
