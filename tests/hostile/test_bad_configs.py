"""Configs that nobody writes by mistake: bombs, tags, numbers and units that would take all time or memory."""

import re

import pytest
from hostile import sentence
from refused_config import GOOD, RDF

from diffpair.config import load_config

ALIASES = "".join(f"{'bcdefg'[i]}: &{'bcdefg'[i]} [{', '.join(['*' + 'abcdef'[i]] * 9)}]\n" for i in range(6))

# name, what is replaced, by what, the sentence after the file's name
CHANGES = [
    (
        "power-of-power",
        "2.5 nm",
        "'2.5 9**9**9 nm'",
        r"line 1: potential.cutoff: '\*\*9\*\*9 nm' is not a unit|not a unit",
    ),
    ("power-of-unit", "2.5 nm", "'2.5 nm^99999999'", r"line 1: potential.cutoff: 'nm\^99999999' is not a unit"),
    ("power-of-braces", "2.5 nm", "'2.5 (9*9)^9^9 nm'", r"potential.cutoff: '\(9\*9\)\^9\^9 nm' is not a unit"),
    ("raised-digits", "2.5 nm", "'2.5 nm⁹⁹⁹⁹'", "potential.cutoff: 'nm⁹⁹⁹⁹' is not a unit"),
    ("code-for-unit", "2.5 nm", "'2.5 __import__(0)'", "potential.cutoff: '__import__.0.' is not a unit"),
    ("long-unit", "2.5 nm", f"'2.5 {'nm*' * 3000}nm'", r"potential.cutoff: '(nm\*)+n?m?\.\.\.' is not a unit"),
    ("comment-in-unit", "2.5 nm", "'2.5 nm#'", "potential.cutoff: 'nm#' is not a unit"),
    ("denormal-cutoff", "2.5 nm", "1e-320 nm", "potential: cutoff = 1e-320 nm must be from 1e-06 to 1e.06 nm"),
    ("giant-cutoff", "2.5 nm", "1e300 nm", "potential: cutoff = 1e.300 nm must be from 1e-06 to 1e.06 nm"),
    ("400-digits", "seed: 1", f"seed: {'9' * 400}", r"line 12: seed: must be a whole number, not '?9{30,}\.\.\."),
    ("5000-digits", "seed: 1", f"seed: {'9' * 5000}", r"line 12: seed: must be a whole number, not '9{30,}\.\.\."),
    (
        "beyond-doubles",
        "seed: 1",
        "seed: 9007199254740993",
        "seed: must be 9007199254740992 or less, not 9007199254740993",
    ),
    (
        "beyond-2^53",
        "seed: 1",
        f"seed: {2**70}",
        "line 12: seed: must be 9007199254740992 or less, not 1180591620717411303424",
    ),
    ("1e300-steps", "steps: 1500", "steps: 1e300", "sampling.steps: must be 9007199254740992 or less, not '?1e300"),
    ("int-tag", "seed: 1", "seed: !!int a", "line 12: 'a' is not what its YAML tag tag:yaml.org,2002:int says"),
    (
        "empty-float-tag",
        "seed: 1",
        "seed: !!float ''",
        "line 12: '' is not what its YAML tag tag:yaml.org,2002:float says",
    ),
    ("bool-tag", "seed: 1", "seed: !!bool a", "line 12: 'a' is not what its YAML tag tag:yaml.org,2002:bool says"),
    (
        "timestamp-tag",
        "seed: 1",
        "seed: !!timestamp a",
        "'a' is not what its YAML tag tag:yaml.org,2002:timestamp says",
    ),
    ("no-such-day", "seed: 1", "seed: 2026-13-45", "line 12: seed: must be a whole number, not '2026-13-45'"),
    (
        "no-such-zone",
        "seed: 1",
        "seed: 2001-12-14t21:59:43.10-99:00",
        "line 12: seed: must be a whole number, not '2001-12",
    ),
    ("binary-tag", "seed: 1", "seed: !!binary a", "line 12: is not valid YAML: failed to decode base64 data"),
    ("half-a-character", "liquid", '"\\ud800"', r"line 3: '\\ud800' holds half of a character"),
    (
        "zero-byte-in-file",
        "rdf.csv",
        '"a\\0b"',
        r"rdf.file: must be the path of a file, but 'a\\x00b' holds a zero byte",
    ),
    ("set", "seed: 1", "seed: !!set {a, b}", "line 12: the YAML tag tag:yaml.org,2002:set is not accepted"),
    ("anchor-of-itself", "seed: 1", "seed: &a [*a]", "is nested too deeply"),
    ("text-of-1-MB", "seed: 1", f"seed: {'1' * 1_000_000}", "has 1000... bytes, but a fit config has at most 250000"),
    (
        "merge-of-a-number",
        "seed: 1",
        "<<: 3",
        "line 12: is not valid YAML: expected a mapping or list of mappings for merging",
    ),
    ("key-that-is-a-map", "seed: 1", "? {a: 1}\n: 2", "line 12: the key {'a': 1} is not a name"),
]


@pytest.mark.parametrize(("old", "new", "said"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
@pytest.mark.timeout(20)
def test_refusals(tmp_path, old, new, said):
    path = tmp_path / "fit.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    found = sentence(lambda: load_config(path))
    assert found.startswith(str(path))
    assert re.search(said, found), found


def test_a_bomb_of_aliases(tmp_path):
    path = tmp_path / "fit.yaml"
    path.write_text(f"a: &a [{', '.join('x' * 9)}]\n{ALIASES}{GOOD}")
    assert "its aliases (*name) make more than 100000 values of it" in sentence(lambda: load_config(path))


def test_deep_nesting(tmp_path):
    path = tmp_path / "fit.yaml"
    path.write_text(f"a: {'[' * 5000}{']' * 5000}")
    assert sentence(lambda: load_config(path)).endswith("is nested too deeply")


@pytest.mark.parametrize("name", ["a\0b", "a" * 300])
def test_names_that_no_file_has(name):
    said = sentence(lambda: load_config(name))
    assert "is no name of a file" in said or "cannot be read: File name too long" in said


def test_names_that_look_like_dates(tmp_path):
    """A day that does not exist is a name as good as any other, and so is one that does."""
    path = tmp_path / "fit.yaml"
    path.write_text(
        GOOD.replace(RDF, RDF.replace("[A, A]", "['2026-13-45', A]")).replace("name: liquid", "name: 2026-13-45")
    )
    assert load_config(path).states[0].name == "2026-13-45"
