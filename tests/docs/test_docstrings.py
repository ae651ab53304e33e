"""The examples of docstrings run, and give what they show."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

import diffpair

ROOT = Path(__file__).resolve().parents[2]


def modules_with_examples() -> list[str]:
    package = ROOT / "python"
    files = (path for path in (package / "diffpair").rglob("*.py") if path.name != "_openmm_forces.py")
    return sorted(
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in files
        if re.search(r"^ *>>> ", path.read_text(), re.MULTILINE)
    )


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_of_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    assert "doctest: +SKIP" not in inspect.getsource(module)
    torch.manual_seed(1)
    done = doctest.testmod(module, extraglobs={"diffpair": diffpair, "np": np})
    assert done.attempted and not done.failed


def test_there_are_examples() -> None:
    assert len(modules_with_examples()) > 20
