"""The parameters of a potential as one vector, its tables, and how far each parameter may be expected to move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import block_diag
from torch import Tensor

from diffpair.errors import DiffPairError
from diffpair.potentials import BSpline, PairPotential, TableGrid, tabulate, to_table
from diffpair.potentials.tabulation import switched_energy
from diffpair.tables import PairTable
from diffpair.updates.basis import matern
from diffpair.updates.bonded_prior import BondedColumns, StartingTerm

Array = NDArray[np.float64]
FEW = 64  # so many parameters are moved one by one, more of them as a network
SMOOTH_OVER = 0.5  # correlation length of a spline's prior, in contact distances: about the width of a well
CORE = 0.9  # contact distances: nearer there are hardly any particles
NEAR_CONTACT = 0.95  # contact distances: a knot or two inside it, whose basis functions reach out to it
CORE_POWER = 12  # growth of the spline's prior toward small r, and its decay beyond contact
# Starts are extrapolations in the core, so there the prior has a second part: its size relative to the first, its
# correlation length, and the width over which it sets in below contact, both in contact distances.
CORE_PART, CORE_SMOOTH_OVER, CORE_RAMP = 0.3, 0.1, 0.1


@dataclass(frozen=True)
class Block:
    """A part of the parameter vector and the factor L of its prior covariance L L^T: a number or a matrix."""

    where: slice
    factor: float | Array | None  # None: from the Jacobian, so that each parameter moves U by about kT


class ParameterSpace:
    """theta, c(theta) at every set of global parameters, dc/dtheta, and a prior covariance of theta around the start.

    The prior says which of the changes from the start that explain the data equally well is the more likely one, in
    units of kT. Coefficients of a spline: correlated over half a contact distance (Matern 5/2), so smooth changes,
    ending at zero at the cutoff; larger below the contact distance. Weights of a network: all alike, which makes its
    neural tangent kernel the prior of the table. Few parameters: each free to move U by kT.

    Args:
        potential: its trainable parameters are the space.
        grid: of the tables.
        variants: the sets of global parameters that tables are needed at; [()] for a potential without any.
        kT: kJ/mol, of the coldest state.
        contact: contact distance per pair of types in nm.
        beyond: how uncertain the start is far beyond contact, as a part of how uncertain it is at contact.
        bonded: the first bonded terms. Those that are not fixed are learned: their values are the last parameters, and
            the last columns of what is called a table here.

    Attributes:
        learned: which coefficients of a table belong to pairs that are learned, flat [npairs * (knots + 2)].
        bonded: the bonded terms as columns. pairs: the first columns, [npairs * (knots + 2)] of them, as a slice.
    """

    def __init__(
        self,
        potential: PairPotential,
        grid: TableGrid,
        variants: list[tuple[float, ...]],
        kT: float,
        contact: Array,
        beyond: float = 1.0,
        bonded: Sequence[StartingTerm] = (),
    ) -> None:
        self.beyond = beyond
        self.potential, self.grid, self.variants, self.kT, self.contact = potential, grid, variants, kT, contact
        self.parameters = [p for p in potential.parameters() if p.requires_grad]
        if not self.parameters:
            raise DiffPairError("the potential has no parameter to learn: every part of it is trainable: false")
        self.bonded = BondedColumns(bonded)
        self._of_pairs = sum(p.numel() for p in self.parameters)
        self.size = self._of_pairs + self.bonded.size
        width = grid.knots + 2
        self.learned: NDArray[np.bool_] = np.repeat(np.isin(np.arange(potential.all_pairs), potential.learned), width)
        self.is_spline = isinstance(potential, BSpline)
        splines = {id(m.coefficients): m for m in potential.modules() if isinstance(m, BSpline)}
        self.few = not splines and self._of_pairs <= FEW
        self._blocks: list[Block] = []
        start = 0
        for parameter in self.parameters:
            spline = splines.get(id(parameter))
            if spline is None:
                self._blocks.append(Block(slice(start, start + parameter.numel()), None))
            else:
                free = parameter.shape[1]
                for index, pair in enumerate(spline.learned):
                    where = slice(start + index * free, start + (index + 1) * free)
                    self._blocks.append(Block(where, self._spline_factor(pair)))
            start += parameter.numel()
        for one, where in zip(self.bonded.learned, self.bonded.slices, strict=True):
            self._blocks.append(Block(slice(start + where.start, start + where.stop), one.prior(kT)))
        self.pairs = slice(0, potential.all_pairs * width)
        self.core = CORE * float(contact.min())  # nm: hardly any particles are nearer
        centres = grid.centres().numpy()
        beyond_contact = np.concatenate([(centres > NEAR_CONTACT * c) & (centres < grid.cutoff) for c in contact])
        self.sampled = beyond_contact & self.learned

    def _spline_factor(self, pair: int) -> Array:
        """Square root of the sum of two Matern-5/2 covariances. Their amplitudes grow into the core and vanish at the
        cutoff; without the second one, an error of the start in the core bends U at all distances to be made good.

        Where the start is good beyond contact the prior has to know: or else a change near contact drags one along at
        all distances to which g hardly answers.
        """
        free = self.grid.knots - 1
        r, contact = self.grid.centres().numpy()[:free], self.contact[pair]
        by_distance = power_of_distance(r, contact)
        by_distance = np.where(r < contact, by_distance, self.beyond + (1 - self.beyond) * by_distance)
        edge = 1 - np.clip(r / self.grid.cutoff, 0, 1) ** 4
        amplitude = self.kT * by_distance * edge
        within = CORE_PART * amplitude * np.clip((1 - r / contact) / CORE_RAMP, 0, 1)
        apart = np.abs(r[:, None] - r[None])
        covariance = matern(apart, amplitude, SMOOTH_OVER * contact) + matern(apart, within, CORE_SMOOTH_OVER * contact)
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))

    def expected_change(self) -> Array:
        """What the prior of a spline expects of each coefficient of a table, but for its end at the cutoff, in kJ/mol,
        and of bonded terms, [columns]."""
        r = self.grid.centres().numpy()
        of_pairs = [np.maximum(1.0, power_of_distance(r, contact)) for contact in self.contact]
        return np.concatenate([self.kT * np.concatenate(of_pairs), self.bonded.expected_change(self.kT)])

    def get(self) -> Array:
        """theta, [P]."""
        of_pairs = torch.cat([p.detach().flatten() for p in self.parameters]).double().numpy()
        return np.concatenate([of_pairs, self.bonded.get()])

    def set(self, theta: Array) -> None:
        """Write theta [P] into the potential. Raises DiffPairError where the form of a bonded term does not take it."""
        self.bonded.set(theta[self._of_pairs :])
        start = 0
        with torch.no_grad():
            for p in self.parameters:
                p.copy_(torch.from_numpy(theta[start : start + p.numel()]).reshape(p.shape))
                start += p.numel()

    def tables(self) -> list[Array]:
        """c at each variant, flat: npairs * (knots + 2) coefficients, then the values of bonded terms, [columns]."""
        with torch.no_grad():
            of_pairs = [tabulate(self.potential, self.grid, v).flatten().numpy() for v in self.variants]
        return [np.concatenate([c, self.bonded.get()]) for c in of_pairs]

    def table(self, variant: tuple[float, ...]) -> PairTable:
        """The present potential at a set of global parameters, as production and files have it."""
        return replace(to_table(self.potential, self.grid, variant), bonded=self.bonded.terms)

    def jacobians(self) -> list[Array]:
        """dc/dtheta at each variant, [columns, P]."""
        with _one_thread():
            of_pairs = [self._jacobian(v) for v in self.variants]
        return [block_diag(j, np.eye(self.bonded.size)) for j in of_pairs] if self.bonded.size else of_pairs

    def _jacobian(self, variant: tuple[float, ...]) -> Array:
        coefficients = tabulate(self.potential, self.grid, variant)
        if self.is_spline:
            jacobian = np.zeros((coefficients.numel(), self._of_pairs))
            rows = np.arange(coefficients.numel()).reshape(coefficients.shape)[list(self.potential.learned), :-3]
            jacobian[rows.ravel(), np.arange(self._of_pairs)] = 1.0
            return jacobian
        if self.potential.own_grid() is not None:  # a spline with further parts
            learned = coefficients[list(self.potential.learned), :-3]
            return self._of_all_pairs(self._rows(learned, self.grid.knots + 2))
        # U at a knot depends on that knot alone: many small backward passes instead of large ones.
        nodes = self.grid.nodes()
        by_node = np.stack([self._rows(switched_energy(self.potential, r[None], variant), 1) for r in nodes], axis=1)
        identity = torch.eye(self.grid.knots, dtype=torch.float64)
        interpolate = torch.ops.diffpair.interpolate_table(identity, self.grid.r_min, self.grid.cutoff).numpy().T
        return self._of_all_pairs(np.concatenate([interpolate @ pair for pair in by_node]))

    def _of_all_pairs(self, rows: Array) -> Array:
        """Rows [.., P] of the learned pairs with those of the others, 0."""
        result = np.zeros((len(self.learned), self._of_pairs))
        result[self.learned] = rows
        return result

    def _rows(self, values: Tensor, width: int) -> Array:
        """d values / d theta, [npairs * width, P]; rows beyond the values [npairs, n], n <= width, are 0."""
        rows = np.zeros((*values.shape[:1], width, self._of_pairs))
        for pair, row in enumerate(values):
            for k, value in enumerate(row):
                gradients = torch.autograd.grad(value, self.parameters, retain_graph=True, allow_unused=True)
                parts = [
                    p.new_zeros(p.shape) if g is None else g for g, p in zip(gradients, self.parameters, strict=True)
                ]
                rows[pair, k] = torch.cat([g.flatten() for g in parts]).double().numpy()
        return rows.reshape(-1, self._of_pairs)

    def factors(self, jacobians: list[Array]) -> list[Block]:
        """The prior's factor, with the numbers that depend on dc/dtheta filled in."""
        here = np.concatenate([j[self.pairs][self.sampled] for j in jacobians])
        each = np.sqrt((here**2).mean(0))
        free = [b.where for b in self._blocks if b.factor is None]
        network = np.sqrt(sum(float((each[w] ** 2).sum()) for w in free)) if free else 0.0
        blocks = []
        for block in self._blocks:
            if block.factor is not None:
                blocks.append(block)
            elif self._of_pairs <= FEW:
                strongest = float(each.max())
                for i in range(block.where.start, block.where.stop):
                    blocks.append(Block(slice(i, i + 1), self.kT / max(float(each[i]), 1e-6 * strongest, 1e-12)))
            else:
                blocks.append(Block(block.where, self.kT / max(network, 1e-12)))
        return blocks


