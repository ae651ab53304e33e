"""Forces of a segment beside the table's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from diffpair.force_hooks import FUNCTION, ForceHook


@dataclass(frozen=True, eq=False)
class BondedForces:
    """Bonded forces of one kind, which the core knows: exact, with an exact adjoint.

    - "harmonic-bond", of 2 particles: k (r - r0)^2 / 2; parameters r0 in nm and k in kJ/mol/nm^2.
    - "harmonic-angle", of 3: k (t - t0)^2 / 2; parameters t0 in rad and k in kJ/mol/rad^2.
    - "periodic-torsion", of 4: k (1 + cos(n f - f0)); parameters n, f0 in rad and k in kJ/mol.

    Args:
        kind: one of these.
        atoms: indices of the particles, int32 [n, 2 | 3 | 4].
        parameters: float64 [n, 2 | 3], as of OpenMM's forces; they may require a gradient, that of a torsion's n is 0.
        periodic: whether differences of positions are taken to their nearest image.
    """

    kind: str
    atoms: Tensor
    parameters: Tensor
    periodic: bool = False


@dataclass(frozen=True, eq=False)
class FurtherForces:
    """All forces of a segment beside the table's; none by default.

    Args:
        bonded: what the core knows.
        hook: what a function gives.
    """

    bonded: tuple[BondedForces, ...] = ()
    hook: ForceHook | None = None

    @property
    def parameters(self) -> list[Tensor]:
        """Parameters of the bonded forces, a tensor of each kind."""
        return [forces.parameters for forces in self.bonded]

    def of_segment(self, single: bool) -> FurtherForces:
        """The same for one segment, see `ForceHook.of_segment`.

        Args:
            single: it is one of float32.

        Returns:
            The forces.
        """
        return self if self.hook is None else replace(self, hook=self.hook.of_segment(single))

    def add_to(self, problem: Any) -> None:
        """Tell a SegmentProblem of them.

        Args:
            problem: as `make_problem` makes it.
        """
        for forces in self.bonded:
            problem.add_bonded(forces.kind, forces.atoms, forces.periodic)
        if self.hook is not None:
            problem.set_hook(FUNCTION, self.hook.user, self.hook.distance, self.hook.central)
