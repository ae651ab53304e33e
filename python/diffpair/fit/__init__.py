"""The fit: from states with measured properties to a learned potential."""

from diffpair.fit.fit import Fit
from diffpair.fit.record.result import FitResult
from diffpair.fit.tasks.workers import Workers

__all__ = ["Fit", "FitResult", "Workers"]
