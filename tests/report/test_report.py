"""`diffpair report`: what the page says is what the files say, and nothing in it is anybody's code."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from pages import EVIL, Page

from diffpair import PairTable
from diffpair.report.html import write_report
from diffpair.report.html.content import report_of
from diffpair.report.html.folder import read_folder
from diffpair.report.html.render import LIMIT, report_page
from diffpair.tables import load_uncertainty


def page_of(folder):
    return Page(write_report(folder, folder.parent / "page.html").read_text())


def test_a_fit_ends_with_the_report_that_the_command_writes(finished, tmp_path):
    """From files alone, with the same bytes each time."""
    written = (finished / "report.html").read_bytes()
    assert write_report(finished, tmp_path / "again.html").read_bytes() == written
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from diffpair.cli import main; main(sys.argv[1:])"
    )  # fmt: skip
    out = tmp_path / "without-torch.html"
    subprocess.run([sys.executable, "-c", code, "report", str(finished), "--out", str(out)], check=True)
    assert out.read_bytes() == written
    moved = shutil.copytree(finished, tmp_path / "elsewhere" / "out")
    assert write_report(moved).read_bytes() == written


def test_the_numbers_are_those_of_the_files(finished):
    page = page_of(finished)
    summary = json.loads((finished / "summary.json").read_text())
    for state in summary["states"]:
        assert state["name"] in page.text
        rdf = next(target for target in state["targets"] if target["kind"] == "rdf")
        assert f"g(r) of A–Amean |g − target| {rdf['mae']:#.2g}, noise {rdf['mae_noise']:#.2g}" in page.text
    assert f"{summary['md_steps']:,}" in page.text
    pressure = next(target for target in summary["states"][0]["targets"] if target["kind"] == "pressure")
    told = re.search(r"pressure(−?[\d.]+) ± ([\d.]+) bar, target 60\.0 ± 5\.0", page.text)
    assert float(told[1].replace("−", "-")) == pytest.approx(pressure["value"], abs=0.6 * pressure["error"])
    assert float(told[2]) == pytest.approx(pressure["error"], rel=0.05)
    potential = json.loads((finished / "potential.json").read_text())
    for version in potential["provenance"]["versions"].values():
        assert version in page.text
    assert re.search(r"rundynamics on OpenMM's \w+, g\(r\) and gradients on", page.text)
    for name in ("potential.json", "summary.json", "results.json", "history.json"):
        assert hashlib.sha256((finished / name).read_bytes()).hexdigest() in page.text
    assert hashlib.sha256((finished.parent / "rdf.csv").read_bytes()).hexdigest() in page.text
    assert f"diffpair fit {finished.parent / 'fit.yaml'} --out out" in page.text
    config = (finished.parent / "fit.yaml").read_text()
    assert " ".join(config.split()) in page.text


def test_every_figure_has_its_data_inside(finished):
    page = page_of(finished)
    assert len(page.figures) == len(page.files) == 5, "g(r) twice, U, the residual and the pressure"
    results = json.loads((finished / "results.json").read_text())
    names = ("rdf-A-A-liquid.csv", "rdf-A-A-hot-script-alert-1-script-cold.csv")
    for state, name in zip(results["states"], names, strict=True):
        (curve,) = state["curves"]
        columns = page.columns(name)
        assert list(columns) == ["r_nm", "g", "g_target", "standard_error"]
        for key, column in zip(("x", "found", "target", "error"), columns.values(), strict=True):
            np.testing.assert_allclose(column, np.array(curve[key], dtype=float), rtol=1e-7, atol=1e-15)
    wanted = np.loadtxt(finished.parent / "rdf.csv", delimiter=",", skiprows=1)
    inside = page.columns("rdf-A-A-liquid.csv")
    np.testing.assert_allclose(inside["g_target"], np.interp(inside["r_nm"], *wanted.T), atol=1e-7)
    table, band = PairTable.load(finished / "potential.json"), load_uncertainty(finished / "potential.json")
    start = PairTable.load(finished / "start.json")
    u = page.columns("U-r.csv")
    np.testing.assert_allclose(u["U_A-A_kJ/mol"], table.energy(u["r_nm"]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(u["sigma_A-A_kJ/mol"], band.at(u["r_nm"]), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(u["start_A-A_kJ/mol"], start.energy(u["r_nm"]), rtol=1e-5, atol=1e-6)
    history = json.loads((finished / "history.json").read_text())
    np.testing.assert_allclose(page.columns("iterations.csv")["mae"], [step["mae"] for step in history], rtol=1e-7)


def test_a_figure_draws_its_data(finished):
    """Read off as a person does: places of the ticks, then the line between them."""
    page = page_of(finished)
    figure, data = page.figures[0], page.columns("rdf-A-A-liquid.csv")
    texts = re.findall(r'<text class="tick" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([−\d.]+)<', figure)
    ticks = [(float(x), float(y), anchor, float(text.replace("−", "-"))) for x, y, anchor, text in texts]
    across = np.array([(x, value) for x, _, anchor, value in ticks if anchor == "middle"])
    upper = np.array([(y - 4, value) for _, y, anchor, value in ticks if anchor == "end" and y < 215])
    lower = np.array([(y - 4, value) for _, y, anchor, value in ticks if anchor == "end" and y > 215])
    off = data["g"] - data["g_target"]
    for css, axis, values, atol in (("c0", upper, data["g"], 0.01), ("c1", lower, off, 0.02 * np.abs(off).max())):
        (path,) = re.findall(rf'<path class="line {css}" d="M([^"]*)"', figure)
        points = np.array([[float(number) for number in pair.split(",")] for pair in path.split()])
        np.testing.assert_allclose(np.polyval(np.polyfit(*across.T, 1), points[:, 0]), data["r_nm"], atol=0.002)
        np.testing.assert_allclose(np.polyval(np.polyfit(*axis.T, 1), points[:, 1]), values, atol=atol)


def test_what_users_write_stays_text(finished):
    source = (finished / "report.html").read_text()
    page = Page(source)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form"} and EVIL in page.text
    assert "<script" not in source.lower() and "&lt;script&gt;" in source
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]


def test_no_word_of_the_page_asks_the_network(finished):
    source = (finished / "report.html").read_text()
    assert not re.search(r"https?:|//[a-z]|url\(|@import", source)
    links = {given.get("href", "")[:5] for tag, given in Page(source).tags if tag in ("a", "link")}
    assert all(link.startswith(("data:", "#")) for link in links)


def test_a_page_of_many_states_stays_small(copy, edit):
    """It leaves out tables first, then figures of what is reproduced best, and says so."""
    report = report_of(read_folder(copy))
    whole = report_page(report)
    assert len(whole.encode()) < 300_000 and "<summary>table</summary>" in whole
    small = report_page(report, limit=len(whole.encode()) - 1)
    assert "<summary>table</summary>" not in small and len(Page(small).files) == 5

    def many(document):
        first = document["states"][0]
        document["states"] = [first | {"name": f"state {i}"} for i in range(600)]

    def worse(document):
        many(document)
        document["states"][417]["targets"] = [document["states"][0]["targets"][0] | {"mae": 0.9}]

    edit(copy / "summary.json", worse)
    edit(copy / "results.json", many)
    source = write_report(copy).read_text()
    page = Page(source)
    assert len(source.encode()) < LIMIT
    assert "rdf-A-A-state-417.csv" in page.files and 30 < len(page.files) < 600
    assert re.search(r"The figures of \d+ targets are left out", page.text)
