"""What every bonded term is to the rest of DiffPair: a function of one coordinate, linear in its numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import openmm
from numpy.typing import ArrayLike, NDArray

from diffpair.errors import DiffPairError
from diffpair.systems.bonded_paths import canonical

Array = NDArray[np.float64]
Paths = NDArray[np.int64]
ORDERS = {2: "bond", 3: "angle", 4: "dihedral"}


@dataclass(frozen=True, eq=False)
class BondedTerm(ABC):
    """U(x) of every bond, angle or dihedral between particles of certain types; x is a length in nm or an angle in rad.

    Args:
        kind: types of the particles along the chain: 2 of a bond, 3 of an angle, 4 of a dihedral; kept in canonical
            order.
        values: the numbers c that U is linear in, [n]: U(x) = sum_k c_k phi_k(x) + what depends on none of them.
        fixed: a fit leaves it as it is.

    Raises:
        DiffPairError: values that are not finite or not as many as there should be.
    """

    form: ClassVar[str]

    kind: tuple[str, ...]
    values: Array
    fixed: bool = False

    def __post_init__(self) -> None:
        if len(self.kind) not in ORDERS:
            raise DiffPairError(f"a bonded term has 2, 3 or 4 types, not {len(self.kind)}: {'-'.join(self.kind)}")
        object.__setattr__(self, "kind", canonical(self.kind))
        values = np.array(self.values, dtype=np.float64)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise DiffPairError(f"{self.label}: its values must be finite numbers, not {self.values}")

    @property
    def order(self) -> str:
        """ "bond", "angle" or "dihedral"."""
        return ORDERS[len(self.kind)]

    @property
    def name(self) -> str:
        """Such as A-B-A."""
        return "-".join(self.kind)

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.order} {self.name}"

    def with_values(self, values: Array) -> Self:
        """The same term with other numbers.

        Args:
            values: as many as before, [n].

        Returns:
            The new term.
        """
        return replace(self, values=values)

    def with_fixed(self, fixed: bool) -> Self:
        """The same term, to be learned or not.

        Args:
            fixed: a fit leaves it as it is.

        Returns:
            The new term.
        """
        return replace(self, fixed=fixed)

    def confining(self) -> Self:
        """The same term, made so that molecules stay where data tell of U: what a fit may make of it.

        Returns:
            The term itself, unless it has ends that molecules could leave it by.
        """
        return self

    @abstractmethod
    def basis(self, x: ArrayLike) -> Array:
        """The functions phi_k that U is made of.

        Args:
            x: nm or rad, of any shape [...].

        Returns:
            phi_k(x), [..., n].
        """

    @abstractmethod
    def energy(self, x: ArrayLike) -> Array:
        """U(x).

        Args:
            x: nm or rad, of any shape.

        Returns:
            kJ/mol, of the shape of x.
        """

    def sums(self, x: Array) -> Array:
        """dU/dc of frames: sums of phi_k over all coordinates.

        Args:
            x: lengths or angles, nm or rad, [F, coordinates].

        Returns:
            [F, n].
        """
        return self.grouped_sums(x, np.zeros(x.shape[1], dtype=np.int64), 1)[:, 0]

    def grouped_sums(self, x: Array, groups: NDArray[np.int64], count: int) -> Array:
        """The same over parts of the coordinates.

        Args:
            x: lengths or angles, nm or rad, [F, coordinates].
            groups: which part each coordinate belongs to, [coordinates].
            count: number of parts.

        Returns:
            [F, count, n].
        """
        members = np.zeros((count, x.shape[1]))
        members[groups, np.arange(x.shape[1])] = 1.0
        return np.asarray(members @ self.basis(x))

    @abstractmethod
    def create_force(self, paths: Paths) -> openmm.Force:
        """One of OpenMM's own forces, periodic, that acts on chains of particles.

        Args:
            paths: indices of the particles along each chain, [chains, 2 | 3 | 4].

        Returns:
            The force, which is in no System yet.
        """

    @abstractmethod
    def write_live(self, force: openmm.Force, context: openmm.Context) -> None:
        """Give a force of `create_force`, and the Context that holds it, these values; nothing is built anew.

        Args:
            force: made by a term of the same kind, form and table.
            context: that holds the force.
        """

    @abstractmethod
    def numbers(self) -> dict[str, Any]:
        """What the potential file holds beside form and types, see docs/reference/file-format.md."""

    @classmethod
    @abstractmethod
    def of_numbers(cls, kind: Sequence[str], numbers: dict[str, Any]) -> BondedTerm:
        """The term that `numbers` tells of.

        Args:
            kind: types along the chain.
            numbers: as `numbers` gives them.

        Returns:
            The term.

        Raises:
            DiffPairError: the values are unusable.
            KeyError: a number is missing.
            TypeError: a number is none.
        """

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BondedTerm):
            return NotImplemented
        return type(self) is type(other) and self.kind == other.kind and self.numbers() == other.numbers()

    __hash__ = None  # type: ignore[assignment]


class Labelled(Protocol):
    """A term, or a setting that tells of one."""

    @property
    def label(self) -> str: ...


def force_name(term: Labelled) -> str:
    """Name of a term's force in a System, by which it is found again."""
    return f"DiffPair {term.label}"


def finished(force: openmm.Force, term: BondedTerm) -> Any:
    """A new force of a term with what all have in common."""
    force.setName(force_name(term))
    force.setUsesPeriodicBoundaryConditions(True)
    return force
