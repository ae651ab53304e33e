"""docs/guide/mapping.md: its map and its Python run, and it names every key and option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.mapped import trajectory_of

from diffpair.cli.map import command
from diffpair.mapping import MapSettings, load_map
from diffpair.mapping.settings import Bead, Molecules

PAGE = (Path(__file__).parents[2] / "docs/guide/mapping.md").read_text()
CHAIN = [[0.154 * k, 0.05 * (k % 2), 0] for k in range(6)]
HEXANE = ("HEX", [(f"C{k}", "C") for k in range(1, 7)], [(k, k + 1) for k in range(5)], CHAIN)
SOLUTE = ("LIG", [("N1", "N"), ("H1", "H")], [(0, 1)], [[0, 0, 0], [0.1, 0, 0]])


@pytest.mark.filterwarnings(
    "ignore:.*as a constraint holds", "ignore:.*neighbours begin at", "ignore:.*there are pairs"
)
def test_the_page_runs(tmp_path, monkeypatch, capsys):
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
    (tmp_path / "map.yaml").write_text(text)
    traj = trajectory_of((HEXANE, 20), (SOLUTE, 1), frames=20)
    traj.save_dcd(str(tmp_path / "run.dcd"))
    traj[0].save_pdb(str(tmp_path / "top.pdb"))
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(code, made)
    (said,) = re.findall(r"# (.*)", code)
    assert capsys.readouterr().out.splitlines()[-1] == said
    assert made["settings"].model_dump() == load_map("map.yaml").model_dump()
    config = (tmp_path / "cg/fit.yaml").read_text()
    assert "pairs: [[A, A], [A, B], [A, S], [B, B], [B, S]]" in config
    written = {path.name for path in (tmp_path / "cg").iterdir()}
    assert {"rdf-A-B.csv", "bond-A-B.csv", "angle-A-B-A.csv", "beads.pdb", "system.xml"} <= written


def test_the_page_names_every_key_and_option():
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
    keys = {key for section in (MapSettings, Molecules, Bead) for key in section.model_fields}
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    known = {"--map", "--out"}
    assert keys | (options - known) <= words
    assert all(option in PAGE for option in known)
