"""The ``potential`` section: which functional form is learned, and on which table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from diffpair.errors import DiffPairError
from diffpair.settings.base import (
    Count,
    Distance,
    Energy,
    File,
    Flag,
    Length,
    PairEnergy,
    PairInverseLength,
    PairLength,
    PairNumber,
    PairSignedEnergy,
    PairSignedNumber,
    PositiveNumber,
    Settings,
    Temperature,
    check_keys,
    choices,
)
from diffpair.settings.pairs import LearnedPairs, rows_of
from diffpair.tables.limits import MIN_KNOTS

_MAX_KNOTS = 3000  # a fit keeps dense matrices of this size, and no potential needs so many


def _knots(value: int) -> int:
    if not MIN_KNOTS <= value <= _MAX_KNOTS:
        raise DiffPairError(f"must lie between {MIN_KNOTS} and {_MAX_KNOTS}, not {value}")
    return value


Knots = Annotated[Count, AfterValidator(_knots)]


class _Part(Settings):
    """One term of the potential. ``trainable: false`` keeps its parameters as they are, for a fixed prior."""

    trainable: Flag = True


class LennardJones(_Part):
    """U = 4 epsilon [(sigma / r)^12 - (sigma / r)^6]."""

    form: Literal["lj"] = "lj"
    sigma: PairLength
    epsilon: PairEnergy


class GeneralisedLennardJones(_Part):
    """U = 4 epsilon [(sigma / r)^n - (sigma / r)^m], n > m; the exponents are learned if ``learn_exponents``."""

    form: Literal["generalised_lj"] = "generalised_lj"
    sigma: PairLength
    epsilon: PairEnergy
    n: PairNumber = 12.0
    m: PairNumber = 6.0
    learn_exponents: Flag = True


class SoftSphere(_Part):
    """U = epsilon (sigma / r)^n; epsilon stays as given, since sigma does the same."""

    form: Literal["soft_sphere"] = "soft_sphere"
    sigma: PairLength
    epsilon: PairEnergy
    n: PairNumber = 12.0


class Yukawa(_Part):
    """U = epsilon (sigma / r) exp(-kappa (r - sigma)); sigma stays as given, since epsilon does the same."""

    form: Literal["yukawa"] = "yukawa"
    sigma: PairLength
    epsilon: PairSignedEnergy
    kappa: PairInverseLength


class Morse(_Part):
    """U = epsilon [exp(2 y) - 2 exp(y)], y = a (1 - (r / sigma)^phi) / phi: the Morse potential for phi = 1.

    ``phi`` is learned if ``learn_phi``; for phi < 0 the potential is shifted and scaled to vanish at infinity.
    """

    form: Literal["morse"] = "morse"
    sigma: PairLength
    epsilon: PairEnergy
    a: PairNumber = 5.0
    phi: PairSignedNumber = 1.0
    learn_phi: Flag = False


class Spline(_Part):
    """Cubic B-spline on the table's own knots: its coefficients are the parameters."""

    form: Literal["bspline"] = "bspline"


class Mlp(_Part):
    """Neural network of Gaussians of r plus a ``prior``; without one the soft repulsion of the paper is added.

    ``length`` and ``energy`` are the scales that the paper calls sigma and epsilon; those not given are chosen by the
    fit. ``width`` is that of one Gaussian.
    """

    form: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Count, ...], Field(min_length=1)] = (128, 128, 128)
    gaussians: Count | None = None
    width: Length | None = None
    length: Length | None = None
    energy: Energy | None = None
    prior: Prior | None = None


class Module(_Part):
    """The user's own TorchScript module."""

    form: Literal["module"] = "module"
    module: File


def _form(value: Any) -> str | None:
    if not isinstance(value, dict):
        return getattr(value, "form", None)
    if "form" in value:
        return str(value["form"])
    return next((form for key, form in (("module", "module"), ("parts", "sum")) if key in value), None)


def _check_form(forms: tuple[str, ...]) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, dict):
            form = _form(value)
            if form is None:
                raise DiffPairError(f"the key 'form' is missing; forms are {', '.join(forms)}")
            if form not in forms:
                raise DiffPairError(f"form: {form!r} is not available here{choices(form, forms)}")
        else:
            raise DiffPairError(f"must hold the key 'form' and what that form needs, not {value!r}")
        return value

    return BeforeValidator(check)


_ANALYTIC = ("lj", "generalised_lj", "soft_sphere", "yukawa", "morse")
_PARTS = ("bspline", "mlp", *_ANALYTIC, "module")

