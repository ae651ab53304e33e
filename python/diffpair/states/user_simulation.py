"""A user's own Simulation as a fit sees it: its other forces, and the `PairTableForce` that is learned."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import openmm
from openmm import app, unit

from diffpair.bonded import write_live
from diffpair.errors import DiffPairError
from diffpair.states.learned_forces import exchange, exchange_pairs, held, is_pair_table_force, pair_table_forces
from diffpair.systems.barostat import barostat_of, set_defaults
from diffpair.systems.parameters import set_default_parameters
from diffpair.systems.shared_cutoff import shared_cutoff
from diffpair.systems.thermostat import integrates
from diffpair.tables import PairTable

if TYPE_CHECKING:
    from diffpair._openmm_forces import PairTableForce

LEARNED = "LearnedPairTableForce"  # name of a force that a fit has added, which a later one may give another grid
Learned = tuple["PairTableForce", list[openmm.Force]]  # see `learned_forces`
_NONBONDED = openmm.NonbondedForce | openmm.CustomNonbondedForce

# What has last written into a Simulation, by the Simulation: two states may share one, in one fit after the other.
_WRITERS: WeakKeyDictionary[app.Simulation, object] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Before:
    """A Simulation before a fit. force: a copy of its PairTableForce, if it had one. terms: copies of the forces that
    those of bonded terms replace. writer: of its table, if one is known."""

    force: PairTableForce | None
    terms: list[openmm.Force]
    writer: object | None


class UserSimulation:
    """The user's Simulation. Integrator, reporters, platform and force groups stay as they are.

    Attributes:
        simulation: the user's.
        name: of the state, for messages.
        moved: whether a fit has run it since `mark`.

    Raises:
        DiffPairError: the System has two PairTableForces, or one that is not periodic; the integrator leaves out the
            forces of the group that the learned one belongs to.
    """

    def __init__(self, simulation: app.Simulation, name: str) -> None:
        if not isinstance(simulation, app.Simulation):
            raise DiffPairError(
                f"state {name!r}: from_simulation wants an openmm.app.Simulation, not a {type(simulation).__name__}"
            )
        self.simulation, self.name = simulation, name
        if self.force is not None and not self.force.usesPeriodicBoundaryConditions():
            raise DiffPairError(
                f"state {name!r}: the PairTableForce in its System is not periodic, but a state is: call its "
                f"setNonbondedMethod(PairTableForce.CutoffPeriodic)"
            )
        self._given = self.given_force is not None
        self._writer = object()  # stands for this object in _WRITERS
        self._wrote = False  # in the present fit
        self._before: _Before | None = None  # its first table
        self._names: tuple[str, ...] = ()  # of the forces of bonded terms
        self._here: openmm.State | None = None
        self.moved = False
        self._check_group()

    @property
    def force(self) -> PairTableForce | None:
        """The System's `PairTableForce`; None where there is none. Looked up each time: it may have been replaced."""
        found = pair_table_forces(self.simulation.system)
        if len(found) > 1:
            raise DiffPairError(
                f"state {self.name!r}: the System holds {len(found)} PairTableForces, and which of them is learned is "
                f"not clear: remove all but one"
            )
        return found[0] if found else None

    @property
    def context(self) -> openmm.Context:
        return self.simulation.context

    @property
    def timestep(self) -> float:
        """ps."""
        return float(self.simulation.integrator.getStepSize().value_in_unit(unit.picosecond))

    @property
    def given_force(self) -> PairTableForce | None:
        """The force, where the user has made it."""
        force = self.force
        return None if force is None or force.getName() == LEARNED else force

    @property
    def given_grid(self) -> tuple[float, float, int] | None:
        """First knot and cutoff in nm and number of knots of the user's own force."""
        return None if self.given_force is None else _grid(self.given_force)

    def base_system(self) -> openmm.System:
        """A copy of the System without the force that is learned; global parameters are those of the Context now."""
        system = copy.deepcopy(self.simulation.system)
        for index in reversed(range(system.getNumForces())):
            if is_pair_table_force(system.getForce(index)):
                system.removeForce(index)
        parameters = self.context.getParameters()
        if (barostat := barostat_of(system)) is not None:
            set_defaults(barostat, parameters)
        for force in system.getForces():
            set_default_parameters(force, parameters)
        return system

    def check_grid(self, table: PairTable) -> None:
        """Refuse a table that the user's own `PairTableForce` cannot take (DiffPairError)."""
        if (own := self.given_force) is None:
            return
        types = tuple(own.getTypeName(k) for k in range(own.getNumTypes()))
        if types != table.types:
            raise DiffPairError(
                f"state {self.name!r}: the PairTableForce in its System has the types {', '.join(types)}, in this "
                f"order, but the fit has {', '.join(table.types)}: remove the force, and the fit adds its own"
            )
        before = _grid(own)
        after = (table.r_min, table.cutoff, table.knots)
        if before != after:
            raise DiffPairError(
                f"state {self.name!r}: the PairTableForce in its System has {before[2]} knots from {before[0]:.6g} to "
                f"{before[1]:.6g} nm, but the fit's table has {after[2]} from {after[0]:.6g} to {after[1]:.6g} nm: "
                f"remove the force, and the fit adds its own, or give the potential this cutoff, r_min and knots"
            )

    def check_cutoff(self, cutoff: float) -> None:
        """Refuse a cutoff in nm that the platform cannot have beside the System's other forces (DiffPairError)."""
        if self.given_force is None:
            self._shared_cutoff(cutoff)

    def write(self, table: PairTable, make: Callable[[], Learned], names: Sequence[str] = ()) -> None:
        """Have the live Context use a table.

        Where there is no force yet, or one of a fit with another grid, it is added; the Context is reinitialised, and
        keeps positions, velocities, box and parameters.

        Args:
            table: as the force holds it, see `table_of_force`.
            make: makes the forces that are added, with that table.
            names: of those of bonded terms.
        """
        self.check_grid(table)
        self._check_force()
        now = self.force
        complete = len(held(self.simulation.system, names)) == len(names)
        mine = _WRITERS.get(self.simulation) is self._writer
        if self._before is None:
            self._before = _Before(
                copy.deepcopy(now), held(self.simulation.system, names), _WRITERS.get(self.simulation)
            )
            self._names = tuple(names)
        if self._here is None:
            self.mark()
        same = now is not None and (self._given or mine) and _grid(now) == (table.r_min, table.cutoff, table.knots)
        if same and complete and (mine or not names):
            self._set(table)
        else:
            force, terms = make()
            if not self._given:
                force.setName(LEARNED)
                force.setForceGroup(self._group)
                force.setCutoffDistance(self._shared_cutoff(table.cutoff))
            for term in terms:
                term.setForceGroup(self._group)
            self._replace(force, terms)
        self._wrote = True
        _WRITERS[self.simulation] = self._writer

    def begin(self) -> None:
        """A fit begins: what is there now is what `put_back` goes back to."""
        self._before, self._wrote = None, False

    def mark(self) -> None:
        """The present positions, velocities and box are those that `rewind` goes back to."""
        self._here = self.context.getState(positions=True, velocities=True)
        self.moved = False

    @property
    def lost(self) -> bool:
        """Whether the force is no longer the one that the present fit has written."""
        if not self._wrote:
            return (self.given_force is not None) != self._given
        mine = _WRITERS.get(self.simulation) is self._writer
        return not mine or self.force is None or (self.given_force is not None) != self._given

    @property
    def sound(self) -> bool:
        """Whether positions, velocities and energy are finite."""
        try:
            state = self.context.getState(positions=True, velocities=True, energy=True)
        except openmm.OpenMMException:
            return False
        found = (state.getPositions(asNumpy=True), state.getVelocities(asNumpy=True), state.getPotentialEnergy())
        return all(np.isfinite(each._value).all() for each in found)

    def put_back(self) -> None:
        """Undo what the present fit has done: forces, positions, velocities and box are as before its first table."""
        if self._before is None or self.lost:
            return
        force, writer, now = self._before.force, self._before.writer, self.force
        same = force is not None and now is not None and _grid(force) == _grid(now) and not self._names
        if force is not None and same and (self._given or writer is self._writer):
            self._set(force.getTable())
        else:
            self._replace(copy.deepcopy(force), self._before.terms)
        if writer is None:
            _WRITERS.pop(self.simulation, None)
        else:
            _WRITERS[self.simulation] = writer
        self.rewind()
        self._before, self._wrote = None, False

    def rewind(self) -> None:
        """To the positions, velocities and box of `mark`, where a fit has run it since."""
        if self._here is None or not (self.moved or not self.sound):
            return
        self.context.setPeriodicBoxVectors(*self._here.getPeriodicBoxVectors())
        self.context.setPositions(self._here.getPositions(asNumpy=True))
        self.context.setVelocities(self._here.getVelocities(asNumpy=True))

    def _check_force(self) -> None:
        if self.lost:
            raise DiffPairError(
                f"state {self.name!r}: the PairTableForce in its System is no longer the one that this fit knows: "
                f"another fit has written its own, or it was added or removed; make the state and the fit anew"
            )

    def _set(self, table: PairTable) -> None:
        force = self.force
        assert force is not None
        force.setTable(table)
        force.updateParametersInContext(self.context)
        write_live(table.bonded, self.context)

    def _replace(self, force: PairTableForce | None, terms: list[openmm.Force]) -> None:
        """Another `PairTableForce`, or none, and other bonded terms. Where the platform refuses it, all is as it was
        (DiffPairError). The user's own force stays, and takes the table."""
        old = copy.deepcopy(self.force), held(self.simulation.system, self._names)
        try:
            checkpoint = self.context.createCheckpoint()
            self._exchange(force, terms)
            try:
                self.context.reinitialize(preserveState=True)
            except openmm.OpenMMException:
                # a Context whose reinitialisation failed is good for nothing: with the old forces it comes back
                self._exchange(*old)
                self.context.reinitialize()
                self.context.loadCheckpoint(checkpoint)
                raise
        except openmm.OpenMMException as error:
            what = "take up the potential" if force is not None else "be rid of the potential"
            raise DiffPairError(
                f"state {self.name!r}: its Context cannot {what} on the platform "
                f"{self.context.getPlatform().getName()}: {error}"
            ) from None

    def _exchange(self, force: PairTableForce | None, terms: list[openmm.Force]) -> None:
        system, now = self.simulation.system, self.force
        exchange(system, terms, self._names)
        if self._given and now is not None and force is not None:
            now.setTable(force.getTable())
        else:
            exchange_pairs(system, force)

    @property
    def _group(self) -> int:
        """Force group of the learned force: that of the System's nonbonded force, as which it is as fast."""
        if self.given_force is not None:
            return int(self.given_force.getForceGroup())
        found = [force for force in self.simulation.system.getForces() if isinstance(force, _NONBONDED)]
        return int(found[0].getForceGroup()) if found else 0

    def _shared_cutoff(self, cutoff: float) -> float:
        platform = self.context.getPlatform().getName()
        return shared_cutoff(self.name, self.simulation.system, self._group, platform, cutoff)

    def _check_group(self) -> None:
        """An integrator with several time steps may know certain groups only."""
        group = self._group
        if not integrates(self.simulation.integrator, group):
            raise DiffPairError(
                f"state {self.name!r}: its integrator leaves out the forces of group {group}, to which the learned "
                f"potential would belong: let it integrate that group"
            )


def _grid(force: PairTableForce) -> tuple[float, float, int]:
    return force.getRMin()._value, force.getTableCutoff()._value, force.getNumKnots()
