"""A gas so thin that g(r) = exp(-beta U(r)): updates are solved on paper there."""

from __future__ import annotations

import numpy as np
import torch

from diffpair.gradients.rdf_rows import FLOOR
from diffpair.potentials import BSpline, GaussianMLP, LennardJones, TableGrid, tabulate
from diffpair.updates import (
    Memory,
    Observation,
    StateView,
)
from diffpair.updates.basis import spline_basis

GRID = TableGrid(0.8, 2.5, 60)
KT, CONTACT = 1.0, np.array([1.0])
R = np.linspace(0.85, 2.6, 90)
BASIS = spline_basis(GRID, R)


def lennard_jones_table(epsilon=1.0, sigma=1.0):
    with torch.no_grad():
        return tabulate(LennardJones(("A",), 2.5, epsilon, sigma), GRID).numpy().ravel()


def g_of(table, kT=KT):
    return np.exp(-BASIS @ table / kT)


class ThinGas:
    """One state of the gas: observes g and its exact Jacobian -beta g B_k."""

    def __init__(self, target, variant=0, kT=KT):
        self.target, self.kT, self.memory = target, kT, Memory()
        self.variant = variant

    def observe(self, table):
        g = g_of(table, self.kT)
        jacobian = -g[:, None] * BASIS / self.kT
        none = np.zeros((0, len(table)))
        self.memory.add(
            Observation(table, g - self.target, np.full(len(R), 0.003), jacobian, none, 0.003**2 * np.eye(len(R)))
        )
        weights = (BASIS * (R**2 * g)[:, None]).sum(0)[None]
        floor = np.full(len(R), FLOOR)
        return StateView(self.memory, self.variant, BASIS[self.target > 0.1], self.kT, weights, floor=floor)


FORMS = {
    "bspline": lambda: BSpline(("A",), *GRID[1::-1], GRID.knots),
    "lj": lambda: LennardJones(("A",), 2.5, 0.6, 0.95),
    "mlp": lambda: GaussianMLP(("A",), 2.5, hidden=(24, 24), seed=1),
}
