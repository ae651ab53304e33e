"""Potential files and module files that are made to be read wrongly, or not to be read to the end."""

import json
import os
import pickle
import re
import zipfile

import pytest
from hostile import DOCUMENT, POTENTIAL, archive, sentence

from diffpair.module_files import describe, kind_of
from diffpair.tables import PairTable

BOND = {"types": ["A", "A"], "form": "harmonic", "k": 1.0, "x0": 0.5}
TABLE = {"types": ["A", "A"], "form": "tabulated", "low": 0.1, "high": 0.5, "wall": 0, "values": [1.0, 0.0, 0.0, 1.0]}


def document(**change):
    return json.dumps(DOCUMENT | change)


def bonded(entry):
    return document(bonded=[entry])


def with_provenance(text):
    return f'{POTENTIAL[:-1]}, "provenance": {{"a": {text}}}}}'


# name, content, the sentence after the file's name
FILES = [
    ("5000-digits", POTENTIAL.replace("8.0", "9" * 5000), "holds a whole number of more than 4300 digits"),
    (
        "version-of-4301-digits",
        POTENTIAL.replace('"version": 1', f'"version": {"1" * 4301}'),
        "of more than 4300 digits",
    ),
    (
        "coefficient-of-1e999",
        POTENTIAL.replace("8.0", "1e999", 1),
        r'"pairs\[0\].coefficients\[0\]" must be a finite number',
    ),
    ("provenance-of-1e999", with_provenance("1e999"), '"provenance" holds a number that is not finite'),
    ("provenance-of-nan", with_provenance("NaN"), "holds NaN, but every number must be finite"),
    ("half-a-character", POTENTIAL.replace('"B"', '"\\ud800"'), r'"types" holds "\\ud800", half of a character'),
    ("mark-of-byte-order", "\ufeff \x0b", "not a potential file but an empty file"),
    ("parameter-of-no-name", document(global_parameters={"": 1.0}), '"global_parameters" holds "", which is no name'),
    ("empty-type", document(types=["A", ""]), '"types" must be a list of type names, not'),
    ("many-lists", f"[{'[],' * 2_000_000}[]]", "more lists and objects than one per 20 characters"),
    ("many-objects", f"[{'{},' * 2_000_000}1]", "more lists and objects than one per 20"),
    (
        "deep-knots",
        POTENTIAL.replace('"knots": 5', f'"knots": {"[" * 900}{"]" * 900}'),
        r'"knots" must be a positive int.*\.\.\.$',
    ),
    ("deep-provenance", with_provenance("[" * 100_000), "nested too deeply|damaged"),
    (
        "entropy-without-pairs",
        document(entropy={"unit": "kJ/mol/K", "pairs": None}),
        '"entropy.pairs" must be a list, not null',
    ),
    (
        "entropy-of-no-temperature",
        document(entropy={"unit": "kJ/mol/K", "pairs": DOCUMENT["pairs"]}),
        "needs the global parameter",
    ),
    ("bonded-text", document(bonded="x"), '"bonded" must be a list of at most 1000 terms'),
    ("bonded-many", document(bonded=[BOND] * 1001), '"bonded" must be a list of at most 1000 terms'),
    ("bonded-twice", document(bonded=[BOND, BOND]), r'"bonded\[1\]" gives the bond A-A a second time'),
    ("bond-of-no-types", bonded(BOND | {"types": []}), r'"bonded\[0\]": a bonded term has 2, 3 or 4 types, not 0'),
    ("bond-of-five-types", bonded(BOND | {"types": ["A"] * 5}), "a bonded term has 2, 3 or 4 types, not 5"),
    ("bond-of-10^400", bonded(BOND | {"k": 10**400}), r'"bonded\[0\].k" must be a number'),
    ("bond-that-overflows", bonded(BOND | {"k": 1e299, "x0": 1e299}), "its values must be finite numbers"),
    (
        "bond-of-lists",
        bonded(TABLE | {"values": [[1.0] * 4]}),
        r'"bonded\[0\].values" must be a list of finite numbers',
    ),
    (
        "bond-in-1e-300-nm",
        bonded(TABLE | {"low": 0, "high": 1e-300}),
        "its table from 0 to 1e-300 nm must be 1e-06 nm long or more",
    ),
    ("bond-to-1e300-nm", bonded(TABLE | {"high": 1e200}), r"and end at 1e\+06 nm or before"),
    ("bond-from-a-list", bonded(TABLE | {"low": [0]}), r'"bonded\[0\].low" must be a number'),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
@pytest.mark.timeout(20)
def test_refusals(tmp_path, content, said):
    path = tmp_path / "p.json"
    path.write_text(content)
    found = sentence(lambda: PairTable.load(path))
    assert found.startswith(str(path))
    assert re.search(said, found), found


@pytest.mark.parametrize("name", ["a\0b", "a" * 300])
def test_names_that_no_file_has(name):
    said = sentence(lambda: PairTable.load(name))
    assert "is no name of a file" in said or "cannot be read: File name too long" in said


def marked(method=0, encrypted=False, spoilt=False):
    """A zip archive whose member says something of itself that zipfile does not take."""
    content = bytearray(archive(("a/data.pkl", bytes(100))))
    directory = content.find(b"PK\x01\x02")
    content[8], content[directory + 10] = method, method
    content[6] |= encrypted
    content[directory + 8] |= encrypted
    content[70] ^= 255 * spoilt
    return bytes(content)


UNREADABLE = "is an archive whose a/data.pkl cannot be read; give what torch.jit.save or torch.export.save wrote"
# name, content of a file that is given as a module, what is said of it
MODULES = [
    ("bomb-of-zip", archive(("a/data.pkl", bytes(10**8)), packed=zipfile.ZIP_DEFLATED), "is a pickle without a module"),
    ("encrypted", marked(encrypted=True), UNREADABLE),
    ("unknown-method", marked(method=99), UNREADABLE),
    ("wrong-checksum", marked(spoilt=True), UNREADABLE),
    ("cut-short", marked()[:-30], "is no file of torch|is a text file"),
    ("deep-json", b"[" * 100_000, "is a text file, not a module"),
    ("whole-number", b"9" * 5000, "is a (text|JSON) file, not a module"),
    ("pickle-of-a-call", pickle.dumps(os.system), "is a pickled object of the class posix.system"),
    ("pickle-of-many-lines", b"\x80\x02cx\ny\rz\n.", r"is a pickled object of the class x.y.rz, as"),
    (
        "not-what-it-says",
        archive(("a/constants.pkl", b""), ("a/data.pkl", b"\x80\x02.")),
        "is a pickle without a module",
    ),
    ("many-members", archive(*((str(k), b"") for k in range(5000))), "is a zip archive, but no module"),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in MODULES], ids=[row[0] for row in MODULES])
@pytest.mark.timeout(20)
def test_what_is_no_module(content, said):
    assert kind_of(content) == ""
    assert re.match(said, describe(content)), describe(content)


def test_modules_that_torch_refuses(tmp_path):
    pytest.importorskip("torch")
    from diffpair.potentials import UserModule

    path = tmp_path / "m.pt"
    for content, said in (
        (archive(("a/constants.pkl", b""), ("a/code/x.py", b"")), "is a TorchScript module that cannot be read"),
        (archive(("a/models/model.json", b"{}"), ("a/archive_format", b"pt2")), "program that torch .* cannot read"),
        (marked(encrypted=True), "cannot be read; give what"),
    ):
        path.write_bytes(content)
        assert re.search(said, sentence(lambda: UserModule(str(path), ("A",), 1.0)))
