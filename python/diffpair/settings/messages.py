"""From pydantic's list of errors to one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

Key = str | int


def describe(error: ValidationError) -> str:
    """The first problem with its key, and how many more there are."""
    entries = error.errors()
    first = entries[0]
    path = first["loc"][:-1] if first["type"] == "missing" else first["loc"]
    return problem(first, named(path)) + and_more(len(entries) - 1)


def and_more(count: int) -> str:
    """How many further problems there are, in brackets; empty where there are none."""
    return f" (and {count} more problem{'s' if count > 1 else ''})" if count else ""


def problem(entry: Mapping[str, Any], path: Sequence[Key]) -> str:
    """One entry of pydantic's list, said of the key at `path`."""
    if entry["type"] == "unknown_key":
        return _join(dotted(path), entry["ctx"]["text"])
    if entry["type"] == "missing":
        return _join(dotted(path), f"the key {entry['loc'][-1]!r} is missing")
    return _join(dotted(path), _text(entry))


def named(location: Sequence[Key]) -> Sequence[Key]:
    """pydantic's place of an error, without the labels that it gives to choices."""
    return [key for key in location if isinstance(key, int) or key.isidentifier()]


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


def dotted(path: Sequence[Key]) -> str:
    """A key by its place: states[0].targets[1].rdf.file."""
    result = ""
    for key in path:
        result += f"[{key}]" if isinstance(key, int) else f".{key}" if result else key
    return result
