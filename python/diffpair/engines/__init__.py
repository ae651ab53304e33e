"""Engines: live simulations that sample states, and production. No torch."""

from diffpair.engines.engine import Engine
from diffpair.engines.frames import Exploded, Frames, Snapshot
from diffpair.engines.production import PressureResult, ProductionResult, RdfResult, production
from diffpair.engines.sampler import Sampler

__all__ = [
    "Engine",
    "Exploded",
    "Frames",
    "PressureResult",
    "ProductionResult",
    "RdfResult",
    "Sampler",
    "Snapshot",
    "production",
]
