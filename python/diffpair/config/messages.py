"""From pydantic's list of errors to one sentence that names file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from diffpair.config.source import Source
from diffpair.settings.messages import and_more, problem


def sentence(error: ValidationError, source: Source) -> str:
    """The first problem in the order of the file, and how many more there are."""
    problems = sorted((_problem(entry, source) for entry in error.errors()), key=lambda problem: problem[0])
    line, text = problems[0]
    return f"{source.path}, line {line}: {text}{and_more(len(problems) - 1)}"


def _problem(entry: Mapping[str, Any], source: Source) -> tuple[int, str]:
    path = tuple(entry["loc"])
    if entry["type"] == "missing":
        path = path[:-1]
    at = source.existing(path)
    line = source.line((*at, entry["ctx"]["key"]) if entry["type"] == "unknown_key" else at)
    return line, problem(entry, at)
