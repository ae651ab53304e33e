"""A bonded term as a table: the natural cubic spline through values at uniform nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import openmm
from numpy.typing import ArrayLike, NDArray

from diffpair.bonded.spline_force import Custom, open_force, parameter_prefix, periodic_force, write_parameters
from diffpair.bonded.term import Array, BondedTerm, Paths, finished
from diffpair.errors import DiffPairError

_SHORTEST, _FARTHEST = (
    1e-6,
    1e6,
)  # nm, of a table and of its end, far from overflow
_LEVEL = 1e-9  # of the largest |U| between the ends: a line that falls by less per nm or rad does not fall
_ROUNDS = 20  # an end that is raised turns the line at the other one by a twentieth or less
LEAST_NODES, MOST_NODES = 4, 400  # more make an expression that OpenMM needs seconds to compile


@dataclass(frozen=True, eq=False)
class TabulatedTerm(BondedTerm):
    """U(x) by the natural cubic spline through `values` at uniform nodes.

    Bonds and angles: nodes from `low` to `high`. Beyond, U goes on in a straight line, and a harmonic wall, 1/2 wall
    (x - end)^2, is added, which no fit changes. Dihedrals: a periodic spline through `values` at -pi + 2 pi k / n; low
    is -pi, high pi, and there is no wall.

    Args:
        kind: types along the chain: 2 of a bond, 3 of an angle, 4 of a dihedral.
        values: U at the nodes, kJ/mol, [n], 4 to 400 of them.
        fixed: a fit leaves it as it is.
        low: first node, nm or rad.
        high: last node, nm or rad.
        wall: force constant of the wall, kJ/mol/nm^2 or kJ/mol/rad^2.

    Raises:
        DiffPairError: values or ends that cannot be.

    Examples:
        >>> from diffpair.bonded import TabulatedTerm
        >>> u = [8.0, 2.0, 0.0, 2.0, 8.0]
        >>> bond = TabulatedTerm(("B", "A"), u, low=0.3, high=0.5, wall=1000.0)
        >>> bond.kind, bond.energy([0.35, 0.4]).round(6)
        (('A', 'B'), array([2., 0.]))
    """

    form: ClassVar[str] = "tabulated"

    low: float = -np.pi
    high: float = np.pi
    wall: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("low", "high", "wall"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not LEAST_NODES <= len(self.values) <= MOST_NODES:
            raise DiffPairError(
                f"{self.label}: a table has {LEAST_NODES} to {MOST_NODES} nodes, not {len(self.values)}"
            )
        if self.periodic:
            if not np.allclose((self.low, self.high, self.wall), (-np.pi, np.pi, 0), rtol=0, atol=1e-12):
                raise DiffPairError(f"{self.label}: the table of a dihedral goes from -pi to pi and has no wall")
            return
        end = np.pi if self.order == "angle" else np.inf
        if self.order == "bond" and 0 <= self.low < self.high and not (self.low + _SHORTEST <= self.high <= _FARTHEST):
            raise DiffPairError(
                f"{self.label}: its table from {self.low:g} to {self.high:g} nm must be {_SHORTEST:g} nm long or more "
                f"and end at {_FARTHEST:g} nm or before"
            )
        if not (0 <= self.low < self.high <= end + 1e-12 and 0 <= self.wall < np.inf):
            raise DiffPairError(
                f"{self.label}: its table from {self.low:g} to {self.high:g} with a wall of {self.wall:g} cannot be: "
                f"0 <= low < high{'' if self.order == 'bond' else ' <= pi'}, and the wall 0 or more"
            )

    @property
    def periodic(self) -> bool:
        """Whether it is the term of a dihedral."""
        return self.order == "dihedral"

    @property
    def nodes(self) -> Array:
        """Where the values are, [n], nm or rad."""
        return np.linspace(self.low, self.high, len(self.values), endpoint=not self.periodic)

    @property
    def spacing(self) -> float:
        """Distance between nodes, nm or rad."""
        return (self.high - self.low) / (len(self.values) - (0 if self.periodic else 1))

    @cached_property
    def _curvatures(self) -> Array:
        """D, [n, n]: U'' at the nodes is D values."""
        n, h = len(self.values), self.spacing
        column = np.zeros(n)
        if self.periodic:
            around = (np.arange(n)[:, None] - np.arange(n)) % n  # a circulant matrix of its first column
            column[[0, 1, -1]] = 4, 1, 1
            left = column[around]
            column[[0, 1, -1]] = -2, 1, 1
            return np.linalg.solve(left, 6 / h**2 * column[around])
        result = np.zeros((n, n))
        ones = np.eye(n - 2, n, 0) - 2 * np.eye(n - 2, n, 1) + np.eye(n - 2, n, 2)
        inner = 4 * np.eye(n - 2) + np.eye(n - 2, k=1) + np.eye(n - 2, k=-1)
        result[1:-1] = np.linalg.solve(inner, 6 / h**2 * ones)
        return result

    def _weights(self, x: Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], Array, Array]:
        """Of the two nodes beside every x: their indices, the weights of the values there, and of the curvatures: each
        [2, ...]. The straight lines beyond the ends included."""
        n, h = len(self.values), self.spacing
        if self.periodic:
            s = (x - self.low) / h
            first = np.floor(s).astype(np.int64)
            b = s - first
            index = np.stack([first, first + 1]) % n
        else:
            s = (np.clip(x, self.low, self.high) - self.low) / h
            first = np.clip(np.floor(s).astype(np.int64), 0, n - 2)
            b = s - first
            index = np.stack([first, first + 1])
        a = 1 - b
        value, curvature = np.stack([a, b]), h**2 / 6 * np.stack([a**3 - a, b**3 - b])
        if not self.periodic:
            beyond = x - np.clip(x, self.low, self.high)
            value = value + beyond / h * np.array([-1.0, 1.0]).reshape(2, *[1] * x.ndim)
            # the spline's slope at an end is (y1 - y0) / h and a part of the curvatures on both sides of that interval
            low, high = np.minimum(beyond, 0) * h / 6, np.maximum(beyond, 0) * h / 6
            curvature = curvature + np.stack([-2 * low + high, -low + 2 * high])
        return index, first, value, curvature

    def basis(self, x: ArrayLike) -> Array:
        """See BondedTerm."""
        x = np.asarray(x, dtype=np.float64)
        index, _, value, curvature = self._weights(x)
        unit = np.eye(len(self.values))
        result = sum(v[..., None] * unit[i] + c[..., None] * self._curvatures[i]
                     for i, v, c in zip(index, value, curvature, strict=True))  # fmt: skip
        return np.asarray(result)

    def grouped_sums(self, x: Array, groups: NDArray[np.int64], count: int) -> Array:
        """See BondedTerm; by sums of the weights, without phi of every coordinate."""
        frames, n = len(x), len(self.values)
        index, _, value, curvature = self._weights(x)
        place = (index + n * (groups + count * np.arange(frames)[:, None])).ravel()
        by_value, by_curvature = (
            np.bincount(place, weights.ravel(), frames * count * n).reshape(frames, count, n)
            for weights in (value, curvature)
        )
        return np.asarray(by_value + by_curvature @ self._curvatures)

    def energy(self, x: ArrayLike) -> Array:
        """See BondedTerm."""
        x = np.asarray(x, dtype=np.float64)
        index, _, value, curvature = self._weights(x)
        bent = self._curvatures @ self.values
        beyond = 0.0 if self.periodic else x - np.clip(x, self.low, self.high)
        return np.asarray((value * self.values[index] + curvature * bent[index]).sum(0) + 0.5 * self.wall * beyond**2)

    def confining(self) -> Self:
        """See BondedTerm. Lines beyond the ends never fall outwards: a value at an end is raised for that.

        No data tell of U there. The values at the ends are the least known ones; with a line that falls, molecules
        leave the table for good. An end at 0, or at pi of an angle, has nothing beyond it.
        """
        last = np.pi if self.order == "angle" else np.inf
        ends = [(self.low, -1.0, 0), (self.high, 1.0, -1)]
        rounding = 1e-9  # of pi in a file
        ends = [] if self.periodic else [end for end in ends if rounding < end[0] < last - rounding]
        lines = [(self.basis(end + outwards) - self.basis(end), node) for end, outwards, node in ends]
        values, least = self.values.copy(), -_LEVEL * max(1.0, float(np.abs(self.values[1:-1]).max()))
        for _ in range(_ROUNDS):
            for line, node in lines:
                rise = float(line @ values)  # per nm or rad
                if rise < least:
                    values[node] -= rise / line[node]
        return self.with_values(values)

    def _coefficients(self) -> Array:
        """Of the same spline in cubic B-splines: one per node, and one beyond each end of a table that has ends."""
        inner = self.values - self.spacing**2 / 6 * (self._curvatures @ self.values)
        if self.periodic:
            return np.asarray(inner)
        return np.concatenate([[2 * inner[0] - inner[1]], inner, [2 * inner[-1] - inner[-2]]])  # no curvature there

    def create_force(self, paths: Paths) -> Custom:
        """See BondedTerm and `spline_force`."""
        order, prefix, coefficients = len(self.kind), parameter_prefix(self.order, self.kind), self._coefficients()
        force: Custom
        if self.periodic:
            force = periodic_force(prefix, coefficients, self.low, self.spacing)
        else:
            force = open_force(order, prefix, coefficients, self.low, self.high, self.wall)
        add = {2: "addBond", 3: "addAngle", 4: "addTorsion"}[order]
        for path in np.asarray(paths).tolist():
            getattr(force, add)(*path)
        return finished(force, self)

    def write_live(self, force: Custom, context: openmm.Context) -> None:
        """See BondedTerm."""
        write_parameters(force, self._coefficients(), context)

    def numbers(self) -> dict[str, Any]:
        """See BondedTerm."""
        return {"low": self.low, "high": self.high, "wall": self.wall, "values": self.values.tolist()}

    @classmethod
    def of_numbers(cls, kind: Sequence[str], numbers: dict[str, Any]) -> TabulatedTerm:
        """See BondedTerm."""
        return cls(tuple(kind), np.array(numbers["values"]), low=numbers["low"], high=numbers["high"],
                   wall=numbers["wall"])  # fmt: skip
