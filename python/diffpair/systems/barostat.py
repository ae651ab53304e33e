"""Constant pressure: the barostat of a state's System, and what it must not be.

A barostat moves the box, and the molecules with it, by trials that leave the isobaric ensemble as it is,

    p(x, V) ~ V^N exp(-beta (U(x, V) + P V)),   N molecules whose centres move with the box

(D. Frenkel, B. Smit, Understanding Molecular Simulation, 2002, section 5.4). Of all of this U alone depends on the
learned table, so averages answer to it as at constant volume: d<A>/dc = <dA/dc> - beta cov(A, dU/dc), with a volume
that fluctuates in both.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import openmm

from diffpair.errors import DiffPairError

Barostat: TypeAlias = (
    openmm.MonteCarloBarostat | openmm.MonteCarloAnisotropicBarostat | openmm.MonteCarloMembraneBarostat
)
BAROSTATS = (
    openmm.MonteCarloBarostat, openmm.MonteCarloAnisotropicBarostat, openmm.MonteCarloMembraneBarostat,
    openmm.MonteCarloFlexibleBarostat,
)  # fmt: skip
_SAME_TEMPERATURE = 1e-6  # relative: a unit that was converted, not another temperature


def barostat_of(system: openmm.System | None) -> Barostat | None:
    """The barostat among a System's forces, or None. A flexible one is none that a state can have: it is not found."""
    found = [force for force in (system.getForces() if system is not None else []) if isinstance(force, Barostat)]
    return found[0] if found else None


def without_barostat(system: openmm.System) -> openmm.System:
    """A copy of a System in which nothing holds the pressure."""
    result = copy.deepcopy(system)
    for index in reversed(range(result.getNumForces())):
        if isinstance(result.getForce(index), BAROSTATS):
            result.removeForce(index)
    return result


def pressure_of(barostat: Barostat) -> float:
    """The pressure that a barostat holds, bar; the mean over the axes that an anisotropic one scales."""
    if not isinstance(barostat, openmm.MonteCarloAnisotropicBarostat):
        return float(barostat.getDefaultPressure()._value)
    scaled = [barostat.getScaleX(), barostat.getScaleY(), barostat.getScaleZ()]
    return float(np.mean([p for p, moves in zip(barostat.getDefaultPressure()._value, scaled, strict=True) if moves]))


def set_defaults(barostat: Barostat, parameters: Mapping[str, float]) -> None:
    """Have a barostat begin with the pressure, surface tension and temperature that a Context's parameters hold."""
    barostat.setDefaultTemperature(parameters[barostat.Temperature()])
    if isinstance(barostat, openmm.MonteCarloAnisotropicBarostat):
        names = (barostat.PressureX(), barostat.PressureY(), barostat.PressureZ())
        barostat.setDefaultPressure(openmm.Vec3(*(parameters[name] for name in names)))
        return
    barostat.setDefaultPressure(parameters[barostat.Pressure()])
    if isinstance(barostat, openmm.MonteCarloMembraneBarostat):
        barostat.setDefaultSurfaceTension(parameters[barostat.SurfaceTension()])


def check_barostat(where: str, system: openmm.System, temperature: float) -> None:
    """Refuse barostats that do not give a state's isobaric ensemble (DiffPairError).

    Args:
        where: how messages begin, such as the System's file.
        temperature: of the state, K.
    """
    for force in system.getForces():
        if isinstance(force, openmm.MonteCarloFlexibleBarostat):
            raise DiffPairError(
                f"{where}: it holds a {force.getName()}, but nothing holds the shape of a fluid's box, which it would "
                f"change until half of the box is shorter than the cutoff: use a MonteCarloBarostat"
            )
    barostats = [force for force in system.getForces() if isinstance(force, Barostat)]
    if not barostats:
        return
    barostat, name = barostats[0], barostats[0].getName()
    if len(barostats) > 1:
        raise DiffPairError(f"{where}: it holds two barostats, {name} and {barostats[1].getName()}: remove one")
    own = float(barostat.getDefaultTemperature()._value)
    if abs(own - temperature) > _SAME_TEMPERATURE * temperature:
        raise DiffPairError(
            f"{where}: its {name} has a temperature of {own:g} K, but the state one of {temperature:g} K: the two "
            f"must be equal"
        )
    if not barostat.getFrequency() > 0:
        raise DiffPairError(f"{where}: its {name} has a frequency of 0 and never acts: remove it or set its frequency")
    if isinstance(barostat, openmm.MonteCarloAnisotropicBarostat) and not (
        barostat.getScaleX() or barostat.getScaleY() or barostat.getScaleZ()
    ):
        raise DiffPairError(f"{where}: its {name} scales no axis of the box: remove it or let it scale one")
    for index in range(system.getNumParticles()):
        if system.getParticleMass(index)._value == 0 and not system.isVirtualSite(index):
            raise DiffPairError(
                f"{where}: particle {index} has no mass and stays in place, but its {name} counts such particles as "
                f"an ideal gas, so that the density would be wrong: give it a mass or remove the barostat"
            )
