"""Reading and writing the potential file: JSON text, specified in docs/reference/file-format.md.

This module knows the file, not the mathematics: it turns text into checked plain values and back. Every refusal is a
DiffPairError that names the file and the key.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from diffpair.atomic_file import write_atomically
from diffpair.errors import DiffPairError
from diffpair.tables.checksum import KEY, take_checksum, with_checksum
from diffpair.tables.json_text import FORMAT, read_json
from diffpair.tables.limits import check_grid, check_size
from diffpair.tables.pairs import type_pairs

VERSION = 1
"""Version of the potential format that is written, and the only one that is read."""
UNITS = {"length": "nm", "energy": "kJ/mol"}
ENTROPY_UNIT = "kJ/mol/K"
_REQUIRED = ("units", "types", "r_min", "cutoff", "knots", "pairs")
_OPTIONAL = ("global_parameters", "entropy", "provenance", "fit")
_HALF = re.compile("[\ud800-\udfff]")  # of a character: JSON may write one, but no text holds it
_BONDED = "bonded"  # a list, which diffpair.bonded reads


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and check a whole potential file, provenance and fit errors included.

    Checked are the checksum where there is one, structure, counts, limits and finiteness; `PairTable` checks what the
    values mean.

    Args:
        path: a potential file.

    Returns:
        The keys of the file; the optional ones are `{}` if absent.

    Raises:
        DiffPairError: the file is no potential of a known version; the sentence names file and key.
    """
    path = Path(path)
    document = read_json(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DiffPairError(f'{path}: not a potential file{_other(path, document)}: "format" must be "{FORMAT}"')
    version = document.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise DiffPairError(
            f'{path}: "version" is {version!r}, but this DiffPair reads version {VERSION} of the potential format only'
        )
    intact = take_checksum(document)
    for key in _REQUIRED:
        if key not in document:
            raise DiffPairError(f'{path}: the key "{key}" is missing')
    for key in document:
        if key not in ("format", "version", *_REQUIRED, *_OPTIONAL, _BONDED):
            raise DiffPairError(f'{path}: unknown key "{key}"')
    if document["units"] != UNITS:
        raise DiffPairError(f'{path}: "units" must be {json.dumps(UNITS)}, not {_short(document["units"])}')
    _check_types(path, document["types"])
    for key in ("r_min", "cutoff"):
        document[key] = _number(path, key, document[key])
    knots = document["knots"]
    if isinstance(knots, bool) or not isinstance(knots, int) or knots < 1:
        raise DiffPairError(f'{path}: "knots" must be a positive integer, not {_short(knots)}')
    try:
        check_grid(document["r_min"], document["cutoff"], knots)
        check_size(len(document["types"]), knots)
    except DiffPairError as error:
        raise DiffPairError(f"{path}: {error}") from None
    _check_pairs(path, "pairs", document["pairs"], document["types"], knots)
    document.setdefault(_BONDED, [])
    for key in _OPTIONAL:
        if not isinstance(document.setdefault(key, {}), dict):
            raise DiffPairError(f'{path}: "{key}" must be an object, not {_short(document[key])}')
    for key in ("provenance", "fit"):
        _check_json(path, key, document[key])
    entropy = document["entropy"]
    if entropy:
        if set(entropy) != {"unit", "pairs"} or entropy["unit"] != ENTROPY_UNIT:
            raise DiffPairError(f'{path}: "entropy" must hold "unit": "{ENTROPY_UNIT}" and "pairs" and nothing else')
        _check_pairs(path, "entropy.pairs", entropy["pairs"], document["types"], knots)
    parameters = document["global_parameters"]
    for name in parameters:
        if not name or _HALF.search(name):
            raise DiffPairError(f'{path}: "global_parameters" holds {json.dumps(name)}, which is no name')
        parameters[name] = _number(path, f"global_parameters.{name}", parameters[name])
    if not intact:  # the last of all: what is wrong with a key says more
        raise DiffPairError(
            f'{path}: its content is not what was written: it is damaged, or was edited by hand; remove "{KEY}" from '
            f'"provenance" if the change is meant{_beside(path)}'
        )
    return document


def write_document(path: str | os.PathLike[str], document: dict[str, Any]) -> None:
    """Write ``document`` to ``path``: the file is either the old one or the complete new one, never a part of it.

    Numbers are written with the shortest decimal text that reads back as the same bits. Raises DiffPairError if the
    file cannot be written or the document holds NaN, infinity or something that is not JSON.
    """
    path = Path(path)
    try:
        plain = json.loads(json.dumps(document, allow_nan=False, default=_plain))
        text = json.dumps(with_checksum(plain), indent=1)
    except (TypeError, ValueError) as error:
        raise DiffPairError(f"{path}: cannot be written as a potential file: {error}") from None
    write_atomically(path, text + "\n")


def _beside(path: Path) -> str:
    """What else a fit's folder holds where a potential file in it is damaged; empty elsewhere."""
    if not (path.parent / "checkpoint.pt").is_file():
        return ""
    return (
        f"; {path.parent / 'iterations'} holds the potentials of the fit's iterations, and --resume writes {path.name} "
        f"anew"
    )


def _check_json(path: Path, key: str, section: Any) -> None:
    """Refuse what can be read but not be written again: numbers beyond a double's range, which are read as infinite."""
    try:
        json.dumps(section, allow_nan=False)
    except ValueError:
        raise DiffPairError(f'{path}: "{key}" holds a number that is not finite') from None
    except RecursionError:
        raise DiffPairError(f'{path}: "{key}" is nested too deeply') from None


def _other(path: Path, document: Any) -> str:
    """What JSON without the right format is, as far as that can be told."""
    if not isinstance(document, dict):
        return f" but {_short(document)}"
    if "format" in document:
        return f" but of the format {_short(document['format'])}"
    files = document.get("files")
    if isinstance(files, dict) and isinstance(files.get("potential"), str):
        return f" but a fit's summary, whose potential is {path.parent / files['potential']}"
    return f" but JSON with the keys {_short(list(document))}"


def _check_types(path: Path, types: Any) -> None:
    if not isinstance(types, list) or not types or not all(isinstance(name, str) and name for name in types):
        raise DiffPairError(f'{path}: "types" must be a list of type names, not {_short(types)}')
    for name in types:
        if _HALF.search(name):
            raise DiffPairError(f'{path}: "types" holds {json.dumps(name)}, half of a character')
    if len(set(types)) != len(types):
        raise DiffPairError(f'{path}: "types" names a type twice: {_short(types)}')


def _check_pairs(path: Path, what: str, pairs: Any, types: list[str], knots: int) -> None:
    if not isinstance(pairs, list):
        raise DiffPairError(f'{path}: "{what}" must be a list, not {_short(pairs)}')
    seen: set[frozenset[str]] = set()
    for index, pair in enumerate(pairs):
        key = f"{what}[{index}]"
        if not isinstance(pair, dict) or set(pair) != {"types", "coefficients"}:
            raise DiffPairError(f'{path}: "{key}" must hold "types" and "coefficients" and nothing else')
        names = pair["types"]
        if not isinstance(names, list) or len(names) != 2 or not all(isinstance(name, str) for name in names):
            raise DiffPairError(f'{path}: "{key}.types" must name two types, not {_short(names)}')
        for name in names:
            if name not in types:
                raise DiffPairError(
                    f'{path}: "{key}.types" names {name!r}, which is not one of "types" {_short(types)}'
                )
        if frozenset(names) in seen:
            raise DiffPairError(f'{path}: "{key}" gives the pair {names[0]}-{names[1]} a second time')
        seen.add(frozenset(names))
        values = pair["coefficients"]
        if not isinstance(values, list) or len(values) != knots + 2:
            count = f"{len(values)} numbers" if isinstance(values, list) else _short(values)
            raise DiffPairError(
                f'{path}: "{key}.coefficients" must be knots + 2 = {knots + 2} numbers, but there are {count}'
            )
        pair["coefficients"] = [_number(path, f"{key}.coefficients[{i}]", value) for i, value in enumerate(values)]
    for a, b in type_pairs(types):
        if frozenset((a, b)) not in seen:
            raise DiffPairError(f'{path}: "{what}" has no potential for the type pair {a}-{b}')


def _number(path: Path, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DiffPairError(f'{path}: "{key}" must be a number, not {_short(value)}')
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DiffPairError(f'{path}: "{key}" must be a finite number, not {_short(value)}')
    return number


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(value: Any) -> Any:
    """JSON for numpy scalars and arrays and for paths, which callers put into provenance and fit."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
