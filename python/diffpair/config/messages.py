"""From pydantic's list of errors to one sentence that names file, line and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from diffpair.config.source import Key, Source


def sentence(error: ValidationError, source: Source) -> str:
    """The first problem in the order of the file, and how many more there are."""
    problems = sorted((_problem(entry, source) for entry in error.errors()), key=lambda problem: problem[0])
    line, text = problems[0]
    more = len(problems) - 1
    tail = f" (and {more} more problem{'s' if more > 1 else ''})" if more else ""
    return f"{source.path}, line {line}: {text}{tail}"


def _problem(entry: Mapping[str, Any], source: Source) -> tuple[int, str]:
    path = tuple(entry["loc"])
    context = entry.get("ctx", {})
    if entry["type"] == "unknown_key":
        at = source.existing(path)
        return source.line((*at, context["key"])), _join(_dotted(at), context["text"])
    if entry["type"] == "missing":
        at = source.existing(path[:-1])
        return source.line(at), _join(_dotted(at), f"the key {path[-1]!r} is missing")
    at = source.existing(path)
    return source.line(at), _join(_dotted(at), _text(entry))


def _text(entry: Mapping[str, Any]) -> str:
    context = entry.get("ctx", {})
    given = entry.get("input")
    match entry["type"]:
        case "value_error":
            return str(context["error"])
        case "too_short":
            return f"must have {context['min_length']} or more entries, but has {context['actual_length']}"
        case "too_long":
            return f"must have {context['max_length']} entries, but has {context['actual_length']}"
        case "list_type":
            return f"must be a list, not {given!r}"
        case "dict_type":
            return f"must be a mapping of names to values, not {given!r}"
        case "literal_error":
            return f"must be {context['expected']}, not {given!r}"
    message = str(entry["msg"]).replace("Input should be", "must be")
    return f"{message}, not {given!r}"


def _join(key: str, text: str) -> str:
    return f"{key}: {text}" if key else text


def _dotted(path: Sequence[Key]) -> str:
    """states[0].targets[1].rdf.file"""
    result = ""
    for key in path:
        result += f"[{key}]" if isinstance(key, int) else f".{key}" if result else key
    return result
