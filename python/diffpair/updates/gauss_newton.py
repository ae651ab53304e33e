"""Damped Gauss-Newton in table space, its smoothness chosen by the evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.updates.base import GROWTH, Needs, StateView, Step
from diffpair.updates.core import continue_core, first_neighbours
from diffpair.updates.linear_model import LinearModel, Start
from diffpair.updates.parameter_space import ParameterSpace
from diffpair.updates.pull_back import pull_back

Array = NDArray[np.float64]
PRICES = -4.0, 12.0  # decimal logarithms of what a change of U may cost: from next to nothing to no change at all
OVERSHOOT = 1.5  # times the radius that a nonlinear potential's step may turn out to be
HALVINGS = 20  # of a step that is too long: a millionth of it
FIRST = 0.3  # of the radius, to begin with: the first Jacobian is that of one sampling, far from the target


class GaussNewton:
    """A step to the most probable potential of LinearModel: what all states' residuals and Jacobians, pooled over the
    observations (see Memory), and the prior around the start say.

    No step changes U by more than `radius` kT where particles are: where the most probable potential is farther away,
    changes of U have a price. The radius begins with a part of the given one. A network is then moved until its table
    is the one that the linear step asks for.

    Args:
        damping: factor of the residual's variances. smoothness: 1 / the prior's amplitude; None: by evidence.
        radius: the largest one, in kT.
    """

    needs: Needs = "jacobian"
    averages_late = False  # the memory averages already

    def __init__(self, damping: float = 1.0, smoothness: float | None = None, radius: float = 1.0) -> None:
        self.damping, self.smoothness = damping, smoothness
        self.radius, self.largest_radius = FIRST * radius, radius
        self.start: Start | None = None

    @property
    def damping_and_smoothness(self) -> tuple[float, float | None]:
        """See Update."""
        return self.damping, self.smoothness

    def shrink(self, factor: float = 0.5) -> None:
        """After a step that made things worse."""
        self.radius *= factor

    def grow(self) -> None:
        """After a step that was good."""
        self.radius = min(GROWTH * self.radius, self.largest_radius)

    def step(self, space: ParameterSpace, states: list[StateView]) -> Step:
        """Move the potential's parameters. Raises DiffPairError if the numbers are not finite."""
        if self.start is None:
            self.start = Start.of(space)
        model = LinearModel(space, states, self.start, self.damping, self.smoothness)
        change, moved = model.change()
        size, significance = largest_change(states, moved), model.significance(moved)
        if not np.isfinite(size):
            raise DiffPairError("the step of the fit is not finite")
        if size > self.radius:
            change, moved = self._within_radius(model)
            size = largest_change(states, moved)
        predicted = np.concatenate([s.memory.jacobian() @ moved[s.variant] for s in states])
        self._apply(space, states, model.tables, change, moved)
        return Step(
            size,
            model.data.amplitude,
            model.chi,
            float(np.abs(predicted).mean()),
            significance=significance,
            pooled_noise=model.sampling_noise,
        )

    def _within_radius(self, model: LinearModel) -> tuple[Array, list[Array]]:
        """The best step that changes U by the radius: the most probable one with a price on changes of U. At all
        distances, also those that particles hardly visit: a step that is too short for the data would lay all the blame
        there."""
        price = price_within(model.states, self.radius, lambda price: model.change(price)[1])
        change, moved = model.change(price)
        scale = min(1.0, self.radius / max(largest_change(model.states, moved), 1e-300))
        return scale * change, [scale * m for m in moved]

    def content(self) -> dict[str, Any]:
        start = self.start
        return {
            "radius": self.radius,
            "start": None
            if start is None
            else {"theta": torch.from_numpy(start.theta), "tables": [torch.from_numpy(t) for t in start.tables]},
        }

    def restore(self, content: dict[str, Any]) -> None:
        self.radius, start = content["radius"], content["start"]
        if start is not None:
            self.start = Start(start["theta"].numpy(), [t.numpy() for t in start["tables"]])

    def _apply(
        self, space: ParameterSpace, states: list[StateView], tables: list[Array], change: Array, moved: list[Array]
    ) -> None:
        theta = space.get()
        if space.few:
            for _ in range(HALVINGS):  # the step is linear, the potential is not
                space.set(theta + change)
                actual = [now - before for now, before in zip(tables_or_infinity(space), tables, strict=True)]
                if largest_change(states, actual) <= OVERSHOOT * self.radius:
                    return
                change = 0.5 * change
            space.set(theta)
            return
        wanted = regularise(space, states, [c + dc for c, dc in zip(tables, moved, strict=True)])
        pull_back(space, wanted)


def price_within(states: list[StateView], radius: float, moved: Callable[[float], list[Array]]) -> float:
    """Price of squared changes of U with which a step, `moved` at a price, changes U by the radius in kT (K. Levenberg,
    Q. Appl. Math. 2, 164 (1944)): what the data ask for clearly comes first."""

    def excess(exponent: float) -> float:
        return largest_change(states, moved(10.0**exponent)) - radius

    least, most = PRICES
    found = excess(least) > 0 > excess(most)
    return float(10.0 ** (scipy.optimize.brentq(excess, least, most, xtol=0.02) if found else least))


def regularise(space: ParameterSpace, states: list[StateView], tables: list[Array]) -> list[Array]:
    """Continue the core of each variant's table below what its states sample, and are to."""
    shape = (space.potential.all_pairs, space.grid.knots + 2)
    result = []
    for variant, table in enumerate(tables):
        own = [s for s in states if s.variant == variant]
        weights, pairs = sum(s.weights for s in own), table[space.pairs].reshape(shape)
        begin = first_neighbours(shape[0], [rdf for s in own for rdf in s.rdfs])
        core = continue_core(pairs, np.broadcast_to(weights, shape), space.grid, space.kT, space.contact, begin)
        result.append(np.concatenate([core.ravel(), table[space.pairs.stop :]]))
    return result


def largest_change(states: list[StateView], moved: list[Array]) -> float:
    """Largest change of U / kT at a distance that particles visit."""
    with np.errstate(over="ignore", invalid="ignore"):  # of a step that is far too long
        sizes = [float(np.abs(s.probe @ moved[s.variant]).max(initial=0.0)) / s.kT for s in states]
    return max(sizes) if np.isfinite(sizes).all() else float("inf")


def tables_or_infinity(space: ParameterSpace) -> list[Array]:
    try:
        return space.tables()
    except DiffPairError:  # a value that is not finite: too long a step
        return [np.full(space.pairs.stop + space.bonded.size, np.inf) for _ in space.variants]
