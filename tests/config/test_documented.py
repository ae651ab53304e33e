"""The configs that docs/targets.md and docs/config.md show are ones that load, and the latter names every key."""

import re
from pathlib import Path
from typing import get_args

import yaml

from diffpair.config import FitConfig, load_config
from diffpair.settings.base import Settings

PAGE = Path(__file__).parents[2] / "docs/targets.md"
CONFIG_PAGE = PAGE.with_name("config.md")


def test_documented_sections(tmp_path):
    states, potential = (yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL))
    (cold,) = states["states"]
    document = {**potential, "sampling": {"timestep": "5 fs"}}
    document["states"] = [cold, {**cold, "name": "hot", "temperature": "150 K"}]
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    config = load_config(tmp_path / "fit.yaml")
    assert config.states[0].targets[1].pressure.value == 42.8
    assert config.potential.form == "energy_entropy"
    assert [part.form for part in config.potential.parts] == ["bspline", "bspline"]


def sections_of(kind: object) -> set[type[Settings]]:
    """The sections that an annotation names, and those within them."""
    if isinstance(kind, type) and issubclass(kind, Settings):
        found = {kind}
        for field in kind.model_fields.values():
            if field.annotation is not kind:
                found |= sections_of(field.annotation)
        return found
    return set().union(*(sections_of(part) for part in get_args(kind)))


def test_config_page_shows_a_config_that_loads(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", CONFIG_PAGE.read_text(), flags=re.DOTALL)
    (tmp_path / "fit.yaml").write_text(text)
    config = load_config(tmp_path / "fit.yaml")
    assert set(yaml.safe_load(text)) == set(FitConfig.model_fields)
    assert [state.held_out for state in config.states] == [False, True]


def test_config_page_names_every_key():
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", CONFIG_PAGE.read_text()))))
    sections = sections_of(FitConfig)
    assert len(sections) > 25
    keys = {key for section in sections for key in section.model_fields} - {"term"}
    assert keys <= words, f"not on the page: {sorted(keys - words)}"
