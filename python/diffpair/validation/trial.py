"""Production of a potential in the states of a config, and whether each target is reproduced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffpair.engines import Exploded, ProductionResult
from diffpair.engines.planned import plan_production
from diffpair.engines.production import run_plan
from diffpair.report.html.targets import CLOSE, SAME, UNKNOWN, TargetReport, read_curves, read_production, read_state
from diffpair.report.results import results_document
from diffpair.report.summary import summary_document
from diffpair.states import State
from diffpair.validation.subject import Subject

_STREAM = 7601  # apart from all random numbers of a fit, whose streams are others


@dataclass(frozen=True)
class StateTrial:
    """A state's run. targets: judged as the report of a fit judges them. failed: why there is no result, or nothing."""

    name: str
    held_out: bool
    steps: int
    targets: list[TargetReport]
    notes: list[str]
    failed: str = ""

    def passes(self, strict: bool) -> bool:
        """Whether every target is reproduced, see `passes`."""
        return not self.failed and all(passes(target, strict) for target in self.targets)

    def document(self, strict: bool) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name, "held_out": self.held_out, "pass": self.passes(strict), "failed": self.failed or None,
            "steps": self.steps, "notes": self.notes,
            "targets": [
                {
                    "kind": one.kind, "name": plain(one.name), "measure": plain(one.measure),
                    "residual": _finite(one.deviation), "noise": _finite(one.noise), "level": one.level,
                    "pass": passes(one, strict),
                }
                for one in self.targets
            ],
        }  # fmt: skip


def passes(target: TargetReport, strict: bool) -> bool:
    """Within noise, or close; strict: within noise alone."""
    return target.level == SAME or (target.level == CLOSE and not strict)


def plain(text: str) -> str:
    """In ASCII, for columns and machines."""
    return text.replace("−", "-").replace("–", "-").replace("∫", "integral").replace("³", "^3")


def try_states(
    subject: Subject,
    names: Sequence[str],
    seed: int,
    max_steps: int | None,
    progress: Callable[[str, int, int, float], None],
) -> Iterator[StateTrial]:
    """Each state, one after another, from its own structure.

    Args:
        names: of the states. seed: of these runs. max_steps: of each; that of the config by default. progress: is told
            the state, the steps just done, those at most, and the present noise.

    Raises DiffPairError where a run would be too short, or state and table do not fit.
    """
    for index, state in enumerate(subject.states):
        if state.name not in names:
            continue
        own = int(np.random.SeedSequence((_STREAM, seed, index)).generate_state(1)[0] >> 1)
        plan = plan_production(
            subject.settings, state, subject.tables[state.name], own, friction=subject.friction, max_steps=max_steps
        )

        def done(steps: int, noise: float, name: str = state.name, most: int = plan.max_steps) -> None:
            progress(name, steps, most, noise)

        done(0, float("nan"))
        try:
            result = run_plan(plan, done)
        except Exploded as error:
            yield StateTrial(state.name, state.held_out, 0, [], [], str(error))
        else:
            yield StateTrial(state.name, state.held_out, result.steps, _judged(result, state), result.notes)


def _judged(result: ProductionResult, state: State) -> list[TargetReport]:
    """The targets of a state, as the report of a fit has them."""
    summary = summary_document(
        iterations=0, wall_seconds=0.0, md_seconds=0.0, md_steps=0, results=[result], potential=""
    )["states"][0]  # fmt: skip
    curves = results_document([result], [state], settings={}, exhausted=False)["states"][0]
    targets = read_state(summary, read_curves(curves), read_production(curves)).targets
    if state.pressures and not result.pressures:
        nothing = float("nan")
        told = f"no pressure: {result.no_pressure}"
        targets.append(
            TargetReport(
                state.name, state.held_out, "pressure", "pressure", "|pressure - target| / bar", nothing, nothing, told,
                UNKNOWN,
            )
        )  # fmt: skip
    return targets


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
