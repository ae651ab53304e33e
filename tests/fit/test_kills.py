"""Fits that are killed at any moment, whose disk is full, whose files are damaged: what they have found is kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
import small_fits
import torch
from short_disk import anybody, files_of_at_most

from diffpair import DiffPairError, PairTable
from diffpair.config import load_config, make_fit, run_fit
from diffpair.engines.pieces import Bench
from diffpair.fit.record.checkpoint import BEFORE, CHECKPOINT, KIND, VERSION
from diffpair.fit.record.lock import LOCK, locked
from diffpair.fit.record.production import PRODUCTION
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.record.sealed import sealed

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
from killed_fits import PRELOAD, REPORT, WRITING, Moment, bits, differences, live, redone

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(PRELOAD)


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    return small_fits.written(tmp_path_factory.mktemp("kills"))


@pytest.fixture(scope="module")
def whole(config) -> Path:
    """The folder of the fit that nothing has disturbed."""
    out = config.parent / "whole"
    life = live(config, out)
    assert life.status == 0 and WRITING in life.phases and REPORT in life.phases
    assert life.iterations == [1, 2, 3]
    return out


@pytest.fixture
def begun(whole, tmp_path) -> Path:
    """A folder with two iterations done, and killed."""
    out = tmp_path / "begun"
    shutil.copytree(whole.parent / "two", out) if (whole.parent / "two").exists() else None
    if not out.exists():
        with pytest.raises(KeyboardInterrupt):
            run_fit(load_config(whole.parent / "fit.yaml"), whole.parent / "two", progress=Heard("iteration 3/"))
        shutil.copytree(whole.parent / "two", out)
    return out


class Heard(FitProgress):
    """What is said; interrupted where a bar begins with `at`."""

    def __init__(self, at: str = "never"):
        super().__init__()
        self.at, self.lines = at, []

    def begin(self, what, steps):
        if what.startswith(self.at):
            raise KeyboardInterrupt
        super().begin(what, steps)

    def say(self, text):
        self.lines.append(text)


def test_a_fit_that_is_killed_ends_with_the_same_bits(config, whole, tmp_path):
    """While it writes, before and after a new file takes the place of the old one; and at any other time."""
    draw, out, lives = random.Random(4), tmp_path / "killed", []
    moments = [Moment(call=call, count=count) for call, count in (("replace", 2), ("fsync", 5), ("replace", 4))]
    moments += [Moment(draw.uniform(0.1, 0.6)) for _ in range(4)]
    moments += [Moment(call="replace", count=4), Moment(call="fsync", count=9), Moment(call="replace", count=8)]
    for moment in moments:
        lives.append(live(config, out, moment))
        assert lives[-1].killed or lives[-1].status == 0
    lives.append(live(config, out))
    assert lives[-1].status == 0 and sum(one.killed for one in lives) > 5
    assert redone(lives) <= 1
    assert differences(bits(whole), bits(out)) == []
    assert not [path for path in out.rglob("*.tmp")], "what was half written is swept away"


def test_a_fit_that_is_killed_while_it_reports(config, whole, tmp_path):
    """Its files are known again, and not taken for something of the user's."""
    out, killed = tmp_path / "ended", 0
    shutil.copytree(whole, out)
    for file in ("summary.json", "beads.pdb", "system.xml", "forcefield.xml", "potential.json", "fit.png"):
        (out / file).unlink()
    for count in range(3, 16):
        life = live(config, out, Moment(call="replace", count=count))
        killed += life.killed and REPORT in life.phases
    assert killed > 3 and live(config, out).status == 0
    assert differences(bits(whole), bits(out)) == []
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in whole.iterdir())


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [flip, truncate, empty])
def test_the_checkpoint_before_takes_over(harm, whole, begun):
    """It is told, costs one iteration, and the damaged one does not take its place."""
    config, heard = load_config(whole.parent / "fit.yaml"), Heard("iteration 3/")
    harm(begun / CHECKPOINT)
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, begun, True, progress=heard)
    said = "\n".join(heard.lines)
    assert f"note: {begun / CHECKPOINT} is" in said and "damaged" in said
    assert f"the fit goes on from the one before it, {begun / BEFORE}" in said and "after iteration 1" in said
    run_fit(config, begun, True)
    assert differences(bits(whole), bits(begun)) == []


def test_two_damaged_checkpoints_are_told(whole, begun):
    flip(begun / CHECKPOINT)
    truncate(begun / BEFORE)
    with pytest.raises(DiffPairError) as caught:
        run_fit(load_config(whole.parent / "fit.yaml"), begun, True)
    assert str(begun / CHECKPOINT) in str(caught.value) and str(begun / BEFORE) in str(caught.value)
    assert "start anew without --resume, which moves the results so far to another folder" in str(caught.value)


