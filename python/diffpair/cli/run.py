"""diffpair run"""

from __future__ import annotations

import re
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffpair.cli.command import Command
from diffpair.cli.completion import states
from diffpair.cli.events import Events
from diffpair.cli.quantities import quantity
from diffpair.cli.streams import own_stdout

if TYPE_CHECKING:
    from diffpair.model import Run


def _times(_: click.Context, __: click.Parameter, value: str) -> tuple[int, int, int]:
    """Copies of the box along its vectors. Raises DiffPairError."""
    from diffpair.errors import DiffPairError

    if not re.fullmatch(r"[1-9]\d{0,3}(x[1-9]\d{0,3}x[1-9]\d{0,3})?", value):
        raise DiffPairError(f"--replicate must be a number of copies such as 2, or 5x2x1, not {value!r}")
    numbers = [int(number) for number in value.split("x")]
    a, b, c = numbers if len(numbers) > 1 else numbers * 3
    return a, b, c


@click.command(
    "run",
    cls=Command,
    short_help="Run production with a learned potential.",
    examples=(
        "diffpair run model --steps 1000000 --out run",
        "diffpair run model --steps 1000000 --out run --resume",
        "diffpair run model --steps 500000 --replicate 2 --pressure '1 bar' --out larger",
    ),
    groups={
        "The run": ("steps", "out", "resume", "platform", "seed"),
        "Conditions": ("state", "replicate", "timestep", "temperature", "pressure", "friction"),
        "What is written and said": ("every", "trajectory", "quiet", "as_json"),
    },
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--steps", required=True, type=click.IntRange(min=1), help="MD steps.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write; it must be new or empty.")
@click.option("--state", shell_complete=states, help="Name of the state, where the fit had several.")
@click.option(
    "--replicate", metavar="N", default="1", show_default=True, callback=_times,
    help="Copies of the box along each of its vectors: 2, or 5x2x1.",
)  # fmt: skip
@click.option(
    "--timestep", metavar="QUANTITY", callback=quantity("ps", "5 fs"), help="'5 fs'; that of the fit if not given."
)
@click.option(
    "--temperature",
    metavar="QUANTITY",
    callback=quantity("K", "300 K"),
    help="'300 K'; that of the state if not given.",
)
@click.option(
    "--pressure",
    metavar="QUANTITY",
    callback=quantity("bar", "1 bar", positive=False),
    help="'1 bar', which a barostat holds.",
)
@click.option(
    "--friction",
    metavar="QUANTITY",
    callback=quantity("1/ps", "1 /ps"),
    help="'1 /ps', of the thermostat; that of the fit.",
)
@click.option("--every", default=1000, show_default=True, type=click.IntRange(min=1), help="Steps between frames.")
@click.option(
    "--trajectory", default="dcd", show_default=True, type=click.Choice(["dcd", "xtc"]), help="Format of the frames."
)
@click.option("--platform", default="auto", show_default=True, help="Of OpenMM; auto: the fastest there is.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(1, 2**31 - 1), help="Of all that is random.")
@click.option("--resume", is_flag=True, help="Take further steps in the folder of a run, under its conditions.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but the last line.")
@click.option("--json", "as_json", is_flag=True, help="Say it in JSON, an event per line (docs: commands).")
@click.pass_context
def command(
    context: click.Context,
    model: Path,
    steps: int,
    out: Path,
    state: str | None,
    replicate: tuple[int, int, int],
    timestep: float | None,
    temperature: float | None,
    pressure: float | None,
    friction: float | None,
    every: int,
    trajectory: str,
    platform: str,
    seed: int,
    resume: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run production with what a fit has left in its folder MODEL.

    Writes the beads (start.pdb), the trajectory, log.csv with energy, temperature and density, last.pdb, and state.xml,
    from which --resume goes on.
    """
    from diffpair.engines.fastest import platform_of
    from diffpair.errors import DiffPairError
    from diffpair.model import Conditions, Run, read_model

    if quiet and as_json:
        raise DiffPairError("--quiet and --json do not go together: choose one")
    folder = read_model(model)
    chosen = platform_of(platform)
    if resume:
        fixed = ("state", "replicate", "timestep", "temperature", "pressure", "friction", "every", "trajectory", "seed")
        for name in fixed:
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise DiffPairError(f"--resume goes on under the conditions of {out}: leave out --{name}")
        run = Run.resume(out, chosen)
    else:
        begins = folder.state(state)
        conditions = Conditions(
            begins.name,
            begins.temperature if temperature is None else temperature,
            begins.timestep if timestep is None else timestep,
            begins.friction if friction is None else friction,
            pressure, every, seed, replicate, trajectory,
        )  # fmt: skip
        run = Run.begin(folder, conditions, out, chosen)
    said = [run.description]
    if not resume and conditions.temperature != begins.temperature:
        said.insert(0, f"note: the potential was learned at {begins.temperature:g} K")
    with own_stdout() if as_json else nullcontext(sys.stdout) as stream:
        events = Events(stream) if as_json else None
        if events is not None:
            events.emit("start", model=str(model), out=str(out), steps=steps, description=said[-1], notes=said[:-1])
        elif not quiet:
            click.echo("\n".join(said))
        last = _advance(run, steps, out, quiet, events)
        files, total = [run.trajectory.name, "log.csv", last.name, "state.xml"], run.simulation.currentStep
        if events is not None:
            events.emit("result", out=str(out), files=files, steps=total)
        else:
            click.echo(f"{out}: {', '.join(files)}; {total} steps so far")


def _advance(run: Run, steps: int, out: Path, quiet: bool, events: Events | None) -> Path:
    """With a bar and the speed, or an event at every twentieth of the steps."""
    from diffpair.cli.bar import steps_bar

    begin, done, told = time.perf_counter(), 0, 0
    with steps_bar(quiet or events is not None) as bar:
        task = bar.begin("production", steps)

        def progress(count: int) -> None:
            nonlocal done, told
            done += count
            bar.advance(task, count)
            if events is not None and 20 * done // steps > told:
                told, seconds = 20 * done // steps, time.perf_counter() - begin
                events.emit(
                    "progress", steps=done, of=steps, seconds=seconds, seconds_left=seconds * (steps - done) / done
                )

        try:
            return run.advance(steps, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{out} keeps what was saved, and --resume goes on from there") from None
