"""Functional forms of a potential: one class per form, and forms that are made of others."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import (
    Count,
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
    Settings,
    Temperature,
    choices,
)


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


def form_of(value: Any) -> str | None:
    """The name of the form that a mapping, or a section, describes; None where it does not tell."""
    if not isinstance(value, dict):
        return getattr(value, "form", None)
    if "form" in value:
        return str(value["form"])
    return next((form for key, form in (("module", "module"), ("parts", "sum")) if key in value), None)


def _checkform_of(forms: tuple[str, ...]) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, dict):
            form = form_of(value)
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
    Discriminator(form_of),
    _checkform_of(_ANALYTIC),
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
    Discriminator(form_of),
    _checkform_of(_PARTS),
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
    Discriminator(form_of),
]
TERMS: dict[str, type[Settings]] = {
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
