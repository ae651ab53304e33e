"""The table of a pair potential: uniform cubic B-splines in r, one row of coefficients per pair of types.

The same definition as cpp/include/diffpair/Table.h, here in plain numpy for loading, saving, plotting and reports.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffpair.bonded import BondedTerm, read_terms, write_terms
from diffpair.errors import DiffPairError, shortened
from diffpair.tables.custom_force import custom_nonbonded_force
from diffpair.tables.document import ENTROPY_UNIT, FORMAT, UNITS, VERSION, read_document, write_document
from diffpair.tables.limits import check_grid, check_size
from diffpair.tables.numbers import real_array
from diffpair.tables.pairs import pair_row, type_pairs
from diffpair.tables.spline import overlap

if TYPE_CHECKING:
    import openmm

INERT = "none"  # type of particles that take no part, as in a config
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairTable:
    """A tabulated potential U_ab(r) of T types, with a row for each of the P = T (T + 1) / 2 pairs of types.

    With h = (cutoff - r_min) / (knots - 1) and the cubic B-spline B centred at 0::

        U(r) = sum_k c[k] B((r - r_min) / h - (k - 1))   for r_min <= r < cutoff

    U continues linearly below r_min and is 0 from the cutoff on. Compares equal if every value has the same bits.

    Args:
        types: names of the types, unique.
        r_min: first knot, nm, 0 or more.
        cutoff: last knot, nm, above r_min.
        coefficients: c, kJ/mol, [P, knots + 2], rows in the order (0, 0), (0, 1) .. (0, T - 1), (1, 1) ..; the last
            three of each row are 0. A read-only float64 copy is kept.
        global_parameters: values of the potential's global parameters that it was tabulated at; may be empty.
        entropy: S of a potential U - (T - T0) S at T0, the global parameter "temperature", as coefficients, kJ/mol/K,
            [P, knots + 2]; None for any other potential. A read-only float64 copy is kept.
        bonded: terms of bonds, angles and dihedrals that belong to the potential.

    Raises:
        DiffPairError: a value is unusable; the sentence names it.

    Examples:
        >>> c = [[6, 4, 2, 1, 0.5, 0, 0, 0]]
        >>> table = diffpair.PairTable(("A",), r_min=0.2, cutoff=1.0, coefficients=c)
        >>> table.knots, table.spacing
        (6, 0.16)
        >>> table.energy([0.2, 0.5, 1.0]).round(3)
        array([4.   , 1.181, 0.   ])
        >>> float(table.force(0.1)), float(table.force(0.2))  # U is linear below r_min
        (12.5, 12.5)
        >>> force = diffpair.PairTableForce.fromTable(table)
        >>> print(force.getPairEnergy(0, 0, 0.2))
        4.0 kJ/mol
    """

    types: tuple[str, ...]
    r_min: float
    cutoff: float
    coefficients: Array
    global_parameters: dict[str, float] = field(default_factory=dict)
    entropy: Array | None = None
    bonded: tuple[BondedTerm, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.types, str) or not all(isinstance(name, str) and name for name in self.types):
            raise DiffPairError(f"types must be a tuple of names, such as ('A', 'B'), not {shortened(self.types)}")
        object.__setattr__(self, "types", tuple(self.types))
        object.__setattr__(self, "bonded", tuple(self.bonded))
        object.__setattr__(self, "r_min", float(self.r_min))
        object.__setattr__(self, "cutoff", float(self.cutoff))
        for name in ("coefficients", "entropy"):
            given = getattr(self, name)
            if given is not None:
                array = real_array(given, name)
                array.setflags(write=False)
                object.__setattr__(self, name, array)
        parameters = {str(name): _number(name, value) for name, value in self.global_parameters.items()}
        object.__setattr__(self, "global_parameters", parameters)
        self._check()

    def _check(self) -> None:
        if not self.types or len(set(self.types)) != len(self.types):
            raise DiffPairError(f"types must be one or more unique names, not {list(self.types)}")
        npairs = len(self.types) * (len(self.types) + 1) // 2
        shape = self.coefficients.shape
        if len(shape) != 2 or shape[0] != npairs:
            raise DiffPairError(f"coefficients of {len(self.types)} types need {npairs} rows, but the shape is {shape}")
        check_grid(self.r_min, self.cutoff, self.knots)
        check_size(len(self.types), self.knots)
        self._check_values("", self.coefficients)
        for name, value in self.global_parameters.items():
            if not np.isfinite(value):
                raise DiffPairError(f"global parameter {name} is {value}")
        for term in self.bonded:
            if unknown := [name for name in term.kind if name not in self.types]:
                raise DiffPairError(f"{term.label}: the potential has no type {unknown[0]!r}")
            if sum(other.kind == term.kind for other in self.bonded) > 1:
                raise DiffPairError(f"the potential has the {term.label} twice")
        if self.entropy is not None:
            if self.entropy.shape != shape:
                raise DiffPairError(
                    f"the entropy needs the shape {shape} of the coefficients, not {self.entropy.shape}"
                )
            self._check_values("entropy's ", self.entropy)
            if "temperature" not in self.global_parameters:
                raise DiffPairError("a table with an entropy needs the global parameter temperature")

    def _check_values(self, whose: str, values: Array) -> None:
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            row, k = bad[0]
            raise DiffPairError(f"{whose}coefficient {k} of the pair {self.pair_name(row)} is {values[row, k]}")
        bad = np.argwhere(values[:, -3:] != 0)
        if len(bad):
            row = bad[0][0]
            raise DiffPairError(
                f"the {whose}last three coefficients of the pair {self.pair_name(row)} must be 0, so that the "
                f"potential ends smoothly at the cutoff, but they are {values[row, -3:].tolist()}"
            )

    @property
    def knots(self) -> int:
        """Number of knots."""
        return int(self.coefficients.shape[1]) - 2

    @property
    def columns(self) -> Array:
        """All numbers that a fit may change, flat: the coefficients, then the values of the bonded terms that are not
        fixed."""
        return np.concatenate([self.coefficients.ravel(), *(t.values for t in self.bonded if not t.fixed)])

    @property
    def spacing(self) -> float:
        """Distance h between knots in nm."""
        return (self.cutoff - self.r_min) / (self.knots - 1)

    @property
    def nodes(self) -> Array:
        """Radii of the knots in nm, [knots]."""
        return np.linspace(self.r_min, self.cutoff, self.knots)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The type pairs in the order of the rows."""
        return type_pairs(self.types)

    def pair_name(self, row: int) -> str:
        """Name of a pair of types.

        Args:
            row: of the table.

        Returns:
            Such as "A-B".
        """
        return "-".join(self.pairs[int(row)])

    def pair_index(self, a: str | int, b: str | int) -> int:
        """Row of a pair of types.

        Args:
            a: name or index of one type.
            b: name or index of the other type.

        Returns:
            The row of `coefficients`.

        Raises:
            DiffPairError: an unknown type.
        """
        return pair_row(self._type_index(a), self._type_index(b), len(self.types))

    def _type_index(self, a: str | int) -> int:
        if isinstance(a, str):
            if a not in self.types:
                raise DiffPairError(f"type {a!r} is not in the table, which has {', '.join(self.types)}")
            return self.types.index(a)
        if not isinstance(a, Integral):
            raise DiffPairError(f"a type is a name or an index, not {shortened(a)}")
        if not 0 <= a < len(self.types):
            raise DiffPairError(f"type index {a} is out of range: the table has {len(self.types)} types")
        return int(a)

    def energy(self, r: ArrayLike, a: str | int = 0, b: str | int = 0) -> Array:
        """U_ab(r).

        Args:
            r: distances, nm, of any shape.
            a: name or index of one type.
            b: name or index of the other type.

        Returns:
            kJ/mol, of the shape of r.

        Raises:
            DiffPairError: an unknown type, or a distance that is not a number.
        """
        return self._evaluate(r, a, b)[0]

    def force(self, r: ArrayLike, a: str | int = 0, b: str | int = 0) -> Array:
        """-dU_ab/dr, positive where particles repel each other.

        Args:
            r: distances, nm, of any shape.
            a: name or index of one type.
            b: name or index of the other type.

        Returns:
            kJ/mol/nm, of the shape of r.

        Raises:
            DiffPairError: an unknown type, or a distance that is not a number.
        """
        return -self._evaluate(r, a, b)[1]

    def _evaluate(self, r: ArrayLike, a: str | int, b: str | int) -> tuple[Array, Array]:
        """U and dU/dr."""
        c = self.coefficients[self.pair_index(a, b)]
        r = real_array(r, "r")
        if np.isnan(r).any():
            raise DiffPairError("r must be distances in nm, but holds nan")
        near = overlap(r, self.r_min, self.cutoff, self.knots)
        c = np.stack([c[near.first + k] for k in range(4)])
        return np.asarray((c * near.values).sum(0)), np.asarray((c * near.slopes).sum(0))

    def at_temperature(self, temperature: float) -> PairTable:
        """The potential at another temperature: U - (T - T0) S.

        Args:
            temperature: T, K.

        Returns:
            The table at T.

        Raises:
            DiffPairError: the potential has no entropy, or T is not positive.
        """
        if self.entropy is None:
            raise DiffPairError("the potential does not depend on temperature: it has no entropy")
        if not (np.isfinite(temperature) and temperature > 0):
            raise DiffPairError(f"the temperature must be positive, not {temperature} K")
        change = float(temperature) - self.global_parameters["temperature"]
        parameters = {**self.global_parameters, "temperature": float(temperature)}
        coefficients = self.coefficients - change * self.entropy
        return replace(self, coefficients=coefficients, global_parameters=parameters)

    def with_inert_type(self, name: str = INERT) -> PairTable:
        """The same potential with one more type, for particles that take no part: all of its pairs are 0.

        Args:
            name: of the new type, which comes after the others.

        Returns:
            The larger table.

        Raises:
            DiffPairError: there is a type of that name.
        """
        types = (*self.types, name)
        old = {pair: row for row, pair in enumerate(self.pairs)}

        def spread(values: Array) -> Array:
            none = np.zeros(values.shape[1])
            return np.array([values[old[pair]] if pair in old else none for pair in type_pairs(types)])

        entropy = None if self.entropy is None else spread(self.entropy)
        return replace(self, types=types, coefficients=spread(self.coefficients), entropy=entropy)

    def to_custom_nonbonded_force(self) -> openmm.CustomNonbondedForce:
        """The same potential as OpenMM's own CustomNonbondedForce, for machines without the plugin.

        Returns:
            A force without particles. With several types a particle has one parameter, "type": the index of its type.
        """
        return custom_nonbonded_force(self)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        provenance: Mapping[str, Any] | None = None,
        fit: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the potential file (docs/reference/file-format.md) atomically.

        Args:
            path: file to write; an existing one is replaced only by the complete new one.
            provenance: where the potential comes from (config, versions, date): anything that is JSON.
            fit: fit errors: anything that is JSON.

        Raises:
            DiffPairError: the file cannot be written.
        """
        entropy = {} if self.entropy is None else {"unit": ENTROPY_UNIT, "pairs": self._rows(self.entropy)}
        write_document(
            path,
            {
                "format": FORMAT,
                "version": VERSION,
                "units": UNITS,
                "types": list(self.types),
                "r_min": self.r_min,
                "cutoff": self.cutoff,
                "knots": self.knots,
                "pairs": self._rows(self.coefficients),
                "global_parameters": self.global_parameters,
                **({"entropy": entropy} if entropy else {}),
                **({"bonded": write_terms(self.bonded)} if self.bonded else {}),
                "provenance": dict(provenance or {}),
                "fit": dict(fit or {}),
            },
        )

    def _rows(self, values: Array) -> list[dict[str, Any]]:
        return [
            {"types": list(pair), "coefficients": row} for pair, row in zip(self.pairs, values.tolist(), strict=True)
        ]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PairTable:
        """Read a potential file; executes nothing.

        Args:
            path: as `save` or a fit writes it.

        Returns:
            The table.

        Raises:
            DiffPairError: the file is no potential of a known version; the sentence names file and key.
        """
        document = read_document(path)
        types = tuple(document["types"])

        def ordered(pairs: list[dict[str, Any]]) -> Array:
            rows = {frozenset(pair["types"]): pair["coefficients"] for pair in pairs}
            return np.array([rows[frozenset(pair)] for pair in type_pairs(types)])

        entropy = document["entropy"]
        try:
            return cls(
                types=types,
                r_min=document["r_min"],
                cutoff=document["cutoff"],
                coefficients=ordered(document["pairs"]),
                global_parameters=document["global_parameters"],
                entropy=ordered(entropy["pairs"]) if entropy else None,
                bonded=read_terms(document["bonded"], types),
            )
        except DiffPairError as error:
            raise DiffPairError(f"{path}: {error}") from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PairTable):
            return NotImplemented
        return (
            self.types == other.types
            and (self.r_min, self.cutoff) == (other.r_min, other.cutoff)
            and self.coefficients.tobytes() == other.coefficients.tobytes()
            and self.global_parameters == other.global_parameters
            and self.bonded == other.bonded
            and (None if self.entropy is None else self.entropy.tobytes())
            == (None if other.entropy is None else other.entropy.tobytes())
        )

    __hash__ = None  # type: ignore[assignment]


def _number(name: object, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise DiffPairError(f"global parameter {name} must be a number, not {shortened(value)}") from None