def test_a_checkpoint_of_another_version_is_refused_by_name(whole, begun):
    config = load_config(whole.parent / "fit.yaml")
    torch.save({"version": 3}, begun / CHECKPOINT)  # as it was before there were checksums
    with pytest.raises(DiffPairError, match=rf"is a checkpoint of version 3, and this one reads version {VERSION}"):
        run_fit(config, begun, True)
    (begun / CHECKPOINT).write_bytes(sealed(b"", KIND, 9))
    with pytest.raises(DiffPairError, match="of version 9, .*go on with the diffpair that wrote it, or start anew"):
        run_fit(config, begun, True)


def test_damaged_tables_and_histories_are_written_anew(whole, begun):
    table, start, heard = begun / "iterations/potential-001.json", begun / "start.json", Heard()
    truncate(table)
    text = start.read_text()
    at = text.index('"coefficients"') + 40
    digit = next(k for k in range(at, len(text)) if text[k].isdigit())
    start.write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])
    flip(begun / "history.json")
    run_fit(load_config(whole.parent / "fit.yaml"), begun, True, progress=heard)
    said = "\n".join(heard.lines)
    assert f"note: {table}: a damaged potential file: it ends too early (truncated?); it is written anew" in said
    assert f"note: {start}: its content is not what was written" in said
    assert differences(bits(whole), bits(begun)) == []


def test_a_flipped_digit_in_a_potential_is_refused(whole, tmp_path):
    path = tmp_path / "potential.json"
    document = json.loads((whole / "potential.json").read_text())
    path.write_text(json.dumps(document))  # other blanks
    assert PairTable.load(path) == PairTable.load(whole / "potential.json")
    document["pairs"][0]["coefficients"][3] += 1e-9
    path.write_text(json.dumps(document))
    with pytest.raises(DiffPairError, match=r'potential\.json: its content .* remove "sha256" from "provenance" if'):
        PairTable.load(path)
    del document["provenance"]["sha256"]
    path.write_text(json.dumps(document))
    assert PairTable.load(path) != PairTable.load(whole / "potential.json")


@pytest.mark.parametrize(("room", "file"), [(1000, "history.json"), (10_000, CHECKPOINT)])
def test_a_full_disk_costs_an_iteration(room, file, whole, begun):
    config = load_config(whole.parent / "fit.yaml")
    with files_of_at_most(room), pytest.raises(DiffPairError) as caught:
        run_fit(config, begun, True)
    assert f"{file}: cannot be written: File too large" in str(caught.value)
    run_fit(config, begun, True)
    assert differences(bits(whole), bits(begun)) == []


def test_a_folder_that_cannot_be_written(whole, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DiffPairError, match=r"file/out: cannot be made: Not a directory"):
        run_fit(load_config(whole.parent / "fit.yaml"), tmp_path / "file/out")
    fit = make_fit(load_config(whole.parent / "fit.yaml"), progress=FitProgress.of(False))
    with tempfile.TemporaryDirectory() as folder:  # nobody may enter the folders of pytest
        os.chmod(folder, 0o555)
        try:
            with anybody(), pytest.raises(DiffPairError, match=rf"{folder}.*Permission denied"):
                fit.run(folder)
        finally:
            os.chmod(folder, 0o755)
        assert not os.listdir(folder)


def hold(out: Path) -> None:
    with locked(out):
        time.sleep(60)


def test_two_fits_in_one_folder(whole, begun):
    """The second one is refused; a process that was killed leaves no lock behind."""
    config = load_config(whole.parent / "fit.yaml")
    other = PROCESSES.Process(target=hold, args=(begun,))
    other.start()
    while not (begun / LOCK).is_file() or not (begun / LOCK).read_text():
        time.sleep(0.01)
    for resume in (True, False):
        with pytest.raises(
            DiffPairError, match=rf"begun: another fit is at work in this folder \(process {other.pid} on .*\): end"
        ):
            run_fit(config, begun, resume)
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    run_fit(config, begun, True)
    assert differences(bits(whole), bits(begun)) == []
    with locked(begun):
        pass


def command(arguments: list[str], said: Path) -> None:
    from diffpair.cli import main

    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout.reconfigure(line_buffering=True)
        main(arguments)


def start(arguments: list[str], said: Path, at: str):
    """`diffpair` in a process of its own that has said so by now."""
    process = PROCESSES.Process(target=command, args=(arguments, said))
    process.start()
    while not (said.is_file() and at in said.read_text()) and process.is_alive():
        time.sleep(0.01)
    return process


