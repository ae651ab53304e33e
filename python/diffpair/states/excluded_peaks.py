"""Does a target count the pairs that the fit leaves out? Then it has a peak that no pair potential gives.

g(r) from other programs often counts pairs within molecules too. Where the excluded pairs of a state lie is known from
its starting positions, and how many they are. A peak of the target just there, of as many pairs as they are, and which
stands alone or high above the rest, is theirs.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.states.state import State
from diffpair.systems.nearest_image import nearest_image
from diffpair.targets import RdfTarget
from diffpair.targets.sampled import PEAK_GAP

Array = NDArray[np.float64]

_HALF_WIDTH = 0.08  # of r, of a peak of bonded pairs: a few standard deviations of stiff bonds
_LEAST = 0.2  # of the excluded pairs, in one peak: fewer are spread out
_COUNTED = (0.5, 1.5)  # times the excluded pairs there, in a peak that is theirs alone; a file may count some only
_HIGH = 2.0  # times the highest g elsewhere, in a peak that no liquid has


def warn_about_excluded_peaks(state: State) -> None:
    """Warn of targets that seem to count the state's excluded pairs.

    Warns
    -----
    UserWarning: names the target, the peak's place and height and what to do.
    """
    if not len(state.exclusions):
        return
    for target in state.rdfs:
        a, b = state.pair_types(target.pair)
        kinds = np.sort(state.types[state.exclusions], axis=1)
        pairs = state.exclusions[(kinds[:, 0] == min(a, b)) & (kinds[:, 1] == max(a, b))]
        allowed = interacting_pairs(state.types, len(state.type_names), state.exclusions)[a, b]
        for group in _groups(_distances(state, pairs)):
            peak = _peak(target, group, (allowed + len(pairs)) / state.target_volume)
            if peak is not None:
                warnings.warn(
                    f"{target.label}: g has a peak of {peak[1]:.3g} at r = {peak[0]:.3g} nm, where state "
                    f"{state.name!r} has {len(group)} pairs {'-'.join(target.pair)} that are excluded: the file seems "
                    f"to count them, but a fit leaves them out; make it anew without pairs within molecules, as "
                    f"`diffpair target` does",
                    stacklevel=4,
                )
                break


def _distances(state: State, pairs: NDArray[np.int64]) -> Array:
    """Distances of the nearest images, sorted."""
    separation = nearest_image(state.positions[pairs[:, 0]] - state.positions[pairs[:, 1]], state.box)
    return np.asarray(np.sort(np.linalg.norm(separation, axis=1)))


def _groups(distances: Array) -> list[Array]:
    """The distances, sorted, that lie close together: bonds, say, but not the ends of a flexible chain."""
    least, groups = max(1.0, _LEAST * len(distances)), []
    while len(distances):
        first = np.searchsorted(distances, distances * (1 - _HALF_WIDTH))
        last = np.searchsorted(distances, distances * (1 + _HALF_WIDTH), side="right")
        best = int(np.argmax(last - first))
        low, high = int(first[best]), int(last[best])
        if high - low < least:
            break
        groups.append(distances[low:high])
        distances = np.delete(distances, slice(low, high))
    return groups


def _peak(target: RdfTarget, distances: Array, pair_density: float) -> tuple[float, float] | None:
    """Place and height of the peak of these pairs, or None. pair_density: all pairs per volume, nm^-3."""
    middle = float(np.median(distances))
    reach = 1.5 * _HALF_WIDTH * middle + 0.5 * target.bin_width
    low, high = middle - reach, middle + reach
    inside = (target.r >= low) & (target.r <= high)
    expected = np.count_nonzero((distances >= target.edges[0]) & (distances <= target.edges[-1]))
    if not inside.any() or not (target.r > high).any() or expected == 0:
        return None
    counted = pair_density * np.sum(4 * np.pi * target.r**2 * target.bin_width * target.g, where=inside)
    if not _COUNTED[0] <= counted / expected <= _COUNTED[1]:
        return None
    at = int(np.argmax(np.where(inside, target.g, -1)))
    top, other = float(target.g[at]), float(target.g[~inside].max())
    after = target.g[(target.r >= target.r[at]) & (target.r <= high)]
    alone = bool(after.min() <= PEAK_GAP * min(top, other))
    return (float(target.r[at]), top) if top > _HIGH * other or alone else None
