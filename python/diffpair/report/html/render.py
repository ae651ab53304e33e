"""The report as one HTML file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from diffpair.atomic_file import write_atomically
from diffpair.report.files import REPORT
from diffpair.report.html.content import Report, report_of
from diffpair.report.html.figure import Figure
from diffpair.report.html.folder import read_folder
from diffpair.report.html.targets import WORST_FIRST

TEMPLATES = Path(__file__).parent / "templates"
LIMIT = 3_000_000  # bytes of a page: what mail takes, and a phone opens at once


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Write the report of the fit in a folder: from its files alone, the same bytes each time.

    Args:
        out: file; report.html in the folder by default.

    Returns: the file. Raises DiffPairError: there is no fit in the folder, a file is damaged or cannot be written.
    """
    target = folder / REPORT if out is None else out
    write_atomically(target, report_page(report_of(read_folder(folder))))
    return target


def report_page(report: Report, limit: int = LIMIT) -> str:
    """The page, below `limit` bytes.

    Where it would be larger, the data are left out as tables, and stay as CSV; then the figures of the targets that are
    reproduced best, which it says.
    """
    worst = sorted(report.figures, key=lambda figure: (WORST_FIRST.index(figure.level), -figure.ratio))
    page = _report(report, worst, tables=True)
    keep = len(worst)
    while len(page.encode()) > limit:
        page = _report(report, worst[:keep], tables=False)
        if not keep:
            break
        keep //= 2
    return page


def _report(report: Report, shown: Collection[Figure], tables: bool) -> str:
    drawn = {id(figure) for figure in shown}
    return render("report.html", report=report, drawn=drawn, missing=len(report.figures) - len(drawn), tables=tables)


def render(template: str, **content: Any) -> str:
    """A page of a template of this folder."""
    return _environment().get_template(template).render(**content)


@cache
def _environment() -> jinja2.Environment:
    """All text is escaped but that of figures, which are escaped where they are made."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals["style"] = Markup((TEMPLATES / "page.css").read_text(encoding="utf-8"))
    environment.filters["short"] = _short
    environment.filters["unbroken"] = _unbroken
    environment.globals["id"] = id
    return environment


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _unbroken(text: str) -> str:
    """The same with no line's end within |g − target|."""
    return text.replace(" − target", "\u00a0−\u00a0target").replace("∫ |", "∫\u00a0|")
