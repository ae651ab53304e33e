"""The config that docs/reference/config.md begins with has every section, and the page names every key.

tests/examples/test_docs_twins.py loads the configs of all pages.
"""

import re
from pathlib import Path
from typing import get_args

import yaml

from diffpair.config import FitConfig, load_config
from diffpair.settings.base import Settings

CONFIG_PAGE = Path(__file__).parents[2] / "docs/reference/config.md"


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
    text = re.findall(r"```yaml\n(.*?)```", CONFIG_PAGE.read_text(), flags=re.DOTALL)[0]
    (tmp_path / "fit.yaml").write_text(text)
    config = load_config(tmp_path / "fit.yaml")
    # bonded terms want bonds, which a lattice has none of: they have a block of their own
    assert set(yaml.safe_load(text)) == set(FitConfig.model_fields) - {"bonded"}
    assert [state.held_out for state in config.states] == [False, True]


def test_config_page_names_every_key():
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", CONFIG_PAGE.read_text()))))
    sections = sections_of(FitConfig)
    assert len(sections) > 25
    keys = {key for section in sections for key in section.model_fields} - {"term"}
    assert keys <= words, f"not on the page: {sorted(keys - words)}"
