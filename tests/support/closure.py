"""The hypernetted-chain closure solved forward, by another algorithm on another grid than the package's inversion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.fft import dst
from scipy.special import erfc

from diffpair.potentials import TableGrid

LIQUID = Path(__file__).parents[2] / "examples" / "lennard_jones" / "rdf.csv"
GRID = TableGrid(0.8, 2.5, 60)
BINS = 0.76 + 0.02 * np.arange(160)  # to 3.94
KELVIN = 120.272
FRACTIONS = np.array([0.3, 0.7])


def lj(r, epsilon=1.0, sigma=1.0):
    x = np.minimum((sigma / r) ** 6, 50.0)
    return np.where(r < 2.5, 4 * epsilon * (x**2 - x), 0.0)


def solve_forward(potentials, fractions, density, kT, coulomb=None):
    """g_ab on the bins of a mixture that obeys the closure, [types, types, bins]; by Picard iteration on gamma.

    coulomb: q_a q_b e^2 / (4 pi epsilon_0), [types, types], of further energies coulomb / r. gamma and c are without
    their long-ranged part, that of charges smeared over 1 / 1.5.
    """
    n, dr = 2048, 0.01
    r = dr * np.arange(1, n)
    k = np.pi / (n * dr) * np.arange(1, n)
    types = len(fractions)
    lengths = np.zeros((types, types, 1)) if coulomb is None else np.array(coulomb)[:, :, None] / kT
    near, far = lengths * erfc(1.5 * r) / r, lengths * 4 * np.pi / k**2 * np.exp(-((k / 1.5) ** 2) / 4)
    energy = np.array([[potentials(a, b, r) for b in range(types)] for a in range(types)])
    boltzmann = np.exp(-energy / kT - near)
    gamma = np.zeros_like(boltzmann)
    rho = density * np.diag(fractions)
    for _ in range(4000):
        c = boltzmann * np.exp(gamma) - 1 - gamma
        ck = np.moveaxis(2 * np.pi * dr * dst(r * c, type=1) / k, -1, 0)
        whole = ck - np.moveaxis(far, -1, 0)
        hk = np.linalg.solve(np.eye(types) - whole @ rho, whole)
        new = dst(k * np.moveaxis(hk - ck, 0, -1), type=1) / (4 * np.pi * n * dr * r)
        change = np.abs(new - gamma).max()
        gamma += 0.5 * (new - gamma)
        if change < 1e-9:
            break
    else:
        raise AssertionError("the closure was not solved")
    g = boltzmann * np.exp(gamma)
    return np.array([[np.interp(BINS, r, g[a, b]) for b in range(types)] for a in range(types)])
