"""The configs that docs/targets.md shows are ones that load."""

import re
from pathlib import Path

import yaml

from diffpair.config import load_config

PAGE = Path(__file__).parents[2] / "docs/targets.md"


def test_documented_sections(tmp_path):
    states, potential = (yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL))
    (cold,) = states["states"]
    document = {**potential, "sampling": {"timestep": "5 fs"}}
    document["states"] = [cold, {**cold, "name": "hot", "temperature": "150 K"}]
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    config = load_config(tmp_path / "fit.yaml")
    assert config.states[0].targets[1].pressure.value == 42.8
    assert config.potential.form == "energy_entropy" and config.parameter_names == ("temperature",)
    assert [part.form for part in config.potential.parts] == ["bspline", "bspline"]
