"""diffpair doctor"""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING

import click

from diffpair.cli.command import Command
from diffpair.cli.streams import own_stdout

if TYPE_CHECKING:
    from diffpair.doctor import Finding, Status

_MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("ok", "green"), "absent": ("-", "bright_black"), "note": ("note", "yellow"), "problem": ("FAIL", "red"),
}  # fmt: skip
_INDENT = 29  # columns before the texts


@click.command(
    "doctor",
    cls=Command,
    needs_openmm=False,
    short_help="Check the installation.",
    examples=(
        "diffpair doctor",
        "diffpair doctor --json",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text: ok, and all checks.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check the installation, and say what to do about each problem.

    Looks at versions, processors and threads, OpenMM's platforms with a sample of the forces on each, the torch
    operators, LAMMPS, and what is optional. Takes some seconds. Exit status: 0 where all that matters works, else 1.
    """
    from diffpair.doctor import examine

    found: list[Finding] = []
    with own_stdout() as out:
        for finding in examine():
            if not as_json:
                if not found or finding.topic != found[-1].topic:
                    click.echo(("\n" if found else "") + click.style(finding.topic, bold=True), file=out)
                click.echo(_line(finding, out.isatty()), file=out)
            found.append(finding)
        problems = [finding for finding in found if finding.status == "problem"]
        if as_json:
            document = {"ok": not problems, "checks": [finding.document() for finding in found]}
            click.echo(json.dumps(document), file=out)
        else:
            count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}" if problems else "no problem"
            names = f": {', '.join(finding.name for finding in problems)}" if problems else ""
            click.echo("\n" + click.style(f"{count}{names}", bold=True, fg="red" if problems else "green"), file=out)
    context.exit(1 if problems else 0)


def _line(finding: Finding, wrap: bool) -> str:
    """Mark, name and text."""
    mark, colour = _MARKS[finding.status]
    text = finding.text if not finding.remedy else f"{finding.text}. {finding.remedy}"
    if wrap:
        width = max(shutil.get_terminal_size().columns - _INDENT, 30)
        text = f"\n{' ' * _INDENT}".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))
    return f"  {click.style(f'{mark:<5}', fg=colour)}{finding.name:<{_INDENT - 7}}{text}"
