"""Does a state that should be one fluid freeze, or come apart into two phases? Told from its static structure factor.

    S(k) = < |sum_j exp(i k r_j)|^2 > / N    at every k that the periodic box allows.

A crystal has Bragg peaks, S of the order of N at single k, and its particles stay where they are. Two coexisting phases
make a density wave as long as the box: S of the order of N at the smallest k (J.-P. Hansen, I. R. McDonald, Theory of
Simple Liquids, 4th ed., Academic Press 2013, chapters 4 and 5). A fluid, even one near its critical point, has neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.engines.frames import Frames

Array = NDArray[np.float64]
FRAMES = 8  # that are looked at, spread over the sampling
REACH = 1.7  # |k| in units of 2 pi / (V / N)^(1/3): the first peak of liquids and crystals lies within
MOST = 12  # waves along a box edge: bounds the time for large systems
BRAGG = 0.1  # of N: the strongest peak of S(k); a liquid's is below 15 whatever N is
STAYS = 0.2  # (V / N)^(1/3): root mean square displacement over the sampling that a crystal's particles keep within
WAVE, LEAST = 0.01, 8.0  # of N, and S itself, at the smallest k


@dataclass(frozen=True)
class Structure:
    """Signs of other phases in a sampling.

    peak: largest S(k) over N at k beyond the longest waves. wave: mean S over N at the longest waves of the box.
    displacement: root mean square displacement from the first frame to the last, in units of (V / N)^(1/3). size: N.
    """

    peak: float
    wave: float
    displacement: float
    size: int

    @property
    def note(self) -> str:
        """What the state appears to have done; empty for a homogeneous fluid."""
        if self.peak > BRAGG and self.displacement < STAYS:
            return (
                f"appears to have frozen: its structure factor has a Bragg peak of {self.peak:.2g} N, and its "
                f"particles move by {self.displacement:.2g} of their distance only"
            )
        if self.wave > max(WAVE, LEAST / self.size):
            return (
                f"appears to have separated into two phases: its density varies over the length of the box, with a "
                f"structure factor of {self.wave:.2g} N there"
            )
        return ""


def structure(frames: Frames) -> Structure:
    """Of frames [F, N, 3], 2 or more; particles of all types count alike."""
    count, size = frames.positions.shape[:2]
    chosen = np.unique(np.linspace(0, count - 1, min(FRAMES, count)).round().astype(int))
    spacing = float(np.mean(np.abs(np.linalg.det(frames.boxes))) / size) ** (1 / 3)
    edges = np.linalg.norm(frames.boxes[0], axis=1)
    most = np.minimum(np.ceil(REACH * edges / spacing), MOST).astype(int)
    power = np.zeros((2 * most[0] + 1, 2 * most[1] + 1, most[2] + 1))
    for frame in chosen:
        power += _power(frames.positions[frame], frames.boxes[frame], most)
    power /= len(chosen) * size
    orders = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most[:2]], np.arange(most[2] + 1), indexing="ij"))
    k = np.linalg.norm(np.einsum("axyz,ia->ixyz", orders, np.linalg.inv(frames.boxes[0])), axis=0)
    k *= float(edges.max())  # 1 at the longest wave of an orthorhombic box
    once = (orders[2] > 0) | (orders[1] > 0) | ((orders[1] == 0) & (orders[0] > 0))  # S(-k) = S(k)
    long = once & (k > 0) & (k < 1.2)
    short = (k > 2.5) & (k < REACH * edges.max() / spacing)
    # a barostat carries particles along with the box, which is no motion of theirs
    first, last = (frames.positions[k] @ np.linalg.inv(frames.boxes[k]) for k in (0, -1))
    moved = (last - first) @ frames.boxes.mean(0)
    moved = moved - moved.mean(0)
    displacement = float(np.sqrt(np.mean(np.sum(moved**2, axis=1)))) / spacing
    return Structure(
        float(power[short].max(initial=0.0)) / size,
        float(power[long].mean()) / size if long.any() else 0.0,
        displacement,
        size,
    )


def _power(x: Array, box: Array, most: NDArray[np.int64]) -> Array:
    """|sum_j exp(2 pi i n . s_j)|^2 for n_x, n_y from -m to m and n_z from 0 to m, [2 m_x + 1, 2 m_y + 1, m_z + 1]."""
    phase = 2j * np.pi * (x @ np.linalg.inv(box)).T
    waves = [np.exp(np.arange(-m, m + 1)[:, None] * p) for m, p in zip(most, phase, strict=True)]
    last = waves[2][most[2] :].T
    return np.stack([np.abs((wave * waves[1]) @ last) ** 2 for wave in waves[0]])
