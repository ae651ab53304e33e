"""What the fit has seen: residuals and Jacobians of earlier iterations, used again for as long as they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
KEPT = 8  # observations per state: the Jacobian of an older one weighs less than a tenth
RECENT = 5  # of them are near enough to be compared with each other
JACOBIAN_DECAY = 0.7  # weight of a Jacobian, per iteration that it is old: three of them count, where g is not linear
NONLINEARITY = 0.3  # error of a linear prediction, as a part of the predicted change: that of exp(-x) at x = 0.7
# Error of a theory's Jacobian, as a part of the change of g that it predicts. The hypernetted chain's is 0.2 to 0.45
# for a Lennard-Jones liquid near its triple point, 0.12 to 0.3 for water of one site.
THEORY_ERROR = 0.3
# Mean |g - target| within which that is so: it is the response of a fluid that has the target's g. Inverted starts are
# 0.03 to 0.1 off. From a soft repulsion, 0.24 off, twelve iterations with it ended at 0.17, without it at 0.003.
THEORY_REACH = 0.15
UNTOLD = 1e4  # times the noise of the fluctuations: what is not known of a column
ROUNDING = 1e-9  # of the largest eigenvalue: what products of float64 matrices leave of a zero


@dataclass(frozen=True)
class Observation:
    """One state at one iteration.

    coefficients: table that was sampled, flat [npairs * (knots + 2)]. residual: <g> - target, [rows]. sigma: its
    standard error, [rows]. jacobian: d<g>/dc, [rows, npairs * (knots + 2)]. doubt: [m, npairs * (knots + 2)], such
    that |doubt dc|^2 is the variance of J dc, in units of sigma^2 and summed over the rows, that comes from J's own
    noise. covariance: of the noise of <g>, [rows, rows]; its bins are correlated, which sigma ignores. frames: how many
    were sampled.
    """

    coefficients: Array
    residual: Array
    sigma: Array
    jacobian: Array
    doubt: Array
    covariance: Array
    frames: float = 1.0

    @property
    def relative_variance(self) -> float:
        """Trace of the noise's covariance in units of sigma^2, in which `doubt` is."""
        return max(float(np.sum(np.diag(self.covariance) / self.sigma**2)), 1e-12)


class Segments(Protocol):
    """Segments from the frames of a sampling, run with its table: products with their Jacobian, J_seg^T w.

    steps: their length.
    """

    @property
    def steps(self) -> int: ...

    def smooth_vectors(self, modes: int) -> Array:
        """Orthonormal vectors w [K, rows], so many of each RDF; see `gradients.smooth_vectors`."""
        ...

    def products(self, vectors: Array) -> Array:
        """With vectors [K, rows], per batch of segments: [batches, K, npairs * (knots + 2)]. They may become shorter by
        that."""
        ...

    def correction(self, vector: Array) -> Array | None:
        """With one vector [rows], per batch of segments of the present length; None where it is chaos."""
        ...


