"""Coordinates in which first-order steps are taken: g answers nearly alike along all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.updates.base import StateView
from diffpair.updates.basis import spline_basis
from diffpair.updates.parameter_space import ParameterSpace, factor_times, times_factor

Array = NDArray[np.float64]
FLOOR = 1e-3  # of the largest eigenvalue: directions that g hardly answers to get no longer steps than this allows
RANK = 1e-9  # singular values of the prior's factor below this part of the largest are none


@dataclass(frozen=True)
class Preconditioner:
    """A change dz [K] of the coordinates makes the tables change by tables[variant] dz.

    They come from the response of a thin gas, dg(r) = -beta g(r) dU(r), with g that of the target: neither fluctuations
    nor segments are asked. In a liquid it is off by the structure factor, but it knows where particles are and what
    one kT does to them. With A = dg/dx, x the coordinates of the prior (see ParameterSpace), and A^T A = V l V^T,

        x = V (l + FLOOR max l)^(-1/2) z,

    so dz of length 1 changes g by about 1, root mean square over the bins. For few parameters z is turned back by V^T
    to their own axes: coordinates that are made anew as the parameters move must not turn under an optimizer.

    Args:
        tables: per variant, [npairs * (knots + 2), K] in kJ/mol. theta: [P, K], of few parameters; empty for others.
    """

    tables: list[Array]
    theta: Array

    @classmethod
    def of(cls, space: ParameterSpace, states: list[StateView]) -> Preconditioner:
        """That of a potential at its present parameters. Raises DiffPairError if its Jacobian is not finite."""
        jacobians = space.jacobians()
        blocks = space.factors(jacobians)
        scaled = times_factor(np.concatenate(jacobians), blocks)
        if not np.isfinite(scaled).all():
            raise DiffPairError("the Jacobian of the potential is not finite")
        left, values, right = np.linalg.svd(scaled, full_matrices=False)
        keep = values > RANK * values[0]
        by_prior = np.split(left[:, keep] * values[keep], len(jacobians))
        width = space.grid.knots + 2
        total = np.zeros((int(keep.sum()),) * 2)
        for state in states:
            bins = max(sum(len(rdf.r) for rdf in state.rdfs), 1)
            for rdf in state.rdfs:
                inside = rdf.r < space.grid.cutoff
                basis = spline_basis(space.grid, rdf.r[inside])
                part = basis @ by_prior[state.variant][rdf.pair * width : (rdf.pair + 1) * width]
                answer = np.maximum(rdf.target[inside], 0.0)[:, None] * part / state.kT
                total += answer.T @ answer / bins
        eigenvalues, vectors = np.linalg.eigh(total)
        eigenvalues = np.maximum(eigenvalues, 0.0)
        if eigenvalues[-1] <= 0:
            raise DiffPairError("no g(r) of the targets answers to the potential")
        along = vectors / np.sqrt(eigenvalues + FLOOR * eigenvalues[-1])
        theta = np.zeros((space.size, 0))
        if space.few:
            along = right[keep].T @ along @ vectors.T @ right[keep]
            by_prior = np.split(scaled, len(jacobians))
            theta = np.stack([factor_times(blocks, column) for column in along.T], axis=1)
        return cls([part @ along for part in by_prior], theta)

    @property
    def size(self) -> int:
        """K."""
        return self.tables[0].shape[1]

    def gradient(self, states: list[StateView]) -> tuple[Array, Array]:
        """dL/dz of all states' gradients, and its variance, both [K]; the variance is 0 where it is not known."""
        total, variance = np.zeros(self.size), np.zeros(self.size)
        for state in states:
            assert state.gradient is not None
            along = self.tables[state.variant]
            total += along.T @ state.gradient
            if state.gradient_noise is not None:
                variance += ((state.gradient_noise @ along) ** 2).sum(0)
        return total, variance

    def content(self) -> dict[str, Any]:
        """All of it, as tensors."""
        return {"tables": [torch.from_numpy(t) for t in self.tables], "theta": torch.from_numpy(self.theta)}

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Preconditioner:
        return cls([t.numpy() for t in content["tables"]], content["theta"].numpy())
