"""The files of bonded terms and their targets: what counts of them, and what is kept."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from bonded_files import GOOD, write_files

from diffpair.config import build_states, load_config
from diffpair.fit.record.folder import set_aside
from diffpair.fit.record.provenance import Origin, file_hash, files_of, fingerprint, provenance
from diffpair.fit.setup import prepare
from diffpair.tables import PairTable

FILES = {"trimers.pdb", "rdf.csv", "bond.csv", "angle.csv"}


@pytest.fixture
def folder(tmp_path):
    write_files(tmp_path)
    return tmp_path


def read(folder, text=GOOD):
    (folder / "fit.yaml").write_text(text)
    config = load_config(folder / "fit.yaml")
    return config, build_states(config)


def digest(folder, text=GOOD):
    config, states = read(folder, text)
    return fingerprint(config.settings, states)


def test_distributions_count_by_their_content(folder):
    config, states = read(folder)
    assert files_of(config.settings, states) == {(folder / name).resolve() for name in FILES}
    before = digest(folder)
    shutil.copy(folder / "angle.csv", folder / "copy.csv")
    assert digest(folder, GOOD.replace("angle.csv", "copy.csv")) == before
    lines = (folder / "copy.csv").read_text().splitlines()
    changed = lines[20].split(",")
    lines[20] = ",".join([changed[0], f"{1.001 * float(changed[1]):.8g}"])
    (folder / "copy.csv").write_text("\n".join(lines))
    assert digest(folder, GOOD.replace("angle.csv", "copy.csv")) != before


def test_sections_count(folder):
    before = digest(folder)
    for old, new in (("nodes: 12", "nodes: 13"), ("{types: [A, B]}\n", "{types: [A, B], form: harmonic}\n")):
        assert digest(folder, GOOD.replace(old, new, 1)) != before


def test_a_file_that_a_term_starts_from_counts_and_stays(folder):
    """In the folder of an earlier fit, too, whose results are set aside."""
    text = GOOD.replace("{types: [A, B]}\n", "{types: [A, B], start: out/potential.json}\n", 1)
    out = folder / "out"
    out.mkdir()
    shutil.copy(folder / "terms.json", out / "potential.json")
    (out / "summary.json").write_text("{}")
    config, states = read(folder, text)
    used = files_of(config.settings, states)
    assert (out / "potential.json").resolve() in used
    before = fingerprint(config.settings, states)
    assert "moved to" in set_aside(out, used)
    assert (out / "potential.json").is_file() and (out / "previous-1/potential.json").is_file()
    assert not (out / "summary.json").exists()
    assert digest(folder, text) == before
    table = PairTable.load(out / "potential.json")
    term = table.bonded[0].with_values(np.arange(9.0))
    PairTable(table.types, 0.3, 1.0, np.zeros((3, 12)), bonded=(term,)).save(out / "potential.json")
    assert digest(folder, text) != before


def test_provenance_names_terms_and_distributions(folder):
    config, states = read(folder)
    document = json.loads(json.dumps(provenance(prepare(config.settings, states), 3, "digest", Origin())))
    assert document["bonded"] == [
        {"types": ["A", "B"], "form": "tabulated", "fixed": False},
        {"types": ["A", "B", "A"], "form": "tabulated", "fixed": False},
    ]
    path = folder / "angle.csv"
    assert document["targets"][-1] == {
        "state": "liquid", "angle": ["A", "B", "A"], "file": str(path), "sha256": file_hash(path),
    }  # fmt: skip
    assert [set(target) & {"pair", "bond", "angle"} for target in document["targets"]] == [{"pair"}] * 3 + [
        {"bond"}, {"angle"},
    ]  # fmt: skip
