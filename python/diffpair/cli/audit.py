"""diffpair audit"""

from __future__ import annotations

from pathlib import Path

import click

from diffpair.cli.command import Command
from diffpair.errors import DiffPairError


def _lengths(_: click.Context, option: click.Parameter, text: str | None) -> list[int]:
    """10,25,50 as numbers."""
    try:
        numbers = [int(part) for part in (text or "").split(",") if part.strip()]
    except ValueError:
        numbers = [0]
    if any(number < 1 for number in numbers):
        raise DiffPairError(f"--steps: must be whole numbers of 1 or more such as 10,25,50, not {text!r}")
    return numbers


@click.command(
    "audit",
    cls=Command,
    short_help="Tell how far the adjoint gradient can be trusted.",
    examples=(
        "diffpair audit fit.yaml",
        "diffpair audit fit.yaml --steps 10,25,50 --segments 48 --out audit",
    ),
)
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", default=Path("audit"), show_default=True, type=click.Path(path_type=Path),
    help="Folder for audit.json and audit.png; made if needed.",
)  # fmt: skip
@click.option(
    "--steps", callback=_lengths, help="Lengths of segments to audit, such as 10,25,50; by default 10 to 400."
)
@click.option("--segments", default=24, show_default=True, type=click.IntRange(min=2), help="Segments of each length.")
@click.option(
    "--frames", default=1000, show_default=True, type=click.IntRange(min=10), help="Frames of the exact gradient."
)
def command(config: Path, out: Path, steps: list[int], segments: int, frames: int) -> None:
    """Tell how far the adjoint gradient can be trusted in the states of CONFIG (YAML).

    For segments of several lengths: the cosine of their gradient with the equilibrium gradient, the norm ratio and the
    noise; and which length and number to use.
    """
    from diffpair.config import load_config, make_fit

    checked = load_config(config)
    if out.exists() and not out.is_dir():
        raise DiffPairError(f"{out}: is a file, but --out needs a folder")
    from diffpair.fit.audit import run_audit

    run_audit(make_fit(checked), out, lengths=steps, segments=segments, frames=frames)
