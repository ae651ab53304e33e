"""Any optimizer of torch.optim, fed with dL/dc by any gradient method."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.potentials import tabulate
from diffpair.updates.gauss_newton import StateView, Step, largest_change, regularise, tables_or_infinity
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.pull_back import pull_back

Array = NDArray[np.float64]
_CLASSES = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}


class FirstOrder:
    """A torch optimizer whose steps are halved until U changes by no more than `radius` kT where particles are.

    Args:
        name: in lower case. learning_rate: in units of the parameters. momentum: of sgd and rmsprop.
    """

    def __init__(
        self,
        space: ParameterSpace,
        name: str,
        learning_rate: float,
        momentum: float | None = None,
        radius: float = 0.3,
    ) -> None:
        if name not in _CLASSES:
            raise DiffPairError(f"update: {name!r} is not available; allowed are {', '.join(_CLASSES)}")
        options = {} if momentum is None else {"momentum": momentum}
        self.optimizer = _CLASSES[name](space.parameters, lr=learning_rate, **options)
        self.radius = radius

    def shrink(self, factor: float = 0.5) -> None:
        """After a step that made things worse: smaller steps, and no momentum from what led there."""
        for group in self.optimizer.param_groups:
            group["lr"] *= factor
        self.optimizer.state.clear()

    def grow(self) -> None:
        """First-order steps keep their learning rate."""

    def step(self, space: ParameterSpace, states: list[StateView], gradients: list[Array]) -> Step:
        """Move the parameters along dL/dc, [npairs * (knots + 2)] per state."""
        if not all(np.isfinite(g).all() for g in gradients):
            raise DiffPairError("the gradient of the fit is not finite")
        before, theta = space.tables(), space.get()
        self.optimizer.zero_grad()
        for variant, parameters in enumerate(space.variants):
            total = sum(g for g, s in zip(gradients, states, strict=True) if s.variant == variant)
            coefficients = tabulate(space.potential, space.grid, parameters).flatten()
            coefficients.backward(torch.from_numpy(np.broadcast_to(total, coefficients.shape).copy()))
        self.optimizer.step()
        change = space.get() - theta
        for _ in range(20):
            moved = [now - old for now, old in zip(tables_or_infinity(space), before, strict=True)]
            if largest_change(states, moved) <= self.radius:
                break
            change = 0.5 * change
            space.set(theta + change)
        if space.is_spline:
            pull_back(space, regularise(space, states, space.tables()))
        return Step(largest_change(states, moved), 0.0, float("nan"), float("nan"))
