"""The documentation builds without a warning, and its Python reference is complete: names, parameters, operators.

All in one file, since the pages are built once for it.
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any

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

DOCS = ROOT / "docs"
Build = tuple[Path, subprocess.CompletedProcess[str]]
Entry = tuple[str, str]  # kind, such as "method", and full name

# Their __all__ is public.
PACKAGES = ("", "fit", "settings", "targets", "tables", "segments", "engines", "mapping")
# Everything that they define is public, but for what other modules of the package share.
OBSERVABLES = sorted(path.stem for path in (ROOT / "python/diffpair/observables").glob("[a-z]*.py"))
SHARED = {"checked_edges", "shell_fractions", "default_threads"}
# Made by SWIG for C++ alone; how settings of files speak with their reader and the config; between sampler and fit.
NOT_SHOWN = ("fromXml", "thisown", "choice", "given", "why_exploded")
NAPOLEON = Config(napoleon_use_ivar=True, napoleon_use_rtype=False, napoleon_attr_annotations=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The folder of the pages, and how Sphinx ended."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS)]
    done = subprocess.run([*command, "-d", str(folder / "trees"), str(folder)], capture_output=True, text=True)
    return folder, done


def test_documentation_builds(built: Build) -> None:
    """No link, class or included file is missing."""
    folder, done = built
    assert done.returncode == 0, done.stderr
    front = (folder / "index.html").read_text()
    for page in DOCS.rglob("*.md"):
        assert f'{page.relative_to(DOCS).with_suffix(".html")}"' in front or page == DOCS / "index.md", page


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
    """A method or property without a docstring is not shown by Sphinx, nor one of a base class without being told."""
    listed = {name for _, name in entries}
    classes: dict[type, list[str]] = {}
    for name in (name for kind, name in entries if kind == "class"):
        classes.setdefault(found_in(name), []).append(name)
    missing = []
    for thing, names in classes.items():
        own = [base for base in thing.__mro__ if base is thing or base not in classes]
        bases = [
            base for base in own if base.__module__.startswith("diffpair") and "settings.base" not in base.__module__
        ]
        for member, value in ((member, value) for base in bases for member, value in vars(base).items()):
            counts = inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod)
            of_listed = any(hasattr(base, member) for base in thing.__mro__ if base is not thing and base in classes)
            if counts and not member.startswith(("_", "model_", *NOT_SHOWN)) and not of_listed:
                missing += [] if listed.intersection(f"{name}.{member}" for name in names) else [f"{names[0]}.{member}"]
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
