"""The key ``start``: the potential that a fit begins with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from diffpair.config.base import File, Section
from diffpair.errors import DiffPairError


class Start(Section):
    """Where the fit starts: Boltzmann inversion of the targets, the potential's own parameters, or a potential file."""

    method: Literal["boltzmann-inversion", "parameters", "file"]
    file: File | None = None


def _start(value: Any) -> Any:
    if isinstance(value, str):
        return (
            {"method": value} if value in ("boltzmann-inversion", "parameters") else {"method": "file", "file": value}
        )
    if isinstance(value, dict) and set(value) == {"file"}:
        return {"method": "file", "file": value["file"]}
    if isinstance(value, Start):
        return value
    raise DiffPairError(f"must be 'boltzmann-inversion', 'parameters' or the path of a potential file, not {value!r}")


StartChoice = Annotated[Start, BeforeValidator(_start)]
