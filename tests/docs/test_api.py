"""The Python reference is complete: every public name is in it, every parameter is told of, and its examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sphinx")

import torch
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.inventory import InventoryFile

import diffpair
import diffpair.ops
from diffpair.settings.base import Settings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/_ext"))
from api_reference import OF_SWIG, signature_of_settings  # noqa: E402

Build = tuple[Path, subprocess.CompletedProcess[str]]
Entry = tuple[str, str]  # kind, such as "method", and full name

# Their __all__ is public.
PACKAGES = ("", "fit", "settings", "targets", "tables", "segments", "engines", "mapping")
# Everything that they define is public, but for what other modules of the package share.
OBSERVABLES = sorted(path.stem for path in (ROOT / "python/diffpair/observables").glob("[a-z]*.py"))
SHARED = {"checked_edges", "shell_fractions", "default_threads"}
NAPOLEON = Config(napoleon_use_ivar=True, napoleon_use_rtype=False, napoleon_attr_annotations=False)


@pytest.fixture(scope="module")
def entries(built: Build) -> list[Entry]:
    """What Sphinx has put into the reference: those of this package."""
    inventory = InventoryFile.loads((built[0] / "objects.inv").read_bytes(), uri="")
    return [
        (kind.removeprefix("py:"), name)
        for kind, found in inventory.data.items()
        for name in found
        if kind.startswith("py:") and name.startswith("diffpair.")
    ]


def path_of(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def public() -> Iterator[tuple[str, Any]]:
    """Names, and what they name."""
    for package in PACKAGES:
        module = importlib.import_module(f"diffpair.{package}".rstrip("."))
        for name in module.__all__:
            thing = getattr(module, name)
            if not isinstance(thing, UnionType):  # such as Target, which has no page of its own
                yield f"{module.__name__}.{name}", thing
    for stem in OBSERVABLES:
        module = importlib.import_module(f"diffpair.observables.{stem}")
        for name, thing in vars(module).items():
            own = callable(thing) and getattr(thing, "__module__", "") == module.__name__
            if own and not name.startswith("_") and name not in SHARED:
                yield f"{module.__name__}.{name}", thing


def found_in(name: str) -> Any:
    """The object of a full name, as its class holds it."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = inspect.getattr_static(found, part) if inspect.isclass(found) else getattr(found, part)
        return found
    raise AssertionError(name)


def test_every_public_name_is_in_the_reference(entries: list[Entry]) -> None:
    listed = {name for _, name in entries}
    missing = [
        name
        for name, thing in public()
        if name not in listed and not (hasattr(thing, "__qualname__") and path_of(thing) in listed)
    ]
    assert not missing, f"in no page of docs/reference/api: {missing}"


def told(docstring: str) -> dict[str, str]:
    """Parameters and attributes of a docstring, with the first line of what it says of each."""
    lines = str(GoogleDocstring(inspect.cleandoc(docstring), NAPOLEON)).splitlines()
    fields = (re.match(r":(?:param|ivar) ([\w\\*]+): *(.*)", line) for line in lines)
    return {found[1].replace("\\", "").lstrip("*"): found[2] for found in fields if found}


def from_swig(thing: Any) -> bool:
    return "_openmm_forces" in getattr(thing, "__func__", thing).__module__


def parameters_of(kind: str, thing: Any) -> set[str]:
    """Names that a caller may give; self and those of a C++ overload are none."""
    if inspect.isclass(thing) and issubclass(thing, Settings):
        return set(signature_of_settings(thing).parameters)
    if (kind == "exception" and "__init__" not in vars(thing)) or getattr(thing, "_is_protocol", False):
        return set()
    names = list(inspect.signature(getattr(thing, "__func__", thing)).parameters)
    bound = kind == "method" and not isinstance(thing, staticmethod)
    return set(names[1:] if bound else names) - ({"args"} if from_swig(thing) else set())


def undocumented(kind: str, name: str, thing: Any) -> list[str]:
    """What the docstring of a class or function leaves out, or tells of what is not there."""
    docstring = thing.__doc__ or ""
    if docstring.lstrip().startswith("See "):  # an override
        return []
    documented = told(docstring) | told("\n".join(OF_SWIG.get(name.rsplit(".", 1)[-1], [])))
    if inspect.isclass(thing) and from_swig(thing):
        documented |= told(thing.__init__.__doc__ or "")
    wanted = parameters_of(kind, thing)
    wrong = [f"{name}: {parameter} has no description" for parameter in sorted(wanted) if not documented.get(parameter)]
    extra = set(documented) - wanted if kind in ("function", "method") and not from_swig(thing) else set()
    return wrong + [f"{name}: {parameter} is no parameter" for parameter in sorted(extra)]


def test_every_parameter_of_the_reference_is_documented(entries: list[Entry]) -> None:
    looked_at = [(kind, name) for kind, name in entries if kind in ("class", "exception", "function", "method")]
    assert len(looked_at) > 250
    wrong = [line for kind, name in looked_at for line in undocumented(kind, name, found_in(name))]
    assert not wrong, "\n".join(wrong)


def test_every_public_member_is_in_the_reference(entries: list[Entry]) -> None:
    """A method or property without a docstring is not shown by Sphinx."""
    missing = []
    for name in sorted({name for kind, name in entries if kind == "class"}):
        thing = found_in(name)
        members = {} if from_swig(thing) else vars(thing)
        for member, value in members.items():
            shown = inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod)
            if shown and not member.startswith(("_", "model_")) and not getattr(value, "__doc__", None):
                missing.append(f"{name}.{member}")
    assert not missing, missing


def test_a_missing_parameter_is_found() -> None:
    def half(x: float, y: float) -> None:
        """Say something.

        Args:
            x: nm.
            z: nm.
        """

    assert undocumented("function", "half", half) == ["half: y has no description", "half: z is no parameter"]


def test_every_operator_is_described() -> None:
    text = diffpair.ops.__doc__ or ""
    schemas = [schema for schema in torch._C._jit_get_all_schemas() if schema.name.startswith("diffpair::")]
    names = {schema.name.split("::")[1]: [one.name for one in schema.arguments] for schema in schemas}
    shown = {name: parameters for name, parameters in names.items() if not name.endswith("_backward")}
    assert len(shown) > 5
    for name, parameters in shown.items():
        assert f"``{name}({', '.join(parameters)})``" in text, name


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
    module: ModuleType = importlib.import_module(name)
    assert "doctest: +SKIP" not in inspect.getsource(module)
    torch.manual_seed(1)
    done = doctest.testmod(module, extraglobs={"diffpair": diffpair, "np": np})
    assert done.attempted and not done.failed


def test_there_are_examples() -> None:
    assert len(modules_with_examples()) > 20
