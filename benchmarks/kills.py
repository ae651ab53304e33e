"""A fit that is killed (SIGKILL) again and again, and resumed each time, ends with the bits of one that is not.

    python kills.py [--kills 50] [--seed 1] [--json FILE] [--quick]

Two of five kills come at a random time, the others just before a new file is on the disk (fsync) or takes the place of
the old one (rename). What was going on is counted. Bars: no bit of the results differs (wall times, dates and paths are
not compared), and no kill costs more than one iteration.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bars import Bar, at_most, figure, show, write_json
from command import screen
from killed_fits import REPORT, START, WRITING, Life, Moment, bits, differences, live, redone

KILLS = 50
R = np.arange(0.82, 2.49, 0.02)
# Lennard-Jones at kT = 2 kJ/mol, well above its critical point, and low density
GAS = np.exp(-2 * (R**-12.0 - R**-6.0))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--quick", action="store_true", help="short samplings and production, to try the script")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the bars as a JSON list")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, screen() as (console, progress):
        config = _config(Path(folder), iterations=max(3, args.kills // 3), quick=args.quick)
        bars = measure(config, args.kills, random.Random(args.seed), progress)
        show(bars, console)
        if args.json:
            write_json(bars, args.json)


def measure(config: Path, kills: int, draw: random.Random, progress: Any) -> list[Bar]:
    """The fit without kills, then with so many."""
    folder, begin = config.parent, time.monotonic()
    undisturbed = live(config, folder / "whole")
    alone = time.monotonic() - begin
    assert undisturbed.status == 0
    out, lives, phases = folder / "killed", list[Life](), Counter[str]()
    task = progress.add_task("kills", total=kills)
    while sum(life.killed for life in lives) < kills:
        done = (out / "production.pt").exists()
        lives.append(live(config, out, _moment(draw, alone / max(3, kills // 3), done)))
        if lives[-1].killed:
            phases[_kind(lives[-1].phases)] += 1
            progress.advance(task)
        elif lives[-1].status == 0:  # done before all kills: another report, which is killed as well
            continue
        else:
            raise SystemExit(f"a fit that was resumed ended with the status {lives[-1].status}")
    last = live(config, out)
    assert last.status == 0
    lives.append(last)
    different = differences(bits(folder / "whole"), bits(out))
    for text in different[:10]:
        print(text)
    return [
        at_most("results that differ from the undisturbed fit's", len(different), 0, "numbers"),
        at_most("iterations that one kill has cost", redone(lives), 1, "iterations"),
        figure("kills", sum(life.killed for life in lives), "kills"),
        *(figure(f"of them during {phase}", count, "kills") for phase, count in sorted(phases.items())),
        figure("the fit alone", alone, "s"),
    ]


def _moment(draw: random.Random, iteration: float, producing: bool) -> Moment:
    """iteration: s of one, about."""
    kind = draw.choice(("time", "time", "fsync", "replace", "late"))
    if kind == "time":
        return Moment(draw.uniform(0.02, 1.5 * iteration))
    if kind == "late" or producing:
        return Moment(call=draw.choice(("fsync", "replace")), count=draw.randint(1, 24))
    return Moment(call=kind, count=draw.randint(1, 9 if kind == "fsync" else 6))


def _kind(phases: list[str]) -> str:
    """What was going on when it ended; of a file that was written, also what came before."""
    last = phases[-1]
    if last == WRITING:
        before = next((phase for phase in reversed(phases[:-1]) if phase != WRITING), START)
        return f"writing, {_where(before)}"
    return _where(last)


def _where(phase: str) -> str:
    for begin, words in (
        ("iteration", "an iteration"), ("after", "the end of an iteration"), ("production", "production"),
        ("melting", "melting"), (REPORT, "the report"),
    ):  # fmt: skip
        if phase.startswith(begin):
            return words
    return "the start"


def _config(folder: Path, iterations: int, quick: bool) -> Path:
    """Two states, one of two replicas, of a small fluid."""
    np.savetxt(folder / "gas.csv", np.column_stack([R, GAS]), delimiter=",", header="r,g", comments="")
    target = {"rdf": {"pair": ["A", "A"], "file": str(folder / "gas.csv"), "r_unit": "nm"}}

    def state(name: str, density: float, **more: Any) -> dict[str, Any]:
        lattice = {"n": 108, "density": f"{density} nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}
        return {"name": name, "system": {"lattice": lattice}, "temperature": "240.54 K", "targets": [target], **more}

    document = {
        "potential": {"form": "bspline", "cutoff": "2.4 nm", "knots": 24},
        "states": [state("a", 0.15), state("b", 0.1, replicas=2)],
        "sampling": {
            "timestep": "5 fs", "equilibration": 50, "steps": 200 if quick else 1000, "every": 10,
            "melt": 100 if quick else 500, "adaptive": False,
        },
        "production": {"max_steps": 2000 if quick else 16_000, "noise_target": 0.0001},
        "update": {"method": "gauss-newton", "iterations": iterations, "stop_at_noise": False},
    }  # fmt: skip
    path = folder / "fit.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


if __name__ == "__main__":
    main()
