"""All that the report of a fit tells, in the order in which it does."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass

from diffpair.report.files import POTENTIAL, RESULTS
from diffpair.report.html.course_figures import audit_figure, course_figures
from diffpair.report.html.figure import Figure
from diffpair.report.html.folder import Audit, FitFolder, Step, damaged
from diffpair.report.html.potential_figures import potential_figures
from diffpair.report.html.target_figures import target_figure
from diffpair.report.html.targets import StateReport, TargetReport
from diffpair.report.html.verdict import Verdict, judge


@dataclass(frozen=True)
class StateSection:
    """A state and the figures of its targets."""

    state: StateReport
    figures: list[Figure]


@dataclass(frozen=True)
class Repeat:
    """What it takes to do the fit again. command: empty for a fit that was set up in Python. rows: (what, value) of
    versions, seed and gradient. hashes: (file, SHA-256). config: text of its file. settings: all of them, as JSON."""

    command: str
    rows: list[tuple[str, str]]
    hashes: list[tuple[str, str]]
    config: str
    settings: str


@dataclass(frozen=True)
class Report:
    """What is reported of a fit. facts: (label, value). notes: what to look at. without: why there are no curves.
    left_open: what the data do not tell of U. made: when, as the potential file has it."""

    name: str
    made: str
    verdict: Verdict
    facts: list[tuple[str, str]]
    notes: list[str]
    states: list[StateSection]
    without: str
    potential: list[Figure]
    left_open: list[str]
    course: list[Figure]
    history: list[Step]
    reason: str
    audit: Audit | None
    audit_figure: Figure | None
    held_out: list[TargetReport]
    repeat: Repeat

    @property
    def figures(self) -> list[Figure]:
        """All of targets, of which there may be many."""
        return [figure for section in self.states for figure in section.figures]


def report_of(fit: FitFolder) -> Report:
    """Everything, in words and figures."""
    states = [StateSection(s, [target_figure(t) for t in s.targets if t.curve is not None]) for s in fit.states]
    curves = any(section.figures for section in states)
    without = "" if curves or not fit.finished else f"The folder holds no curves of production ({RESULTS})."
    with damaged(fit.path / POTENTIAL):
        facts, repeat = _facts(fit), _repeat(fit)
    notes = [*fit.notes, *(note for state in fit.states for note in state.notes)]
    return Report(
        name=fit.name,
        made=str(fit.provenance.get("made", ""))[:16].replace("T", " "),
        verdict=judge(fit),
        facts=facts,
        notes=list(dict.fromkeys(note for note in notes if note not in _left_open(fit))),
        states=states,
        without=without,
        potential=potential_figures(fit),
        left_open=_left_open(fit),
        course=course_figures(fit.history),
        history=fit.history,
        reason=fit.reason or fit.stopped,
        audit=fit.audit,
        audit_figure=audit_figure(fit.audit) if fit.audit else None,
        held_out=[target for state in fit.states if state.held_out for target in state.targets],
        repeat=repeat,
    )


def _facts(fit: FitFolder) -> list[tuple[str, str]]:
    facts = [("iterations", str(len(fit.history) or fit.summary.get("iterations", 0)))]
    if fit.finished:
        facts.append(("MD steps of the fit", f"{int(fit.summary['md_steps']):,}"))
        facts.append(("time of the fit", _duration(float(fit.summary["wall_seconds"]))))
        states = len(fit.states)
        held_out = sum(state.held_out for state in fit.states)
        facts.append(
            ("state" if states == 1 else "states", f"{states}, {held_out} held out" if held_out else str(states))
        )
    if fit.potentials:
        facts.append(("form of U", str(fit.provenance.get("form", "table"))))
    return facts


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _left_open(fit: FitFolder) -> list[str]:
    """Sentences on what the data leave open, each once."""
    return list(dict.fromkeys(note for p in fit.potentials if p.band is not None for note in p.band.notes))


def _repeat(fit: FitFolder) -> Repeat:
    origin = fit.provenance
    text = str(origin.get("config_text") or "")
    command = f"diffpair fit {shlex.quote(str(origin['config']))} --out {shlex.quote(fit.name)}" if text else ""
    rows = [(str(name), str(version)) for name, version in (origin.get("versions") or {}).items()]
    if "runs" in origin:
        rows.append(("run", str(origin["runs"])))
    if "seed" in origin:
        rows.append(("seed", str(origin["seed"])))
    gradient = origin.get("gradient") or {}
    rows += [(f"gradient: {name}", _plain(value)) for name, value in gradient.items()]
    hashes = [(str(t["file"]), str(t["sha256"])) for t in origin.get("targets", []) if t.get("sha256")]
    if text:
        hashes.insert(0, (str(origin["config"]), hashlib.sha256(text.encode()).hexdigest()))
    if origin.get("config_sha256"):
        hashes.append(("settings, states and targets together", str(origin["config_sha256"])))
    hashes += [(f"{fit.name}/{name}", value) for name, value in fit.hashes.items()]
    settings = json.dumps(fit.settings, indent=1, ensure_ascii=False) if fit.settings else ""
    return Repeat(command, rows, list(dict.fromkeys(hashes)), text, settings)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
