"""What production with the learned potential has shown, in words."""

from __future__ import annotations

from diffpair.engines import ProductionResult
from diffpair.engines.results import DistributionResult
from diffpair.fit.record.progress import FitProgress
from diffpair.report.judgement import FAR, LARGE, LARGE_L1

BEYOND = 0.01  # part of a distribution outside of its target's bins that is worth a word
OUTER, EXCESS = 2 / 3, 0.02  # of a target's range beyond this part: g - 1 is on average no more in one dense phase


def misfits(results: list[ProductionResult]) -> list[str]:
    """A sentence for every g(r) and distribution of a fitted state that the learned potential does not reproduce."""
    notes = []
    for result in results:
        for target in result.rdfs:
            if result.held_out or target.misfit < max(LARGE, FAR * target.mae_noise):
                continue
            outer = target.r > OUTER * target.r[-1]
            excess, begin = float(target.g_target[outer].mean()) - 1, target.r[outer][0]
            why = "its form, its range, the target's normalisation, other targets or too few iterations may be why"
            if excess > EXCESS:
                why = (
                    f"the target stays above 1 far out, by {excess:.2g} on average beyond {begin:.3g} nm, where g of a "
                    f"homogeneous fluid comes to 1: it may be of a fluid that had come apart into two phases, or its "
                    f"normalisation may be off"
                )
            notes.append(
                f"state {result.state}: the potential does not reproduce g of {'-'.join(target.pair)}: its mean "
                f"|g - target| of {target.mae:.2g} is not noise ({target.mae_noise:.2g}); {why}"
            )
        notes += [_misfit(result.state, found) for found in result.distributions if _is_off(found, result.held_out)]
    return notes


def _is_off(found: DistributionResult, held_out: bool) -> bool:
    return not held_out and found.l1 >= max(LARGE_L1, FAR * found.l1_noise)


def _misfit(state: str, found: DistributionResult) -> str:
    outside = 1 - float(found.p.sum() * (found.x[1] - found.x[0]))
    beyond = f", and {100 * outside:.2g} % of it lies beyond the target's bins" if outside > BEYOND else ""
    return (
        f"state {state}: the potential does not reproduce the distribution of the {found.order} {found.name}: its "
        f"integral |p - target| of {found.l1:.2g} is not noise ({found.l1_noise:.2g}){beyond}; a term that is fixed or "
        f"of another form, other targets or too few iterations may be why"
    )


def say_results(results: list[ProductionResult], progress: FitProgress) -> None:
    """Every state against its targets, a line each, and what production noted."""
    for result in results:
        progress.production(result, lines_of(result))


def lines_of(result: ProductionResult) -> list[str]:
    """A state against its targets in production, a line each."""
    state = f"state {result.state}{' (held out)' if result.held_out else ''}"
    lines = [
        f"{state}, g of {'-'.join(target.pair)}: mean |g - target| = {target.mae:.4f} in production "
        f"(noise {target.mae_noise:.4f}, {target.independent:.0f} independent frames)"
        for target in result.rdfs
    ]
    lines += [
        f"{state}, pressure: {pressure.value:.4g} +- {pressure.error:.2g} bar in production, target "
        f"{pressure.target:.4g} bar"
        for pressure in result.pressures
    ]
    lines += [
        f"{state}, density: {density.value:.5g} +- {density.error:.2g} {density.unit} in production, target "
        f"{density.target:.5g} {density.unit}"
        for density in result.densities
    ]
    lines += [
        f"{state}, {found.order} {found.name}: integral |p - target| = {found.l1:.4f} in production (noise "
        f"{found.l1_noise:.4f})"
        for found in result.distributions
    ]
    for found in (vacf.figures() for vacf in result.vacfs):
        lines.append(
            f"{state}, C(t)/C(0) of the velocities: largest deviation from the target {found['max_deviation']:.4f} "
            f"in production (error of C up to {found['error']:.4f})"
        )
    return lines
