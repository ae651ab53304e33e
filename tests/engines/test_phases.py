"""Phases of real Lennard-Jones systems, simulated by OpenMM's own force, and of made-up ones."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest

from diffpair.engines.frames import Frames
from diffpair.engines.phases import structure

BASE = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])


def frames_of(positions, edge):
    x = np.array(positions, dtype=float)
    return Frames(x, np.zeros_like(x), np.repeat(edge * np.eye(3)[None], len(x), 0), np.zeros(len(x)))


def lennard_jones(density, temperature, melt):
    """30 frames of 256 atoms over 900 steps."""
    edge = 4 * (4 / density) ** (1 / 3)
    x = np.concatenate([(BASE + cell) * edge / 4 for cell in np.ndindex(4, 4, 4)])
    system, force = mm.System(), mm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*(edge * np.eye(3)))
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(min(2.5, 0.49 * edge))
    for _ in x:
        system.addParticle(1.0)
        force.addParticle(0.0, 1.0, 1.0)
    system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(temperature * 120.27, 1.0, 0.005)
    integrator.setRandomNumberSeed(2)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("CPU"))
    context.setPositions(x)
    context.setVelocitiesToTemperature((2.5 if melt else 1) * temperature * 120.27, 2)
    integrator.step(1000 if melt else 300)
    found = []
    for _ in range(30):
        integrator.step(30)
        found.append(context.getState(positions=True).getPositions(asNumpy=True)._value)
    return frames_of(found, edge)


def test_a_crystal_is_named():
    found = structure(lennard_jones(1.1, 0.5, melt=False))
    assert found.peak > 0.5 and found.displacement < 0.15
    assert "appears to have frozen" in found.note


def test_a_crystal_under_a_barostat_is_named():
    """The box grows by 8 % in length, and all particles move with it; one far away moves far."""
    found = lennard_jones(1.1, 0.5, melt=False)
    growth = np.linspace(1, 1.08, len(found))
    x = (found.positions + 5 * found.boxes[0, 0, 0]) * growth[:, None, None]
    moving = Frames(x, found.velocities, found.boxes * growth[:, None, None], found.potential_energy)
    assert np.abs(x[-1] - x[0]).max() > 1 and structure(moving).displacement < 0.15
    assert "appears to have frozen" in structure(moving).note


@pytest.mark.parametrize(("density", "temperature"), [(0.845, 1.0), (0.3, 1.2), (0.1, 1.2)])
def test_fluids_raise_no_alarm(density, temperature):
    assert structure(lennard_jones(density, temperature, melt=True)).note == ""


def test_two_phases_are_named():
    """A slab that fills half of the box: S = N (2 / pi)^2 at one of the three longest waves."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 10, size=(20, 800, 3))
    x[:, :, 0] *= 0.5
    found = structure(frames_of(x, 10.0))
    assert found.wave == pytest.approx((2 / np.pi) ** 2 / 3, rel=0.1)
    assert "separated into two phases" in found.note
    assert structure(frames_of(rng.uniform(0, 10, size=(20, 800, 3)), 10.0)).note == ""


def test_structure_factor_by_brute_force():
    """In a triclinic box, at one wave."""
    rng = np.random.default_rng(1)
    box = np.array([[4.0, 0, 0], [1.0, 4.5, 0], [-0.5, 0.7, 5.0]])
    x = rng.uniform(0, 4, size=(1, 30, 3))
    k = 2 * np.pi * np.linalg.inv(box)  # columns
    frames = Frames(x, np.zeros_like(x), box[None], np.zeros(1))
    spacing = (np.linalg.det(box) / 30) ** (1 / 3)
    best = 0.0
    for n in np.ndindex(13, 13, 7):
        wave = k @ (np.array(n) - [6, 6, 0])
        length = np.linalg.norm(wave) / (2 * np.pi)
        if length * np.linalg.norm(box, axis=1).max() > 2.5 and length < 1.7 / spacing:
            best = max(best, abs(np.exp(1j * x[0] @ wave).sum()) ** 2 / 30**2)
    assert structure(frames).peak == pytest.approx(best, rel=1e-9)
