"""The key ``start``: the potential that a fit begins with."""

from __future__ import annotations

import os
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import File, Settings


class Start(Settings):
    """Where the fit starts: an inversion of the targets (auto chooses one), the form's own parameters, or a file."""

    method: Literal["auto", "boltzmann-inversion", "hypernetted-chain", "modified-verlet", "parameters", "file"]
    file: File | None = None

    positional: ClassVar[tuple[str, ...]] = ("method",)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        """`Start("hnc")` and `Start("potential.json")` in Python, as in a file."""
        if isinstance(data, dict) and isinstance(data.get("method"), str) and set(data) == {"method"}:
            return _methods(data["method"])
        return data


CLOSURES = ("hypernetted-chain", "modified-verlet")
METHODS = ("auto", "boltzmann-inversion", *CLOSURES, "parameters")
SHORT = {"hnc": "hypernetted-chain"}


def _methods(value: str) -> dict[str, str]:
    method = SHORT.get(value, value)
    return {"method": method} if method in METHODS else {"method": "file", "file": value}


def _start(value: Any) -> Any:
    if isinstance(value, str | os.PathLike):
        return _methods(os.fspath(value))
    if isinstance(value, dict) and set(value) == {"file"}:
        return {"method": "file", "file": value["file"]}
    if isinstance(value, Start):
        return value
    named = ", ".join(repr(method) for method in METHODS)
    raise DiffPairError(f"must be {named} or the path of a potential file, not {value!r}")


StartChoice = Annotated[Start, BeforeValidator(_start)]
