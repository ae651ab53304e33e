"""What all commands share: help with groups of options and examples, and when the compiled parts are loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

import diffpair

Rows = list[tuple[str, str]]  # of an option or command: as it is written, and its help
_COLUMN = 30  # where the second column begins at most


class Help(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: commands as one would type them.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        # in the epilog, where other tools that read commands find them
        lines = [f"  {example}" for example in examples]
        options["epilog"] = "\n".join(["\b", "Examples:", *lines]) if examples else None
        super().__init__(*args, **options)
        self.examples = tuple(examples)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, with a heading like the others."""
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), f"{_heading('Usage')}: ")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, whose lines are never broken."""
        if self.examples:
            with formatter.section(_heading("Examples")):
                for example in self.examples:
                    formatter.write(f"  {example}\n")


class Command(Help):
    """A command of diffpair.

    Args:
        groups: titles of groups of options, and the names of their parameters; all others come last, as "Options".
        needs_openmm: load OpenMM and the compiled parts before the command begins.
    """

    def __init__(
        self, *args: Any, groups: Mapping[str, Sequence[str]] | None = None, needs_openmm: bool = True, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.groups, self.needs_openmm = dict(groups or {}), needs_openmm
        for parameter in self.params:
            if parameter.metavar is None and isinstance(parameter.type, click.IntRange):
                parameter.metavar = "N"

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options under the titles of their groups."""
        titles = {name: title for title, names in self.groups.items() for name in names}
        found: dict[str, Rows] = {title: [] for title in (*self.groups, "Options")}
        for parameter in (one for one in self.get_params(ctx) if isinstance(one, click.Option)):
            record = parameter.get_help_record(ctx)
            if record is not None:
                found[titles.get(str(parameter.name), "Options")].append(record)
        write_sections(formatter, found)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does. Raises ImportError that says what does not fit."""
        try:
            return super().parse_args(ctx, args)
        except ImportError:  # an option that is a quantity is read by OpenMM's units
            self._load()
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Do what the command is for. Raises ImportError where OpenMM does not fit this build."""
        self._load()
        return super().invoke(ctx)

    def _load(self) -> None:
        if self.needs_openmm:
            diffpair.load_compiled()


def _heading(title: str) -> str:
    """Bold, on a terminal."""
    return click.style(title, bold=True)


def write_sections(formatter: click.HelpFormatter, sections: Mapping[str, Rows]) -> None:
    """Those with anything in them, their second columns in line."""
    longest = max((len(row[0]) for rows in sections.values() for row in rows), default=0)
    width = min(longest, _COLUMN - 4)
    for title, rows in sections.items():
        if rows:
            with formatter.section(_heading(title)):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows], col_max=width)
