"""Forces of an OpenMM System in a segment: bonds, angles and torsions natively, all others from OpenMM itself."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.force_hooks import ForceHook
from diffpair.segments.bonded import bonded_forces, is_native
from diffpair.segments.forces import FurtherForces
from diffpair.systems.barostat import BAROSTATS
from diffpair.systems.own_forces import acts
from diffpair.systems.platforms import copy_parameters, pick_platform, platform_like

Array = NDArray[np.float64]

# Noise of OpenMM's forces relative to their size: in single precision mostly from the rounding of positions a few nm
# from the origin; "rounded" are forces in double precision that a segment of float32 keeps. And the distance over which
# forces between atoms change by about their size, nm.
_NOISE = {"double": 1e-12, "single": 1e-5, "rounded": 2.0**-24}
_LENGTH = 0.02

_BATHS = (openmm.AndersenThermostat, *BAROSTATS)


@dataclass(frozen=True)
class Difference:
    """How products with the Hessian are taken from differences of forces, see `ForceHook`.

    Args:
        distance: nm that the particle is moved that is moved farthest.
        central: on both sides in every step, instead of on alternating ones.
        error: relative, of one step.
    """

    distance: float
    central: bool
    error: float


def difference_of(precision: str) -> Difference:
    """The difference for forces in "single" or "double" precision, or double ones "rounded" by a segment of float32.

    Forces with a relative noise e that change over a length L give a difference over h an error of e L / h by noise and
    of h / 2 L by curvature. Their sum is least, sqrt(2 e), at h = L sqrt(2 e). Since sides alternate, the second one
    cancels over the steps: central differences, with half as many evaluations more, were not measurably better.
    """
    part = (2 * _NOISE[precision]) ** 0.5
    return Difference(_LENGTH * part, False, part)


class _ReplicaContext:
    """The Context of one replica, for one caller at a time. evaluations: of its forces."""

    def __init__(self, context: openmm.Context) -> None:
        self.context, self.evaluations = context, 0
        self._box: Array | None = None
        self._parameters: Mapping[str, float] = {}
        self._lock = threading.Lock()

    def forces(self, x: Array, box: Array, parameters: Mapping[str, float]) -> Array:
        """[N, 3] in kJ/mol/nm; x [N, 3] and the rows of box [3, 3] in nm; values of global parameters."""
        with self._lock:
            if self._parameters is not parameters:
                copy_parameters(parameters, self.context)
                self._parameters = parameters
            if self._box is None or not np.array_equal(self._box, box):
                self.context.setPeriodicBoxVectors(*box)
                self._box = box
            self.context.setPositions(x)
            self.evaluations += 1
            return np.asarray(self.context.getState(forces=True).getForces(asNumpy=True)._value)


class Bridge:
    """Forces of a System for segments, evaluated by OpenMM: a Context for every replica.

    Args:
        system: any System.
        chosen: tells of each of its forces whether it is meant.
        platform: an OpenMM platform's name, by default CPU; or a Context, whose platform, precision, device and global
            parameters are taken, these as they are at every `in_boxes`.
        parameters: values of global parameters of its forces, where others than theirs and the Context's are wanted.
        difference: how Hessians are taken; by default as the coarser of platform and segment wants it.

    Attributes:
        names: of the forces.
        platform: name of the Contexts' platform.
        precision: of the Contexts, "single" or "double".
        difference: in segments of float64.
        single_difference: in segments of float32.
    """

    def __init__(
        self, system: openmm.System, chosen: Callable[[openmm.Force], bool],
        platform: str | openmm.Context | None = None,
        parameters: Mapping[str, float] | None = None, difference: Difference | None = None,
    ) -> None:  # fmt: skip
        self._system = copy.deepcopy(system)
        for k in reversed(range(system.getNumForces())):
            if not chosen(system.getForce(k)):
                self._system.removeForce(k)
        self.names = [force.getName() for force in self._system.getForces()]
        self._parameters = dict(parameters or {})
        self._beside = platform if isinstance(platform, openmm.Context) else None
        self._platform, self._properties = (
            platform_like(platform) if isinstance(platform, openmm.Context) else pick_platform(platform)
        )
        self._contexts: list[_ReplicaContext] = []
        self.platform = self._platform.getName()
        if self.platform == "CPU":
            # The replicas have threads. And the order of a sum of several threads' forces is not always the same.
            self._properties |= {"Threads": "1"}
        self._add_context()
        self.precision = _precision(self._contexts[0].context)
        self.difference = difference or difference_of(self.precision)
        rounded = self.precision == "double" and difference is None
        self.single_difference = difference_of("rounded") if rounded else self.difference

    @property
    def evaluations(self) -> int:
        """Number of evaluations of the forces so far."""
        return sum(one.evaluations for one in self._contexts)

    def in_boxes(self, boxes: Array) -> ForceHook:
        """The forces on replicas in these boxes; hooks of other boxes may be used in turn.

        Boxes and global parameters are those that there are now.

        Args:
            boxes: nm, [R, 3, 3].

        Returns:
            The hook of a segment.
        """
        while len(self._contexts) < len(boxes):
            self._add_context()
        cells = np.array(boxes, dtype=np.float64)
        parameters = self._now()
        return ForceHook(
            lambda replica, x: self._contexts[replica].forces(x, cells[replica], parameters),
            self._system.getNumParticles(), self.difference.distance, self.difference.central,
            self.single_difference.distance,
        )  # fmt: skip

    def describe(self, single: bool = False) -> str:
        """What goes this way, and how differences are taken.

        Args:
            single: in segments of float32.

        Returns:
            Words.
        """
        difference = self.single_difference if single else self.difference
        sides = "on both sides" if difference.central else "on alternating sides"
        return (
            f"{', '.join(self.names)} by OpenMM ({self.platform}, {self.precision} precision; products with the "
            f"Hessian by differences over {difference.distance:.1g} nm {sides}, each exact to "
            f"{difference.error:.0e})"
        )

    def _add_context(self) -> None:
        context = openmm.Context(self._system, openmm.VerletIntegrator(0.001), self._platform, self._properties)
        self._contexts.append(_ReplicaContext(context))

    def _now(self) -> dict[str, float]:
        """Values of global parameters; a Context knows those of forces that do not go this way, too."""
        return ({} if self._beside is None else dict(self._beside.getParameters())) | self._parameters


class SystemForces:
    """The forces of a System for segments of its particles: natively what segments know, by a Bridge all else.

    Args:
        system: any System without constraints, virtual sites, barostat and thermostat.
        platform: an OpenMM platform's name, by default CPU; or a Context, see `Bridge`.
        parameters: values of global parameters, see `Bridge`.
        native: False has all forces come from OpenMM.
        difference: how Hessians are taken, see `Bridge`.

    Attributes:
        bonded: the native ones.
        bridge: for all others; None where there are none.

    Raises:
        DiffPairError: the System has what segments do not know, see `refusal`.

    Examples:
        >>> import openmm
        >>> from diffpair.segments import SystemForces
        >>> system, bonds = openmm.System(), openmm.HarmonicBondForce()
        >>> for _ in range(2):
        ...     index = system.addParticle(1.0)
        >>> index = bonds.addBond(0, 1, 0.3, 500.0)
        >>> index = system.addForce(bonds)
        >>> SystemForces(system).describe()
        'HarmonicBondForce natively'
    """

    def __init__(
        self, system: openmm.System, platform: str | openmm.Context | None = None,
        parameters: Mapping[str, float] | None = None,
        native: bool = True, difference: Difference | None = None,
    ) -> None:  # fmt: skip
        if found := refusal(system):
            raise DiffPairError(f"the System has {found}, which segments do not know")

        def known(force: openmm.Force) -> bool:
            return native and is_native(force)

        def bridged(force: openmm.Force) -> bool:
            return not known(force) and acts(force) and not isinstance(force, openmm.CMMotionRemover)

        own = [force for force in system.getForces() if known(force) and acts(force)]
        self._native = [force.getName() for force in own]
        self.bridge: Bridge | None = None
        if any(bridged(force) for force in system.getForces()):
            self.bridge = Bridge(system, bridged, platform, parameters, difference)
        self.bonded = tuple(bonded_forces(force) for force in own)

    def in_boxes(self, boxes: Array) -> FurtherForces:
        """The forces on replicas in these boxes, for `run_segment`.

        Args:
            boxes: nm, [R, 3, 3].

        Returns:
            The forces.
        """
        return FurtherForces(self.bonded, None if self.bridge is None else self.bridge.in_boxes(boxes))

    def describe(self, single: bool = False) -> str:
        """Which forces go which way.

        Args:
            single: in segments of float32.

        Returns:
            One line; empty where there are none.
        """
        parts = [f"{', '.join(self._native)} natively"] if self._native else []
        return "; ".join(parts + ([] if self.bridge is None else [self.bridge.describe(single)]))


def refusal(system: openmm.System) -> str:
    """What in a System a segment cannot do.

    Args:
        system: any System.

    Returns:
        Words, such as "2 constraints (the first ...)"; empty where there is nothing.
    """
    if count := system.getNumConstraints():
        i, j, _ = system.getConstraintParameters(0)
        return f"{count} constraint{'s' * (count > 1)} (the first holds particles {i} and {j} at their distance)"
    for i in range(system.getNumParticles()):
        if system.isVirtualSite(i):
            return f"virtual sites (the first is particle {i})"
    baths = (force.getName() for force in system.getForces() if isinstance(force, _BATHS))
    return next((f"a{'n' * (name[0] in 'AEIOU')} {name}" for name in baths), "")


def _precision(context: openmm.Context) -> str:
    """ "single" or "double", of the forces: those of mixed precision are single."""
    platform = context.getPlatform()
    if "Precision" in platform.getPropertyNames():
        return "double" if platform.getPropertyValue(context, "Precision") == "double" else "single"
    return "double" if platform.getName() == "Reference" else "single"
