"""summary.json as it is specified, and the figure."""

import json
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from diffpair.bonded import HarmonicTerm, TabulatedTerm
from diffpair.engines import ProductionResult, RdfResult, Snapshot
from diffpair.engines.results import Density, DensityResult, DistributionResult
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import Pressure
from diffpair.report import summary_document, write_summary
from diffpair.report.plots import draw_fit, plot_fit
from diffpair.tables import PairTable, TableUncertainty
from diffpair.tables.uncertainty import BondedBand

PRESSURE = Pressure(12.5, 0.5)


def result(name, held_out=False, pressure=PRESSURE, pair=("A", "A"), targets=()):
    r = np.linspace(0.8, 2.4, 33)
    g = 1 + np.exp(-((r - 1.1) ** 2) / 0.01)
    rdf = RdfResult(pair, r, g, g + 0.01, np.full(33, 0.004), 0.01, 0.0032, independent=250.5)
    snapshot = Snapshot(np.zeros((2, 3)), np.zeros((2, 3)), np.eye(3), 10)
    return ProductionResult(
        name, held_out, [rdf, *targets], pressure, 1000, True, 0.9, snapshot, no_pressure="no box",
        density=Density(0.7, 0.002),
    )  # fmt: skip


def document(results):
    return summary_document(
        iterations=7, wall_seconds=12.5, md_seconds=9.5, md_steps=9000, results=results, potential="potential.json"
    )


def test_summary_has_exactly_the_specified_keys(tmp_path):
    path = write_summary(tmp_path / "summary.json", document([result("liquid"), result("other", held_out=True)]))
    assert json.loads(path.read_text()) == {
        "iterations": 7,
        "wall_seconds": 12.5,
        "md_seconds": 9.5,
        "md_steps": 9000,
        "states": [
            {
                "name": name,
                "held_out": held_out,
                "pressure": {"value": 12.5, "error": 0.5, "unit": "bar"},
                "density": {"value": 0.7, "error": 0.002, "unit": "g/cm^3"},
                "targets": [
                    {
                        "kind": "rdf",
                        "pair": ["A", "A"],
                        "mae": 0.01,
                        "mae_noise": 0.0032,
                        "independent_frames": 250.5,
                        "noise_known": True,
                    }
                ],
            }
            for name, held_out in (("liquid", False), ("other", True))
        ],
        "files": {"potential": "potential.json"},
    }
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


def test_a_target_density_is_told_in_its_unit():
    density = DensityResult(30.5, 30.2, 0.1, "nm^-3")
    targets = document([result("liquid", targets=[density])])["states"][0]["targets"]
    assert targets[1] == {"kind": "density", "target": 30.5, "value": 30.2, "error": 0.1, "unit": "nm^-3"}


def test_a_missing_pressure_is_null_with_a_reason():
    pressure = document([result("liquid", pressure=None)])["states"][0]["pressure"]
    assert pressure == {"value": None, "error": None, "unit": "bar", "reason": "no box"}


def test_a_summary_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = write_summary(tmp_path / "summary.json", {"iterations": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_summary(path, {"iterations": float("nan")})
    assert json.loads(path.read_text()) == {"iterations": 1}
    with pytest.raises(DiffPairError, match=r"summary.json"):
        write_summary(tmp_path / "nowhere" / "summary.json", {})


@pytest.mark.parametrize("count", [1, 3])
def test_the_figure_shows_every_target(tmp_path, lj_table, count):
    results = [result(f"state{k}", held_out=k == 2) for k in range(count)]
    path = plot_fit(tmp_path / "fit.png", results, lj_table, [0.1, 0.02, 0.0], start=lj_table, title="A fit")
    image = matplotlib.image.imread(path)
    assert image.shape[1] > 1500 and image.shape[0] > (800 if count > 1 else 400)
    assert 0.02 < np.mean(image[:, :, :3].min(axis=2) < 0.9) < 0.5  # neither blank nor black


def test_the_figure_shows_distributions_and_bonded_terms(lj_table):
    """Panels for p of each target, and one for the bonds, the angles and the dihedrals; in degrees, with bands."""
    terms = (
        HarmonicTerm.of("AA", 900.0, 0.4),
        TabulatedTerm("AAA", np.array([5.0, 0, 1, 4, 9]), low=1.2, high=3.0),
        TabulatedTerm("AAAA", np.sin(np.arange(8))),
    )
    x = np.linspace(1.2, 3.0, 41)
    found = DistributionResult("angle", ("A", "A", "A"), x, 0.6 + 0 * x, 0.5 + 0 * x, 0.01 + 0 * x, 0.18, 0.02)
    band = BondedBand(("A", "A", "A"), x, 0.3 + 0 * x)
    figure = draw_fit(
        [result("liquid", targets=[found])],
        replace(lj_table, bonded=terms),
        [0.1],
        start=replace(lj_table, bonded=(terms[0], terms[1].with_values(terms[1].values[::-1]), terms[2])),
        uncertainty=TableUncertainty(("A",), np.array([0.9, 2.0]), np.ones((1, 2)), bonded=(band,)),
    )
    figure.draw_without_rendering()
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [
        "mean |g − target| = 0.0100 (noise 0.0032)", "integral |p − target| = 0.1800 (noise 0.0200)",
        "pair potential", "bonds", "angles", "dihedrals", "fit",
    ]  # fmt: skip
    by_title = {axes.get_title(): axes for axes in figure.axes}
    p = by_title[titles[1]].get_lines()
    np.testing.assert_allclose(p[1].get_xdata(), np.degrees(x))
    np.testing.assert_allclose(p[1].get_ydata(), np.radians(0.6))  # per degree
    learned, start, _ = by_title["angles"].get_lines()
    np.testing.assert_allclose(learned.get_xdata()[[0, -1]], np.degrees([1.2, 3.0]))
    assert learned.get_ydata().min() == 0 and learned.get_ydata()[0] == pytest.approx(5, rel=0.1)
    assert start.get_label() == "A–A–A, start" and start.get_ydata()[0] == pytest.approx(9, rel=0.1)
    assert len(by_title["angles"].collections) == 1 and len(by_title["bonds"].get_lines()) == 2  # as it started


def test_names_are_not_taken_for_mathematics(tmp_path):
    table = PairTable(("A_", "$x^"), 0.7, 2.5, np.zeros((3, 40)))
    results = [result("50% $", pair=("$x^", "$x^")), result("b", pair=("A_", "A_"))]
    assert plot_fit(tmp_path / "fit.svg", results, table, [0.1], start=table).stat().st_size > 10000


def test_a_figure_without_iterations_or_targets_can_be_drawn(tmp_path, lj_table):
    assert plot_fit(tmp_path / "fit.svg", [], lj_table, []).stat().st_size > 1000
