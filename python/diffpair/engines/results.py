"""What production finds: plain data for reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.frames import Snapshot
from diffpair.observables.pressure import Pressure


@dataclass(frozen=True)
class RdfResult:
    """A target g(r) against production.

    Attributes:
        pair: names of the two types.
        r: bin centres, nm, [B].
        g: plain histogram, [B].
        g_target: the target's, [B].
        error: standard error of g, [B].
        mae: mean |g - g_target|.
        mae_noise: the part of it that the noise of g alone gives.
        scale_error: the target's.
        independent: frames without correlation that would give the same errors.
        known: the run was long enough to tell its errors.
    """

    pair: tuple[str, str]
    r: NDArray[np.float64]
    g: NDArray[np.float64]
    g_target: NDArray[np.float64]
    error: NDArray[np.float64]
    mae: float
    mae_noise: float
    scale_error: float = 0.0
    independent: float = float("nan")
    known: bool = True

    @property
    def misfit(self) -> float:
        """`mae`, or what is left of it after the target was scaled as up to three of its `scale_error` admit."""
        if not self.scale_error:
            return self.mae
        best = float(self.g @ self.g_target) / max(float(self.g_target @ self.g_target), 1e-300)
        factor = 1 + np.clip(best - 1, -3 * self.scale_error, 3 * self.scale_error)
        return float(np.mean(np.abs(self.g - factor * self.g_target)))


@dataclass(frozen=True)
class PressureResult:
    """A target pressure against production.

    Attributes:
        target: bar.
        value: mean of the run, bar.
        error: standard error of value, bar.
    """

    target: float
    value: float
    error: float


@dataclass(frozen=True)
class Density:
    """Mean mass density.

    Attributes:
        value: g/cm^3.
        error: its standard error, g/cm^3; 0 at constant volume.
    """

    value: float
    error: float


@dataclass(frozen=True)
class DensityResult:
    """A target density against production.

    Attributes:
        target: in `unit`.
        value: mean of the run, in `unit`.
        error: standard error of value, in `unit`.
        unit: the target's, "g/cm^3" or "nm^-3".
    """

    target: float
    value: float
    error: float
    unit: str


@dataclass(frozen=True)
class VacfResult:
    """A target C(t) / C(0) against production.

    Attributes:
        t: lags, ps, [lags].
        c: C(t) / C(0) of the run, [lags].
        c_target: the target's, [lags].
        error: standard error of c, [lags].
        max_deviation: largest |c - c_target|.
    """

    t: NDArray[np.float64]
    c: NDArray[np.float64]
    c_target: NDArray[np.float64]
    error: NDArray[np.float64]
    max_deviation: float

    def figures(self) -> dict[str, float]:
        """What reports tell of it: the largest deviation, and the largest error."""
        return {"max_deviation": self.max_deviation, "error": float(self.error.max())}


@dataclass(frozen=True)
class DistributionResult:
    """A target distribution of bonds, angles or dihedrals against production.

    Attributes:
        order: "bond", "angle" or "dihedral".
        kind: types along the chain.
        x: bin centres, nm or rad, [B].
        p: of the run, 1/nm or 1/rad, [B].
        p_target: the target's, 1/nm or 1/rad, [B].
        error: standard error of p, 1/nm or 1/rad, [B].
        l1: integral |p - p_target|, with what lies beyond the target's bins.
        l1_noise: the part of it that the noise of p alone gives.
        known: the run was long enough to tell its errors.
    """

    order: str
    kind: tuple[str, ...]
    x: NDArray[np.float64]
    p: NDArray[np.float64]
    p_target: NDArray[np.float64]
    error: NDArray[np.float64]
    l1: float
    l1_noise: float
    known: bool = True

    @property
    def name(self) -> str:
        """Such as A-B-A."""
        return "-".join(self.kind)

    def figures(self) -> dict[str, Any]:
        """What reports tell of it."""
        return {
            "name": self.name, "types": list(self.kind), "l1": self.l1, "l1_noise": self.l1_noise,
            "noise_known": self.known,
        }  # fmt: skip


@dataclass(frozen=True)
class ProductionResult:
    """What production found at one state.

    Attributes:
        state: name of the state.
        held_out: whether the fit did not see it.
        targets: one result per target whose property could be had, RDFs first.
        pressure: None where it could not be had, and then `no_pressure` says why.
        steps: sampled, without melting and equilibration.
        converged: the noise of all that targets are compared with reached its goal, and is known.
        shortest: shortest pair distance met within the targets' ranges, nm.
        last: where the run ended.
        no_pressure: why there is no pressure.
        density: of all particles.
        notes: sentences for the user.
    """

    state: str
    held_out: bool
    targets: list[RdfResult | PressureResult | DensityResult | VacfResult | DistributionResult]
    pressure: Pressure | None
    steps: int
    converged: bool
    shortest: float
    last: Snapshot
    no_pressure: str = ""
    density: Density | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def rdfs(self) -> list[RdfResult]:
        """The results of targets that are radial distribution functions."""
        return [target for target in self.targets if isinstance(target, RdfResult)]

    @property
    def independent(self) -> float:
        """Independent frames behind the least certain g(r); NaN without one."""
        return min((rdf.independent for rdf in self.rdfs), default=float("nan"))

    @property
    def pressures(self) -> list[PressureResult]:
        """The results of targets that are pressures."""
        return [target for target in self.targets if isinstance(target, PressureResult)]

    @property
    def densities(self) -> list[DensityResult]:
        """The results of targets that are densities."""
        return [target for target in self.targets if isinstance(target, DensityResult)]

    @property
    def distributions(self) -> list[DistributionResult]:
        """The results of targets that are distributions of bonds, angles or dihedrals."""
        return [target for target in self.targets if isinstance(target, DistributionResult)]

    @property
    def vacfs(self) -> list[VacfResult]:
        """The results of targets that are velocity autocorrelations."""
        return [target for target in self.targets if isinstance(target, VacfResult)]
