"""A user's Simulation with a barostat: the state has the pressure and temperature that its Context holds now."""

import numpy as np
import openmm
import pytest
from openmm import app

from diffpair import State
from diffpair.errors import DiffPairError


@pytest.fixture
def simulation():
    """27 atoms far from each other, under a barostat made for 1 bar."""
    topology, system = app.Topology(), openmm.System()
    residue = topology.addResidue("AR", topology.addChain())
    for k in range(27):
        topology.addAtom(f"A{k}", app.Element.getBySymbol("Ar"), residue)
        system.addParticle(40.0)
    topology.setPeriodicBoxVectors(np.eye(3) * 3 * openmm.unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*(3 * np.eye(3)))
    external = openmm.CustomExternalForce("0 * periodicdistance(x, y, z, 0, 0, 0)")  # makes the System periodic
    system.addForce(external)
    system.addForce(openmm.MonteCarloBarostat(1.0, 300.0))
    integrator = openmm.LangevinMiddleIntegrator(300.0, 1.0, 0.002)
    result = app.Simulation(topology, system, integrator, openmm.Platform.getPlatformByName("Reference"))
    result.context.setPositions(np.array(list(np.ndindex(3, 3, 3)), dtype=float))
    return result


def test_pressure_of_the_context(simulation):
    context = simulation.context
    context.setParameter("MonteCarloPressure", 25.0)
    state = State.from_simulation(simulation, types={"Ar": "Ar"})
    assert state.barostat_pressure == 25.0 and state.temperature == 300.0
    assert simulation.system.getForce(1).getDefaultPressure()._value == 1.0, "the user's own barostat stays as it is"


def test_temperature_of_the_context(simulation):
    simulation.context.setParameter("MonteCarloTemperature", 280.0)
    with pytest.raises(
        DiffPairError, match="its MonteCarloBarostat has a temperature of 280 K, but the state one of 300"
    ):
        State.from_simulation(simulation, types={"Ar": "Ar"})


def test_relatives_keep_their_pressures(simulation):
    from diffpair.systems.barostat import set_defaults

    anisotropic = openmm.MonteCarloAnisotropicBarostat(openmm.Vec3(1, 2, 3), 300.0)
    membrane = openmm.MonteCarloMembraneBarostat(1.0, 5.0, 300.0, 0, 0)
    values = {"MonteCarloPressureX": 4.0, "MonteCarloPressureY": 5.0, "MonteCarloPressureZ": 6.0}
    set_defaults(anisotropic, values | {anisotropic.Temperature(): 310.0})
    assert list(anisotropic.getDefaultPressure()._value) == [4.0, 5.0, 6.0]
    values = {membrane.Pressure(): 7.0, membrane.SurfaceTension(): 8.0, membrane.Temperature(): 310.0}
    set_defaults(membrane, values)
    assert (membrane.getDefaultPressure()._value, membrane.getDefaultSurfaceTension()._value) == (7.0, 8.0)
    assert anisotropic.getDefaultTemperature()._value == membrane.getDefaultTemperature()._value == 310.0
