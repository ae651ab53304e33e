"""The bridge function, which the hypernetted chain leaves out, in the form that Verlet found for hard cores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SOFTENING = 0.8  # Verlet's number, from hard spheres
ROUNDS, SETTLED = 200, 1e-6  # of the fixed point, in kT; it halves its distance in each


def bridge_function(x: Array) -> Array:
    """B(x) = -x^2 / 2 / (1 + 0.8 x), and -x^2 / 2 for x < 0 (L. Verlet, Mol. Phys. 41, 183 (1980))."""
    return np.asarray(-0.5 * x**2 / (1 + SOFTENING * np.maximum(x, 0.0)))


def with_bridge(chain: Array, gamma: Array) -> Array:
    """U / kT = gamma + B(gamma - U_a / kT) - ln g at distances in rising order, [n], beginning where g does.

    U_a is the attractive part of U itself, U beyond its minimum and the minimum's value before it (J. D. Weeks,
    D. Chandler, H. C. Andersen, J. Chem. Phys. 54, 5237 (1971)): with it B is nearly the same function for all simple
    fluids (D.-M. Duh, A. D. J. Haymet, J. Chem. Phys. 103, 2625 (1995)). So U is found as a fixed point.

    Args:
        chain: gamma - ln g, what the hypernetted chain gives. gamma: h - c.
    """
    energy = chain
    for _ in range(ROUNDS):
        lowest = int(np.argmin(energy))
        attraction = np.where(np.arange(len(energy)) < lowest, energy[lowest], energy)
        after = 0.5 * (energy + chain + bridge_function(gamma - attraction))
        change, energy = float(np.abs(after - energy).max()), after
        if change < SETTLED:
            break
    return energy
