"""The section ``update``: what a step of the fit is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator

from diffpair.config.base import Count, NonNegativeNumber, PositiveNumber, Section
from diffpair.config.choose import choose_method, method_of
from diffpair.errors import DiffPairError


class GaussNewton(Section):
    """Damped Gauss-Newton on the fluctuation Jacobian."""

    method: Literal["gauss-newton"] = "gauss-newton"
    iterations: Count = 10
    damping: PositiveNumber | None = None
    smoothness: PositiveNumber | None = None


class TorchOptimizer(Section):
    """A first-order optimizer of torch.optim."""

    method: Literal["adam", "adamw", "nadam", "radam", "adagrad", "rmsprop", "sgd"]
    iterations: Count = 100
    learning_rate: PositiveNumber = 2e-3
    momentum: NonNegativeNumber | None = None

    @model_validator(mode="after")
    def _momentum(self) -> TorchOptimizer:
        if self.momentum is not None and self.method not in ("sgd", "rmsprop"):
            raise DiffPairError(f"momentum is an option of sgd and rmsprop, not of {self.method}")
        return self


TORCH_OPTIMIZERS = ("adam", "adamw", "nadam", "radam", "adagrad", "rmsprop", "sgd")
UPDATES = ("gauss-newton", *TORCH_OPTIMIZERS)


def _update_kind(value: Any) -> str:
    return "gauss-newton" if method_of(value) == "gauss-newton" else "torch"


Update = Annotated[
    Annotated[GaussNewton, Tag("gauss-newton")] | Annotated[TorchOptimizer, Tag("torch")],
    Discriminator(_update_kind),
    choose_method(UPDATES),
]
