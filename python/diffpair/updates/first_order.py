"""Any optimizer of torch.optim, fed with dL/dc by any gradient method."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.potentials import tabulate
from diffpair.updates.base import Needs, StateView, Step
from diffpair.updates.gauss_newton import largest_change, regularise, tables_or_infinity
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.pull_back import pull_back

Array = NDArray[np.float64]
HALVINGS = 20  # of a step that is too long, before it is given up
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

    needs: Needs = "gradient"
    averages_late = True

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

    def step(self, space: ParameterSpace, states: list[StateView]) -> Step:
        """Move the parameters along the states' gradients.

        A step that is too long even after halving is undone, and the next one has a learning rate as much smaller.
        Raises DiffPairError if a gradient is missing or not finite.
        """
        gradients = [s.gradient for s in states if s.gradient is not None]
        if len(gradients) < len(states):
            raise DiffPairError("a first-order update needs the gradient of every state")
        if not all(np.isfinite(g).all() for g in gradients):
            raise DiffPairError("the gradient of the fit is not finite")
        before, theta = space.tables(), space.get()
        self.optimizer.zero_grad()
        for variant, parameters in enumerate(space.variants):
            total = sum(g for g, s in zip(gradients, states, strict=True) if s.variant == variant)
            coefficients = tabulate(space.potential, space.grid, parameters).flatten()
            coefficients.backward(torch.from_numpy(np.broadcast_to(total, coefficients.shape).copy()))
        self.optimizer.step()
        size = self._limit(space, states, theta, before)
        if not np.isfinite(size):
            space.set(theta)
            self.shrink(0.5**HALVINGS)
            return Step(
                0.0, 0.0, float("nan"), float("nan"), "the step was far too long and is undone: learning_rate lowered"
            )
        if space.is_spline:
            pull_back(space, regularise(space, states, space.tables()))
        return Step(size, 0.0, float("nan"), float("nan"))

    def content(self) -> dict[str, Any]:
        return {"radius": self.radius, "optimizer": self.optimizer.state_dict()}

    def restore(self, content: dict[str, Any]) -> None:
        self.radius = content["radius"]
        self.optimizer.load_state_dict(content["optimizer"])

    def _limit(self, space: ParameterSpace, states: list[StateView], theta: Array, before: list[Array]) -> float:
        """Halve the step from theta until it is within the radius; its size in kT, inf if halving does not help."""
        change = space.get() - theta
        if not np.isfinite(change).all():
            return float("inf")
        for _ in range(HALVINGS):
            moved = [now - old for now, old in zip(tables_or_infinity(space), before, strict=True)]
            size = largest_change(states, moved)
            if size <= self.radius:
                return size
            change = 0.5 * change
            space.set(theta + change)
        return float("inf")
