"""The ``potential`` section: which functional form is learned, and on which table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, SerializerFunctionWrapHandler, model_serializer, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import Count, Distance, Length, PositiveNumber, Settings, check_keys, choices
from diffpair.settings.forms import TERMS, EnergyEntropy, Sum, Term, form_of
from diffpair.settings.pairs import LearnedPairs, rows_of
from diffpair.tables.limits import MIN_KNOTS, check_grid

_MAX_KNOTS = 3000  # a fit keeps dense matrices of this size, and no potential needs so many


def _knots(value: int) -> int:
    if not MIN_KNOTS <= value <= _MAX_KNOTS:
        raise DiffPairError(f"must lie between {MIN_KNOTS} and {_MAX_KNOTS}, not {value}")
    return value


Knots = Annotated[Count, AfterValidator(_knots)]


class Potential(Settings):
    """What is learned: a functional form, and the table that it is evaluated on.

    Every form but the B-spline is switched to 0 before the cutoff and tabulated. Forms within a form are mappings, as
    in a config.

    Args:
        form: "bspline", "mlp", "lj", "generalised_lj", "soft_sphere", "yukawa", "morse", "module", "sum" or
            "energy_entropy".
        cutoff: U is 0 from there on, nm; half the box at most.
        r_min: first knot, nm; below it U is linear. By default somewhat below the first neighbours of the targets.
        knots: of the table, 5 to 3000; by default one per 0.035 contact distances, 24 or more.
        switch_width: the form is switched to 0 over the last so many nm before the cutoff; by default a tenth of it.
            Not for "bspline".
        tolerance: relative error of the table's force; by default 0.001. Not for "bspline".
        pairs: pairs of types that are learned, such as `[("A", "B")]`; U of all others is 0. By default all.
        **keys: what the form needs, such as `sigma` in nm and `epsilon` in kJ/mol.

    Attributes:
        term: the form with its keys.

    Raises:
        DiffPairError: an unknown form or key, or a value out of range.

    Examples:
        >>> diffpair.Potential("bspline", cutoff="25 angstrom", knots=60)
        Potential('bspline', cutoff=2.5, knots=60)
        >>> diffpair.Potential("lj", sigma=0.34, epsilon="0.996 kJ/mol", cutoff=1.0)
        Potential('lj', sigma=0.34, epsilon=0.996, cutoff=1.0)
    """

    cutoff: Length
    r_min: Distance | None = None
    knots: Knots | None = None
    switch_width: Length | None = None
    tolerance: PositiveNumber | None = None
    pairs: LearnedPairs | None = None
    term: Term

    positional: ClassVar[tuple[str, ...]] = ("form",)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise DiffPairError(f"must hold the keys form and cutoff, not {data!r}")
        form = form_of(data)
        if form is None:
            raise DiffPairError(f"the key 'form' is missing; forms are {', '.join(TERMS)}")
        if form not in TERMS:
            raise DiffPairError(f"form: {form!r} is not available{choices(form, TERMS)}")
        own = [name for name in cls.model_fields if name != "term"]
        if form == "bspline":
            # The table is the potential itself: nothing is switched off or approximated.
            own = [name for name in own if name not in ("switch_width", "tolerance")]
        # ``trainable`` is for parts: a potential of which nothing is learned needs no fit.
        needed = [name for name in TERMS[form].model_fields if name not in ("form", "trainable")]
        check_keys(data, ["form", *needed, *own])
        return {
            **{key: value for key, value in data.items() if key in own},
            "term": {**{key: value for key, value in data.items() if key not in own}, "form": form},
        }

    @model_validator(mode="after")
    def _grid(self) -> Potential:
        check_grid(0.0, self.cutoff, MIN_KNOTS)  # the cutoff alone
        for name in ("r_min", "switch_width"):
            value = getattr(self, name)
            if value is not None and value >= self.cutoff:
                raise DiffPairError(f"{name} = {value:g} nm must be below the cutoff = {self.cutoff:g} nm")
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Pairs that are not given are no part of a config: neither of its hash nor of provenance."""
        return {key: value for key, value in serialize(self).items() if key != "pairs" or value is not None}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """As it is made: the form's keys beside those of its table."""
        yield None, self.form
        yield from (pair for pair in self.term.__repr_args__() if pair[0] != "form")
        yield from (pair for pair in super().__repr_args__() if pair[0] != "term")

    def learned_rows(self, types: Sequence[str]) -> tuple[int, ...] | None:
        """Rows of a table whose pairs of types are learned; None for all.

        Args:
            types: of the table.

        Raises:
            DiffPairError: `pairs` names another type.
        """
        return None if self.pairs is None else rows_of(self.pairs, types)

    @property
    def form(self) -> str:
        """Name of the functional form."""
        return self.term.form

    @property
    def parts(self) -> list[Any]:
        """The forms that it is made of; itself where it is made of no others."""
        term = self.term
        if isinstance(term, EnergyEntropy):
            return [term.energy, term.entropy]
        return list(term.parts) if isinstance(term, Sum) else [term]
