"""The section ``update``: what a step of the fit is."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Tag, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import (
    Count,
    CountOrZero,
    Flag,
    Fraction,
    NonNegativeNumber,
    NonNegativeNumberOrAuto,
    PositiveNumber,
    Settings,
)
from diffpair.settings.choose import choose_method, method_of


class GaussNewton(Settings):
    """Damped Gauss-Newton on the Jacobian of fluctuations, or on that of adjoint segments.

    Args:
        iterations: largest number of iterations.
        damping: factor of the noise's variance, positive; by default 1.
        smoothness: 1 / amplitude of the prior on U(r), positive; by default the evidence chooses it.
        stop_at_noise: end before `iterations` where there is nothing left to learn.

    Raises:
        DiffPairError: a value out of range.
    """

    method: Literal["gauss-newton"] = "gauss-newton"
    iterations: Count = 10
    damping: PositiveNumber | None = None
    smoothness: PositiveNumber | None = None
    stop_at_noise: Flag = True


class IterativeBoltzmann(Settings):
    """Iterative Boltzmann inversion; multistate where several states are fitted.

    It compares g(r) with its target alone: no pressures, no densities, no gradient.

    Args:
        iterations: number of iterations.
        damping: factor of every correction, above 0 and up to 1.
        smoothing: times that a correction is averaged over neighbouring bins.

    Raises:
        DiffPairError: a value out of range.
    """

    method: Literal["ibi"] = "ibi"
    iterations: Count = 50
    damping: Fraction = 1.0
    smoothing: CountOrZero = 0


class InverseMonteCarlo(Settings):
    """Inverse Monte Carlo: Newton's step on the Jacobian of fluctuations, with Tikhonov's regularisation.

    Args:
        iterations: number of iterations.
        damping: part of the residual that a step is to remove, above 0 and up to 1.
        regularisation: Tikhonov's term over the largest eigenvalue, zero or more; "auto" takes it from the noise of
            g(r) and of the Jacobian.

    Raises:
        DiffPairError: a value out of range.
    """

    method: Literal["imc"] = "imc"
    iterations: Count = 20
    damping: Fraction = 1.0
    regularisation: NonNegativeNumberOrAuto = "auto"


class TorchOptimizer(Settings):
    """A first-order optimizer of torch.optim.

    Args:
        method: its name in lower case: "adam", "adamw", "nadam", "radam", "adagrad", "rmsprop" or "sgd".
        iterations: number of iterations.
        learning_rate: positive; by default 0.02 ("sgd": 0.3) in the preconditioned coordinates, or 0.002 in units of
            the parameters.
        momentum: of "sgd" and "rmsprop", zero or more; by default torch's.
        precondition: move coordinates along which g answers nearly alike, not the parameters themselves.

    Raises:
        DiffPairError: a value out of range, or a key that does not go with the method.
    """

    method: Literal["adam", "adamw", "nadam", "radam", "adagrad", "rmsprop", "sgd"]
    iterations: Count = 100
    learning_rate: PositiveNumber | None = None
    momentum: NonNegativeNumber | None = None
    precondition: Flag = True

    positional: ClassVar[tuple[str, ...]] = ("method",)

    @model_validator(mode="after")
    def _momentum(self) -> TorchOptimizer:
        if self.momentum is not None and self.method not in ("sgd", "rmsprop"):
            raise DiffPairError(f"momentum is an option of sgd and rmsprop, not of {self.method}")
        return self


TORCH_OPTIMIZERS = ("adam", "adamw", "nadam", "radam", "adagrad", "rmsprop", "sgd")
OWN = ("gauss-newton", "ibi", "imc")
UPDATES = (*OWN, *TORCH_OPTIMIZERS)


def _update_kind(value: Any) -> str:
    method = method_of(value)
    return method if method in OWN else "torch"


Update = Annotated[
    Annotated[GaussNewton, Tag("gauss-newton")]
    | Annotated[IterativeBoltzmann, Tag("ibi")]
    | Annotated[InverseMonteCarlo, Tag("imc")]
    | Annotated[TorchOptimizer, Tag("torch")],
    Discriminator(_update_kind),
    choose_method(UPDATES),
]
