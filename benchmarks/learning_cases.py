"""Cases of the learning benchmark with one state and one type: one potential from one g(r)."""

from __future__ import annotations

from typing import Any

from bars import Bar, at_most
from learning_fits import MLP, SPLINE, UNIT, Run, failed
from learning_states import CRYSTAL, FAMILIES, PAPER_STATES, WITHOUT_BAR, paper_state

from diffpair import DiffPairError

FAST = {"timestep": "5 fs", "steps": 1700, "equilibration": 500}  # ten iterations and the melt: 24,000 steps


def recover(run: Run) -> list[Bar]:
    """LJ (0.845, 1.0) from Boltzmann inversion by Gauss-Newton: how good, how long, how many steps."""
    case = "LJ (0.845, 1.0), Gauss-Newton"
    try:
        result = run.fit(case, [run.section(paper_state(0.845, 1.0))], sampling=FAST)
    except DiffPairError as error:
        return [failed(case, 0.005, error)]
    summary = result.summary
    return [
        at_most(f"{case} {result.words()}", result.mae()[0], 0.005, UNIT),
        at_most(f"{case}: iterations", summary["iterations"], 10, "iterations"),
        at_most(f"{case}: MD steps of the fit", summary["md_steps"], 25_000, "steps"),
        at_most(f"{case}: time of the fit", summary["wall_seconds"], 30.0, "s"),
    ]


def states(run: Run) -> list[Bar]:
    """Every state of the paper alone. Sampling and production as long as the noise of a thin fluid asks."""
    bars = []
    chosen = ((0.845, 1.0), (0.3, 1.2)) if run.quick else PAPER_STATES
    for density, temperature in chosen:
        bar = None if (density, temperature) in WITHOUT_BAR else 0.01
        case = f"LJ ({density:g}, {temperature:g}) alone"
        bars.append(run.bar(case, [run.section(paper_state(density, temperature))], bar, **effort(density)))
    return bars


def effort(density: float) -> dict[str, Any]:
    """Sections for a state of this density."""
    if density >= CRYSTAL:
        return {"sampling": {**FAST, "melt": 0}}
    if density > 0.6:
        return {"sampling": FAST}
    steps = 10_000 if density < 0.4 else 5_000
    return {
        "sampling": {"timestep": "5 fs", "steps": steps, "equilibration": 1000, "every": 20},
        "production": {"max_steps": 100_000},
    }


def families(run: Run) -> list[Bar]:
    """Other potentials than Lennard-Jones, each learned as a spline and as a network."""
    bars = []
    for name, state in FAMILIES.items():
        for form, potential in (("spline", SPLINE), ("MLP", MLP)):
            bars.append(run.bar(f"{name}, {form}", [run.section(state)], 0.01, potential=potential, sampling=FAST))
    return bars
