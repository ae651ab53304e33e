"""Cases of the learning benchmark whose gradient goes through trajectories."""

from __future__ import annotations

from typing import Any

from bars import Bar, at_most
from learning_cases import FAST
from learning_cases_joint import JOINT_SAMPLING, MIXTURE_SAMPLING, binary_sections, joint_sections
from learning_cases_more import ENTROPIC, entropic_sections
from learning_fits import MLP, UNIT, Document, Run, failed
from learning_states import lennard_jones, paper_state
from learning_targets import FRICTION, Target, make_vacf

from diffpair import DiffPairError

Sections = list[tuple[Document, Target]]
VACF_STEPS = 60_000  # of the target: 20,000 leave 2 % of noise in a friction, and 4 % at short lags
PLAIN_RATE = 0.02  # of adam without a preconditioner: 0.002, its default, is far slower here
SEGMENTS = {"method": "adjoint", "segments": 16, "steps": 60, "every": 10}


def diffsim(run: Run) -> list[Bar]:
    """The first case by the adjoint alone: gradient and metric come from segments, none from fluctuations."""
    case = "LJ (0.845, 1.0), DiffSim proper"
    update = {"method": "gauss-newton", "iterations": 10}
    try:
        result = run.fit(case, [run.section(paper_state(0.845, 1.0))], sampling=FAST, gradient=SEGMENTS, update=update)
    except DiffPairError as error:
        return [failed(case, 0.01, error)]
    summary = result.summary
    return [
        at_most(f"{case} {result.words()}", result.mae()[0], 0.01, UNIT),
        at_most(f"{case}: gradients", summary["gradient"]["gradients"], 150, "gradients"),
        at_most(f"{case}: time of the fit", summary["wall_seconds"], 300.0, "s"),
    ]


def segments(run: Run) -> list[Bar]:
    """Other cases by the adjoint alone: a network, several states, temperatures and types."""
    sampling = {"sampling": FAST, "gradient": SEGMENTS}
    cases: dict[str, tuple[Sections, dict[str, Any]]] = {
        "LJ (0.845, 1.0), MLP": ([run.section(paper_state(0.845, 1.0))], {**sampling, "potential": MLP}),
        "LJ, three states jointly": (joint_sections(run), {**sampling, "sampling": JOINT_SAMPLING}),
        "U(r) - T S(r)": (entropic_sections(run), {**sampling, "potential": ENTROPIC}),
        "binary mixture": (binary_sections(run), {**sampling, "sampling": MIXTURE_SAMPLING}),
    }
    bars = []
    for case, (states, sections) in list(cases.items())[-1 if run.quick else 0 :]:
        bars.append(run.bar(f"{case}, all states, by segments alone", states, None, **sections))
    return bars


def adam(run: Run) -> list[Bar]:
    """First-order updates along the gradients of segments, 100 of them: in coordinates z, and on the parameters."""
    case, states = "LJ (0.845, 1.0), adam on segments", [run.section(paper_state(0.845, 1.0))]
    sections = {"sampling": {"timestep": "5 fs", "steps": 1000, "equilibration": 200}, "gradient": SEGMENTS}
    update: dict[str, Any] = {"method": "adam", "iterations": 100}
    plain = {**update, "precondition": False, "learning_rate": PLAIN_RATE}
    return [
        run.bar(case, states, 0.01, **sections, update=update),
        run.bar(f"{case}, plain", states, None, **sections, update=plain),
    ]


def dynamics(run: Run) -> list[Bar]:
    """g(r) and the velocity autocorrelation together: the table and the friction, which starts ten times too large."""
    case = "LJ (0.845, 1.0), g(r) and VACF"
    section, target = run.section(paper_state(0.845, 1.0))
    vacf = make_vacf(run.smaller(lennard_jones(0.845, 1.0, steps=VACF_STEPS)), run.folder)
    section["targets"].append({"vacf": {"file": str(vacf.resolve())}})
    gradient = {**SEGMENTS, "learn_friction": f"{10 * FRICTION} /ps"}
    update = {"method": "gauss-newton", "iterations": 15}
    try:
        result = run.fit(case, [(section, target)], sampling=JOINT_SAMPLING, gradient=gradient, update=update)
    except DiffPairError as error:
        return [failed(case, 0.01, error)]
    (found,) = (entry for entry in result.state(section["name"])["targets"] if entry["kind"] == "vacf")
    friction = result.summary["gradient"]["friction"]
    noise = f"(noise {100 * friction['error'] / FRICTION:.1f} %)"
    return [
        at_most(f"{case} {result.words()}", result.mae()[0], 0.01, UNIT),
        at_most(f"{case}: largest deviation of the VACF over 50 lags", found["max_deviation"], 0.02, "C(t) / C(0)"),
        at_most(f"{case}: error of the friction {noise}", 100 * abs(friction["value"] / FRICTION - 1), 10.0, "%"),
    ]
