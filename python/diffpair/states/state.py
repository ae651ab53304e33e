"""A state: one system at one temperature and density, and what was measured there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.states.constructors import StateConstructors
from diffpair.systems.barostat import Barostat, barostat_of, pressure_of
from diffpair.systems.bonded_paths import Kind, bonded_paths
from diffpair.systems.own_forces import beside_potential, has_nonbonded_forces, holds_molecules_only
from diffpair.targets import DensityTarget, Distribution, PressureTarget, RdfTarget, Target, VacfTarget
from diffpair.targets.density_target import NUMBER

if TYPE_CHECKING:
    from openmm import app

    from diffpair.states.user_script import UserScript
    from diffpair.states.user_simulation import UserSimulation

AMU_PER_NM3 = 1.66053906892e-3  # g/cm^3 (CODATA 2022)
NO_TYPE = -1  # of atoms that take no part: they do not feel the pair potential and are in no g(r)


def half_of_smallest(boxes: NDArray[np.float64]) -> float:
    """The longest distance that the minimum image convention allows in all boxes [F, 3, 3], as OpenMM counts it, nm."""
    return 0.5 * float(np.min(np.diagonal(boxes, axis1=1, axis2=2)))


@dataclass(repr=False)
class State(StateConstructors):
    """One system under one condition, with what was measured there. Made by `from_lattice`, `from_files`,
    `from_simulation` or `from_lammps`.

    Attributes:
        name: unique among the states of a fit.
        type_names: names of the T particle types.
        types: index into `type_names` of every atom, [N]; -1 where it takes no part.
        masses: amu, [N].
        positions: nm, [N, 3].
        box: box vectors as rows in OpenMM's reduced form, nm, [3, 3]; with a barostat those that the state starts from.
        exclusions: pairs of atoms that do not feel the pair potential and are left out of g(r), [E, 2].
        temperature: of the ensemble, K.
        targets: what was measured here.
        held_out: reported, never fitted.
        parameters: values of the potential's global parameters at this state.
        parameter_names: their names.
        base_system: a System with further forces, or a barostat; None for a pure pair system of constant volume.
        on_lattice: the positions are a lattice, to be melted before use.
        files: that it was read from.
        simulation: the user's own, which runs the state; None where there is none.
        bonds: of the topology, [bonds, 2].
        bonded: whether the potential has bonded terms, which act along the bonds.
        topology: chains, residues and names of the atoms, where a structure file gives them.
        replicas: see `with_replicas`.
        script: the user's own LAMMPS input script, which runs the state; None where there is none.
    """

    name: str
    type_names: tuple[str, ...]
    types: NDArray[np.int64]
    masses: NDArray[np.float64]
    positions: NDArray[np.float64]
    box: NDArray[np.float64]
    exclusions: NDArray[np.int64]
    temperature: float
    targets: list[Target] = field(default_factory=list)
    held_out: bool = False
    parameters: tuple[float, ...] = ()
    parameter_names: tuple[str, ...] = ()
    base_system: openmm.System | None = None
    on_lattice: bool = False
    files: tuple[Path, ...] = ()
    simulation: UserSimulation | None = None
    bonds: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    bonded: bool = False
    topology: app.Topology | None = None
    replicas: int = 1
    script: UserScript | None = None

    def with_replicas(self, count: int) -> State:
        """The state, to be sampled in so many boxes in every iteration of a fit, each with random numbers of its own.

        Their frames are independent and add up; an executor runs them side by side.

        Args:
            count: number of boxes.

        Returns:
            The same state otherwise.

        Raises:
            DiffPairError: a number that is not whole or below 1, or a state that runs itself.
        """
        if int(count) != count or count < 1:
            raise DiffPairError(f"state {self.name!r}: replicas must be a whole number of 1 or more, not {count!r}")
        if count > 1 and self.runs_itself:
            raise DiffPairError(
                f"state {self.name!r} cannot have replicas: a Simulation or a LAMMPS input script of one's own has "
                f"random numbers of its own"
            )
        return replace(self, replicas=int(count))

    def __str__(self) -> str:
        left_out = self.num_atoms - len(self.typed)
        without = f" ({left_out} of them without a type)" if left_out else ""
        held_out = ", held out" if self.held_out else ""
        return (
            f"state {self.name}: {self.num_atoms} particles{without}, {self.density:.6g} per nm^3, "
            f"{self.temperature:g} K{held_out}"
        )

    __repr__ = __str__

    @property
    def timestep(self) -> float | None:
        """Time step of the user's Simulation or LAMMPS input script, ps; None without either."""
        own = self.simulation or self.script
        return None if own is None else own.timestep

    @property
    def runs_itself(self) -> bool:
        """Whether something of the user's runs it: a Simulation or a LAMMPS input script."""
        return self.simulation is not None or self.script is not None

    @property
    def pairs_act(self) -> bool:
        """Whether forces of its own act between molecules, beside the learned potential."""
        if self.script is not None:
            return self.script.pairs_act
        return self.base_system is not None and has_nonbonded_forces(self.base_system)

    @property
    def holds_molecules_only(self) -> bool:
        """Whether all that its own forces do is to hold molecules together."""
        return not self.script.pairs_act if self.script is not None else holds_molecules_only(self.base_system)

    @property
    def barostat(self) -> Barostat | None:
        """What holds the pressure; None at constant volume. Of a script of LAMMPS' one that holds the same."""
        if self.script is not None and self.script.pressure is not None:
            return openmm.MonteCarloBarostat(self.script.pressure, self.temperature)
        return barostat_of(self.base_system)

    @property
    def barostat_pressure(self) -> float | None:
        """The pressure of an isobaric ensemble, bar; None at constant volume."""
        return None if self.barostat is None else pressure_of(self.barostat)

    @property
    def num_atoms(self) -> int:
        """N, the number of all particles."""
        return len(self.types)

    @property
    def beta(self) -> float:
        """1 / kT in mol/kJ."""
        return 1.0 / (BOLTZMANN * self.temperature)

    @property
    def volume(self) -> float:
        """Volume of the box, nm^3."""
        return float(abs(np.linalg.det(self.box)))

    @property
    def density(self) -> float:
        """Particles per nm^3."""
        return self.num_atoms / self.volume

    def amount(self, unit: str) -> float:
        """A density times the volume in nm^3.

        Args:
            unit: of the density, "g/cm^3" or "nm^-3".

        Returns:
            All masses in g/cm^3 nm^3, or the number of all particles.
        """
        return float(self.num_atoms) if unit == NUMBER else AMU_PER_NM3 * float(np.sum(self.masses))

    @property
    def target_volume(self) -> float:
        """The volume that what was measured belongs to, nm^3: that of a target density where there is one."""
        for target in self.densities:
            return self.amount(target.unit) / target.value
        return self.volume

    @property
    def half_box(self) -> float:
        """The longest distance that the minimum image convention allows, as OpenMM counts it, nm."""
        return half_of_smallest(self.box[None])

    @property
    def molecular_pressure(self) -> bool:
        """Whether its pressure is more than that of single beads which all feel the pair potential, and no other."""
        own = self.script is not None or bool(beside_potential(self.base_system))
        return own or not self.complete or self.bonded

    @property
    def typed(self) -> NDArray[np.int64]:
        """Indices of the atoms that have a type, [typed atoms]."""
        return np.flatnonzero(self.types != NO_TYPE)

    @property
    def complete(self) -> bool:
        """Whether every atom takes part."""
        return len(self.typed) == self.num_atoms

    def of_typed(self) -> State:
        """The state as g(r) and gradients see it: atoms without a type, and exclusions of them, are left out.

        It is not to be simulated; `base_system` only tells that there are further forces.

        Returns:
            The smaller state; this one where every atom takes part.
        """
        if self.complete:
            return self
        keep = self.typed
        place = np.full(self.num_atoms, -1)
        place[keep] = np.arange(len(keep))
        pairs, bonds = (place[each].reshape(-1, 2) for each in (self.exclusions, self.bonds))
        return replace(
            self, types=self.types[keep], masses=self.masses[keep], positions=self.positions[keep],
            exclusions=pairs[(pairs >= 0).all(1)], bonds=bonds[(bonds >= 0).all(1)],
            targets=[target for target in self.targets if not isinstance(target, DensityTarget)],
        )  # fmt: skip

    @property
    def rdfs(self) -> list[RdfTarget]:
        """The targets that are radial distribution functions."""
        return [target for target in self.targets if isinstance(target, RdfTarget)]

    @property
    def distributions(self) -> list[Distribution]:
        """The targets that are distributions of bond lengths, angles or dihedral angles."""
        return [target for target in self.targets if isinstance(target, Distribution)]

    @property
    def paths(self) -> dict[Kind, NDArray[np.int64]]:
        """Bonds, angles and dihedrals between particles that have a type, by kind, see
        `~diffpair.systems.bonded_paths.bonded_paths`."""
        names = ["" if kind == NO_TYPE else self.type_names[kind] for kind in self.types]
        return {kind: found for kind, found in bonded_paths(self.bonds, names).items() if "" not in kind}

    @property
    def pressures(self) -> list[PressureTarget]:
        """The targets that are pressures."""
        return [target for target in self.targets if isinstance(target, PressureTarget)]

    @property
    def densities(self) -> list[DensityTarget]:
        """The targets that are densities."""
        return [target for target in self.targets if isinstance(target, DensityTarget)]

    @property
    def vacfs(self) -> list[VacfTarget]:
        """The targets that are velocity autocorrelations."""
        return [target for target in self.targets if isinstance(target, VacfTarget)]

    def pair_types(self, pair: tuple[str, str]) -> tuple[int, int]:
        """Indices into `type_names` of a pair of types.

        Args:
            pair: their names.

        Returns:
            The two indices.

        Raises:
            ValueError: there is no such type.
        """
        return self.type_names.index(pair[0]), self.type_names.index(pair[1])
