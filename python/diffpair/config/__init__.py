"""The fit config: YAML in, checked values and runnable states out."""

from diffpair.config.build import build_states
from diffpair.config.fit_config import FitConfig, load_config

__all__ = ["FitConfig", "build_states", "load_config"]
