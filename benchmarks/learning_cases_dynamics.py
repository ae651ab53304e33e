"""Cases of the learning benchmark whose gradient goes through trajectories."""

from __future__ import annotations

from bars import Bar, at_most
from learning_cases import FAST
from learning_fits import UNIT, Run, failed
from learning_states import lennard_jones, paper_state
from learning_targets import FRICTION, make_vacf

from diffpair import DiffPairError

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


def dynamics(run: Run) -> list[Bar]:
    """g(r) and the velocity autocorrelation together: the table and the friction, which starts ten times too large."""
    case = "LJ (0.845, 1.0), g(r) and VACF"
    section, target = run.section(paper_state(0.845, 1.0))
    vacf = make_vacf(run.smaller(lennard_jones(0.845, 1.0)), run.folder)
    section["targets"].append({"vacf": {"file": str(vacf.resolve())}})
    gradient = {**SEGMENTS, "learn_friction": f"{10 * FRICTION} /ps"}
    update = {"method": "gauss-newton", "iterations": 15}
    try:
        result = run.fit(case, [(section, target)], sampling=FAST, gradient=gradient, update=update)
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
