"""Error bars of the learned U(r), and what the data leave open, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.fit.iterate.live_state import Known, LiveState
from diffpair.fit.judge.bootstrap import bootstrap
from diffpair.tables import TableUncertainty, type_pairs
from diffpair.tables.uncertainty import BondedBand
from diffpair.targets.sampled import VISITED
from diffpair.updates import ParameterSpace
from diffpair.updates.basis import spline_basis
from diffpair.updates.common_factor import EXPECTED, CommonFactor, common_factors
from diffpair.updates.linear_model import LinearModel, Start

Array = NDArray[np.float64]
POINTS = 200  # of the band: several per knot
OPEN = 0.5  # posterior over prior variance: above it the data say less than the prior
SMALL = 0.05  # kT: what is less open than this is not worth a sentence
CLEAR, LEAST_EXCESS = 10.0, 0.003  # log of the evidence for a factor of a target, and the least one that is told
BOOTSTRAP = 1.5  # a bootstrap above so many times the noise that the band assumes is told


def model_of(
    space: ParameterSpace, states: list[LiveState], start: Start, damping: float = 1.0, smoothness: float | None = None
) -> tuple[LinearModel, list[Known]] | None:
    """What all that is known says near the present potential, and what it was made of; None without frames."""
    known = [found for live in states if (found := live.known()) is not None]
    if len(known) < len(states):
        return None
    views = [live.view(memory=each.memory) for live, each in zip(states, known, strict=True)]
    return LinearModel(space, views, start, damping, smoothness), known


def uncertainty(
    space: ParameterSpace, states: list[LiveState], start: Start, damping: float = 1.0, smoothness: float | None = None
) -> list[TableUncertainty]:
    """The band of every variant's table, from the posterior of the LinearModel: the root mean square distance of the
    true U from the table, so where the table is not the most probable one its distance from that counts.

    A fit without Jacobians has the band that its last samplings give. None where there are no frames to tell.

    Args:
        damping, smoothness: those of the fit.
    """
    made = model_of(space, states, start, damping, smoothness)
    if made is None:
        return []
    model, known = made
    factors = common_factors(model)
    after, before, ratios = model.posterior()
    _, away = model.change()
    drawn = bootstrap(model, states, known)
    width = space.grid.knots + 2
    r = np.linspace(space.grid.r_min, space.grid.cutoff, POINTS)
    basis = spline_basis(space.grid, r)
    result = []
    for variant, (factor, prior) in enumerate(zip(after, before, strict=True)):
        rows, again, notes = [], [], []
        for index, pair in enumerate(type_pairs(space.potential.types)):
            if index not in space.potential.learned:  # 0, and that is certain
                rows.append(np.zeros(POINTS))
                again.append(np.zeros(POINTS))
                continue
            where = slice(index * width, (index + 1) * width)
            sigma = np.sqrt(((basis @ factor[where]) ** 2).sum(1) + (basis @ away[variant][where]) ** 2)
            wide = np.sqrt(((basis @ prior[where]) ** 2).sum(1))
            loose = np.sqrt(((basis @ prior[where])[:, ratios > OPEN] ** 2).sum(1))
            visited = _visited(states, variant, index, r)
            rows.append(sigma)
            notes += _sentences("-".join(pair), r, sigma, wide, np.where(visited, loose, 0.0), space.kT)
            if drawn is not None:
                resampled, expected = drawn[0][variant][:, where], drawn[1][variant][where]
                again.append(np.std(basis @ resampled.T, axis=1, ddof=1))
                notes += _compared("-".join(pair), again[-1][visited], (basis @ expected)[visited])
        notes += [_of_factor(states[f.state], f) for f in factors if states[f.state].variant == variant and _matters(f)]
        blocks = np.array(again) if drawn is not None else None
        bonded = _bonded(space, factor[space.pairs.stop :], away[variant][space.pairs.stop :])
        result.append(TableUncertainty(space.potential.types, r, np.array(rows), tuple(notes), blocks, bonded))
    return result


def _bonded(space: ParameterSpace, factor: Array, away: Array) -> tuple[BondedBand, ...]:
    """Of the bonded terms, from the covariance F F^T of their values, F [columns, m], and their distance from the most
    probable ones, [columns]. The mean of U over what a term visits is its zero: a constant has no effect."""
    bands, terms = [], [term for term in space.bonded.terms if not term.fixed]
    for one, term, where in zip(space.bonded.learned, terms, space.bonded.slices, strict=True):
        x = one.shown()
        energy = term.energy(x)
        weights = np.exp(-(energy - energy.min()) / space.kT)
        basis = term.basis(x)
        basis = basis - (weights / weights.sum()) @ basis
        sigma = np.sqrt(((basis @ factor[where]) ** 2).sum(1) + (basis @ away[where]) ** 2)
        bands.append(BondedBand(term.kind, x, sigma))
    return tuple(bands)


def _compared(name: str, drawn: Array, factor: Array) -> list[str]:
    """A sentence where blocks drawn anew scatter U far more than the band takes for the samplings' noise.

    Args:
        drawn: standard deviation of U over the replicas, [n]. factor: of the covariance that the band has, [n, m].
    """
    expected = float(np.sqrt(np.mean(factor**2) * factor.shape[1])) if factor.size else 0.0
    found = float(np.sqrt(np.mean(drawn**2))) if len(drawn) else 0.0
    if found <= BOOTSTRAP * expected:
        return []
    return [
        f"blocks of the samplings drawn anew (bootstrap) scatter U of {name} {found / max(expected, 1e-300):.1f} times "
        f"as much as its error band takes for their noise: the band is too narrow; sample longer"
    ]


def _matters(factor: CommonFactor) -> bool:
    """Whether a target's factor is worth a sentence."""
    return factor.settled and factor.gain > CLEAR and abs(factor.excess) > max(LEAST_EXCESS, 2 * factor.error)


