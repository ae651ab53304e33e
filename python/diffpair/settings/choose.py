"""Sections of which one of several methods is chosen."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator

from diffpair.errors import DiffPairError
from diffpair.settings.base import Settings, choices


def choose_method(available: tuple[str, ...]) -> BeforeValidator:
    """Normalise {method: m, ...}, {m: {...}} and plain m to the first of them, and refuse unknown methods."""

    def check(value: Any) -> Any:
        if isinstance(value, str):
            value = {"method": value}
        if isinstance(value, dict) and "method" not in value and len(value) == 1:
            method, options = next(iter(value.items()))
            if method in available and (options is None or isinstance(options, dict)):
                value = {**(options or {}), "method": method}
        if isinstance(value, Settings):
            return value
        if not isinstance(value, dict) or "method" not in value:
            raise DiffPairError(f"must hold the key 'method', one of {', '.join(available)}")
        if value["method"] not in available:
            raise DiffPairError(
                f"method: {value['method']!r} is not available{choices(str(value['method']), available)}"
            )
        return value

    return BeforeValidator(check)


def method_of(value: Any) -> str:
    return str(value["method"] if isinstance(value, dict) else value.method)
