"""The key ``start``: the potential that a fit begins with."""

from __future__ import annotations

import os
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import File, Settings


class Start(Settings):
    """The potential that a fit starts from.

    Args:
        method: "auto" chooses an inversion of the targets; "boltzmann-inversion", "modified-verlet" and
            "hypernetted-chain" (or "hnc") name one; "parameters" takes the numbers of the form itself. Any other text
            is the path of a potential file.
        file: the potential file, for `method="file"`.

    Raises:
        DiffPairError: another method.

    Examples:
        >>> diffpair.Start("hnc")
        Start(method='hypernetted-chain')
        >>> diffpair.Start("potential.json")
        Start(method='file', file='potential.json')
    """

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
