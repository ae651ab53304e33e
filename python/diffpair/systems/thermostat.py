"""What a user's integrator and thermostat do: the temperature of the ensemble, and the forces that are integrated."""

from __future__ import annotations

import re

import openmm
from openmm import app, unit

from diffpair.errors import DiffPairError

_CANONICAL = (
    openmm.LangevinMiddleIntegrator,
    openmm.LangevinIntegrator,
    openmm.BrownianIntegrator,
    openmm.NoseHooverIntegrator,
    openmm.DPDIntegrator,
    openmm.MTSLangevinIntegrator,
)
_MICROCANONICAL = (openmm.VerletIntegrator, openmm.MTSIntegrator)
_VARIABLE = (openmm.VariableLangevinIntegrator, openmm.VariableVerletIntegrator)
_SAME_TEMPERATURE = 1e-3  # K
_FORCE_OF_GROUP = re.compile(r"\b(?:f|energy)(\d*)\b")  # in the expressions of a CustomIntegrator; no digits: all


def temperature_of(simulation: app.Simulation, name: str, given: float | None) -> float:
    """K, of the ensemble that a Simulation samples.

    Args:
        given: what the user says; it is all there is for a CustomIntegrator.

    Raises:
        DiffPairError: nothing gives a temperature, two things give different ones, or the integrator keeps the energy
            or changes its time step.
    """
    if given is not None and not given > 0:
        raise DiffPairError(f"state {name!r} has a temperature of {given:g} K: it must be positive")
    integrator = _present(simulation.integrator)
    kind = type(integrator).__name__
    if isinstance(integrator, _VARIABLE):
        raise DiffPairError(
            f"state {name!r}: its {kind} changes its time step as it runs, so that frames are not equally far apart in "
            f"time: use an integrator with a fixed time step such as LangevinMiddleIntegrator"
        )
    found = {
        **_of_integrator(integrator, name),
        **{force.getName(): _of_andersen(simulation, force) for force in _thermostats(simulation.system)},
    }
    if not found and (given is None or _keeps_energy(integrator)):
        way_out = "" if _keeps_energy(integrator) else ", or give temperature= if this one has a thermostat of its own"
        raise DiffPairError(
            f"state {name!r}: its {kind} has no temperature, so the ensemble is not canonical: use an integrator with "
            f"a thermostat such as LangevinMiddleIntegrator{way_out}"
        )
    if given is not None:
        found["the argument temperature"] = given
    values = list(found.values())
    if max(values) - min(values) > _SAME_TEMPERATURE:
        named = " and ".join(f"{value:g} K ({what})" for what, value in found.items())
        raise DiffPairError(f"state {name!r} has two temperatures: {named}")
    return values[0]


def velocity_factor(integrator: openmm.Integrator) -> float:
    """What <m v^2> / kT of the velocities that a Context holds has to be multiplied by to be 1 in equilibrium.

    The velocities of Brownian dynamics are displacements by the time step, <v^2> = 2 kT / (m gamma dt), and no
    velocities of particles.
    """
    integrator = _present(integrator)
    if not isinstance(integrator, openmm.BrownianIntegrator):
        return 1.0
    return 0.5 * float(integrator.getFriction()._value * integrator.getStepSize()._value)


def _present(integrator: openmm.Integrator) -> openmm.Integrator:
    """The one that a CompoundIntegrator runs."""
    if isinstance(integrator, openmm.CompoundIntegrator):
        return integrator.getIntegrator(integrator.getCurrentIntegrator())
    return integrator


def _keeps_energy(integrator: openmm.Integrator) -> bool:
    """Whether it has no thermostat for sure: what a CustomIntegrator does, its author alone knows."""
    return isinstance(integrator, (*_MICROCANONICAL, openmm.NoseHooverIntegrator))


def _of_integrator(integrator: openmm.Integrator, name: str) -> dict[str, float]:
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


def integrates(integrator: openmm.Integrator, group: int) -> bool:
    """Whether an integrator takes the forces of a group; one with several time steps may know certain groups only."""
    if not isinstance(integrator, openmm.CustomIntegrator):
        return bool(integrator.getIntegrationForceGroups() >> group & 1)
    steps = [integrator.getComputationStep(k)[2] for k in range(integrator.getNumComputations())]
    named = {found for step in steps for found in _FORCE_OF_GROUP.findall(step)}
    return not named or "" in named or str(group) in named