def power_of_distance(r: Array, contact: float) -> Array:
    """(contact / r)^CORE_POWER, for r down to half of contact."""
    return np.asarray((contact / np.maximum(r, 0.5 * contact)) ** CORE_POWER)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Many tiny operations: waking a second thread for each of them costs far more than it gives."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def row_space(matrix: Array) -> tuple[Array, Array]:
    """Coordinates [n, k] of the rows of a matrix [n, P] in k orthonormal rows [k, P] that span them.

    Directions that the rows hardly have are left out. A network has far more parameters than there are rows: then n^2 P
    operations of matrix products do, a tenth of what a singular value decomposition takes.
    """
    rows, width = matrix.shape
    if width <= 2 * rows:
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        keep = values > 1e-9 * values[0]
        return left[:, keep] * values[keep], right[keep]
    squares, vectors = np.linalg.eigh(matrix @ matrix.T)
    keep = squares > 1e-12 * squares[-1]
    values, vectors = np.sqrt(squares[keep]), vectors[:, keep]
    return vectors * values, (vectors.T @ matrix) / values[:, None]


def times_factor(matrix: Array, blocks: list[Block]) -> Array:
    """matrix [n, P] times L."""
    result = np.empty_like(matrix)
    for block in blocks:
        part = matrix[:, block.where]
        result[:, block.where] = (
            part @ block.factor if isinstance(block.factor, np.ndarray) else part * (block.factor or 0.0)
        )
    return result


def factor_times(blocks: list[Block], vector: Array) -> Array:
    """L times vector [P]."""
    result = np.empty_like(vector)
    for block in blocks:
        part = vector[block.where]
        result[block.where] = (
            block.factor @ part if isinstance(block.factor, np.ndarray) else (block.factor or 0.0) * part
        )
    return result
