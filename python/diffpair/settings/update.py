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

    ``stop_at_noise``: end before ``iterations`` where there is nothing left to learn.
    """

    method: Literal["gauss-newton"] = "gauss-newton"
    iterations: Count = 10
    damping: PositiveNumber | None = None
    smoothness: PositiveNumber | None = None
    stop_at_noise: Flag = True


class IterativeBoltzmann(Settings):
    """Iterative Boltzmann inversion; multistate where several states are fitted. ``smoothing``: of each correction, how
    often it is averaged over neighbouring bins."""

    method: Literal["ibi"] = "ibi"
    iterations: Count = 50
    damping: Fraction = 1.0
    smoothing: CountOrZero = 0


class InverseMonteCarlo(Settings):
    """Inverse Monte Carlo. ``regularisation``: Tikhonov's term over the largest eigenvalue; auto: the data choose."""

    method: Literal["imc"] = "imc"
    iterations: Count = 20
    damping: Fraction = 1.0
    regularisation: NonNegativeNumberOrAuto = "auto"


class TorchOptimizer(Settings):
    """A first-order optimizer of torch.optim.

    ``precondition``: it moves coordinates along which g answers nearly alike, else the parameters themselves.
    ``learning_rate``: in units of those.
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
