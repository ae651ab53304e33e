"""Files of a fit with anything in them: a page, or one sentence that names the file."""

from __future__ import annotations

import json
import math
import random
from contextlib import suppress

import pytest

from diffpair.errors import DiffPairError
from diffpair.report.html import write_comparison, write_report

SEED = 7
ANYTHING = [None, "x", [], {}, -1, 0, 1e308, math.nan, math.inf, True, [1, 2], {"a": 1}, "9" * 400]


def places(value, path=()):
    """Every place in a document, long lists by some of their entries."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in list(enumerate(value))[:3]:
            yield from places(inner, (*path, index))


@pytest.mark.parametrize("name", ["summary.json", "results.json", "history.json", "potential.json", "audit.json"])
def test_one_value_is_another(finished, copy, tmp_path, name):
    file, chance = copy / name, random.Random(SEED)
    if name == "audit.json":
        entry = {"steps": 10, "cosine": 0.9, "error": 0.1, "ratio": 1.0, "noise": 0.1, "growth": 1.0}
        states = [{"name": "liquid", "lengths": [entry]}]
        file.write_text(json.dumps({"recommended": {"sentences": ["take them"]}, "states": states}))
    document = json.loads(file.read_text())
    if name == "potential.json":
        document["provenance"].pop("sha256", None)
    where = [path for path in places(document) if path]
    assert len(where) > 5
    refused = 0
    for path in chance.sample(where, min(len(where), 60)):
        changed = json.loads(json.dumps(document))
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = chance.choice(ANYTHING)
        file.write_text(json.dumps(changed))
        try:
            write_report(copy, tmp_path / "page.html")
        except DiffPairError as error:
            refused += 1
            assert name in str(error) and "\n" not in str(error) and len(str(error)) < 1000, path
        with suppress(DiffPairError):
            write_comparison([finished, copy], tmp_path / "page.html")
    assert refused > 3
