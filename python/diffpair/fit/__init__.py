"""The fit: from a config with measured g(r) to a learned potential."""

from diffpair.fit.run import run_fit

__all__ = ["run_fit"]
