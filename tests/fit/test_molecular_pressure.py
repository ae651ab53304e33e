"""A fit to g(r) and the pressure of bonded beads: their bonds' part is the System's own."""

from __future__ import annotations

import json

import numpy as np
import openmm as mm
import pytest
from openmm import app, unit

from diffpair import Fit, GaussNewton, Potential, Production, Sampling, State
from diffpair.engines.series_error import series_error
from diffpair.observables.rdf import histogram_rdf
from diffpair.targets import PressureTarget, RdfTarget

DIMERS, EDGE, TEMPERATURE, BOND = 100, 6.2, 120.27, 1.0
EDGES = np.linspace(0.7, 2.9, 89)


def dimers():
    """LJ dimers, sigma 1 nm, epsilon 1 kJ/mol, with stiff bonds of 1 nm; positions."""
    system, bonds, lj = mm.System(), mm.HarmonicBondForce(), mm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*(EDGE * np.eye(3)))
    x = []
    for k, cell in enumerate(list(np.ndindex(4, 5, 5))[:DIMERS]):
        for part in range(2):
            system.addParticle(1.0)
            lj.addParticle(0.0, 1.0, 1.0)
            x.append(np.array(cell) * EDGE / np.array([4, 5, 5]) + np.array([BOND * part, 0, 0]))
        bonds.addBond(2 * k, 2 * k + 1, BOND, 2000.0)
        lj.addException(2 * k, 2 * k + 1, 0.0, 1.0, 0.0)
    lj.setNonbondedMethod(lj.CutoffPeriodic)
    lj.setCutoffDistance(2.5)
    lj.setUseDispersionCorrection(False)
    system.addForce(bonds)
    return system, lj, np.array(x)


@pytest.fixture(scope="module")
def truth():
    """Files of the dimers without their nonbonded force; g(r) between molecules and the pressure with it."""
    system, lj, x = dimers()
    whole = mm.XmlSerializer.clone(system)
    whole.addForce(lj)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, 1.0, 0.005)
    integrator.setRandomNumberSeed(3)
    platform = mm.Platform.getPlatformByName("CPU")
    context = mm.Context(whole, integrator, platform)
    context.setPositions(x)
    mm.LocalEnergyMinimizer.minimize(context, 10.0, 100)
    context.setVelocitiesToTemperature(TEMPERATURE, 3)
    integrator.step(4000)
    frames = []
    for _ in range(600):
        integrator.step(25)
        frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value)
    boxes = np.repeat(EDGE * np.eye(3)[None], len(frames), 0)
    pairs = np.array([[2 * k, 2 * k + 1] for k in range(DIMERS)])
    g = histogram_rdf(np.array(frames), boxes, np.zeros(2 * DIMERS, int), pairs, (0, 0), EDGES)
    # forces cut off at 2.5: the molecular virial by them, not the energy, which jumps there
    i, j = np.triu_indices(2 * DIMERS, 1)
    apart = i // 2 != j // 2
    i, j, kT = i[apart], j[apart], 0.00831446261815324 * TEMPERATURE
    pressures = []
    for frame in frames:
        d = frame[i] - frame[j]
        d -= EDGE * np.round(d / EDGE)
        centres = frame.reshape(-1, 2, 3).mean(1)
        between = d - (frame[i] - centres[i // 2]) + (frame[j] - centres[j // 2])
        r = np.linalg.norm(d, axis=1)
        force = np.where(r < 2.5, 24 * (2 * r**-13.0 - r**-7.0), 0.0)
        virial = np.sum(force * np.sum(d * between, axis=1) / r)
        pressures.append(16.605390671738466 * (DIMERS * kT + virial / 3) / EDGE**3)
    return np.asarray(g).reshape(-1), np.array(pressures), system, frames[-1]


def test_pressure_of_dimers_is_fitted(truth, tmp_path):
    g, pressures, system, x = truth
    wanted, error = float(np.mean(pressures)), float(series_error(pressures).error)
    topology = app.Topology()
    chain = topology.addChain()
    for _ in range(DIMERS):
        residue = topology.addResidue("DIM", chain)
        atoms = [topology.addAtom(name, None, residue) for name in ("A", "A2")]
        topology.addBond(*atoms)
    topology.setPeriodicBoxVectors(EDGE * np.eye(3) * unit.nanometer)
    with (tmp_path / "dimers.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, x * unit.nanometer, file)
    (tmp_path / "dimers.xml").write_text(mm.XmlSerializer.serialize(system))
    target = RdfTarget(("A", "A"), 0.5 * (EDGES[1:] + EDGES[:-1]), g)
    state = State.from_files(
        "dimers", topology=tmp_path / "dimers.pdb", xml=tmp_path / "dimers.xml", types={"DIM": "A"},
        temperature=TEMPERATURE, exclude_bonds=1, targets=[target, PressureTarget(wanted, error)],
    )  # fmt: skip
    fit = Fit(
        potential=Potential(form="bspline", cutoff="2.5 nm", knots=40), states=[state],
        sampling=Sampling(timestep="5 fs", equilibration=300, steps=3000, every=10),
        production=Production(max_steps=12000, noise_target=0.003), update=GaussNewton(iterations=7), seed=1,
    )  # fmt: skip
    result = fit.run(tmp_path / "out")
    (found,) = result.summary["states"]
    rdf, pressure = found["targets"]
    assert rdf["mae"] < 0.012
    tolerance = 4 * np.hypot(pressure["error"], error) + 0.5
    assert abs(pressure["value"] - wanted) < tolerance
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert abs(history[0]["pressure"]["dimers"]) > 2 * tolerance, "the start has to be farther off"
