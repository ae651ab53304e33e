"""docs/reference/dependencies.md names every dependency of pyproject.toml in the section of its extra, and no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/dependencies.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", wanted)[0].lower() for wanted in requirements}


def rows(part: str) -> list[list[str]]:
    """The cells of the tables' rows, without their heads."""
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def listed(part: str) -> set[str]:
    return {row[0].strip("`| ") for row in rows(part)}


SECTIONS = {title: text for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)}


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Run time", names(PROJECT["project"]["dependencies"])),
        ("Extra `learn`", names(EXTRAS["learn"])),
        ("Extra `report`", names(EXTRAS["report"])),
        ("Build", names(PROJECT["build-system"]["requires"])),
        ("Tests", names(EXTRAS["test"]) | names(EXTRAS["fuzz"])),
        ("Documentation", names(EXTRAS["docs"])),
    ],
)
def test_a_section_names_what_its_extra_brings(title: str, wanted: set[str]) -> None:
    assert listed(SECTIONS[title]) == wanted


def test_every_other_extra_is_there() -> None:
    others = EXTRAS.keys() - {"learn", "report", "test", "fuzz", "docs"}
    found = {(row[0].strip("`| "), row[1].strip("`")) for row in rows(SECTIONS["Other extras"])}
    assert found == {(extra, name) for extra in others for name in names(EXTRAS[extra])}


def test_every_row_says_licence_use_and_what_happens_without() -> None:
    for title, text in SECTIONS.items():
        for row in rows(text):
            assert len(row) == (5 if title == "Other extras" else 4) and all(row), row