@dataclass
class Memory:
    """The observations of one state, newest last.

    theory: d<g>/dc [rows, columns] without noise, but only nearly right; or None. It is a prior of J: J is that of the
    theory along changes of U that the fluctuations tell less of, and theirs along others. untold: columns that the
    theory knows nothing of, [columns]; none where None.
    """

    observations: list[Observation] = field(default_factory=list)
    theory: Array | None = None
    untold: NDArray[np.bool_] | None = None
    of_fluctuations: ClassVar[bool] = True  # whether J is that of fluctuations, which every observation brings along
    _known: dict[str, Array] = field(default_factory=dict, init=False, repr=False, compare=False)
    _known_of: tuple[Any, ...] = field(default=(), init=False, repr=False, compare=False)

    def measure(self, segments: Segments, observation: Observation) -> None:
        """Bring the Jacobian to the table of an observation that is not in the memory yet; where it is that of
        fluctuations there is nothing to do."""

    def learn(self, observation: Observation) -> None:
        """What the step to an observation has taught beside it, also where the fit goes back from there."""

    def add(self, observation: Observation) -> None:
        self.observations = [*self.observations[-(KEPT - 1) :], observation]

    @property
    def has_jacobian(self) -> bool:
        """Whether there is a Jacobian."""
        return bool(self.observations and len(self.observations[-1].jacobian))

    def _weights(self) -> Array:
        weights = self._frames() * JACOBIAN_DECAY ** np.arange(len(self.observations) - 1.0, -1.0, -1.0)
        return np.asarray(weights / weights.sum())

    def _once(self, name: str, make: Callable[[], Array]) -> Array:
        """What is made of the present observations and theory: a step asks for it a dozen times, and with many states
        that would be most of its time."""
        present = self.observations, self.theory, self.untold
        if len(self._known_of) != len(present) or any(a is not b for a, b in zip(present, self._known_of, strict=True)):
            self._known, self._known_of = {}, present
        if name not in self._known:
            found = make()
            found.flags.writeable = False  # it is given out again
            self._known[name] = found
        return self._known[name]

    def jacobian(self) -> Array:
        """Average Jacobian; that of one iteration has the noise of its few hundred frames. With a theory the most
        probable one: each row j of J is N(theory, E) and the average is N(j, D^T D), both in units of that row's
        error."""
        return self._once("jacobian", self._probable)

    def _probable(self) -> Array:
        average = np.asarray(sum(w * o.jacobian for w, o in zip(self._weights(), self.observations, strict=True)))
        if (theory := self.near_theory) is None:
            return average
        expected, inverse = self._theory_error(theory)
        return np.asarray(theory + (average - theory) @ inverse @ expected)

    def jacobian_noise(self) -> Array:
        """D, [m, npairs * (knots + 2)]: the noise of J dc has the covariance |D dc|^2 times that of <g>.

        cov(A_i, X) of n independent frames has the covariance cov(A_i, A_j) var(X) / n.
        """
        return self._once("noise", self._probable_noise)

    def _probable_noise(self) -> Array:
        if (theory := self.near_theory) is None:
            return self._average_noise()
        expected, inverse = self._theory_error(theory)
        values, vectors = np.linalg.eigh(expected - expected @ inverse @ expected)
        keep = values > ROUNDING * max(values[-1], 0.0)
        return np.asarray(np.sqrt(values[keep])[:, None] * vectors[:, keep].T)

    def _average_noise(self) -> Array:
        """The same of the average Jacobian."""
        weighted = [
            w / np.sqrt(o.relative_variance) * o.doubt for w, o in zip(self._weights(), self.observations, strict=True)
        ]
        return np.concatenate(weighted)

    @property
    def near_theory(self) -> Array | None:
        """The theory's Jacobian, where the last observation is near enough to the target for it."""
        far = np.mean(np.abs(self.observations[-1].residual)) > THEORY_REACH
        return None if far else self.theory

    def _theory_error(self, theory: Array) -> tuple[Array, Array]:
        """E, |THEORY_ERROR theory dc|^2 = dc^T E dc in the units of D, and (E + D^T D)^-1."""
        last, noise = self.observations[-1], self._average_noise()
        relative = THEORY_ERROR * theory / last.sigma[:, None]
        expected = relative.T @ relative / last.relative_variance
        if self.untold is not None and self.untold.any():
            columns = np.flatnonzero(self.untold)
            expected[columns, columns] += UNTOLD * (noise[:, columns] ** 2).sum(0)
        return expected, np.asarray(np.linalg.pinv(expected + noise.T @ noise, rcond=ROUNDING, hermitian=True))

    def pooled(self, coefficients: Array) -> tuple[Array, Array, Array]:
        """Residual, its standard error and the Jacobian at a table [npairs * (knots + 2)], from all observations.

        Each observation predicts the residual there, r + J (c - c'); its error is that of its own sampling, what the
        noise of J makes of c - c', and a part of the predicted change. The weighted mean makes late iterates average
        out each other's noise.
        """
        jacobian = self.jacobian()
        changes = self._changes(coefficients, jacobian)
        weights = self._precision(coefficients, changes)
        total = np.sum(weights * (np.array([o.residual for o in self.observations]) + changes), axis=0)
        weight = weights.sum(0)
        return total / weight, weight**-0.5, jacobian

    def noise(self, coefficients: Array) -> tuple[Array, Array]:
        """Covariance of the pooled residual there, and that of an observation of mean length, both [rows, rows].

        The target's own noise is in neither. What the noise of J makes of the mean distance from the observations is:
        after steps that are long against the noise of g it is the larger part.
        """
        changes = self._changes(coefficients, self.jacobian())
        weights = self._precision(coefficients, changes)
        weights /= weights.sum(0)
        # per frame: longer samplings know more of slow motion
        frames = self._frames()
        shape = sum(f**2 * o.covariance for f, o in zip(frames, self.observations, strict=True)) / frames.sum()
        single = shape / frames.mean()
        pooled = shape * (weights.T @ (weights / frames[:, None]))
        pooled += np.diag(np.sum((weights * self._nonlinear(changes)) ** 2, axis=0))
        away = weights.mean(1) @ np.array([coefficients - o.coefficients for o in self.observations])
        pooled += single * np.sum((self.jacobian_noise() @ away) ** 2)
        return np.asarray(pooled), single

    def scatter(self, coefficients: Array) -> tuple[Array, Array]:
        """Deviations of the last RECENT residuals, brought to a table, from their mean, [m, rows]; and the variance
        that each should have in units of that of an observation of mean length, [m]."""
        recent = self.observations[-RECENT:]
        jacobian = self.jacobian()
        frames = np.array([float(o.frames) for o in recent])
        found = np.array([o.residual + jacobian @ (coefficients - o.coefficients) for o in recent])
        expected = float(self._frames().mean()) / frames + self._by_jacobian(coefficients)[-len(recent) :]
        return found - np.average(found, axis=0, weights=frames), expected

    def _frames(self) -> Array:
        return np.array([float(o.frames) for o in self.observations])

    def _changes(self, coefficients: Array, jacobian: Array) -> Array:
        return np.array([jacobian @ (coefficients - o.coefficients) for o in self.observations])

    def _by_jacobian(self, coefficients: Array) -> Array:
        """Variance that the noise of J gives each observation's prediction at a table, in units of that of <g>."""
        away = np.array([coefficients - o.coefficients for o in self.observations])
        return np.asarray(((away @ self.jacobian_noise().T) ** 2).sum(1))

    def _precision(self, coefficients: Array, changes: Array) -> Array:
        sigma = np.array([o.sigma for o in self.observations])
        by_jacobian = self._by_jacobian(coefficients)[:, None]
        return np.asarray(1.0 / (sigma**2 * (1 + by_jacobian) + self._nonlinear(changes) ** 2))

    def _nonlinear(self, changes: Array) -> Array:
        """Errors that the nonlinearity gives predicted changes, both [observations, rows].

        Where a change happens to be 0 its prediction is no better than beside it, and an old observation would count
        there as if it were new. So half of the variance is that of the mean row, in units of the rows' errors.
        """
        sigma = np.array([o.sigma for o in self.observations])
        relative = (changes / sigma) ** 2
        return np.asarray(NONLINEARITY * sigma * np.sqrt((relative + relative.mean(1, keepdims=True)) / 2))

    def content(self) -> dict[str, Any]:
        """All that `restore` needs, as tensors and plain values."""
        kept = [{k: torch.as_tensor(np.array(v)) for k, v in vars(o).items()} for o in self.observations]
        told = {"theory": self.theory, "untold": self.untold}
        return {"observations": kept} | {
            k: None if v is None else torch.from_numpy(v.copy("K")) for k, v in told.items()
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        self.observations = [
            Observation(**{k: v.numpy() if v.ndim else v.item() for k, v in o.items()}) for o in content["observations"]
        ]
        for name in ("theory", "untold"):
            setattr(self, name, None if content[name] is None else content[name].numpy())
