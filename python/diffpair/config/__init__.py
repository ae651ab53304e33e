"""The fit config: YAML in, the objects of a fit out. Nothing behind this door sees a config."""

from diffpair.config.build import build_states, make_fit, run_fit
from diffpair.config.fit_config import FitConfig, load_config

__all__ = ["FitConfig", "build_states", "load_config", "make_fit", "run_fit"]
