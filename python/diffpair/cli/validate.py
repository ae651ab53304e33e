"""diffpair validate"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffpair.cli.command import Command
from diffpair.cli.completion import states
from diffpair.cli.describe import describe, is_potential
from diffpair.cli.streams import own_stdout

if TYPE_CHECKING:
    from diffpair.validation import StateTrial, Subject


@click.command(
    "validate",
    cls=Command,
    short_help="Check a file; or a potential in production: pass or fail.",
    examples=(
        "diffpair validate fit.yaml",
        "diffpair validate potential.json",
        "diffpair validate model",
        "diffpair validate model --state hot --steps 500000 --seed 7",
        "diffpair validate potential.json --config fit.yaml --strict --json",
    ),
    groups={
        "Production": ("config", "names", "steps", "seed"),
        "The verdict": ("strict", "as_json"),
    },
)
@click.argument("what", type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), help="Config with the states to run; that of the fit for its folder."
)
@click.option(
    "--state",
    "names",
    shell_complete=states,
    multiple=True,
    metavar="NAME",
    help="Only this state; may be given several times.",
)
@click.option("--steps", type=click.IntRange(min=1), help="MD steps of a state at most; those of the config.")
@click.option("--seed", type=click.IntRange(1, 2**31 - 1), help="Of these runs, 1 if not given.")
@click.option("--strict", is_flag=True, help="Targets must be reproduced within noise.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every target instead of the table.")
@click.pass_context
def command(
    context: click.Context, what: Path, config: Path | None, names: tuple[str, ...], steps: int | None,
    seed: int | None, strict: bool, as_json: bool,
) -> None:  # fmt: skip
    """Check a config or a potential file; or put a potential to the test in production: PASS or FAIL.

    Of a config (with the files it names) or a potential file alone it says what it holds. Of the folder of a fit, or of
    a potential file with --config, it runs production in all states, held-out ones too, with random numbers of its
    own, and compares each target with its noise.

    A target passes if what is left of its difference is noise, or little: mean |g - target| below 0.02 or below 5 times
    its noise (integral |p - target| of bonds and angles: 0.05; a pressure or density: 5 standard errors). It fails also
    where the run was too short to tell the noise. With --strict it has to be noise: below twice the noise. These are
    the bounds of the report of a fit. Exit status: 0 PASS, 1 FAIL, 2 a problem.
    """
    from diffpair.errors import DiffPairError

    if not what.is_dir() and (config is None or not is_potential(what)):
        given = {"--config": config, "--state": names, "--steps": steps, "--seed": seed, "--strict": strict,
                 "--json": as_json}  # fmt: skip
        for option in (option for option, value in given.items() if value):
            needed = "is for the folder of a fit, or a potential file with --config"
            raise DiffPairError(f"{option} {needed}, not for {what} alone")
        describe(what)
        return
    with own_stdout() as out:
        from diffpair.validation import subject_of

        subject = subject_of(what, config)
        trials = _tried(subject, _chosen(subject, names), seed or 1, steps)
        passed = all(trial.passes(strict) for trial in trials)
        if as_json:
            document = {
                "pass": passed, "strict": strict, "seed": seed or 1, "potential": str(what),
                "config": str(subject.config), "notes": subject.notes,
                "states": [trial.document(strict) for trial in trials],
            }  # fmt: skip
            click.echo(json.dumps(document), file=out)
        else:
            for line in _lines(trials, strict):
                click.echo(line, file=out)
            verdict = click.style("PASS" if passed else "FAIL", bold=True, fg="green" if passed else "red")
            click.echo(f"{verdict}: {_reason(trials, strict)}", file=out)
    context.exit(0 if passed else 1)


def _chosen(subject: Subject, names: tuple[str, ...]) -> list[str]:
    """Names of states, all by default. Raises DiffPairError for one that there is not."""
    from diffpair.errors import DiffPairError

    known = [state.name for state in subject.states]
    for name in names:
        if name not in known:
            raise DiffPairError(f"--state: {subject.config} has no state {name!r}; it has {', '.join(known)}")
    return list(names) or known


def _tried(subject: Subject, names: list[str], seed: int, steps: int | None) -> list[StateTrial]:
    """With a bar, and the notes as they come."""
    from diffpair.cli.bar import steps_bar
    from diffpair.validation import try_states

    for note in subject.notes:
        click.echo(f"note: {note}", err=True)
    trials = []
    with steps_bar() as bar:
        tasks: dict[str, int] = {}

        def progress(name: str, done: int, most: int, noise: float) -> None:
            if name not in tasks:
                tasks[name] = bar.begin(f"production {name}", most)
            bar.advance(tasks[name], done, f"noise {noise:.4f}" if noise == noise else "")

        for trial in try_states(subject, names, seed, steps, progress):
            bar.end(tasks[trial.name])
            trials.append(trial)
    for trial in trials:
        for note in [*trial.notes, *([f"state {trial.name}: {trial.failed}"] if trial.failed else [])]:
            click.echo(f"note: {note}", err=True)
    return trials


def _lines(trials: list[StateTrial], strict: bool) -> list[str]:
    """A table: state, target, residual, noise, verdict."""
    from diffpair.report.html.targets import short
    from diffpair.validation.trial import passes, plain

    rows = [("state", "target", "residual", "noise", "result")]
    for trial in trials:
        name = f"{trial.name} (held out)" if trial.held_out else trial.name
        if trial.failed:
            rows.append((name, "all", "-", "-", "FAIL  the run failed"))
        for one in trial.targets:
            verdict = "pass" if passes(one, strict) else "FAIL"
            rows.append((name, plain(one.name), short(one.deviation), short(one.noise), f"{verdict}  {one.level}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]


def _reason(trials: list[StateTrial], strict: bool) -> str:
    from diffpair.validation.trial import passes

    targets = [target for trial in trials for target in trial.targets]
    bad = sum(not passes(target, strict) for target in targets)
    failed = [trial.name for trial in trials if trial.failed]
    if failed:
        return f"the run of state {', '.join(failed)} failed"
    count = f"{len(targets)} target{'s' if len(targets) != 1 else ''}"
    if bad:
        return f"{bad} of {count} {'is' if bad == 1 else 'are'} not reproduced"
    return f"{count} within noise{'' if strict else ' or close to it'}"