def _of_factor(live: LiveState, factor: CommonFactor) -> str:
    """What a target's factor means for U."""
    target = live.state.rdfs[factor.target]
    off = f"{100 * abs(factor.excess):.2g} % too {'high' if factor.excess > 0 else 'low'} as a whole"
    name = f"state {live.state.name}: g of {'-'.join(target.pair)}"
    if target.scale_error:
        return f"{name} was found to be {off}, which its scale_error admits: U is that of the corrected g"
    doubt = "its normalisation, or whether its fluid had come apart" if factor.excess > 0 else "its normalisation"
    return (
        f"{name} looks {off}: with such a factor the rest of it fits far better than with a change of U alone "
        f"(ln evidence +{factor.gain:.0f}), and U pays for it; check {doubt}, or give the target scale_error: "
        f"{EXPECTED:g}"
    )


def _visited(states: list[LiveState], variant: int, pair: int, r: Array) -> NDArray[np.bool_]:
    """The distances at which a target of a pair of types has particles, in any state of a variant."""
    found = np.zeros(len(r), dtype=bool)
    for live in states:
        for where, row in zip(live.rows.rdf.slices, live.rows.rdf.pair_rows, strict=True):
            if live.variant == variant and row == pair:
                g = np.interp(r, live.rows.rdf.radii[where], live.rows.rdf.target[where], left=0, right=0)
                found |= g > VISITED
    return found


def _sentences(name: str, r: Array, sigma: Array, prior: Array, loose: Array, kT: float) -> list[str]:
    """What the data do not fix.

    Args:
        sigma, prior: standard deviation of U(r) after and before the data. loose: the part of it that comes from
            combinations of knots of which the data say less than the prior, 0 where no particles are. All [n].
    """
    notes = []
    unknown = sigma**2 > OPEN * np.maximum(prior, 1e-300) ** 2
    if unknown.all():
        return [f"g does not fix U of {name} at any distance: after the fit it is hardly better known than before"]
    inner = int(np.argmin(unknown))
    if inner:
        edge = r[inner]
        notes.append(f"g does not fix U of {name} below {edge:.3g} nm: there it is an extrapolation")
    far = r[loose > SMALL * kT]
    if len(far):
        notes.append(
            f"g leaves open combinations of the knots of U of {name} that hardly change it: up to "
            f"{2 * loose.max():.2g} kJ/mol (2 sigma), between {far[0]:.3g} and {far[-1]:.3g} nm"
        )
    return notes
