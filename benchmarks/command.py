"""The command line that the benchmarks share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bars import Bar, show, unjudged, write_json
from rich.console import Console
from rich.progress import Progress


def make_parser(description: str, cases: Iterable[str], rounds: int = 7) -> argparse.ArgumentParser:
    """--json, --cases, --threads, --rounds, --quick."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the bars as a JSON list")
    parser.add_argument("--cases", default=",".join(cases), help="some of %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="of everything that is measured")
    parser.add_argument("--rounds", type=int, default=rounds, help="how often every contender has its turn")
    parser.add_argument("--quick", action="store_true", help="a smoke test on small systems: no bar is judged")
    return parser


def parse(parser: argparse.ArgumentParser, arguments: list[str] | None, cases: Iterable[str]) -> argparse.Namespace:
    """Arguments with `cases` as a list of known names; a quick run has two rounds."""
    args, known = parser.parse_args(arguments), list(cases)
    args.cases = [name for name in args.cases.split(",") if name]
    for name in args.cases:
        if name not in known:
            parser.error(f"unknown case {name}; there are {', '.join(known)}")
    if args.quick:
        args.rounds = 2
    return args


@contextmanager
def screen() -> Iterator[tuple[Console, Progress]]:
    """A console and a progress bar, which shows only on a terminal."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    with Progress(console=console, transient=True, disable=not sys.stdout.isatty()) as progress:
        yield console, progress


def report(bars: list[Bar], args: argparse.Namespace, console: Console) -> None:
    """Show the bars, without a verdict where the conditions were others, and write them to --json."""
    if args.quick:
        bars = unjudged(bars, "quick run")
    elif args.threads != 2:
        bars = unjudged(bars, f"{args.threads} threads instead of 2")
    show(bars, console)
    if args.json:
        write_json(bars, args.json)
