"""`diffpair compare`: two fits in one table and one figure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from pages import EVIL, Page

from diffpair import PairTable
from diffpair.cli import cli
from diffpair.errors import DiffPairError
from diffpair.report.html import write_comparison
from diffpair.tables import load_uncertainty


@pytest.fixture
def other(copy, edit):
    """Another fit: its U is deeper by a tenth, its g(r) higher, its config another, and it has one target less."""
    table = PairTable.load(copy / "potential.json")
    document = json.loads((copy / "potential.json").read_text())
    deeper = PairTable(table.types, table.r_min, table.cutoff, 1.1 * table.coefficients)
    origin = document["provenance"] | {"config_text": document["provenance"]["config_text"].replace("40", "41")}
    deeper.save(copy / "potential.json", provenance=origin, fit=document["fit"])

    def higher(document):
        curve = document["states"][0]["curves"][0]
        curve["found"] = [value + 0.1 for value in curve["found"]]

    edit(copy / "results.json", higher)
    edit(copy / "summary.json", lambda document: document["states"][0]["targets"].pop(1))
    edit(copy / "summary.json", lambda document: document["states"][0]["targets"][0].update(mae=0.1, mae_noise=0.003))
    return copy.rename(copy.parent / "other")


def test_numbers_and_curves_side_by_side(finished, other, tmp_path):
    out = tmp_path / "comparison.html"
    result = CliRunner().invoke(cli, ["compare", str(finished), str(other), "--out", str(out)], catch_exceptions=False)
    assert result.output == f"wrote {out}\n"
    source = out.read_text()
    page = Page(source)
    assert "<script" not in source.lower() and EVIL in page.text
    for folder in (finished, other):
        rdf = json.loads((folder / "summary.json").read_text())["states"][0]["targets"][0]
        assert f"mean |g − target| {rdf['mae']:#.2g}, noise {rdf['mae_noise']:#.2g}" in page.text
    assert "no such target" in page.text and "+ knots: 41" in page.text
    u = page.columns("compare-U-A-A.csv")
    table, band = PairTable.load(finished / "potential.json"), load_uncertainty(other / "potential.json")
    np.testing.assert_allclose(u["U_out_kJ/mol"], table.energy(u["r_nm"]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(u["U_other_kJ/mol"], 1.1 * table.energy(u["r_nm"]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(u["sigma_other_kJ/mol"], band.at(u["r_nm"]), rtol=1e-4, atol=1e-6)
    g = page.columns("compare-rdf-A-A-liquid.csv")
    np.testing.assert_allclose(g["g_other"] - g["g_out"], 0.1, atol=1e-6)
    assert write_comparison([finished, other], tmp_path / "again.html").read_text() == source


def test_another_target_is_told(finished, other, edit, tmp_path):
    def coarser(document):
        curve = document["states"][0]["curves"][0]
        for key in ("x", "found", "target", "error"):
            curve[key] = curve[key][::2]

    edit(other / "results.json", coarser)
    page = Page(write_comparison([finished, other], tmp_path / "c.html").read_text())
    assert page.text.count("the fits have different targets") == 1, "of the liquid, not of the held-out state"
    assert len(page.columns("compare-rdf-A-A-liquid.csv")["g_other"]) == 100


def test_one_fit_twice_and_one_at_work(finished, copy, tmp_path):
    page = Page(write_comparison([finished, finished], tmp_path / "c.html").read_text())
    assert (
        f"{finished} (1)" in page.text and f"{finished} (2)" in page.text and "The configs are the same." in page.text
    )
    for name in ("summary.json", "results.json", "potential.json"):
        (copy / name).unlink()
    page = Page(write_comparison([copy, finished], tmp_path / "c.html").read_text())
    assert "The fit has not finished." in page.text and "compare-U-A-A.csv" in page.files


@pytest.mark.parametrize("count", [1, 7])
def test_too_few_or_too_many(finished, count):
    with pytest.raises(DiffPairError, match=f"a comparison is of 2 to 6 fits, not of {count}"):
        write_comparison([finished] * count)
