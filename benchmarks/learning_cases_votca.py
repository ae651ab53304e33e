"""A case of the learning benchmark against VOTCA: how long it takes until g(r) is as near to the target as asked."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
import votca_peer
from bars import Bar, figure
from learning_fits import Run
from learning_targets import Array, Simulated, liquid
from openmm import app, unit
from votca_peer import HNCGN, IBI, Fluid, Iteration, Length, Method
from watched import Watched

from diffpair.config import build_states, load_config
from diffpair.gradients.rdf_rows import RdfRows
from diffpair.segments import Topology

LEVELS = (0.02, 0.01, 0.005)  # of the mean |g - target|
LIMIT = 600.0  # s of one contender
TARGET = Path(__file__).resolve().parents[1] / "examples/water/spce_oo_300K.csv"
ATOMS, DENSITY, MASS, KELVIN, CUTOFF = 512, 33.33, 18.015, 300.0, 0.9  # of examples/water
TIMESTEP, FRICTION = 0.004, 1.0  # ps, 1/ps
OURS = Length(500, 3800, 10, go_on=True)
# 20 ps and 180 ps, a frame every 0.2 ps; of hncgn 20 ps and 60 ps, every 0.04 ps: the tutorials'
TUTORIALS = {HNCGN: Length(5000, 15_000, 10, go_on=False), IBI: Length(5000, 45_000, 50, go_on=False)}
QUICK = Length(50, 100, 10, go_on=True)
ROUND = 4  # decimals of a mean |g - target|


@dataclass(frozen=True)
class Reached:
    """The mean |g - target| of an iteration, and what it took up to its end: s, s of one processor, steps."""

    mae: float
    seconds: float
    processor_seconds: float
    md_steps: int


def votca(run: Run) -> list[Bar]:
    """One-site water by DiffPair and by the methods of VOTCA, all on one thread, from one start, to the levels."""
    if not votca_peer.available():
        return [Bar(f"one-site water, VOTCA ({votca_peer.LACKS})", None, "s", None, None)]
    run.console.print(votca_peer.versions(), highlight=False)
    with tempfile.TemporaryDirectory() as name:
        folder, fluid = Path(name), water(run.seed)
        _write(folder, fluid, run)
        bars = _bars(run, "DiffPair", *_fit(folder))
        measure = _measure(folder, fluid.edge)
    for method, words, length in _contenders(run.quick):
        bars += _bars(run, f"VOTCA {method.name}, {words}", *_invert(run, fluid, method, length, measure))
    return bars


def _contenders(quick: bool) -> Iterator[tuple[Method, str, Length]]:
    """Every method with the sampling of its tutorial and with ours, in words too."""
    if quick:
        yield HNCGN, "a moment's sampling", QUICK
        return
    for method in TUTORIALS:
        yield method, "DiffPair's sampling", OURS
    for method, length in TUTORIALS.items():
        yield method, "its tutorial's sampling", length


def water(seed: int) -> Fluid:
    """The problem. It starts from a Lennard-Jones liquid: disordered, and of no contender's making."""
    edge = (ATOMS / DENSITY) ** (1 / 3)
    start = liquid(Simulated("start", 0.8, 1.0, atoms=ATOMS, equilibration=0, seed=seed)) * edge
    target = np.loadtxt(TARGET, delimiter=",", skiprows=1, usecols=(0, 1))
    return Fluid(target, start, edge, MASS, KELVIN, CUTOFF, TIMESTEP, FRICTION)


