"""Bonded terms in the potential file: the same bits again, a reader from the page alone, and every refusal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.errors import DiffPairError
from diffpair.tables import PairTable, read_document
from diffpair.tables.uncertainty import BondedBand, TableUncertainty, load_uncertainty

NUMBERS = st.floats(-1e6, 1e6)
COEFFICIENTS = np.pad(np.random.default_rng(0).normal(size=(3, 6)), ((0, 0), (0, 3)))


@st.composite
def tabulated(draw):
    order = draw(st.integers(2, 4))
    kind = draw(st.lists(st.sampled_from("AB"), min_size=order, max_size=order))
    values = draw(arrays(np.float64, draw(st.integers(4, 12)), elements=NUMBERS))
    if order == 4:
        return TabulatedTerm(kind, values)
    low = draw(st.floats(0, 1))
    return TabulatedTerm(kind, values, low=low, high=draw(st.floats(low + 1e-3, 3)), wall=draw(st.floats(0, 1e6)))


@st.composite
def harmonic(draw):
    kind = draw(st.lists(st.sampled_from("AB"), min_size=2, max_size=3))
    return HarmonicTerm.of(kind, draw(st.floats(1e-3, 1e7)), draw(st.floats(1e-3, 3)))


def table(*terms):
    return PairTable(("A", "B"), 0.3, 1.2, COEFFICIENTS, {"temperature": 300.0}, bonded=terms)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.one_of(tabulated(), harmonic()), max_size=4, unique_by=lambda term: term.kind))
def test_round_trip_is_bit_exact(tmp_path, terms):
    path = tmp_path / "p.json"
    made = table(*terms)
    made.save(path)
    loaded = PairTable.load(path)
    assert loaded == made and len(loaded.bonded) == len(terms)
    for before, after in zip(terms, loaded.bonded, strict=True):
        assert after.numbers() == before.numbers() and after.kind == before.kind
    first = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == first


def test_a_file_without_terms_has_no_key(tmp_path):
    """As files were before there were bonded terms."""
    table().save(tmp_path / "p.json")
    assert "bonded" not in json.loads((tmp_path / "p.json").read_text())
    assert PairTable.load(tmp_path / "p.json").bonded == ()


def spline(entry, x):
    """U as docs/reference/file-format.md has it."""
    v, low, high = np.array(entry["values"]), entry["low"], entry["high"]
    n, periodic = len(v), len(entry["types"]) == 4
    h = (high - low) / (n if periodic else n - 1)
    left, right = np.eye(n), np.zeros(n)
    for i in range(n) if periodic else range(1, n - 1):
        left[i] = 0
        for k, weight in ((i - 1, 1), (i, 4), (i + 1, 1)):
            left[i, k % n] += weight
        right[i] = 6 * (v[i - 1] - 2 * v[i] + v[(i + 1) % n]) / h**2
    m = np.linalg.solve(left, right)

    def inside(x):
        i = min(int((x - low) / h), n - 1 if periodic else n - 2)
        b = (x - low) / h - i
        a, j = 1 - b, (i + 1) % n
        return a * v[i] + b * v[j] + h**2 * ((a**3 - a) * m[i] + (b**3 - b) * m[j]) / 6

    if low <= x <= high:
        return inside(x)
    end, inner = (low, low + 1e-6) if x < low else (high, high - 1e-6)
    slope = (inside(inner) - inside(end)) / (inner - end)
    return inside(end) + (x - end) * slope + entry["wall"] * (x - end) ** 2 / 2


def test_a_reader_from_the_page_alone_finds_the_same_energies(tmp_path):
    rng = np.random.default_rng(1)
    terms = [
        TabulatedTerm(("A", "B"), rng.normal(size=6), low=0.2, high=0.6, wall=300.0),
        TabulatedTerm(("A", "B", "A"), rng.normal(size=9), low=1.0, high=3.0, wall=20.0),
        TabulatedTerm(("A", "B", "B", "A"), rng.normal(size=7)),
        HarmonicTerm.of(("B", "B"), 700.0, 0.4),
    ]
    table(*terms).save(tmp_path / "p.json")
    for term, entry in zip(terms, json.loads((tmp_path / "p.json").read_text())["bonded"], strict=True):
        for x in (0.1, 0.25, 0.31, 0.7, 1.3, 2.9, 3.1):
            expected = spline(entry, x) if entry["form"] == "tabulated" else entry["k"] * (x - entry["x0"]) ** 2 / 2
            assert float(term.energy(x)) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_the_table_keeps_its_terms():
    spring = HarmonicTerm.of(("A", "B"), 100.0, 0.3)
    made = table(spring)
    entropy = PairTable(("A", "B"), 0.3, 1.2, COEFFICIENTS, {"temperature": 300.0}, 0.01 * COEFFICIENTS, (spring,))
    for other in (made.with_inert_type(), entropy.at_temperature(320.0)):
        assert other.bonded == (spring,)
    assert made != table() and made != table(spring.with_values(np.array([100.0, 31.0])))
    assert made == table(HarmonicTerm.of(("B", "A"), 100.0, 0.3))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ((HarmonicTerm.of("AC", 1, 1),), "C"),
        ((HarmonicTerm.of("AB", 1, 1), HarmonicTerm.of("BA", 2, 1)), "A-B"),
    ],
    ids=["unknown type", "twice"],
)
def test_a_table_refuses_terms(terms, message):
    with pytest.raises(DiffPairError, match=message) as refused:
        table(*terms)
    assert "\n" not in str(refused.value)


GOOD = {"types": ["A", "B"], "form": "tabulated", "low": 0.2, "high": 0.5, "wall": 10.0, "values": [1.0, 0, 0, 1.0]}
SPRING = {"types": ["A", "B"], "form": "harmonic", "k": 100.0, "x0": 0.3}


def without(entry, key):
    return {name: value for name, value in entry.items() if name != key}


HOSTILE = [
    ({}, '"bonded" must be a list'),
    (7, '"bonded" must be a list'),
    ([GOOD] * 1001, '"bonded" must be a list of at most 1000 terms'),
    ([GOOD, SPRING], '"bonded[1]" gives the bond A-B a second time'),
    ([3], '"bonded[0]" must be an object with a "form", one of tabulated, harmonic'),
    ([GOOD | {"form": "quartic"}], '"bonded[0]" must be an object with a "form"'),
    ([GOOD | {"form": ["tabulated"]}], '"bonded[0]" must be an object with a "form"'),
    ([GOOD | {"form": {}}], '"bonded[0]" must be an object with a "form"'),
    ([without(GOOD, "wall")], '"bonded[0]" must hold "types", "form", "low", "high", "wall", "values" and nothing'),
    ([GOOD | {"file": "/etc/passwd"}], '"bonded[0]" must hold "types"'),
    ([GOOD | {"types": ["A", "C"]}], '"bonded[0].types" must be names of the potential\'s types, A, B'),
    ([GOOD | {"types": "AB"}], '"bonded[0].types" must be names'),
    ([GOOD | {"types": [["A"], "B"]}], '"bonded[0].types" must be names'),
    ([GOOD | {"types": ["A"]}], '"bonded[0]": a bonded term has 2, 3 or 4 types, not 1'),
    ([GOOD | {"types": ["A"] * 5}], '"bonded[0]": a bonded term has 2, 3 or 4 types, not 5'),
    ([GOOD | {"values": [1.0, "2", 0, 0]}], '"bonded[0].values" must be a list of finite numbers'),
    ([GOOD | {"values": [1.0, [2], 0, 0]}], '"bonded[0].values" must be a list of finite numbers'),
    ([GOOD | {"values": [1.0, True, 0, 0]}], '"bonded[0].values" must be a list of finite numbers'),
    ([GOOD | {"values": [10**400, 0, 0, 0]}], '"bonded[0].values" must be a list of finite numbers'),
    ([GOOD | {"values": 3.0}], '"bonded[0]": bond A-B: its values must be finite numbers'),
    ([GOOD | {"values": [0.0] * 3}], '"bonded[0]": bond A-B: a table has 4 to 400 nodes, not 3'),
    ([GOOD | {"values": [0.0] * 401}], '"bonded[0]": bond A-B: a table has 4 to 400 nodes, not 401'),
    ([GOOD | {"low": [0.2]}], '"bonded[0].low" must be a number'),
    ([GOOD | {"low": 0.5}], '"bonded[0]": bond A-B: its table from 0.5 to 0.5'),
    ([GOOD | {"wall": -1}], '"bonded[0]": bond A-B: its table from 0.2 to 0.5 with a wall of -1 cannot be'),
    ([GOOD | {"types": ["A", "B", "B", "A"]}], '"bonded[0]": dihedral A-B-B-A: the table of a dihedral goes from -pi'),
    ([SPRING | {"k": 0}], '"bonded[0]": bond A-B: a harmonic term needs a positive force constant'),
    ([SPRING | {"k": "100"}], '"bonded[0].k" must be a number'),
    ([SPRING | {"types": ["A", "B", "B", "A"]}], '"bonded[0]": dihedral A-B-B-A: a dihedral has no harmonic form'),
]  # fmt: skip


@pytest.mark.parametrize(("section", "message"), HOSTILE, ids=[str(k) for k in range(len(HOSTILE))])
def test_hostile_sections_are_refused(tmp_path, section, message):
    path = tmp_path / "p.json"
    table().save(path)
    document = json.loads(path.read_text())
    del document["provenance"]["sha256"]  # as whoever edits a file by hand does
    path.write_text(json.dumps(document | {"bonded": section}))
    with pytest.raises(DiffPairError) as refused:
        PairTable.load(path)
    assert str(refused.value).startswith(f"{path}: {message}") and "\n" not in str(refused.value)


def test_words_that_are_no_json_numbers_are_refused(tmp_path):
    path = tmp_path / "p.json"
    table(HarmonicTerm.of("AB", 100.0, 0.3)).save(path)
    for word in ("NaN", "Infinity"):
        (tmp_path / "bad.json").write_text(path.read_text().replace('"k": 100.0', f'"k": {word}'))
        with pytest.raises(DiffPairError, match=f"holds {word}"):
            PairTable.load(tmp_path / "bad.json")


def test_error_bands_of_bonded_terms_are_in_the_file(tmp_path):
    band = BondedBand(("A", "B", "A"), np.linspace(1, 3, 5), np.arange(5.0))
    uncertainty = TableUncertainty(("A", "B"), np.array([0.3, 1.0]), np.zeros((3, 2)), bonded=(band,))
    path = tmp_path / "p.json"
    table().save(path, fit={"uncertainty": uncertainty.document()})
    (found,) = load_uncertainty(path).bonded
    assert found.kind == band.kind
    np.testing.assert_array_equal(found.x, band.x)
    np.testing.assert_array_equal(found.sigma, band.sigma)
    document = read_document(path)
    entry = document["fit"]["uncertainty"]["bonded"][0]
    for wrong in (without(entry, "x"), entry | {"sigma": [0.0]}, entry | {"x": 3}, entry | {"sigma": "text"}, 7,
                  entry | {"sigma": [-1.0] * 5}, entry | {"types": 3}, entry | {"x": [5, 4, 3, 2, 1]}):  # fmt: skip
        fit = {"uncertainty": document["fit"]["uncertainty"] | {"bonded": [wrong]}}
        table().save(path, fit=fit)
        with pytest.raises(DiffPairError, match=r'p\.json: "fit.uncertainty'):
            load_uncertainty(path)
