"""The ``diffpair`` command."""

from diffpair.cli.main import cli, main

__all__ = ["cli", "main"]
