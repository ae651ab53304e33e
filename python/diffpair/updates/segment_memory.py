"""The Jacobian that adjoint segments give, and how a fit makes it better under way."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.updates.observations import Memory, Observation, Segments

Array = NDArray[np.float64]
SMALLEST_GAIN = 0.1  # a response that is smaller, or goes the wrong way, is noise
TOLD = 1e-5  # of the largest eigenvalue of the noise: less is the rounding of segments in float32


class SegmentMemory(Memory):
    """Observations whose Jacobian is that of segments, J_seg = d<A>_seg/dc, times a gain.

    A segment sees the part of the response that relaxes within it: the right direction, but too small. The gain a is
    learned from what earlier steps did: with changes dc and dA between observations, and p = J_seg dc,

        a = (sum p . C^-1 dA + 1) / (sum p . C^-1 p + 1),

    C their variances: least squares with a = 1 +- 1 as what is known before. Fresh products J_seg^T w at the present
    table go in by the adjoint Broyden update (S. Schlenkrich, A. Griewank, A. Walther, Math. Program. 121, 221 (2010):
    of all matrices with the right J^T w the nearest one), damped by their noise.

    All is kept per batch of segments, [batches, rows, n] with n = npairs * (knots + 2); the spread of the batches is
    the noise of the Jacobian, `doubt`.

    Args:
        modes: smooth vectors of an RDF that the Jacobian is measured with.
    """

    of_fluctuations: ClassVar[bool] = False

    def __init__(self, modes: int) -> None:
        super().__init__()
        self.modes = modes
        self.known = False
        self.steps = 0  # of the segments that the Jacobian was measured with
        self.batches: Array = np.zeros((0, 0, 0))
        self.moves: list[tuple[Array, Array, Array]] = []  # dc [n], dA [rows] and its variance [rows]

    @property
    def has_jacobian(self) -> bool:
        """See Memory."""
        return bool(self.observations and self.known)

    @property
    def gain(self) -> float:
        """Response in equilibrium over that of the segments."""
        jacobian = self.batches.mean(0)
        up = down = 1.0
        for move, change, variance in self.moves:
            p = jacobian @ move
            up += float(p @ (change / variance))
            down += float(p @ (p / variance))
        return max(up / down, SMALLEST_GAIN)

    def measure(self, segments: Segments, observation: Observation) -> None:
        """See Memory.

        The first time, and once segments have become shorter (shorter ones see less of the response): products with all
        smooth vectors. Later one backward pass per iteration, J^T W r with the present residual: the gradient of the
        loss.
        """
        if self.known and self.steps == segments.steps:
            vector = observation.residual / observation.sigma**2
            vector = vector / np.linalg.norm(vector * observation.sigma)
            fresh = segments.correction(vector)
            if fresh is not None:
                self.correct(vector, fresh, observation.sigma)
            return
        vectors = segments.smooth_vectors(self.modes)
        products = segments.products(vectors)
        self.begin(vectors, products, segments.steps)

    def begin(self, vectors: Array, products: Array, steps: int) -> None:
        """Make the Jacobian of products [batches, K, n] with orthonormal vectors [K, rows], of segments of so many
        steps."""
        self.batches, self.known, self.steps = np.einsum("kr,bkn->brn", vectors, products), True, steps

    def correct(self, vector: Array, products: Array, sigma: Array) -> float:
        """Take up fresh products [batches, n] with a vector [rows].

        Rows count in units of their errors sigma [rows]. The part of the correction that is taken is the variance that
        the old product has, its drift since included, over that of both. Returns that part.
        """
        old = np.einsum("r,brn->bn", vector, self.batches)
        count = len(old)
        noise_old, noise_new = (float(np.sum(np.var(p, axis=0, ddof=1))) / count for p in (old, products))
        change = float(np.sum((products.mean(0) - old.mean(0)) ** 2))
        drift = max(0.0, change - noise_old - noise_new)
        total = noise_old + drift + noise_new
        part = (noise_old + drift) / total if total > 0 else 0.0
        scaled = sigma * vector
        across = part * sigma * scaled / float(scaled @ scaled)  # times the vector: `part`
        self.batches = self.batches + across[None, :, None] * (products - old)[:, None, :]
        return part

    def add(self, observation: Observation) -> None:
        """Keep it, and what the step to it has taught."""
        self.learn(observation)
        super().add(observation)

    def learn(self, observation: Observation) -> None:
        """See Memory: what the gain is learned from."""
        if self.observations:
            last = self.observations[-1]
            self.moves.append(
                (
                    observation.coefficients - last.coefficients,
                    observation.residual - last.residual,
                    observation.sigma**2 + last.sigma**2,
                )
            )

    def jacobian(self) -> Array:
        """Of equilibrium averages, as far as known."""
        if not self.known:
            raise DiffPairError("the Jacobian of the segments has not been measured yet")
        return self._with_secants(self.gain * self.batches.mean(0))

    def _with_secants(self, jacobian: Array) -> Array:
        """The Jacobian made right for the moves so far, oldest first, by Broyden's update (C. G. Broyden, Math. Comput.
        19, 577 (1965)), as far as what it missed stands out from the noise. Knots count as they matter to the rows."""
        metric = (jacobian**2).sum(0)
        result = jacobian.copy()
        for move, change, variance in self.moves:
            missed = change - result @ move
            noise = len(missed) + 2 * np.sqrt(2 * len(missed))  # mean of chi^2 and two standard deviations
            part = max(0.0, 1 - noise / max(float(missed @ (missed / variance)), 1e-300))
            length = float(move @ (metric * move))
            if part > 0 and length > 0:
                result += part * np.outer(missed, metric * move / length)
        return result

    def noise(self, coefficients: Array) -> tuple[Array, Array]:
        """See Memory.noise; without correlations between bins. Those make some smooth combinations of bins look known
        far better than the segments' Jacobian, which is not exact, predicts them."""
        _, error, _ = self.pooled(coefficients)
        return np.diag(error**2), np.diag(self.observations[-1].sigma ** 2)

    def doubt(self) -> Array:
        """See Observation.doubt: |doubt dc|^2 is the variance of J dc in units of the latest sigma^2."""
        count, _, width = self.batches.shape
        sigma = self.observations[-1].sigma
        spread = self.gain * (self.batches - self.batches.mean(0)) / sigma[:, None] / np.sqrt(count * (count - 1))
        flat = spread.reshape(-1, width)
        values, vectors = np.linalg.eigh(flat.T @ flat)
        keep = values > TOLD * max(values[-1], 1e-300)
        return np.asarray(np.sqrt(values[keep, None]) * vectors[:, keep].T)

    def jacobian_noise(self) -> Array:
        """See Memory.jacobian_noise: noise of the same size as `doubt`, spread over the rows as that of <A> is."""
        last = self.observations[-1]
        return self.doubt() / np.sqrt(max(float(np.sum(np.diag(last.covariance) / last.sigma**2)), 1e-12))

    def content(self) -> dict[str, Any]:
        """See Memory."""
        moves = [[torch.from_numpy(part.copy()) for part in move] for move in self.moves]
        return super().content() | {
            "known": self.known,
            "steps": self.steps,
            "batches": torch.from_numpy(self.batches.copy("K")),  # as it lies: products of it differ else in last bits
            "moves": moves,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on where `content` was taken."""
        super().restore(content)
        self.known, self.steps = content["known"], content["steps"]
        self.batches = content["batches"].numpy()
        self.moves = [(dc.numpy(), change.numpy(), variance.numpy()) for dc, change, variance in content["moves"]]
