"""A user's own Simulation as a fit sees it: its other forces, its bath, and the `PairTableForce` that is learned."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import openmm
from openmm import app, unit

from diffpair.errors import DiffPairError
from diffpair.systems.barostat import barostat_of, set_defaults
from diffpair.tables import PairTable

if TYPE_CHECKING:
    from diffpair._openmm_forces import PairTableForce

_CANONICAL = (
    openmm.LangevinMiddleIntegrator,
    openmm.LangevinIntegrator,
    openmm.VariableLangevinIntegrator,
    openmm.BrownianIntegrator,
    openmm.NoseHooverIntegrator,
    openmm.DPDIntegrator,
    openmm.MTSLangevinIntegrator,
)
_SAME_TEMPERATURE = 1e-3  # K


class UserSimulation:
    """The user's Simulation. Integrator, reporters, platform and force groups stay as they are.

    Attributes
    ----------
    simulation: it. force: its `PairTableForce`; None until there is one. name: of the state, for messages.

    Raises
    ------
    DiffPairError: the System has two PairTableForces, or one whose table has no grid of a fit.
    """

    def __init__(self, simulation: app.Simulation, name: str) -> None:
        self.simulation, self.name = simulation, name
        found = _pair_table_forces(simulation.system)
        if len(found) > 1:
            raise DiffPairError(
                f"state {name!r}: the System holds {len(found)} PairTableForces, and which of them is learned is not "
                f"clear: remove all but one"
            )
        self.force: PairTableForce | None = found[0] if found else None
        self._added = False  # by a fit, which may then give it another grid

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
        return None if self._added else self.force

    @property
    def given_grid(self) -> tuple[float, float, int] | None:
        """First knot and cutoff in nm and number of knots of the user's own force."""
        return None if self.given_force is None else _grid(self.given_force)

    def base_system(self) -> openmm.System:
        """A copy of the System without the force that is learned; a barostat keeps its present pressure."""
        system = copy.deepcopy(self.simulation.system)
        for index in reversed(range(system.getNumForces())):
            if _is_pair_table_force(system.getForce(index)):
                system.removeForce(index)
        if (barostat := barostat_of(system)) is not None:
            set_defaults(barostat, self.context.getParameters())
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

    def write(self, table: PairTable, make: Callable[[], PairTableForce]) -> None:
        """Have the live Context use a table.

        Where there is no force yet, or one of a fit with another grid, it is added; the Context is reinitialised, and
        keeps positions, velocities, box and parameters.

        Parameters
        ----------
        make: makes the `PairTableForce` that is added, with that table.
        """
        self.check_grid(table)
        if self.force is not None and not self._added:
            self.force.setTable(table)
            self.force.updateParametersInContext(self.context)
            return
        force = make()
        if self.force is not None and _grid(self.force) == _grid(force):
            self.force.setTable(force.getTable())
            self.force.updateParametersInContext(self.context)
            return
        system = self.simulation.system
        if self.force is not None:
            index = next(i for i in range(system.getNumForces()) if _is_pair_table_force(system.getForce(i)))
            system.removeForce(index)
        self.force, self._added = force, True
        try:
            system.addForce(force)
            self.context.reinitialize(preserveState=True)
        except openmm.OpenMMException as error:
            raise DiffPairError(
                f"state {self.name!r}: its Context cannot take up the potential on the platform "
                f"{self.context.getPlatform().getName()}: {error}"
            ) from None


def temperature_of(simulation: app.Simulation, name: str, given: float | None) -> float:
    """K, of the ensemble that a Simulation samples.

    Parameters
    ----------
    given: what the user says; it is all there is for a CustomIntegrator.

    Raises
    ------
    DiffPairError: nothing gives a temperature, or two things give different ones.
    """
    found = {
        **_of_integrator(simulation.integrator, name),
        **{force.getName(): _of_andersen(simulation, force) for force in _thermostats(simulation.system)},
    }
    if given is not None:
        found["the argument temperature"] = given
    if not found:
        kind = type(simulation.integrator).__name__
        raise DiffPairError(
            f"state {name!r}: its {kind} has no temperature, so the ensemble is not canonical: use an integrator with "
            f"a thermostat such as LangevinMiddleIntegrator, or give temperature= if this one has a thermostat of its "
            f"own"
        )
    values = list(found.values())
    if max(values) - min(values) > _SAME_TEMPERATURE:
        named = " and ".join(f"{value:g} K ({what})" for what, value in found.items())
        raise DiffPairError(f"state {name!r} has two temperatures: {named}")
    return values[0]


def _of_integrator(integrator: openmm.Integrator, name: str) -> dict[str, float]:
    if isinstance(integrator, openmm.CompoundIntegrator):
        integrator = integrator.getIntegrator(integrator.getCurrentIntegrator())
    kind = type(integrator).__name__
    if "Drude" in kind or isinstance(integrator, openmm.QTBIntegrator):
        raise DiffPairError(
            f"state {name!r}: its {kind} does not sample the canonical ensemble of the potential energy, which a fit "
            f"takes for granted"
        )
    if not isinstance(integrator, _CANONICAL):
        return {}
    if isinstance(integrator, openmm.MTSLangevinIntegrator):
        return {kind: integrator.getGlobalVariableByName("kT") / unit.MOLAR_GAS_CONSTANT_R._value * 1e3}
    if isinstance(integrator, openmm.NoseHooverIntegrator):
        chains = [integrator.getTemperature(k)._value for k in range(integrator.getNumThermostats())]
        return {f"{kind}, chain {k}": value for k, value in enumerate(chains)}
    return {kind: integrator.getTemperature()._value}


def _thermostats(system: openmm.System) -> list[openmm.AndersenThermostat]:
    return [force for force in system.getForces() if isinstance(force, openmm.AndersenThermostat)]


def _of_andersen(simulation: app.Simulation, force: openmm.AndersenThermostat) -> float:
    return float(simulation.context.getParameter(force.Temperature()))


def _pair_table_forces(system: openmm.System) -> list[PairTableForce]:
    from diffpair._openmm_forces import PairTableForce  # not at import: states can be looked at without the plugin

    return [PairTableForce.cast(force) for force in system.getForces() if PairTableForce.isinstance(force)]


def _is_pair_table_force(force: openmm.Force) -> bool:
    from diffpair._openmm_forces import PairTableForce

    return bool(PairTableForce.isinstance(force))


def _grid(force: PairTableForce) -> tuple[float, float, int]:
    return force.getRMin()._value, force.getTableCutoff()._value, force.getNumKnots()
