"""Are there particles at a distance? Every threshold on g(r) that says so, side by side, and nowhere else.

They differ because the questions do: what a word, a table, a logarithm or a step needs is not the same amount of g.
A part of g's maximum serves where g is only known up to a factor or is low everywhere; g itself where it is compared
with the bulk's 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Parts of the highest g, from the emptiest on.
# No neighbours. A table begins below: a sampling, and the hot melt before it, hardly ever meets what is nearer.
EMPTY = 1e-3
# The core. Some hundred frames know a g as small as that no better than to its own size: they fix no coefficient of U
# (updates/core.py), ln g says no more than g (updates/rows.py), and a histogram may be continued by 0.
CORE = 0.01
# Neighbours begin: beyond ripples and noise, for words and where a length is held against what atoms allow.
ONSET = 0.1
# Contact, where g does not reach the bulk's 1: the top of a first peak itself is a broad place.
CONTACT = 0.9
# The flank of the first shell, and how many times as far that shell ends: its peak comes at 1.1 to 1.2 times the
# contact distance, the minimum after it at 1.5.
FLANK, SHELL = 0.5, 1.5

# g itself.
# The least g whose logarithm is taken, 4.6 kT: a bin of less is empty or noise.
LEAST = 0.01
# From here on ln g is inverted, 3 kT up the core. Nearer g grows tenfold within a bin or two and is known as badly: the
# core is continued. Of a g that stays below 1 it is a part of the maximum, see `invertible`.
INVERTIBLE = 0.05
# Visited: often enough for a change of U there to count as a step, and for what is not known there to be told.
VISITED = 0.1
# Between the first shells of a crystal, smoothed over its bins; a simple liquid's first minimum is above 0.5.
CRYSTAL_GAP = 0.4
# Between two peaks that stand apart, as a part of the lower one: bonded pairs leave such gaps, liquids do not.
PEAK_GAP = 0.05


def invertible(g: Array) -> float:
    """The g above which a target is inverted, [n] -> number."""
    return INVERTIBLE * min(1.0, float(g.max()))


def neighbours_from(r: Array, g: Array) -> float:
    """The first r at which there is anything at all, nm; r, g: [n]."""
    return float(r[np.argmax(g > EMPTY * g.max())])


def onset(r: Array, g: Array) -> float:
    """Where neighbours begin: the first r at which g reaches a tenth of its maximum, nm; r, g: [n]."""
    return float(r[np.argmax(g >= ONSET * g.max())])


def begins_with_core(g: Array) -> bool:
    """Whether neighbours begin after the first bin: what is there is not cut off."""
    return bool(g[0] < ONSET * g.max())


def contact_bin(g: Array) -> int:
    """The bin of the contact distance: where g [n] first reaches 1, or nearly its maximum if that is lower."""
    return int(np.argmax(g >= min(1.0, CONTACT * g.max())))


def first_contact_bin(r: Array, g: Array) -> int:
    """The same from the first shell alone; r in nm, g: [n].

    Between chains g lies below 1 far out, in the hole that each chain keeps for itself, and rises to 1 well beyond the
    first shell. Where beads touch, its first peak tells.
    """
    flank = float(r[np.argmax(g >= FLANK * g.max())])
    return int(np.argmax(g >= min(1.0, CONTACT * float(g[r <= SHELL * flank].max()))))
