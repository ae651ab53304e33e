"""Cases of the learning benchmark beyond a fit to g(r): pressure, error bars, a target that is off, older methods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from bars import Bar, at_least, at_most, figure
from learning_cases import FAST
from learning_cases_joint import JOINT_SAMPLING, joint_sections
from learning_fits import Document, Fitted, Run, failed, judged
from learning_states import ENTROPIC_TEMPERATURES, entropic_state, lennard_jones, paper_state
from learning_targets import CUTOFF, Array, Target, Truth, read_columns

from diffpair import DiffPairError

ENTROPIC = {"form": "energy_entropy", "cutoff": f"{CUTOFF} nm"}
INDEPENDENT, FROM_ELSEWHERE = 8, 4  # targets of the case errors
BASELINES = {"ibi": 25, "imc": 10}  # iterations; Gauss-Newton has 10


def pressure(run: Run) -> list[Bar]:
    """g(r) and pressure of one state together."""
    case, bar = "LJ (0.845, 1.0), g(r) and pressure", 0.01
    section, target = run.section(paper_state(0.845, 1.0))
    section["targets"].append({"pressure": {"value": f"{target.pressure} bar"}})
    try:
        result = run.fit(case, [(section, target)], sampling=FAST)
    except DiffPairError as error:
        return [failed(case, bar, error)]
    found = result.state(section["name"])["pressure"]
    off = 100 * abs(found["value"] / target.pressure - 1)
    noise = f"(noise {100 * found['error'] / abs(target.pressure):.1f} %)"
    return [judged(case, result, bar), at_most(f"{case}: error of the pressure {noise}", off, 5.0, "%")]


def entropic_sections(run: Run) -> list[tuple[Document, Target]]:
    """Three temperatures, and a fourth that is held out."""
    *_, held_out = ENTROPIC_TEMPERATURES
    return [run.section(entropic_state(t), held_out=t == held_out) for t in ENTROPIC_TEMPERATURES]


def entropic(run: Run) -> list[Bar]:
    """U(r) - T S(r) from three temperatures, tested at a fourth."""
    case, bar = "U(r) - T S(r)", 0.01
    try:
        result = run.fit(case, entropic_sections(run), potential=ENTROPIC, sampling=FAST)
    except DiffPairError as error:
        return [failed(case, bar, error)]
    return [
        judged(f"{case}: three temperatures", result, bar, held_out=False),
        judged(f"{case}: a fourth, held out", result, bar, held_out=True),
    ]


def errors(run: Run) -> list[Bar]:
    """How often the true U lies in the 2-sigma band of fits to independent targets of one state; the last figure for
    fits that start elsewhere."""
    return _coverage(run, INDEPENDENT, 90.0) + _coverage(run, FROM_ELSEWHERE, None, start="hypernetted-chain")


def _coverage(run: Run, count: int, bar: float | None, **sections: Any) -> list[Bar]:
    """The part of all distances with g > 0.1, of so many targets, at which the true U is inside the band."""
    case = "error bars: true U inside the 2-sigma band where g > 0.1"
    if sections:
        case += f", {', '.join(f'{key}: {value}' for key, value in sections.items())}"
    inside: list[Array] = []
    for seed in range(1, 3 if run.quick else count + 1):
        section, target = run.section(lennard_jones(0.845, 1.0, steps=10_000, seed=seed))
        name = " ".join(["error bars", str(seed), *sections.values()])
        try:
            result = replace(run, seed=run.seed + seed).fit(name, [(section, target)], sampling=FAST, **sections)
        except DiffPairError as error:
            return [failed(case, bar, error)]
        inside.append(_inside(result, target))
    shares = [float(np.mean(row)) for row in inside]
    case += f" (the worst of {len(shares)} targets {100 * min(shares):.0f} %)"
    share = 100 * float(np.mean(np.concatenate(inside)))
    return [figure(case, share, "%") if bar is None else at_least(case, share, bar, "%")]


def _inside(result: Fitted, target: Target) -> Array:
    """1 at every distance with g > 0.1 and within the cutoff at which the band holds the truth, else 0."""
    r, g, _ = read_columns(target.files[0])
    r = r[(g > 0.1) & (r < CUTOFF)]
    away = np.abs(result.table.energy(r) - target.state.truth.energy(r))
    return np.asarray(away <= 2 * result.sigma(r), dtype=np.float64)


def scale(run: Run) -> list[Bar]:
    """A target that is 2 % too low or too high as a whole, taken as it is, and with a scale_error: what U pays."""
    bars = []
    section, target = run.section(paper_state(0.845, 1.0))
    columns, r = np.column_stack(read_columns(target.files[0])[:2]), np.linspace(0.95, 2.0, 200)
    for factor in (0.98, 1.02):
        file = target.files[0].with_name(f"{target.files[0].stem}-times-{factor}.csv")
        np.savetxt(file, columns * [1, factor], delimiter=",")
        for error in (0.0, 0.02):
            case = f"LJ (0.845, 1.0), g times {factor}, scale_error {error:g}"
            rdf = {**section["targets"][0]["rdf"], "file": str(file.resolve()), "scale_error": error}
            try:
                result = run.fit(case, [({**section, "targets": [{"rdf": rdf}]}, target)], sampling=FAST)
            except DiffPairError as failure:
                return [*bars, failed(case, None, failure)]
            name = f"{case}: RMS error of U over 0.95 .. 2.0 sigma"
            bars += [judged(case, result, None), figure(name, result.energy_error(Truth(), r), "epsilon")]
            pressure = result.state(section["name"])["pressure"]["value"]
            bars.append(figure(f"{case}: pressure (that of the target {target.pressure:.0f} bar)", pressure, "bar"))
    return bars


def baselines(run: Run) -> list[Bar]:
    """Iterative Boltzmann inversion and inverse Monte Carlo on the first case, and the former on three states."""
    one = [run.section(paper_state(0.845, 1.0))]
    three = joint_sections(run)
    bars = []
    for method, iterations in BASELINES.items():
        case = f"LJ (0.845, 1.0), {method}, {iterations} iterations"
        bars.append(run.bar(case, one, None, sampling=FAST, update={"method": method, "iterations": iterations}))
    iterations = BASELINES["ibi"]
    update = {"method": "ibi", "iterations": iterations}
    case = f"LJ, three states jointly, multistate ibi, {iterations} iterations, all five"
    return [*bars, run.bar(case, three, None, sampling=JOINT_SAMPLING, update=update)]
