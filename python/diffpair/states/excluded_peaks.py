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
from diffpair.targets import RdfTarget

Array = NDArray[np.float64]

_WIDENED = 0.08  # of r, to either side: bonds vibrate, and a structure file shows them once
_NARROW = 0.4  # of r: what is spread further is no peak
_PART = 0.5  # of the excluded pairs that the peak has to hold: a file may count some of them only
_HIGH = 2.0  # times the highest g elsewhere: liquids have no such pair of peaks
_GAP = 0.05  # of the lower of two peaks: g between them where the first one stands alone


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
        for distances in _groups(_distances(state, pairs)):
            peak = _peak(target, distances, (allowed + len(pairs)) / state.volume)
            if peak is not None:
                warnings.warn(
                    f"{target.label}: g has a peak of {peak[1]:.3g} at r = {peak[0]:.3g} nm, where state "
                    f"{state.name!r} has {len(distances)} excluded pairs {'-'.join(target.pair)} of the same molecule: "
                    f"the file seems to count them, but a fit leaves them out; `diffpair target` leaves them out too",
                    stacklevel=4,
                )
                break


def _distances(state: State, pairs: NDArray[np.int64]) -> Array:
    """Minimum-image distances, sorted; box vectors in OpenMM's reduced form are taken off one after the other."""
    separation = state.positions[pairs[:, 0]] - state.positions[pairs[:, 1]]
    for axis in (2, 1, 0):
        separation = separation - np.round(separation[:, [axis]] / state.box[axis, axis]) * state.box[axis]
    return np.asarray(np.sort(np.linalg.norm(separation, axis=1)))


def _groups(distances: Array) -> list[Array]:
    """Distances that belong together: neighbours, their neighbours."""
    breaks = np.flatnonzero(np.diff(distances) > 2 * _WIDENED * distances[:-1]) + 1
    return [group for group in np.split(distances, breaks) if len(group)]


def _peak(target: RdfTarget, distances: Array, pair_density: float) -> tuple[float, float] | None:
    """Place and height of the peak of these pairs, or None. pair_density: all pairs per volume, nm^-3."""
    low, high = distances[0] * (1 - _WIDENED), distances[-1] * (1 + _WIDENED)
    inside = (target.r >= low) & (target.r <= high)
    if high - low > _NARROW * distances.mean() or not inside.any() or inside.all():
        return None
    counted = pair_density * np.sum(4 * np.pi * target.r**2 * target.bin_width * target.g, where=inside)
    at = int(np.argmax(np.where(inside, target.g, -1)))
    top, beyond = float(target.g[at]), target.g[target.r > high]
    if counted < _PART * len(distances) or not len(beyond):
        return None
    other = float(target.g[~inside].max())
    after = int(np.argmax(target.g[at:] <= _GAP * min(top, other)))  # 0 where g does not fall as far
    alone = after > 0 and target.r[at + after] <= high + (high - low) and bool(beyond.max() > 0)
    return (float(target.r[at]), top) if top > _HIGH * other or alone else None
