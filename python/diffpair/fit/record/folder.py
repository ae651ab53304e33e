"""The folder of a fit's results: the names in it, its tables, and what happens to those of an earlier fit."""

from __future__ import annotations

import glob
import io
import os
import re
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from diffpair.atomic_file import write_atomically
from diffpair.audit.report import JSON as AUDIT
from diffpair.audit.report import PLOT as AUDIT_PLOT
from diffpair.errors import DiffPairError
from diffpair.fit.record.checkpoint import BEFORE, CHECKPOINT
from diffpair.fit.record.production import PRODUCTION
from diffpair.fit.setup import Setup
from diffpair.model.folder import UNDER_WAY, files_of
from diffpair.potentials import AllPairs, TemperatureDependent
from diffpair.report.files import HISTORY, ITERATIONS, POTENTIAL, REPORT, RESULTS, START, SUMMARY
from diffpair.tables import PairTable, TableUncertainty

PLOT = "fit.png"
_RESULTS = (
    POTENTIAL, "potential-*.json", "potential.pt", START, "start-*.json", "start.pt", SUMMARY, PLOT, HISTORY,
    ITERATIONS, CHECKPOINT, BEFORE, PRODUCTION, UNDER_WAY, AUDIT, AUDIT_PLOT, RESULTS, REPORT,
)  # fmt: skip

Parameters = tuple[float, ...]


def make_folder(out: Path) -> None:
    """Raises DiffPairError if that is not possible."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiffPairError(f"{out}: cannot be made: {error.strerror or error}") from None


def set_aside(out: Path, used: set[Path]) -> str:
    """Move the results of an earlier fit to out/previous-N, so that they are neither lost nor mixed with new ones.

    Args:
        used: absolute paths of files that the new fit's config names; those are copied instead.

    Returns: a sentence for the user; empty where there was nothing. Raises DiffPairError if a file cannot be moved.
    """
    old = sorted({path for pattern in (*_RESULTS, *map(glob.escape, files_of(out))) for path in out.glob(pattern)})
    if not old:
        return ""
    unfinished = (out / CHECKPOINT).is_file() and not (out / SUMMARY).is_file()
    number = 1
    while (out / f"previous-{number}").exists():
        number += 1
    previous = out / f"previous-{number}"
    try:
        previous.mkdir()
        for path in old:
            if path.resolve() in used:
                shutil.copy2(path, previous / path.name)
            else:
                os.replace(path, previous / path.name)
    except OSError as error:
        raise DiffPairError(
            f"{out}: the results of an earlier fit cannot be moved to {previous}: {error.strerror or error}"
        ) from None
    if unfinished:
        return f"an unfinished fit was moved to {previous}: --resume --out {previous} goes on with it"
    return f"the results of an earlier fit were moved to {previous}"


def table_names(setup: Setup, stem: str = "potential") -> dict[Parameters, str]:
    """File name, without .json, of the table of every set of global parameters, held-out states' ones included.

    The first one has the plain name, the others add that of the first state that they serve.
    """
    names: dict[Parameters, str] = {}
    for variant in setup.variants:
        name = stem
        if names:
            state = next(s.name for s in setup.states if s.parameters == variant)
            name = f"{stem}-" + re.sub(r"[^\w.+-]", "_", state)
        while name in names.values():
            name += "_"
        names[variant] = name
    return names


def save_tables(
    out: Path,
    setup: Setup,
    bands: Sequence[TableUncertainty] = (),
    stem: str = "potential",
    **sections: dict[str, Any],
) -> None:
    """Write the table of every set of global parameters, those of fitted states first, with their error bands.

    A potential that depends on temperature is also written as a TorchScript module, for TorchPairForce. Raises
    DiffPairError.
    """
    for index, (variant, name) in enumerate(table_names(setup, stem).items()):
        given = dict(sections)
        if index < len(bands):
            given["fit"] = {**sections.get("fit", {}), "uncertainty": bands[index].document()}
        _table(setup, variant).save(out / f"{name}.json", **given)
    if isinstance(setup.potential, TemperatureDependent):
        memory = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(torch.jit.script(AllPairs(setup.potential)), memory)
        write_atomically(out / f"{stem}.pt", memory.getvalue())


def save_iteration(out: Path, setup: Setup, number: int) -> None:
    """Write the tables of the fitted states after an iteration. Raises DiffPairError."""
    make_folder(out / ITERATIONS)
    for variant, file in zip(setup.space.variants, iteration_files(out, setup, number), strict=True):
        _table(setup, variant).save(file)


def iteration_files(out: Path, setup: Setup, number: int) -> list[Path]:
    """Where `save_iteration` writes."""
    names = table_names(setup)
    return [out / ITERATIONS / f"{names[variant]}-{number:03d}.json" for variant in setup.space.variants]


def _table(setup: Setup, variant: Parameters) -> PairTable:
    return setup.space.table(variant)
