"""What diffpair fit says: lines with the time left, --quiet, and --json for machines."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import run
from rich.console import Console
from small_fits import written

import diffpair
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.progress import FitProgress, span

NOISE = {"production": {"max_steps": 600, "noise_target": 0.0001}}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return written(tmp_path, **NOISE)


def seconds_of(text):
    number, unit = text.split()
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


def test_lines_tell_the_time_left_and_end_with_the_verdict(capsys, config):
    status, out, err = run(capsys, "fit", config, "--out", "out")
    assert status == 0 and err == "" and "\x1b" not in out
    lines = out.splitlines()
    told = [re.search(r"^iteration   (\d)/3  mean .* s, < ([\d.]+ \w+) left", line) for line in lines]
    told = [one for one in told if one]
    assert [one[1] for one in told] == ["1", "2", "3"] and all(seconds_of(one[2]) > 0 for one in told)
    assert re.match(r"out: (good|fair|bad)\. The ", lines[-1]) and "" not in lines


def test_quiet_says_what_is_unusual_and_the_verdict(capsys, config):
    status, out, err = run(capsys, "fit", config, "--out", "out", "--quiet")
    assert status == 0 and out.count("\n") == 1 and re.match(r"out: (good|fair|bad)\. The ", out)
    assert err and all(line.startswith("diffpair: note: ") for line in err.splitlines())
    assert "the noise of its mean |g - target| is still" in err


def test_json_is_an_object_per_line(config):
    """A real process: nothing else reaches standard output, also nothing that libraries print."""
    environment = os.environ | {"PYTHONPATH": str(Path(diffpair.__file__).parents[1]), "FORCE_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "diffpair", "fit", "fit.yaml", "--out", "out", "--json"], env=environment,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "start" and kinds[-1] == "result" and kinds.count("iteration") == 3
    assert set(kinds) == {"start", "stage", "message", "iteration", "production", "warning", "result"}
    page = (Path(__file__).parents[2] / "docs/guide/commands.md").read_text()
    for event in events:
        (row,) = re.findall(rf"^\| `{event['event']}` \| (.*) \|$", page, re.MULTILINE)
        assert set(event) - {"event"} <= set(re.findall(r"`(\w+)`", row)), event["event"]
    start, result = events[0], events[-1]
    assert (start["config"], start["out"], start["iterations"], start["resume"]) == ("fit.yaml", "out", 3, False)
    assert start["states"] == [{"name": "gas", "held_out": False}]
    iterations = [event for event in events if event["event"] == "iteration"]
    history = json.loads(Path("out/history.json").read_text())
    assert [one["residual"] for one in iterations] == [one["mae"] for one in history]
    assert [one["noise"] for one in iterations] == [one["noise"] for one in history]
    assert iterations[0]["seconds_left_at_most"] > 0 and iterations[0]["of"] == 3
    summary = json.loads(Path("out/summary.json").read_text())
    (production,) = (event for event in events if event["event"] == "production")
    assert production["targets"] == summary["states"][0]["targets"] and production["state"] == "gas"
    assert result["verdict"] in ("good", "fair", "bad") and Path(result["potential"]).is_file()
    assert (result["iterations"], result["md_steps"], result["stopped"]) == (3, summary["md_steps"], summary["stopped"])


def test_a_failure_is_an_event_as_well(capsys, config):
    config.write_text(config.read_text().replace("gas.csv", "none.csv"))
    status, out, err = run(capsys, "fit", config, "--out", "out", "--json")
    assert status == 2 and err.startswith("diffpair: ") and "none.csv" in err
    error = json.loads(out.splitlines()[-1])
    assert error["event"] == "error" and err == f"diffpair: {error['text']}\n"


def test_warnings_are_events(capsys, config, tmp_path):
    text = (tmp_path / "gas.csv").read_text().splitlines()
    rows = [text[0], *(f"{line.split(',')[0]},{3 * float(line.split(',')[1])}" for line in text[1:])]
    (tmp_path / "gas.csv").write_text("\n".join(rows))
    status, out, _ = run(capsys, "fit", config, "--out", "p.json/x", "--json")
    warned = [json.loads(line)["text"] for line in out.splitlines() if '"warning"' in line]
    assert status in (0, 2) and any("is it normalised?" in text for text in warned)


def test_two_ways_at_once_are_refused(capsys, config):
    for command in (["fit", config, "--out", "out"], ["run", "out", "--steps", "10", "--out", "x"]):
        status, out, err = run(capsys, *command, "--json", "--quiet")
        assert (status, out) == (2, "") and "--quiet and --json do not go together" in err


def test_a_narrow_terminal_gets_lines_that_fit(tmp_path):
    entry = Iteration(7, mae=0.0123, noise=0.0045, step=0.123, md_steps=123456, seconds=1234.5)
    for width, whole in ((80, False), (120, True)):
        with (tmp_path / "said").open("w") as file:
            progress = FitProgress(Console(file=file, force_terminal=True, width=width))
            progress.seconds_left = 4000.0
            progress.iteration(entry, 10)
        (line,) = (tmp_path / "said").read_text().splitlines()
        assert "(noise 0.0045)" in line and "< 67 min left" in line and len(line) <= width
        assert ("MD steps" in line) == ("step 0.123 kT" in line) == whole


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "10 s"), (31, "40 s"), (99, "100 s"), (101, "2 min"), (5999, "100 min"), (6001, "1.7 h"), (86400, "24 h")],
)
def test_spans_are_rounded_up(seconds, words):
    assert span(seconds) == words and seconds_of(words) >= seconds
