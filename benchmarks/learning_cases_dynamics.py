"""Cases of the learning benchmark whose gradient goes through trajectories."""

from __future__ import annotations

from bars import Bar, at_most
from learning_cases import FAST
from learning_fits import UNIT, Run, failed
from learning_states import paper_state

from diffpair import DiffPairError

SEGMENTS = {"method": "adjoint", "segments": 16, "steps": 60, "every": 30}


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
