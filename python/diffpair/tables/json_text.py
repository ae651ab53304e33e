"""The JSON of a potential file: what reading it may take is bounded, and what is none gets one sentence."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffpair.errors import DiffPairError
from diffpair.tables.foreign import kind_of

FORMAT = "diffpair-potential"
"""What a potential file says that it is."""
NAME = "potential.json"  # in a fit's folder
_BEGINNING = f'{{"format":"{FORMAT}"'  # what DiffPair writes first, without blanks
# A list takes 64 bytes of memory, an object 80, and "[]," three of the file. A pair of the smallest table has 70.
_MOST_PARTS, _LENGTH_OF_PART = 500_000, 20


def read_json(path: Path) -> Any:
    """What the file holds. Raises DiffPairError."""
    try:
        if kind := kind_of(path):
            raise DiffPairError(f"{path}: not a potential file but {kind}")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DiffPairError(f"{path}: no such potential file") from None
    except OSError as error:
        inside = f"; the potential of a fit in it is {path / NAME}" if os.path.isfile(path / NAME) else ""
        raise DiffPairError(f"{path}: cannot be read: {error.strerror or error}{inside}") from None
    except UnicodeDecodeError as error:
        raise DiffPairError(f"{path}: a damaged potential file: byte {error.start} is no UTF-8 text") from None
    except DiffPairError:
        raise
    except ValueError as error:  # a zero byte in the name
        raise DiffPairError(f"{str(path)!r} is no name of a file: {error}") from None
    _check_density(path, text)
    try:
        return json.loads(text, object_pairs_hook=_unique(path), parse_constant=_no_constant(path))
    except json.JSONDecodeError as error:
        # in a string, after a value, or within a number
        ended = error.msg.startswith("Unterminated") or re.fullmatch(r"[\w.+-]*[\0\s]*", text[error.pos :])
        reason = "it ends too early (truncated?)" if ended else f"{error.msg}, line {error.lineno}"
        ours = FORMAT in text or _BEGINNING.startswith("".join(text.rstrip("\0").split()))
        what = "a damaged potential file" if ours else "not a potential file but damaged JSON of another kind"
        raise DiffPairError(f"{path}: {what}: {reason}") from None
    except RecursionError:
        raise DiffPairError(f"{path}: not a potential file: it is nested too deeply") from None
    except DiffPairError:
        raise
    except ValueError:  # of int(): Python reads no number of so many digits
        raise DiffPairError(
            f"{path}: holds a whole number of more than {sys.get_int_max_str_digits()} digits"
        ) from None


def _check_density(path: Path, text: str) -> None:
    """Refuse lists and objects so short that they would take far more memory than the file is long."""
    if text.count("[") + text.count("{") > _MOST_PARTS + len(text) // _LENGTH_OF_PART:
        raise DiffPairError(
            f"{path}: not a potential file: it has more lists and objects than one per {_LENGTH_OF_PART} characters"
        )


def _unique(path: Path) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def build(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in items:
            if key in result:
                raise DiffPairError(f'{path}: the key "{key}" appears twice')
            result[key] = value
        return result

    return build


def _no_constant(path: Path) -> Callable[[str], Any]:
    def refuse(name: str) -> Any:
        raise DiffPairError(f"{path}: holds {name}, but every number must be finite")

    return refuse
