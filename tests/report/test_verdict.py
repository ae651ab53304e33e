"""The sentence at the top: every case of a fit, by its files."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from diffpair.cli import cli, main
from diffpair.errors import DiffPairError
from diffpair.report.html.folder import read_folder
from diffpair.report.html.verdict import judge


@pytest.fixture
def verdict(copy, edit):
    """verdict(fitted, held_out, ...): of a fit whose g(r) are (mae, noise); whose pressure is at its target."""

    def of(fitted, held_out=(0.002, 0.002), known=True, exhausted=False, converged=True, pressure=60.0):
        def numbers(document):
            for state, (mae, noise) in zip(document["states"], (fitted, held_out), strict=True):
                state["targets"][0] |= {"mae": mae, "mae_noise": noise, "noise_known": known}
            document["states"][0]["targets"][1] |= {"value": pressure, "error": 1.0}
            document["stopped"] = "the residual is at its statistical noise"

        def ending(document):
            document["exhausted"] = exhausted
            for state, (mae, _) in zip(document["states"], (fitted, held_out), strict=True):
                state["converged"] = converged
                state["curves"][0]["misfit"] = mae

        edit(copy / "summary.json", numbers)
        edit(copy / "results.json", ending)
        return judge(read_folder(copy))

    return of


def test_within_noise(verdict):
    found = verdict((0.0024, 0.0019))
    assert found.level == "good"
    assert found.sentence == (
        "The potential reproduces all 2 targets within their noise: the worst is g(r) of A–A, mean |g − target| "
        "0.0024, noise 0.0019."
    )
    assert any(sentence.startswith("Held-out states are reproduced as well") for sentence in found.more)
    assert "The iterations ended because the residual is at its statistical noise." in found.more


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({"fitted": (0.0060, 0.0019)}, "fair", "comes close to 1 of 2 targets, but the difference is more than noise"),
        ({"fitted": (0.0600, 0.0019)}, "bad", "does not reproduce 1 of 2 targets: the worst is g(r) of A–A, mean"),
        ({"fitted": (0.0600, 0.0019), "exhausted": True}, "bad", "has not converged within its 2 iterations: 1 of 2"),
        ({"fitted": (0.0024, 0.0019), "known": False}, "fair", "Production was too short to tell its noise"),
        ({"fitted": (0.0024, 0.0019), "converged": False}, "fair", "but production is noisier than was asked for"),
        ({"fitted": (0.0024, 0.0019), "held_out": (0.08, 0.002)}, "bad", "but not the held-out state hot"),
        ({"fitted": (0.0024, 0.0019), "held_out": (0.008, 0.002)}, "fair", "but not the held-out state hot"),
        (
            {"fitted": (0.0024, 0.0019), "pressure": 95.0},
            "bad",
            "the worst is the pressure, 95.0 ± 1.0 bar",
        ),
        (
            {"fitted": (0.0024, 0.0019), "pressure": 72.0},
            "fair",
            "the worst is the pressure, 72.0 ± 1.0 bar",
        ),
    ],
)
def test_honest_cases(verdict, given, level, words):
    found = verdict(**given)
    assert found.level == level and words in found.sentence and found.sentence.endswith(".")


def test_a_factor_that_the_target_admits_is_no_misfit(verdict, copy, edit):
    verdict((0.03, 0.0019))
    edit(copy / "results.json", lambda document: document["states"][0]["curves"][0].update(misfit=0.002))
    assert judge(read_folder(copy)).level == "good"


def test_a_fit_at_work_and_one_that_failed(copy, edit):
    for name in ("summary.json", "results.json"):
        (copy / name).unlink()
    found = judge(read_folder(copy))
    assert found.sentence == "The fit has not finished." and "The best of 2 iterations is number" in found.more[0]

    def failed(document):
        document["fit"].update(stopped="no step helped", mae=0.1)
        document["provenance"].pop("sha256", None)  # of the content before

    edit(copy / "potential.json", failed)
    found = judge(read_folder(copy))
    assert found.sentence == "The fit failed before its production: no step helped." and found.level == "bad"
    (copy / "potential.json").unlink()
    fit = read_folder(copy)
    assert fit.potentials[0].file == "iterations/potential-002.json", "the last that there is"
    for name in ("history.json", "iterations/potential-001.json", "iterations/potential-002.json"):
        (copy / name).unlink()
    result = CliRunner().invoke(cli, ["report", str(copy)])
    assert result.exit_code == 0 and "No iteration is complete." in (copy / "report.html").read_text()


def test_a_folder_of_an_earlier_diffpair_has_numbers_without_curves(copy):
    (copy / "results.json").unlink()
    CliRunner().invoke(cli, ["report", str(copy)], catch_exceptions=False)
    page = (copy / "report.html").read_text()
    assert "The folder holds no curves of production (results.json)." in page and "mean |g − target|" in page


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("summary.json", '{"states": [', "summary.json: damaged, or not of a fit"),
        ("summary.json", "[]", "summary.json: damaged, or not of a fit: it holds no object"),
        (
            "summary.json",
            '{"states": [{"name": "a"}]}',
            "summary.json: damaged, or not of a fit: 'md_steps' is missing",
        ),
        ("results.json", '{"format": "diffpair-results", "version": 2}', "results.json: damaged, or not of a fit"),
        ("results.json", "{}", "results.json: damaged, or not of a fit: 'format' is missing"),
        ("history.json", '[{"number": 1}]', "history.json: damaged, or not of a fit"),
        ("history.json", "\x00\xff", "history.json: damaged, or not of a fit"),
        ("audit.json", "{}", "audit.json: damaged, or not of a fit: 'states' is missing"),
        ("potential.json", '{"format": "diffpair-potential", "ver', "potential.json: a damaged potential file"),
    ],
)
def test_a_damaged_file_is_named(copy, file, content, words):
    (copy / file).write_text(content, encoding="latin-1")
    with pytest.raises(DiffPairError) as error:
        read_folder(copy)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_folder_without_a_fit_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for path, words in (
        (tmp_path / "none", "there is no such folder"),
        (tmp_path / "file", "is a file"),
        (tmp_path, "it is not the folder of a fit"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["report", str(path)])
        said = capsys.readouterr().err
        assert end.value.code == 2 and words in said and said.count("\n") == 1
