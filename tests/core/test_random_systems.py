"""No pair is missed or counted twice, in whatever box and however the atoms lie: against brute force, 27 images.

tests/cpp does the same for all loops on each instruction set.
"""

from __future__ import annotations

import numpy as np
import torch

import diffpair.ops  # noqa: F401  (registers the operators)

KNOTS = 12
STYLES = ("uniform", "many boxes away", "in a plane", "two clumps", "on a grid")


def random_box(rng: np.random.Generator) -> np.ndarray:
    """Rows of a box in reduced form, [3, 3]; long, flat, small or skewed."""
    box = np.diag(1.5 + 7 * rng.random(3) ** 3)
    if rng.random() < 0.5:
        box[1, 0], box[2, 0] = (rng.random(2) - 0.5) * box[0, 0]
        box[2, 1] = (rng.random() - 0.5) * box[1, 1]
    return box


def random_positions(rng: np.random.Generator, style: str, box: np.ndarray) -> np.ndarray:
    """[atoms, 3], 0 to 250 atoms."""
    atoms = int(rng.integers(0, 6) if rng.random() < 0.15 else rng.integers(6, 250))
    fractions = rng.random((atoms, 3))
    if style == "many boxes away":
        fractions = 9 * fractions - 4
    elif style == "in a plane":
        fractions[:, rng.integers(3)] = 0.5
    elif style == "two clumps":
        fractions = 0.02 * rng.standard_normal((atoms, 3)) + rng.integers(0, 2, (atoms, 1))
    elif style == "on a grid":
        fractions = rng.integers(0, 8, (atoms, 3)) / 8
    return fractions @ box


def pair_distances(x: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Nearest-image distances of all pairs i < j, [pairs]."""
    i, j = np.triu_indices(len(x), 1)
    d = x[i] - x[j]
    for axis in (2, 1, 0):
        d -= np.round(d[:, axis] / box[axis, axis])[:, None] * box[axis]
    shifts = np.array(list(np.ndindex(3, 3, 3))) - 1
    return np.sqrt(((d[:, None] + shifts @ box) ** 2).sum(-1).min(1))


def spline_sums(s: torch.Tensor) -> torch.Tensor:
    """Sums of the cubic B-splines over distances in units of the spacing, from truncated powers, [KNOTS + 2]."""
    s = s[:, None] - (torch.arange(KNOTS + 2) - 1)
    weights = zip(range(-2, 3), (1, -4, 6, -4, 1), strict=True)
    return (sum(c * (s - k).clamp(min=0) ** 3 for k, c in weights) / 6).sum(0)


def deviation(seed: int) -> dict[str, float]:
    """Largest deviation of the spline sums, in pairs, per precision."""
    rng = np.random.default_rng(seed)
    box = random_box(rng)
    x = random_positions(rng, STYLES[seed % len(STYLES)], box)
    cutoff = 0.5 * box.diagonal().min() * (0.999999 if rng.random() < 0.3 else 0.2 + 0.8 * rng.random())
    result = {}
    for dtype in (torch.float32, torch.float64):
        given = torch.tensor(x, dtype=dtype)
        r = pair_distances(given.double().numpy(), box)
        r = torch.tensor(r[r < cutoff])
        expected = spline_sums(r / (cutoff / (KNOTS - 1)))
        types, exclusions = torch.zeros(len(x), dtype=torch.int32), torch.zeros((0, 2), dtype=torch.int32)
        sums = torch.ops.diffpair.spline_sums(
            given[None], torch.tensor(box)[None], types, exclusions, 1, 0.0, float(cutoff), KNOTS
        )[0, 0]
        result[str(dtype)] = float((sums - expected).abs().max() / max(1, len(r)))
    return result


def test_spline_sums_equal_brute_force():
    """A sum that lacked one pair would deviate by 1 / pairs or so, 3e-5 for the largest system."""
    deviations = [deviation(seed) for seed in range(60)]
    assert max(d["torch.float64"] for d in deviations) < 1e-9
    assert max(d["torch.float32"] for d in deviations) < 3e-6
