"""Which integrator a segment runs: OpenMM's of that name, with temperature and rate that may require gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import openmm
import torch
from torch import Tensor

from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError

# A number, or a tensor: a scalar for all replicas, or [R].
Number = float | Tensor


@dataclass(frozen=True, eq=False)
class Verlet:
    """OpenMM's VerletIntegrator: v <- v + (dt/m) F(x), x <- x + dt v."""

    name = "verlet"

    def bath(self, replicas: int) -> Tensor:
        """What the operator is told of a bath: nothing.

        Args:
            replicas: number of replicas, R.

        Returns:
            [R, 0].
        """
        return torch.empty((replicas, 0), dtype=torch.float64)

    def settings(self, inverse_mass: Tensor) -> list[int]:
        """Whole numbers that the operator is told: none.

        Args:
            inverse_mass: 1/amu, [N].

        Returns:
            An empty list.
        """
        return []


@dataclass(frozen=True, eq=False)
class LangevinMiddle:
    """OpenMM's LangevinMiddleIntegrator: between two half drifts, v <- a v + sqrt(kT/m (1 - a^2)) noise.

    Here a = exp(-friction dt).
    The noise is a function of (seed, replica, step, atom), by a counter-based generator: the same seed gives the same
    trajectory, whatever the number of threads, and the backward regenerates it. Gradients flow through it with the
    noise held fixed.

    Args:
        temperature: K, positive; a number or a tensor, scalar or [R], that may require a gradient.
        friction: 1/ps, likewise.
        seed: any integer of 64 bits.

    Raises:
        DiffPairError: a number out of range.
    """

    temperature: Number
    friction: Number
    seed: int

    name = "langevin-middle"

    def __post_init__(self) -> None:
        _check_positive("temperature", self.temperature)
        _check_positive("friction", self.friction)
        if not -(2**63) <= self.seed < 2**63:
            raise DiffPairError(f"the seed of LangevinMiddle must be an integer of 64 bits, not {self.seed}")

    def bath(self, replicas: int) -> Tensor:
        """What the operator is told of the bath.

        Args:
            replicas: number of replicas, R.

        Returns:
            kT in kJ/mol and friction in 1/ps, [R, 2].

        Raises:
            DiffPairError: temperature or friction is not one number or one for each replica.
        """
        return _bath(replicas, self.temperature, self.friction)

    def settings(self, inverse_mass: Tensor) -> list[int]:
        """Whole numbers that the operator is told.

        Args:
            inverse_mass: 1/amu, [N].

        Returns:
            The seed.
        """
        return [int(self.seed)]


@dataclass(frozen=True, eq=False)
class NoseHoover:
    """OpenMM's NoseHooverIntegrator: between two half drifts, all velocities are scaled by a chain that starts at rest.

    Args:
        temperature: K, positive; a number or a tensor, scalar or [R], that may require a gradient.
        collision_frequency: 1/ps, likewise; the beads of the chain weigh kT / collision_frequency^2, the first one
            degrees_of_freedom times as much.
        chain_length: number of beads.
        num_mts: time steps of the chain per step.
        num_yoshida_suzuki: 1, 3, 5 or 7 weights.
        degrees_of_freedom: see the function of that name; by default 3 for every atom that is not held.

    Raises:
        DiffPairError: a number out of range.
    """

    temperature: Number
    collision_frequency: Number
    chain_length: int = 3
    num_mts: int = 3
    num_yoshida_suzuki: int = 7
    degrees_of_freedom: int | None = None

    name = "nose-hoover"

    def __post_init__(self) -> None:
        _check_positive("temperature", self.temperature)
        _check_positive("collision frequency", self.collision_frequency)
        if self.num_yoshida_suzuki not in (1, 3, 5, 7):
            raise DiffPairError(
                f"the number of Yoshida-Suzuki weights must be 1, 3, 5 or 7, not {self.num_yoshida_suzuki}"
            )
        for what in ("chain_length", "num_mts", "degrees_of_freedom"):
            value = getattr(self, what)
            if value is not None and value < 1:
                raise DiffPairError(f"{what} of NoseHoover must be at least 1, not {value}")

    def bath(self, replicas: int) -> Tensor:
        """What the operator is told of the bath.

        Args:
            replicas: number of replicas, R.

        Returns:
            kT in kJ/mol and collision frequency in 1/ps, [R, 2].

        Raises:
            DiffPairError: temperature or frequency is not one number or one for each replica.
        """
        return _bath(replicas, self.temperature, self.collision_frequency)

    def settings(self, inverse_mass: Tensor) -> list[int]:
        """Whole numbers that the operator is told.

        Args:
            inverse_mass: 1/amu, [N].

        Returns:
            Degrees of freedom, chain length, time steps of the chain, number of weights.
        """
        degrees = self.degrees_of_freedom
        if degrees is None:
            degrees = 3 * int(torch.count_nonzero(inverse_mass))
        return [degrees, self.chain_length, self.num_mts, self.num_yoshida_suzuki]


Integrator = Verlet | LangevinMiddle | NoseHoover


def degrees_of_freedom(system: openmm.System) -> int:
    """Degrees of freedom of a System as OpenMM's NoseHooverIntegrator counts them.

    Three for every particle with a mass, less one for every constraint between two of them, less three if there is a
    CMMotionRemover.

    Args:
        system: any System.

    Returns:
        Their number.
    """
    moves = [system.getParticleMass(i)._value > 0 for i in range(system.getNumParticles())]
    pairs = [system.getConstraintParameters(i)[:2] for i in range(system.getNumConstraints())]
    constraints = sum(moves[a] and moves[b] for a, b in pairs)
    return 3 * sum(moves) - constraints - 3 * any(isinstance(f, openmm.CMMotionRemover) for f in system.getForces())


def _check_positive(what: str, value: Number) -> None:
    values = value.detach().flatten().tolist() if isinstance(value, Tensor) else [value]
    for one in values:
        if not (one > 0 and math.isfinite(one)):
            raise DiffPairError(f"the {what} of an integrator must be positive, not {one:g}")


def _bath(replicas: int, temperature: Number, rate: Number) -> Tensor:
    columns = []
    for what, value in (("temperature", temperature), ("rate", rate)):
        column = torch.as_tensor(value, dtype=torch.float64)
        if column.dim() > 1 or column.numel() not in (1, replicas):
            raise DiffPairError(
                f"the {what} of an integrator must be one number or one for each of the {replicas} replicas, not of "
                f"shape {tuple(column.shape)}"
            )
        columns.append(column.expand(replicas))
    return torch.stack((BOLTZMANN * columns[0], columns[1]), dim=1)
