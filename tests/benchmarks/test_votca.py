"""VOTCA as a peer of the learning benchmark: what it counts is what is read, and the clock of both."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress
from scipy.spatial import cKDTree

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import votca_peer  # noqa: E402
from learning_cases_votca import Reached, levels, votca, water  # noqa: E402
from learning_fits import Run  # noqa: E402
from votca_peer import HNCGN, IBI, Fluid, Iteration, Length, Method  # noqa: E402
from watched import Watched  # noqa: E402

needs_votca = pytest.mark.skipif(not votca_peer.available(), reason=votca_peer.LACKS)


@needs_votca
@pytest.mark.parametrize("method", [IBI, HNCGN], ids=["ibi", "hncgn"])
def test_frames_have_the_g_that_votca_finds(method: Method) -> None:
    """A plain histogram of the frames that are read, against csg_stat's of the same simulation; the box and the target
    are those that were given."""
    fluid, seen = water(seed=1), []

    def judge(iteration: Iteration) -> bool:
        r, g = np.loadtxt(iteration.folder / "W-W.dist.new", usecols=(0, 1)).T
        target = np.loadtxt(iteration.folder / "W-W.dist.tgt", usecols=(0, 1))[:, 1]
        keep = (r > 0.2) & (r < 0.895)  # VOTCA's last bin is half a bin
        np.testing.assert_allclose(histogram(iteration.frames, fluid, r[keep]), g[keep], rtol=1e-3, atol=2e-3)
        given = np.interp(r[keep], *fluid.target.T) * 511 / 512
        assert np.mean(np.abs(target[keep] - given)) < 0.02  # VOTCA's spline through the bins, and a line
        seen.append(iteration)
        return len(seen) == 1

    assert votca_peer.invert(fluid, method, Length(20, 60, 10, go_on=True), judge, limit=300.0) == ""
    assert [one.md_steps for one in seen] == [80]
    assert seen[0].frames.shape == (7, 512, 3)


def histogram(frames: np.ndarray, fluid: Fluid, r: np.ndarray) -> np.ndarray:
    """g of bins of 0.01 nm around r, with VOTCA's number of pairs."""
    edges = np.append(r - 0.005, r[-1] + 0.005)
    atoms = frames.shape[1]
    counts = np.zeros(len(r))
    for x in frames:
        i, j = cKDTree(x % fluid.edge, boxsize=fluid.edge).query_pairs(edges[-1], output_type="ndarray").T
        d = x[i] - x[j]
        d -= fluid.edge * np.rint(d / fluid.edge)
        counts += np.histogram(np.linalg.norm(d, axis=1), edges)[0]
    shells = 4 / 3 * np.pi * np.diff(edges**3) / fluid.edge**3
    return counts / (len(frames) * atoms**2 / 2 * shells)


@needs_votca
def test_what_csg_inverse_says_when_it_fails() -> None:
    """A method that it does not have."""
    why = votca_peer.invert(water(seed=1), Method("none", "nonsense", 0.0), Length(1, 1, 1, go_on=True), never, 60.0)
    assert why.startswith("csg_inverse ended: ") and "nonsense" in why


def never(iteration: Iteration) -> bool:
    raise AssertionError("there is no iteration")


def test_without_votca_a_row_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Progress(disable=True) as progress:
        (bar,) = votca(Run(True, 1, tmp_path, None, None, Console(quiet=True), progress))
    assert bar.figure is None and bar.holds is None and votca_peer.LACKS in bar.case


def test_levels_are_reached_the_first_time_or_not() -> None:
    course = [Reached(0.03, 1.0, 0.9, 10), Reached(0.009, 2.0, 1.8, 20), Reached(0.012, 3.0, 2.7, 30)]
    first, second, third = levels("X", course, "out of luck")
    assert first.figure == second.figure == 2.0
    assert "iteration 2, 20 MD steps" in first.case
    assert third.figure is None and "not in 3 iterations" in third.case
    assert "at best 0.0090" in third.case and "out of luck" in third.case
    assert [bar.figure for bar in levels("X", [], "")] == [None, None, None]


def test_a_watched_program_stands_still_while_it_is_paused(tmp_path: Path) -> None:
    script = "i=0; while :; do i=$((i+1)); echo $i > count.tmp; mv count.tmp count; done"
    with Watched(["sh", "-c", script], tmp_path) as program:
        assert program.wait_for("count", 60.0)
        with program.paused():
            seen = stands_at(tmp_path)
            assert seen == stands_at(tmp_path)
        used = program.processor_seconds
        while stands_at(tmp_path) == seen:
            pass
        assert program.processor_seconds >= used and not program.failed
        assert not program.wait_for("nothing", 0.0)
    last = stands_at(tmp_path)
    assert last == stands_at(tmp_path)


def stands_at(folder: Path) -> str:
    """The count that the program has come to, twice the same unless it goes on."""
    time.sleep(0.2)
    return (folder / "count").read_text()


def test_a_watched_program_that_fails(tmp_path: Path) -> None:
    with Watched(["sh", "-c", "echo $OMP_NUM_THREADS $MORE; exit 3"], tmp_path, MORE="more") as program:
        assert not program.wait_for("nothing", 60.0)
        assert program.failed and program.words() == ["1 more"]
