"""The ``diffpair`` command."""

import sys

try:
    from diffpair.cli.main import cli, main
except ModuleNotFoundError as error:  # the package alone, as production needs it
    if error.name != "click":
        raise

    def main(arguments: list[str] | None = None) -> None:
        sys.exit("diffpair: its commands need click: pip install 'diffpair[learn]'")


__all__ = ["cli", "main"]
