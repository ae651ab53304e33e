"""docs/comparison.md: every tool has a source with a date, and the figures are those of docs/results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "comparison.md").read_text()
TOOLS = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[2:]
MONTH = "(January|February|March|April|May|June|July|August|September|October|November|December) 20"


@pytest.mark.parametrize(("tool", "text"), TOOLS, ids=[tool for tool, _ in TOOLS])
def test_a_tool_has_its_strengths_and_a_source_with_a_date(tool: str, text: str) -> None:
    assert re.search(r"\*\*What (it does|they do) better\.\*\*", text)
    assert "**What DiffPair does otherwise.**" in text
    (sources,) = re.findall(r"Sources?:(.*?)(?=\n- |\n\n)", text.split("**What has changed.**")[0], re.DOTALL)
    assert re.search(r"\]\(https?://", sources) and re.search(MONTH, sources)


def test_figures_are_those_of_the_results() -> None:
    learning = (DOCS / "results/learning.md").read_text()
    votca = re.findall(r"(\d+) s (?:of wall time )?\((\d+) s", dict(TOOLS)["VOTCA"])
    assert len(votca) == 3
    table = [line.replace("|", "") for line in learning.splitlines() if re.match(r"\| (DiffPair|VOTCA), ", line)]
    for wall, processor in votca:
        assert any(f"{wall} ({processor})" in line for line in table), (wall, processor)
    performance = (DOCS / "results/performance.md").read_text()
    times = re.findall(r"([\d,]+) ms", dict(TOOLS)["JAX MD"])
    assert len(times) == 3
    for time in times:
        assert f"| {time.replace(',', '')} |" in performance, time