def _write(folder: Path, fluid: Fluid, run: Run) -> None:
    """The start as PDB, and the config of examples/water with it."""
    topology = app.Topology()
    chain = topology.addChain()
    for _ in fluid.positions:
        topology.addAtom("W", None, topology.addResidue("W", chain))
    topology.setPeriodicBoxVectors(fluid.edge * np.eye(3) * unit.nanometer)
    with (folder / "start.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, fluid.positions * unit.nanometer, file)
    rdf = {"pair": ["W", "W"], "file": str(TARGET), "r_unit": "nm", "range": ["0.2 nm", "1.2 nm"]}
    system = {"topology": "start.pdb", "types": {"W": "W"}, "masses": f"{MASS} amu"}
    length = QUICK if run.quick else OURS
    document = {
        "potential": {"form": "bspline", "cutoff": f"{CUTOFF} nm", "knots": 60},
        "states": [{"name": "water", "system": system, "temperature": f"{KELVIN} K", "targets": [{"rdf": rdf}]}],
        "sampling": {
            "timestep": f"{TIMESTEP} ps",
            "friction": f"{FRICTION} /ps",
            "platform": "CPU",
            "equilibration": length.equilibration,
            "steps": length.steps,
            "every": length.every,
        },
        "production": {"max_steps": 400},  # its time does not count
        "update": {"method": "gauss-newton", "iterations": 2 if run.quick else 10},
        "seed": run.seed,
    }
    (folder / "fit.yaml").write_text(json.dumps(document))  # JSON is YAML


def _measure(folder: Path, edge: float) -> Callable[[Array], float]:
    """The mean |g - target| of frames [F, N, 3] as history.json has it: a smooth g, and the target smoothed alike."""
    (state,) = build_states(load_config(folder / "fit.yaml"))
    rows = RdfRows(state, Topology.of(state.types, 1))
    box = torch.eye(3, dtype=torch.float64) * edge

    def mae(frames: Array) -> float:
        g = rows.g(torch.from_numpy(frames), box.expand(len(frames), 3, 3)).mean(0).numpy()
        return float(np.mean(np.abs(g - rows.target)))

    return mae


def _fit(folder: Path) -> tuple[list[Reached], str]:
    """`diffpair fit`, from the start of its process; why it ended, if it failed."""
    times = []
    with Watched([sys.executable, "-m", "diffpair", "fit", "fit.yaml", "--out", "out"], folder) as program:
        for number in count(1):
            if not program.wait_for(f"out/iterations/*-{number:03d}.json", LIMIT):
                break
            times.append((program.seconds, program.processor_seconds))
        said = program.words()[-1:] if program.failed else []
    file = folder / "out/history.json"
    history: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    maes = [float("inf") if entry["mae"] is None else entry["mae"] for entry in history]
    rows = zip(maes, times, history, strict=False)
    return [Reached(mae, *time, entry["md_steps"]) for mae, time, entry in rows], "".join(said)


def _invert(
    run: Run, fluid: Fluid, method: Method, length: Length, measure: Callable[[Array], float]
) -> tuple[list[Reached], str]:
    """csg_inverse, until the last level; why it ended, if it failed."""
    reached: list[Reached] = []

    def judge(iteration: Iteration) -> bool:
        mae = measure(iteration.frames)
        reached.append(Reached(mae, iteration.seconds, iteration.processor_seconds, iteration.md_steps))
        return mae <= LEVELS[-1] or run.quick

    return reached, votca_peer.invert(fluid, method, length, judge, LIMIT)


def _bars(run: Run, who: str, reached: list[Reached], why: str) -> list[Bar]:
    """The levels, and the course on the screen."""
    course = " ".join(f"{at.mae:.{ROUND}f}" for at in reached)
    run.console.print(f"{who}: mean |g - target| {course} {why}".rstrip(), highlight=False)
    return levels(who, reached, why)


def levels(who: str, reached: list[Reached], why: str) -> list[Bar]:
    """Seconds to every level, the first time that it is reached. why: what ended it, where that is worth a word."""
    spent = ""
    if reached:
        last, least = reached[-1], min(at.mae for at in reached)
        spent = f", {_took(last)}, at best {least:.{ROUND}f}"
    not_reached = f"not in {len(reached)} iterations{spent}{'; ' * bool(why)}{why}"
    bars = []
    for level in LEVELS:
        case = f"one-site water, {who}: time to a mean |g - target| of {level:g}"
        number = next((i for i, at in enumerate(reached) if at.mae <= level), None)
        if number is None:
            bars.append(Bar(f"{case} ({not_reached})", None, "s", None, None))
        else:
            at = reached[number]
            bars.append(figure(f"{case} (iteration {number + 1}, {_took(at)})", at.seconds, "s"))
    return bars


def _took(at: Reached) -> str:
    return f"{at.md_steps} MD steps, {at.seconds:.0f} s, {at.processor_seconds:.0f} s of a processor"
