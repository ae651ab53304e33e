"""Global parameters of forces: a Context may have other values than its forces were made with."""

from __future__ import annotations

from collections.abc import Mapping

import openmm


def set_default_parameters(force: openmm.Force, parameters: Mapping[str, float]) -> None:
    """Have a force, and those within it, begin with the values that a Context's parameters hold.

    A barostat is not a force whose parameters have defaults by name: see `set_defaults`.
    """
    if isinstance(force, openmm.AndersenThermostat):
        force.setDefaultTemperature(parameters[force.Temperature()])
        force.setDefaultCollisionFrequency(parameters[force.CollisionFrequency()])
    elif isinstance(force, openmm.CustomCVForce):
        for index in range(force.getNumCollectiveVariables()):
            set_default_parameters(force.getCollectiveVariable(index), parameters)
    elif isinstance(force, openmm.ATMForce):
        for index in range(force.getNumForces()):
            set_default_parameters(force.getForce(index), parameters)
    if not hasattr(force, "setGlobalParameterDefaultValue"):
        return  # those of plugins that Python knows as a plain Force among them
    for index in range(force.getNumGlobalParameters()):
        if (name := force.getGlobalParameterName(index)) in parameters:
            force.setGlobalParameterDefaultValue(index, parameters[name])
