"""How much of a segment's path is kept for its backward, and how much is recomputed."""

from __future__ import annotations

import math
from typing import NamedTuple

_MEMORY = 2**30  # bytes that a path may take
_CHECKPOINT = 3  # vectors [N, 3] of a checkpoint: x, v, and the positions that the neighbour list was built from


class Checkpoints(NamedTuple):
    """What is kept of a segment's path: Checkpoints(1, 0) keeps all.

    Args:
        every: steps between states that are kept before `keep_from`.
        keep_from: step from which on the whole path is kept.
    """

    every: int
    keep_from: int


def plan_checkpoints(
    steps: int, state_bytes: int, vectors_of_step: int = 2, memory: int = _MEMORY, vectors_of_every_step: int = 0
) -> Checkpoints:
    """Recompute as little as `memory` allows.

    u steps with a checkpoint every k of them take 3 u / k vectors, and recomputing one block k vectors_of_step more:
    least at k = sqrt(3 u / vectors_of_step). What such a segment needs is taken even if it is more than `memory`.

    Args:
        steps: of the segment.
        state_bytes: bytes of the positions of all replicas.
        vectors_of_step: vectors [N, 3] that a kept step takes: 1 for Verlet, 2 for integrators with a bath.
        memory: bytes that the path may take.
        vectors_of_every_step: vectors [N, 3] kept of every step in any case: 1 for the forces of a hook.

    Returns:
        The plan.

    Examples:
        >>> from diffpair.segments import plan_checkpoints
        >>> plan_checkpoints(steps=1000, state_bytes=240_000)  # 10,000 atoms
        Checkpoints(every=1, keep_from=0)
    """
    for part in range(65):  # a 64th of the segment is exact enough
        recomputed = steps * part // 64
        every = max(1, math.ceil(math.sqrt(_CHECKPOINT * recomputed / vectors_of_step)))
        block = min(every, recomputed)
        vectors = _CHECKPOINT * -(-recomputed // every) + vectors_of_step * (block + steps - recomputed)
        if (vectors + vectors_of_every_step * steps) * state_bytes <= memory:
            break
    return Checkpoints(every, recomputed)
