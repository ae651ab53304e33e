"""Pressure against answers known on paper."""

import numpy as np
import openmm
import pytest

from diffpair.engines import Sampler
from diffpair.observables.pressure import BAR, PressureProbe
from diffpair.states import BOLTZMANN, make_system

REFERENCE = openmm.Platform.getPlatformByName("Reference")
KT = BOLTZMANN * 120.27


def test_unit():
    # 1 kJ/mol/nm^3 in bar, from Avogadro's number
    assert pytest.approx(1e3 / 6.02214076e23 / 1e-27 / 1e5) == BAR


def test_ideal_gas(gas, no_table):
    system, _ = make_system(gas, no_table)
    probe = PressureProbe(system, gas.temperature, REFERENCE)
    pressure = probe.pressures(gas.positions[None], gas.box[None])
    assert pressure == pytest.approx([BAR * gas.density * KT], rel=1e-12)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_pair_virial(liquid, lj_table, platform):
    """P = rho kT + sum_pairs r F(r) / 3V."""
    live = Sampler(liquid, lj_table, timestep=0.005, seed=1, platform=platform)
    live.melt(300)
    frames = live.sample(60, 20)
    system, _ = make_system(liquid, lj_table)
    probe = PressureProbe(system, liquid.temperature, openmm.Platform.getPlatformByName(platform))
    i, j = np.triu_indices(liquid.num_atoms, 1)
    edge = liquid.box[0, 0]
    expected = []
    for x in frames.positions:
        separation = x[i] - x[j]
        r = np.linalg.norm(separation - edge * np.round(separation / edge), axis=1)
        expected.append(BAR * (liquid.density * KT + np.sum(r * lj_table.force(r)) / (3 * liquid.volume)))
    assert probe.pressures(frames.positions, frames.boxes) == pytest.approx(expected, rel=2e-3, abs=0.05)


def test_molecules_are_scaled_rigidly(gas, no_table):
    """Dimers without interaction: N/2 kT / V, however stiff and stretched their bonds are."""
    bonds = openmm.HarmonicBondForce()
    system = openmm.System()
    for _ in range(64):
        system.addParticle(1.0)
    for k in range(32):
        bonds.addBond(2 * k, 2 * k + 1, 0.3, 1e5)
    system.addForce(bonds)
    gas.base_system = system
    made, _ = make_system(gas, no_table)
    probe = PressureProbe(made, gas.temperature, REFERENCE)
    assert probe.num_molecules == 32
    pressure = probe.pressures(gas.positions[None], gas.box[None])
    assert pressure == pytest.approx([BAR * 32 * KT / gas.volume], rel=1e-6)
