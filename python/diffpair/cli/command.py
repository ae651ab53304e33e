"""What all commands share: the compiled parts are loaded when a command begins to work."""

from __future__ import annotations

from typing import Any

import click

import diffpair


class Command(click.Command):
    """A command of diffpair.

    Args:
        needs_openmm: load OpenMM and the compiled parts before the command begins.
    """

    def __init__(self, *args: Any, needs_openmm: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self.needs_openmm = needs_openmm

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
