"""When production has seen enough: what it compares with targets is known, and as well as is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diffpair.engines.results import DistributionResult, RdfResult

# A distribution's l1 over the mean |g - target| of an RDF. It goes from 0 to 2, and where g is known to 0.002 that of a
# liquid's bonds and angles is to 0.005 to 0.01 (docs/results/coarse-graining.md).
DISTRIBUTIONS = 5.0


@dataclass(frozen=True)
class Known:
    """One quantity of a production run.

    name: in words. noise: its standard error, or what noise gives of its deviation. wanted: what that should be.
    certain: the run is long enough to tell the noise. said: what is said where the noise is too large, "{noise}" and
    "{wanted}" being replaced.
    """

    name: str
    noise: float
    wanted: float
    certain: bool
    said: str

    @property
    def enough(self) -> bool:
        """Whether it needs no longer run; not where it is not known."""
        return self.certain and bool(self.noise <= self.wanted)

    @property
    def complaint(self) -> str:
        """Why it would; empty where it does not, or is not known."""
        if not self.noise > self.wanted:  # nor where it is NaN
            return ""
        return self.said.replace("{noise}", f"{self.noise:.2g}").replace("{wanted}", f"{self.wanted:.3g}")


def of_rdf(result: RdfResult, noise_target: float) -> Known:
    said = "the noise of its mean |g - target| is still {noise} (wanted: {wanted})"
    return Known(f"g of {'-'.join(result.pair)}", result.mae_noise, noise_target, result.known, said)


def of_distribution(result: DistributionResult, noise_target: float) -> Known:
    name = f"the {result.order} {result.name}"
    said = f"the noise of the integral |p - target| of {name} is still {{noise}} (wanted: {{wanted}})"
    return Known(name, result.l1_noise, DISTRIBUTIONS * noise_target, result.known, said)


def of_number(name: str, unit: str, error: float, wanted: float, certain: bool) -> Known:
    """A pressure or density."""
    said = f"{name} is known to {{noise}} {unit} only (wanted: {{wanted}})"
    return Known(name, error, wanted, certain, said)


def complaints(found: Sequence[Known]) -> str:
    """What is too noisy, as the end of a sentence: of all g(r) the worst alone."""
    worst: dict[str, Known] = {}
    for one in found:
        if one.complaint and (one.said not in worst or one.noise > worst[one.said].noise):
            worst[one.said] = one
    return ", and ".join(one.complaint for one in worst.values())


def worst_noise(results: Sequence[RdfResult]) -> float:
    """The largest mae_noise, NaN without any."""
    return max((result.mae_noise for result in results), default=np.nan)
