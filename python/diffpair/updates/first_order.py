"""Any optimizer of torch.optim, fed with dL/dc by any gradient method, in coordinates that suit it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.potentials import tabulate
from diffpair.updates.base import UNDAMPED, Needs, StateView, Step
from diffpair.updates.gauss_newton import largest_change, regularise, tables_or_infinity
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.preconditioner import Preconditioner
from diffpair.updates.pull_back import pull_back

Array = NDArray[np.float64]
HALVINGS = 20  # of a step that is too long, to a millionth, before it is given up
MEMORY = 0.9  # of the running mean that tells a gradient from its noise; that of Adam's first moment
# Learning rates where none is given. In the preconditioner's coordinates 1 is Newton's step for sgd, whose gradient is
# noisy; all others step by the rate itself, whatever the gradient. The last one is in the units of the parameters.
RATES = {"sgd": 0.3}
RATE, PLAIN_RATE = 0.02, 2e-3
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
    """A torch optimizer whose steps are cut where U changes by more than `radius` kT where particles are.

    With a preconditioner the optimizer moves the coordinates z of `Preconditioner`, made of the first step's potential,
    for few parameters of every step's. Its step along each of them is multiplied by the part of the gradient's running
    mean that is not noise,

        1 - var(m) / m^2 or 0,   m <- 0.9 m + 0.1 dL/dz,

    so steps become shorter as the gradient sinks into its noise. Without one it moves the parameters themselves.

    Args:
        name: in lower case. learning_rate: in units of z, or of the parameters without a preconditioner; None: RATE,
        RATES and PLAIN_RATE. momentum: of sgd and rmsprop. precondition: whether there is a preconditioner.
    """

    needs: Needs = "gradient"
    averages_late = True
    damping_and_smoothness = UNDAMPED

    def __init__(
        self,
        space: ParameterSpace,
        name: str,
        learning_rate: float | None = None,
        momentum: float | None = None,
        radius: float = 0.3,
        precondition: bool = True,
    ) -> None:
        if name not in _CLASSES:
            raise DiffPairError(f"update: {name!r} is not available; allowed are {', '.join(_CLASSES)}")
        rate = learning_rate or (RATES.get(name, RATE) if precondition else PLAIN_RATE)
        self._options = {"lr": rate} | ({} if momentum is None else {"momentum": momentum})
        self._name, self.precondition, self.radius = name, precondition, radius
        self.preconditioner: Preconditioner | None = None
        self.z = torch.zeros(0, dtype=torch.float64)
        self.optimizer = _CLASSES[name](space.parameters, **self._options)
        self.mean: Array = np.zeros(0)  # running mean of dL/dz, and its variance
        self.variance: Array = np.zeros(0)

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
        size = self._along_coordinates(space, states) if self.precondition else self._along_parameters(space, states)
        if not np.isfinite(size):
            self.shrink(0.5**HALVINGS)
            return Step(
                0.0, 0.0, float("nan"), float("nan"), "the step was far too long and is undone: learning_rate lowered"
            )
        return Step(size, 0.0, float("nan"), float("nan"))

    def _along_coordinates(self, space: ParameterSpace, states: list[StateView]) -> float:
        """Move z, and the tables with it; the step's size in kT, inf if it was undone."""
        if self.preconditioner is None:
            self._begin(Preconditioner.of(space, states))
        elif space.few:
            self.preconditioner = Preconditioner.of(space, states)
        conditioner = self.preconditioner
        assert conditioner is not None
        gradient, variance = conditioner.gradient(states)
        self.mean = MEMORY * self.mean + (1 - MEMORY) * gradient
        self.variance = MEMORY**2 * self.variance + (1 - MEMORY) ** 2 * variance
        signal = np.maximum(1 - self.variance / np.maximum(self.mean**2, 1e-300), 0.0)
        before = self.z.detach().numpy().copy()
        self.z.grad = torch.from_numpy(gradient)
        self.optimizer.step()
        change = self.z.detach().numpy() - before
        size = float("inf")
        if np.isfinite(change).all():
            change *= signal
            with np.errstate(over="ignore", invalid="ignore"):  # of a step that is far too long
                moved = [t @ change for t in conditioner.tables]
            size = largest_change(states, moved)
        if size <= self.radius * 2.0**HALVINGS:
            change *= min(1.0, self.radius / max(size, 1e-300))
            size = self._apply(space, states, conditioner, change)
        else:
            size = float("inf")
        with torch.no_grad():
            self.z.copy_(torch.from_numpy(before + change if np.isfinite(size) else before))
        return size

    def _begin(self, conditioner: Preconditioner) -> None:
        """Coordinates and an optimizer that moves them."""
        self.preconditioner, size = conditioner, conditioner.size
        self.z = torch.zeros(size, dtype=torch.float64, requires_grad=True)
        self.mean, self.variance = np.zeros(size), np.zeros(size)
        rate = self.optimizer.param_groups[0]["lr"]
        self.optimizer = _CLASSES[self._name]([self.z], **{**self._options, "lr": rate})

    def _apply(self, space: ParameterSpace, states: list[StateView], by: Preconditioner, change: Array) -> float:
        """Take a step of z that the linear tables take within the radius; its size, inf if it was undone."""
        tables = space.tables()
        if not space.few:
            moved = [t @ change for t in by.tables]
            pull_back(space, regularise(space, states, [c + dc for c, dc in zip(tables, moved, strict=True)]))
            return largest_change(states, moved)
        theta = space.get()
        space.set(theta + by.theta @ change)
        size = self._limit(space, states, theta, tables)
        if not np.isfinite(size):
            space.set(theta)
        return size

    def _along_parameters(self, space: ParameterSpace, states: list[StateView]) -> float:
        """Move the parameters themselves; the step's size in kT, inf if it was undone."""
        before, theta = space.tables(), space.get()
        self.optimizer.zero_grad()
        for variant, parameters in enumerate(space.variants):
            total = sum((s.gradient for s in states if s.variant == variant and s.gradient is not None), np.zeros(1))
            coefficients = tabulate(space.potential, space.grid, parameters).flatten()
            coefficients.backward(torch.from_numpy(np.broadcast_to(total, coefficients.shape).copy()))
        self.optimizer.step()
        size = self._limit(space, states, theta, before)
        if not np.isfinite(size):
            space.set(theta)
        elif space.is_spline:
            pull_back(space, regularise(space, states, space.tables()))
        return size

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

    def content(self) -> dict[str, Any]:
        made = self.preconditioner
        return {
            "radius": self.radius,
            "optimizer": self.optimizer.state_dict(),
            "preconditioner": None if made is None else made.content(),
            "coordinates": [self.z.detach().clone(), torch.from_numpy(self.mean), torch.from_numpy(self.variance)],
        }

    def restore(self, content: dict[str, Any]) -> None:
        self.radius = content["radius"]
        if content["preconditioner"] is not None:
            self._begin(Preconditioner.from_content(content["preconditioner"]))
            z, mean, variance = content["coordinates"]
            self.mean, self.variance = mean.numpy(), variance.numpy()
            with torch.no_grad():
                self.z.copy_(z)
        self.optimizer.load_state_dict(content["optimizer"])