def test_an_interrupt_ends_after_the_present_task(config, whole, tmp_path):
    """It says how to go on, and that is how it goes on."""
    out, said = tmp_path / "my out", tmp_path / "said"
    process = start(["fit", str(config), "--out", str(out)], said, "iteration   1/")
    os.kill(process.pid, signal.SIGINT)
    process.join()
    text = said.read_text()
    assert process.exitcode == 130 and "diffpair: ends after the present task; Ctrl-C once more ends at once" in text
    again = shlex.split(text.split("go on with: ")[1].splitlines()[0])
    assert again == ["diffpair", "fit", str(config), "--out", str(out), "--resume"]
    process = start(again[1:], said, "wrote")
    process.join()
    assert process.exitcode == 0 and differences(bits(whole), bits(out)) == []


def test_a_second_interrupt_ends_at_once(tmp_path):
    sampling = {"timestep": "5 fs", "equilibration": 10, "steps": 10_000_000, "every": 10_000, "melt": 50}
    long = {"max_steps": 10_000_000, "every": 100}
    config, said = small_fits.written(tmp_path, sampling=sampling, production=long), tmp_path / "said"
    process = start(["fit", str(config), "--out", str(tmp_path / "out")], said, "table of")
    while not (tmp_path / "out" / CHECKPOINT).is_file() and process.is_alive():
        time.sleep(0.01)
    time.sleep(1.5)  # melted by then, and well within the first task
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.5)
    assert process.is_alive(), "the task is long"
    os.kill(process.pid, signal.SIGINT)
    process.join(20)
    assert process.exitcode == 130 and "go on with: diffpair fit" in said.read_text()


class Ended(Heard):
    """Interrupted at the n-th report of steps of production."""

    def __init__(self, count: int):
        super().__init__()
        self.count, self.producing = count, False

    def begin(self, what, steps):
        self.producing = what.startswith("production")
        super().begin(what, steps)

    def advance(self, steps):
        super().advance(steps)
        self.count -= self.producing
        if not self.count:
            raise KeyboardInterrupt


@pytest.fixture
def pieces(monkeypatch) -> list[str]:
    """What was done of production."""
    done, perform = [], Bench.perform

    def watched(self, piece, progress=None):
        found = perform(self, piece, progress)
        done.append(piece.what)
        return found

    monkeypatch.setattr(Bench, "perform", watched)
    monkeypatch.setattr("diffpair.fit.record.production.EVERY", 0.0)
    monkeypatch.setattr("diffpair.fit.record.production.PART", 0.0)
    return done


def test_production_goes_on(whole, begun, pieces):
    """Where it was, and with the bits of one that was not interrupted; a damaged file costs production alone."""
    config = load_config(whole.parent / "fit.yaml")
    for reports in (12, 110):  # after 1000 steps of equilibration, told by the hundred; after 100 frames
        with pytest.raises(KeyboardInterrupt):
            run_fit(config, begun, True, progress=Ended(reports))
    kept, first = (begun / PRODUCTION).read_bytes(), len(pieces)
    run_fit(config, begun, True)
    assert pieces.count("begin") == 1 and len(pieces) > first > 1 and not (begun / PRODUCTION).exists()
    assert differences(bits(whole), bits(begun)) == []
    (begun / PRODUCTION).write_bytes(kept[:-5])
    heard = Heard()
    run_fit(config, begun, True, progress=heard)
    assert any(
        f"note: {begun / PRODUCTION} is damaged" in said and "production begins anew" in said for said in heard.lines
    )
    assert pieces.count("begin") == 2 and differences(bits(whole), bits(begun)) == []


def test_production_with_earlier_potentials_goes_on(whole, begun, pieces, monkeypatch):
    """Those that were tried are not tried again."""
    config, other = load_config(whole.parent / "fit.yaml"), begun.with_name("other")
    monkeypatch.setattr("diffpair.fit.judge.fallback.FAR_WORSE", 0.0)
    monkeypatch.setattr("diffpair.fit.judge.fallback.SIGMAS", 0.0)
    shutil.copytree(begun, other)
    run_fit(config, begun, True)
    undisturbed = list(pieces)
    assert undisturbed.count("begin") > 1
    pieces.clear()
    with pytest.raises(KeyboardInterrupt):
        run_fit(config, other, True, progress=Ended(50))
    run_fit(config, other, True)
    assert differences(bits(begun), bits(other)) == [] and len(pieces) == len(undisturbed)
