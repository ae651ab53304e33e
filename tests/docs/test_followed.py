"""The tutorial and the how-to pages do what they say: their blocks are done in order, in a fresh folder.

```yaml, ```python, ```text   a block whose first line is `# NAME` is saved as NAME; others are shown only
```bash                       run by `bash -e`; must succeed. $DIFFPAIR is the folder of the sources
```console                    what the bash block before it prints: other numbers may stand there, `...` is anything.
                              A block that begins with `$ ` is not run here
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lammps_run import PACKAGE

pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
CURVE = re.compile("[▁▂▃▄▅▆▇█]+")
LEFT = re.compile(r", < [\d.]+ \w+ left")  # in s, min or h, as fast as the machine is
# Largest mean |g - target| that production may have at the end of a page's fits; none where no fit is run. A page's
# samplings are short, so the bounds are loose: three times what its fits have reached, or more.
BOUNDS = {
    "tutorial": 0.02,
    "howto/existing-script": 0.06,
    "howto/several-states": 0.06,
    "howto/mixtures": 0.08,
    "howto/molecules": 0.08,
    "howto/charges": 0.08,
    "howto/lammps": 0.04,
    "howto/gpu": None,
    "howto/cluster": 0.06,
    "howto/diffraction": 0.08,
}
NEEDS = {"howto/lammps": ("lmp", "mpiexec"), "howto/cluster": ("mpiexec",)}


def found(program: str) -> bool:
    return (PACKAGE is not None) if program == "lmp" else shutil.which(program, path=search_path()) is not None


def search_path() -> str:
    """With the programs of this environment first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def shell(script: str, folder: Path) -> str:
    """What a block prints."""
    environment = {**os.environ, "PATH": search_path(), "DIFFPAIR": str(ROOT), "OPENMM_DEFAULT_PLATFORM": "CPU"}
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def pattern(line: str) -> re.Pattern[str]:
    """Of lines that say the same, perhaps with other numbers."""
    line = LEFT.sub("", line)
    parts = [
        r"\s+".join(re.escape(NUMBER.sub("\0", CURVE.sub("\1", word))) for word in part.split())
        for part in line.split("...")
    ]
    spaced = r"\s*.*\s*".join(parts).replace("\0", NUMBER.pattern).replace("\1", CURVE.pattern)
    return re.compile(rf"\s*{spaced}\s*")


def follow(page: str, folder: Path) -> None:
    printed: list[str] = []
    for language, text in FENCE.findall((ROOT / f"docs/{page}.md").read_text()):
        name = re.match(r"# ([\w./-]+\.\w+)\n", text)
        if language == "bash":
            printed = [LEFT.sub("", line) for line in shell(text, folder).splitlines()]
        elif language == "console" and not text.startswith("$ "):
            for line in text.splitlines():
                assert any(pattern(line).fullmatch(said) for said in printed), "\n".join([line, "among", *printed])
        elif language in ("yaml", "python", "text") and name:
            target = folder / name.group(1)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", BOUNDS)
def test_followed(page: str, tmp_path: Path) -> None:
    for program in NEEDS.get(page, ()):
        if not found(program):
            pytest.skip(f"{program} is missing: pip install lammps mpich")
    follow(page, tmp_path)
    fits = sorted(tmp_path.rglob("summary.json"))
    summaries = [json.loads(file.read_text()) for file in fits]
    maes = [
        target["mae"]
        for summary in summaries
        for state in summary.get("states", [])
        for target in state["targets"]
        if target["kind"] == "rdf"
    ]
    bound = BOUNDS[page]
    assert bool(maes) == (bound is not None), fits
    assert bound is None or max(maes) < bound, maes


def test_every_page_is_followed() -> None:
    pages = {f"howto/{page.stem}" for page in (ROOT / "docs/howto").glob("*.md")}
    assert pages | {"tutorial"} == set(BOUNDS)
