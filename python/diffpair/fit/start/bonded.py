"""Where bonded terms start: Boltzmann inversion of their distributions, a file, or numbers of the user's.

A distribution holds its Jacobian: p(r) ~ r^2 exp(-U / kT) of bond lengths, p(theta) ~ sin theta exp(-U / kT) of angles,
p(phi) ~ exp(-U / kT) of dihedral angles (W. Tschöp et al., Acta Polym. 49, 61 (1998), eqs. 3 to 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.bonded import BondedTerm, HarmonicTerm, TabulatedTerm
from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.settings.bonded import Bonded
from diffpair.states import State
from diffpair.tables import PairTable
from diffpair.targets import Distribution
from diffpair.updates.bonded_prior import StartingTerm

Array = NDArray[np.float64]
LEAST = 2e-3  # of the maximum of p / Jacobian: what is below is inverted no more, 6 kT up
BINS_PER_NODE = {"bond": 3, "angle": 2, "dihedral": 3}  # a spline that follows every bin follows its noise
FEWEST, MOST = {"bond": 12, "angle": 12, "dihedral": 18}, {"bond": 40, "angle": 40, "dihedral": 60}
SMOOTH = 0.02  # kT: weight of second differences between nodes, where the bins say little


def starting_terms(sections: Sequence[Bonded], states: Sequence[State], start: Path | None) -> list[StartingTerm]:
    """The terms of a fit's first potential, in the order of the sections.

    Args:
        states: those that are fitted. start: the potential file that the fit starts from, if it does.

    Raises DiffPairError: a term that nothing tells the start of, or a file without it.
    """
    return [_starting_term(section, states, start) for section in sections]


def _starting_term(section: Bonded, states: Sequence[State], start: Path | None) -> StartingTerm:
    given = [(s, t) for s in states for t in s.distributions if t.kind == section.kind]
    term = _given(section, start)
    if not given:
        if term is None:
            raise DiffPairError(
                f"bonded: the {section.label} has no start: give its distribution as a target of a fitted state, or "
                f"start: FILE of a potential{' or k and x0' if len(section.types) < 4 else ''}"
            )
        kT = BOLTZMANN * min(s.temperature for s in states)
        return StartingTerm(term, *_moments_of_term(term, kT))
    centres, spreads = zip(*(moments(target) for _, target in given), strict=True)
    centre, spread = float(np.mean(centres)), float(np.mean(spreads))
    if term is None:
        term = invert(section, given)
    return StartingTerm(term, centre, spread)


def _given(section: Bonded, start: Path | None) -> BondedTerm | None:
    """The term as the user has it: by numbers, or in a file."""
    if section.k is not None:
        return HarmonicTerm.of(section.kind, section.k, section.x0, section.fixed)
    file = section.start or start
    if file is None:
        return None
    found = [term for term in PairTable.load(file).bonded if term.kind == section.kind]
    if not found:
        if section.start is None:
            return None
        raise DiffPairError(f"{file}: holds no {section.label}, which bonded is to start from")
    if found[0].form != section.form or (section.nodes or len(found[0].values)) != len(found[0].values):
        raise DiffPairError(
            f"{file}: its {section.label} is {found[0].form} with {len(found[0].values)} numbers, but bonded wants it "
            f"{section.form}{f' with {section.nodes} nodes' if section.nodes else ''}"
        )
    return found[0].with_fixed(True) if section.fixed else found[0].with_fixed(False).confining()


def moments(target: Distribution) -> tuple[float, float]:
    """Mean and standard deviation of a distribution, its Jacobian divided out; of a dihedral 0 and 1 rad."""
    if target.coordinate.name == "dihedral":
        return 0.0, 1.0
    bare = without_jacobian(target)
    mean = float(np.average(target.centres, weights=bare))
    return mean, max(float(np.sqrt(np.average((target.centres - mean) ** 2, weights=bare))), target.width)


def without_jacobian(target: Distribution) -> Array:
    """p over the mean of its Jacobian in each bin, which is exact where U does not change within one: exp(-U / kT) but
    for a factor."""
    low, high = target.edges[:-1], target.edges[1:]
    match target.coordinate.name:
        case "bond":
            return np.asarray(target.p / np.maximum((high**3 - low**3) / (3 * target.width), 1e-12))
        case "angle":
            return np.asarray(target.p / np.maximum((np.cos(low) - np.cos(high)) / target.width, 1e-12))
    return target.p


def invert(section: Bonded, given: Sequence[tuple[State, Distribution]]) -> BondedTerm:
    """-kT ln of it, the mean over states; see the module."""
    if section.form == "harmonic":
        centres, spreads = zip(*(moments(target) for _, target in given), strict=True)
        kTs = [1 / state.beta for state, _ in given]
        k = float(np.mean([kT / spread**2 for kT, spread in zip(kTs, spreads, strict=True)]))
        return HarmonicTerm.of(section.kind, k, float(np.mean(centres)), section.fixed)
    radii, energies, weights = [], [], []
    for state, target in given:
        bare = without_jacobian(target)
        known = bare > LEAST * bare.max()
        if (
            target.coordinate.name == "dihedral"
        ):  # all of the circle: where nothing was met, U is as high as can be told
            known[:] = True
        energy = -np.log(np.maximum(bare, LEAST * bare.max()) / bare.max()) / state.beta
        radii.append(target.centres[known])
        energies.append(energy[known])
        # ln p of a bin is known to 1 / sqrt(counts)
        weights.append(np.sqrt(np.maximum(target.p, LEAST * target.p.max()) / target.p.max())[known] * state.beta)
    term = _grid(section, [target for _, target in given], np.concatenate(radii), min(1 / s.beta for s, _ in given))
    return term.with_values(_fitted(term, *map(np.concatenate, (radii, energies, weights)))).confining()


def _grid(section: Bonded, targets: Sequence[Distribution], known: Array, kT: float) -> TabulatedTerm:
    """An empty table on the range that is known."""
    order, width = targets[0].coordinate.name, min(target.width for target in targets)
    low, high = float(known.min()) - 0.5 * width, float(known.max()) + 0.5 * width
    count = round((high - low) / width) // BINS_PER_NODE[order]
    nodes = section.nodes or int(np.clip(count, FEWEST[order], MOST[order]))
    if order == "dihedral":
        return TabulatedTerm(section.kind, np.zeros(nodes), section.fixed)
    spread = float(np.mean([moments(target)[1] for target in targets]))
    end = np.pi if order == "angle" else np.inf
    return TabulatedTerm(
        section.kind, np.zeros(nodes), section.fixed, low=max(low, 0.0), high=min(high, end), wall=kT / spread**2
    )


def _fitted(term: TabulatedTerm, x: Array, energy: Array, weight: Array) -> Array:
    """Values whose spline is nearest to U at x, smooth where that says little; 0 at the lowest node."""
    n = len(term.values)
    second = np.eye(n) * -2 + np.eye(n, k=1) + np.eye(n, k=-1)
    if term.periodic:
        second[0, -1] = second[-1, 0] = 1.0
    else:
        second = second[1:-1]
    matrix = np.concatenate([weight[:, None] * term.basis(x), SMOOTH * second])
    values = np.linalg.lstsq(matrix, np.concatenate([weight * energy, np.zeros(len(second))]), rcond=None)[0]
    return np.asarray(values - values.min())


def _moments_of_term(term: BondedTerm, kT: float) -> tuple[float, float]:
    """Mean and standard deviation of exp(-U / kT), where no distribution is known."""
    if isinstance(term, HarmonicTerm):
        return term.x0, float(np.sqrt(kT / term.k))
    assert isinstance(term, TabulatedTerm)
    if term.periodic:
        return 0.0, 1.0
    x = np.linspace(term.low, term.high, 400)
    energy = term.energy(x)
    weights = np.exp(-(energy - energy.min()) / kT)
    mean = float(np.average(x, weights=weights))
    return mean, float(np.sqrt(np.average((x - mean) ** 2, weights=weights)))