Prior = Annotated[
    Annotated[LennardJones, Tag("lj")]
    | Annotated[GeneralisedLennardJones, Tag("generalised_lj")]
    | Annotated[SoftSphere, Tag("soft_sphere")]
    | Annotated[Yukawa, Tag("yukawa")]
    | Annotated[Morse, Tag("morse")],
    Discriminator(_form),
    _check_form(_ANALYTIC),
]
Part = Annotated[
    Annotated[Spline, Tag("bspline")]
    | Annotated[Mlp, Tag("mlp")]
    | Annotated[LennardJones, Tag("lj")]
    | Annotated[GeneralisedLennardJones, Tag("generalised_lj")]
    | Annotated[SoftSphere, Tag("soft_sphere")]
    | Annotated[Yukawa, Tag("yukawa")]
    | Annotated[Morse, Tag("morse")]
    | Annotated[Module, Tag("module")],
    Discriminator(_form),
    _check_form(_PARTS),
]


class Sum(Settings):
    """Sum of terms, such as a fixed prior and a trainable correction."""

    form: Literal["sum"] = "sum"
    parts: Annotated[list[Part], Field(min_length=1)]

    @model_validator(mode="after")
    def _something_to_learn(self) -> Sum:
        if not any(part.trainable for part in self.parts):
            raise DiffPairError("no part is trainable, so nothing can be fitted")
        return self


class EnergyEntropy(Settings):
    """U(r) - (T - T0) S(r) at a state's temperature T: energy is U, entropy T0 S, each a form of its own.

    ``reference`` is T0; by default the mean temperature of the fitted states.
    """

    form: Literal["energy_entropy"] = "energy_entropy"
    energy: Part = Spline()
    entropy: Part = Spline()
    reference: Temperature | None = None

    @model_validator(mode="after")
    def _something_to_learn(self) -> EnergyEntropy:
        if not (self.energy.trainable or self.entropy.trainable):
            raise DiffPairError("neither energy nor entropy is trainable, so nothing can be fitted")
        return self


Term = Annotated[
    Annotated[Spline, Tag("bspline")]
    | Annotated[Mlp, Tag("mlp")]
    | Annotated[LennardJones, Tag("lj")]
    | Annotated[GeneralisedLennardJones, Tag("generalised_lj")]
    | Annotated[SoftSphere, Tag("soft_sphere")]
    | Annotated[Yukawa, Tag("yukawa")]
    | Annotated[Morse, Tag("morse")]
    | Annotated[Module, Tag("module")]
    | Annotated[Sum, Tag("sum")]
    | Annotated[EnergyEntropy, Tag("energy_entropy")],
    Discriminator(_form),
]
_TERMS: dict[str, type[Settings]] = {
    "bspline": Spline,
    "mlp": Mlp,
    "lj": LennardJones,
    "generalised_lj": GeneralisedLennardJones,
    "soft_sphere": SoftSphere,
    "yukawa": Yukawa,
    "morse": Morse,
    "module": Module,
    "sum": Sum,
    "energy_entropy": EnergyEntropy,
}


class Potential(Settings):
    """The learned potential: ``term`` is the functional form, the rest its table.

    In the file both stand side by side: {form: lj, sigma: 1 nm, epsilon: 1 kJ/mol, cutoff: 2.5 nm}; in Python, too:
    `Potential("lj", sigma=0.34, epsilon=1.0, cutoff=1.0)`. ``r_min`` and
    ``knots`` that are not given are chosen by the fit. Every form but the B-spline is multiplied by a switching
    function over the last ``switch_width`` before the cutoff and tabulated to the relative force error ``tolerance``.
    ``pairs``: the pairs of types that are learned; all others are 0.
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
        form = _form(data)
        if form is None:
            raise DiffPairError(f"the key 'form' is missing; forms are {', '.join(_TERMS)}")
        if form not in _TERMS:
            raise DiffPairError(f"form: {form!r} is not available{choices(form, _TERMS)}")
        own = [name for name in cls.model_fields if name != "term"]
        if form == "bspline":
            # The table is the potential itself: nothing is switched off or approximated.
            own = [name for name in own if name not in ("switch_width", "tolerance")]
        # ``trainable`` is for parts: a potential of which nothing is learned needs no fit.
        needed = [name for name in _TERMS[form].model_fields if name not in ("form", "trainable")]
        check_keys(data, ["form", *needed, *own])
        return {
            **{key: value for key, value in data.items() if key in own},
            "term": {**{key: value for key, value in data.items() if key not in own}, "form": form},
        }

    @model_validator(mode="after")
    def _grid(self) -> Potential:
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
        """Rows of a table whose pairs of types are learned; None for all. Raises DiffPairError for an unknown type."""
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
