"""A config's fit before its first step."""

from __future__ import annotations

from diffpair.config import FitConfig, build_states
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import Setup, prepare


def prepared(config: FitConfig, progress: FitProgress | None = None) -> Setup:
    return prepare(config.settings, build_states(config), progress)
