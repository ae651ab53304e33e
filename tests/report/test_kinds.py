"""Every kind of target, bonded terms with their bands, several tables, an audit: in the units of their axes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pages import Page

from diffpair import PairTable
from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.report.html import write_report
from diffpair.tables import TableUncertainty
from diffpair.tables.uncertainty import BondedBand

X = np.linspace(0.1, 2.9, 57)


def curve(kind, types, unit=1.0):
    p = 1 + np.sin(X)
    error = [None, *np.full(len(X) - 1, 0.01)]
    return {
        "kind": kind,
        "types": types,
        "x": X.tolist(),
        "found": p.tolist(),
        "target": (p + 0.5).tolist(),
        "error": error,
    }


@pytest.fixture
def page(copy, edit):
    def curves(document):
        document["states"][0]["curves"] += [
            curve("vacf", []),
            *(curve(kind, list(types)) for kind, types in (("bond", "AB"), ("angle", "ABA"), ("dihedral", "ABBA"))),
        ]
        document["states"][0]["own_errors"]["density"] = [0.3]

    def numbers(document):
        common = {"l1": 0.01, "l1_noise": 0.02, "noise_known": True}
        document["states"][0]["targets"] += [
            {"kind": "density", "target": 30.0, "value": 30.5, "error": 0.1, "unit": "nm^-3"},
            {"kind": "vacf", "max_deviation": 0.03, "error": 0.012},
            {"kind": "bond", "name": "A-B", "types": ["A", "B"], **common},
            {"kind": "angle", "name": "A-B-A", "types": ["A", "B", "A"], **common},
            {"kind": "dihedral", "name": "A-B-B-A", "types": list("ABBA"), **common},
        ]

    edit(copy / "results.json", curves)
    edit(copy / "summary.json", numbers)
    low, high = np.pi / 2, np.pi
    angle = TabulatedTerm(("A", "A", "A"), 3 * np.cos(np.linspace(low, high, 30)), low=low, high=high, wall=100.0)
    table = PairTable.load(copy / "potential.json")
    table = PairTable(
        table.types, table.r_min, table.cutoff, table.coefficients, {"temperature": 120.0},
        bonded=(HarmonicTerm.of_numbers(("A", "A"), {"k": 1000.0, "x0": 0.3}), angle),
    )  # fmt: skip
    document = json.loads((copy / "potential.json").read_text())
    r = np.linspace(0.8, 2.5, 9)
    x = np.linspace(low, high, 20)
    bonded = (BondedBand(("A", "A", "A"), x, 0.02 * x),)
    band = TableUncertainty(("A",), r, np.full((1, 9), 0.1), ("g leaves <b>much</b> open",), bonded=bonded)
    fit = document["fit"] | {"uncertainty": band.document()}
    table.save(copy / "potential.json", provenance=document["provenance"], fit=fit)
    table.save(copy / "potential-hot.json")
    entry = {"cosine": 0.97, "error": 0.01, "ratio": 1.1, "noise": None, "growth": 1.4}
    audit = {
        "recommended": {"sentences": ["take 24 segments of 50 steps"]},
        "states": [{"name": "liquid", "lengths": [{"steps": 10, **entry}, {"steps": 50, **entry, "cosine": None}]}],
    }
    (copy / "audit.json").write_text(json.dumps(audit))
    return Page(write_report(copy).read_text())


def test_targets_of_every_kind(page):
    assert "density30.50 ± 0.10 nm^-3, target 30.00 ± 0.30✓ within noise" in page.text
    assert "C(t)/C(0) of the velocitieslargest |C − target| 0.030, noise 0.012✓ within noise" in page.text
    for name, header, unit in (
        ("bond-A-B-liquid.csv", ("r_nm", "p_per_nm"), 1.0),
        ("angle-A-B-A-liquid.csv", ("theta_degree", "p_per_degree"), np.pi / 180),
        ("dihedral-A-B-B-A-liquid.csv", ("phi_degree", "p_per_degree"), np.pi / 180),
    ):
        columns = page.columns(name)
        assert tuple(columns) == (*header, "p_target", "standard_error")
        np.testing.assert_allclose(columns[header[0]], X / unit, rtol=1e-7)
        np.testing.assert_allclose(columns[header[1]], (1 + np.sin(X)) * unit, rtol=1e-7)
        assert np.isnan(columns["standard_error"][0]) and columns["standard_error"][1] == pytest.approx(0.01 * unit)
    assert page.columns("vacf-velocities-liquid.csv")["C_target"][0] == pytest.approx(1.5 + np.sin(0.1))


def test_potentials_with_bonded_terms_of_several_tables(page):
    assert {"U-temperature-120.csv", "U-bonds-temperature-120.csv"} <= set(page.files)
    assert page.text.count("U of angles at temperature = 120") == 2, "of both tables"
    assert "g leaves <b>much</b> open" in page.text
    found = [figure for figure in page.figures if 'aria-label="angles at' in figure]
    assert [figure.count('class="band') for figure in found] == [1, 0], "the second table has no error band"


def test_bonded_potentials_are_those_of_the_table(copy, page):
    u = page.columns("U-bonds-temperature-120.csv")
    energy = 500 * (u["r_nm"] - 0.3) ** 2
    np.testing.assert_allclose(u["U_A-A_kJ/mol"], energy - energy.min(), atol=1e-5)


def test_audit(page):
    assert "take 24 segments of 50 steps" in page.text and "0.97" in page.text
    audit = page.columns("audit.csv")
    np.testing.assert_array_equal(audit["steps"], [10, 50])
    np.testing.assert_array_equal(audit["cosine_liquid"], [0.97, np.nan])
