"""Forces of a segment beside the table's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from diffpair.force_hooks import FUNCTION, ForceHook


@dataclass(frozen=True, eq=False)
class BondedForces:
    """Bonded forces of one kind, which the core knows: exact, with an exact adjoint.

    | kind | particles | parameters | energy |
    |---|---|---|---|
    | `harmonic-bond` | 2 | r0 in nm, k | k (r - r0)^2 / 2 |
    | `harmonic-angle` | 3 | angle t0 in radians, k | k (t - t0)^2 / 2 |
    | `periodic-torsion` | 4 | n, phase f0 in radians, k | k (1 + cos(n f - f0)) |

    atoms: int32 [n, 2, 3 or 4]. parameters: float64 [n, 2 or 3], as of OpenMM's forces; they may require a gradient,
    that of a torsion's n is 0. periodic: whether differences of positions are taken to their nearest image.
    """

    kind: str
    atoms: Tensor
    parameters: Tensor
    periodic: bool = False


@dataclass(frozen=True, eq=False)
class FurtherForces:
    """All forces beside the table's; none by default."""

    bonded: tuple[BondedForces, ...] = ()
    hook: ForceHook | None = None

    @property
    def parameters(self) -> list[Tensor]:
        """Of the bonded forces."""
        return [forces.parameters for forces in self.bonded]

    def of_segment(self, single: bool) -> FurtherForces:
        """The same for one segment, see `ForceHook.of_segment`."""
        return self if self.hook is None else replace(self, hook=self.hook.of_segment(single))

    def add_to(self, problem: Any) -> None:
        """Tell a SegmentProblem of them."""
        for forces in self.bonded:
            problem.add_bonded(forces.kind, forces.atoms, forces.periodic)
        if self.hook is not None:
            problem.set_hook(FUNCTION, self.hook.user, self.hook.distance, self.hook.central)
