"""A gas at constant pressure whose averages are integrals: particles that feel one partner each.

M pairs of particles in a cubic box, u between the two of a pair, nothing else. With N = 2 M,

    p(V) ~ V^N exp(-beta P V) (1 + B / V)^M,   B = integral of 4 pi r^2 (exp(-beta u) - 1),

and given V the distance of a pair has the density 4 pi r^2 exp(-beta u) / (V + B) up to the cutoff.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import openmm

from diffpair.engines import Frames
from diffpair.observables.pressure import BAR
from diffpair.states import NO_TYPE, State
from diffpair.tables import PairTable

KT = 1.0  # kJ/mol
TEMPERATURE = 120.27236209
R = np.linspace(1e-4, 1.0, 4001)
VOLUMES = np.linspace(8.0, 150.0, 20001)  # from where half the box is the cutoff


def well(depth: float = 3.0) -> PairTable:
    """-depth kT at contact, 0 from 1 nm on."""
    nodes = (np.arange(22) - 1) / 19
    coefficients = np.where(nodes < 1, -depth * (1 - nodes.clip(0, 1) ** 2) ** 2, 0.0)
    coefficients[-3:] = 0
    return PairTable(("A",), 0.0, 1.0, coefficients[None])


@dataclass(frozen=True)
class PairedGas:
    """Of a table on [0, 1] nm; pressure in kJ/mol/nm^3."""

    table: PairTable
    pairs: int = 20
    pressure: float = 0.9

    def with_coefficients(self, coefficients: np.ndarray) -> PairedGas:
        return replace(self, table=PairTable(("A",), 0.0, 1.0, coefficients.reshape(1, -1)))

    @property
    def boltzmann(self) -> np.ndarray:
        """exp(-beta u) at R."""
        return np.exp(-self.table.energy(R) / KT)

    @property
    def excess(self) -> float:
        """B, nm^3."""
        return float(np.trapezoid(4 * np.pi * R**2 * (self.boltzmann - 1), R))

    @property
    def weights(self) -> np.ndarray:
        """p(V) at VOLUMES, adding up to 1."""
        logarithm = (
            2 * self.pairs * np.log(VOLUMES)
            - self.pressure / KT * VOLUMES
            + self.pairs * np.log1p(self.excess / VOLUMES)
        )
        weights = np.exp(logarithm - logarithm.max())
        return weights / weights.sum()

    def mean(self, f: np.ndarray) -> float:
        """<f(V)>, f at VOLUMES."""
        return float(self.weights @ f)

    def g(self, radii: np.ndarray, width: float, weights: np.ndarray | None = None) -> np.ndarray:
        """The smooth g of bins; weights: another distribution of volumes."""
        x = np.abs(R - radii[:, None]) / width
        kernel = np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0.0))
        shells = 4 * np.pi * width * (radii**2 + width**2 / 3)
        at_volume = np.trapezoid(4 * np.pi * R**2 * self.boltzmann * kernel, R, axis=1) / shells
        free = VOLUMES / (VOLUMES + self.excess)
        return at_volume * ((self.weights if weights is None else weights) @ free)

    def state(self, edge: float, targets=(), barostat=None, spectators: int = 0) -> State:
        """Partners side by side; spectators without a type feel nothing."""
        size = 2 * self.pairs + spectators
        system = openmm.System()
        for _ in range(size):
            system.addParticle(1.0)
        system.addForce(barostat or openmm.MonteCarloBarostat(BAR * self.pressure, TEMPERATURE, 4))
        first, second = np.triu_indices(2 * self.pairs, 1)
        apart = ~((first % 2 == 0) & (second == first + 1))
        rng = np.random.default_rng(0)
        types = np.zeros(size, dtype=np.int64)
        types[2 * self.pairs :] = NO_TYPE
        return State(
            name="paired", type_names=("A",), types=types, masses=np.ones(size), positions=rng.random((size, 3)) * edge,
            box=np.eye(3) * edge, exclusions=np.stack([first, second], axis=1)[apart], temperature=TEMPERATURE,
            targets=list(targets), base_system=system,
        )  # fmt: skip

    def frames(self, count: int, seed: int) -> Frames:
        """Independent draws from the isobaric ensemble."""
        rng = np.random.default_rng(seed)
        volumes = VOLUMES[np.searchsorted(np.cumsum(self.weights), rng.random(count))]
        edges = np.cbrt(volumes)
        inside_weight = 4 * np.pi * R**2 * self.boltzmann
        inside = float(np.trapezoid(inside_weight, R))
        radial = np.cumsum(inside_weight) / inside_weight.sum()
        bound = rng.random((count, self.pairs)) < (inside / (volumes + self.excess))[:, None]
        r = R[np.searchsorted(radial, rng.random((count, self.pairs)))]
        direction = rng.normal(size=(count, self.pairs, 3))
        direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
        apart = (rng.random((count, self.pairs, 3)) - 0.5) * edges[:, None, None]
        while (close := ~bound & (np.linalg.norm(apart, axis=-1) < R[-1])).any():
            where = np.nonzero(close)
            apart[where] = (rng.random((len(where[0]), 3)) - 0.5) * edges[where[0], None]
        apart[bound] = (r[..., None] * direction)[bound]
        x = np.empty((count, 2 * self.pairs, 3))
        x[:, ::2] = rng.random((count, self.pairs, 3)) * edges[:, None, None]
        x[:, 1::2] = x[:, ::2] + apart
        boxes = np.eye(3) * edges[:, None, None]
        return Frames(x, np.zeros_like(x), boxes, np.zeros(count))
