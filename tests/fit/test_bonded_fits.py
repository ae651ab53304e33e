"""Fits of bonds, angles and pairs together, against a liquid of trimers whose forces are known."""

from __future__ import annotations

import json

import known_molecules
import numpy as np
import openmm as mm
import pytest
import yaml
from openmm import app

import diffpair
from diffpair.config import load_config, run_fit
from diffpair.config.build import make_fit
from diffpair.fit.audit import run_audit
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.tables import PairTable
from diffpair.tables.uncertainty import load_uncertainty

REFERENCE = mm.Platform.getPlatformByName("Reference")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> known_molecules.Measured:
    return known_molecules.simulate(2200, tmp_path_factory.mktemp("trimers"))


def config_of(measured, bonded, targets, name="fit.yaml", **sections):
    document = {
        "potential": {"form": "bspline", "cutoff": "1.1 nm", "knots": 40},
        "bonded": bonded,
        "states": [{"name": "liquid", "system": measured.system, "temperature": "300 K", "targets": targets}],
        "sampling": {"timestep": "4 fs", "equilibration": 500, "steps": 4000, "every": 20},
        "production": {"max_steps": 20000, "noise_target": 0.004},
        "update": {"method": "gauss-newton", "iterations": 6},
        **sections,
    }
    (measured.folder / name).write_text(yaml.safe_dump(document))
    return load_config(measured.folder / name)


def rms(term, truth):
    """RMS difference of U in kT where the truth is below 2 kT, less a constant."""
    x = np.linspace(0.15, 0.4, 400) if term.order == "bond" else np.linspace(1.0, np.pi, 400)
    wanted = truth(x)
    near = wanted < 2 * known_molecules.KT
    return float(np.std((term.energy(x) - wanted)[near])) / known_molecules.KT


@pytest.fixture(scope="module")
def learned(measured):
    """A fit of everything, and its folder."""
    config = config_of(measured, [{"types": ["A", "B"]}, {"types": "A-B-A"}], measured.targets())
    out = measured.folder / "out"
    return json.loads(run_fit(config, out).read_text()), out


def test_all_targets_are_reproduced(learned):
    summary, _ = learned
    *rdfs, bond, angle = summary["states"][0]["targets"]
    assert [t["kind"] for t in rdfs] == ["rdf"] * 3 and all(t["mae"] < 0.02 for t in rdfs)
    assert (bond["kind"], bond["name"], angle["kind"], angle["name"]) == ("bond", "A-B", "angle", "A-B-A")
    assert bond["l1"] < 0.06 and angle["l1"] < 0.06  # noise 0.02 each


def test_the_terms_are_those_of_the_truth(learned):
    _, out = learned
    table = PairTable.load(out / "potential.json")
    bond, angle = table.bonded
    assert rms(bond, lambda x: known_molecules.harmonic(x, *known_molecules.BOND)) < 0.15
    assert rms(angle, lambda x: known_molecules.harmonic(x, *known_molecules.ANGLE)) < 0.15
    r = np.linspace(0.42, 1.05, 200)
    for a, b in table.pairs:
        off = table.energy(r, a, b) - known_molecules.pair_energy(r, a, b)
        assert np.sqrt(np.mean(off**2)) < 0.25 * known_molecules.KT


def test_error_bands_of_the_terms_hold(learned):
    _, out = learned
    table, band = PairTable.load(out / "potential.json"), load_uncertainty(out / "potential.json")
    for term, one, truth in zip(table.bonded, band.bonded, (known_molecules.BOND, known_molecules.ANGLE), strict=True):
        assert one.kind == term.kind
        wanted = known_molecules.harmonic(one.x, *truth)
        weights = np.exp(-(wanted - wanted.min()) / known_molecules.KT)
        off = term.energy(one.x) - wanted
        off -= np.average(off, weights=weights)
        near = weights > 0.05
        assert np.mean(np.abs(off[near]) < 2 * one.sigma[near]) > 0.8
        assert one.sigma[near].max() < 0.5 * known_molecules.KT


def test_start_is_near(learned):
    """Between sites of molecules the Ornstein-Zernike relation tells far more than -kT ln g."""
    _, out = learned
    history = json.loads((out / "history.json").read_text())
    assert history[0]["mae"] < 0.045


def test_an_audit_is_refused(measured, out):
    """Segments do not have the terms: their gradient would be that of another System."""
    config = config_of(measured, [{"types": ["A", "B"]}, {"types": "A-B-A"}], measured.targets())
    with pytest.raises(diffpair.DiffPairError, match="has bonded terms of the potential, which segments"):
        run_audit(make_fit(config), out)


def test_harmonic_terms_find_their_numbers_beside_fixed_ones(measured, out):
    k, x0 = known_molecules.ANGLE
    bonded = [
        {"types": ["B", "A"], "form": "harmonic"},
        {"types": ["A", "B", "A"], "form": "harmonic", "fixed": True, "k": f"{k} kJ/mol/rad^2", "x0": f"{x0} rad"},
    ]
    short = {"max_steps": 1000, "noise_target": 0.5}
    run_fit(config_of(measured, bonded, measured.targets("A-A", "A-B", "B-B", "bond"), production=short), out)
    bond, angle = PairTable.load(out / "potential.json").bonded
    assert (angle.k, angle.x0) == (k, x0)
    assert bond.k == pytest.approx(known_molecules.BOND[0], rel=0.1) and bond.x0 == pytest.approx(
        known_molecules.BOND[1], rel=0.005
    )


def test_a_users_simulation_learns_terms_live(measured):
    """The Context that is there has the learned terms after every step."""
    topology, _, system = known_molecules.bare()
    integrator = mm.LangevinMiddleIntegrator(known_molecules.KELVIN, 5.0, known_molecules.TIMESTEP)
    integrator.setRandomNumberSeed(1)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("CPU"))
    simulation.context.setPositions(app.PDBFile(str(measured.folder / "beads.pdb")).positions)
    simulation.context.setVelocitiesToTemperature(known_molecules.KELVIN, 1)
    state = diffpair.State.from_simulation(
        simulation,
        types={"A1": "A", "A2": "A", "B": "B"},
        targets=[
            *(diffpair.Rdf(*pair.split("-"), measured.folder / f"{pair}.csv") for pair in ("A-A", "A-B", "B-B")),
            diffpair.Bond("A-B", measured.folder / "bond.csv"),
            diffpair.Angle("A-B-A", measured.folder / "angle.csv"),
        ],
    )
    fit = diffpair.Fit(
        diffpair.Potential("bspline", cutoff=1.1, knots=40),
        state,
        bonded=[diffpair.Bonded("A-B"), diffpair.Bonded("A-B-A")],
        sampling=diffpair.Sampling(equilibration=300, steps=1000, every=20),
        progress=False,
    )
    names = []
    for _ in range(2):
        fit.step()
        names.append(sorted(force.getName() for force in simulation.system.getForces()))
        groups = {"DiffPair bond A-B": known_molecules.bonds(), "DiffPair angle A-B-A": known_molecules.angles()}
        now = simulation.context.getState(positions=True)
        x, box = now.getPositions(asNumpy=True)._value, np.array(now.getPeriodicBoxVectors()._value)
        wanted = sum(
            term.energy(bonded_coordinates(x[None], box, groups[f"DiffPair {term.label}"])).sum()
            for term in fit.table.bonded
        )
        copy = mm.System()
        for i in range(system.getNumParticles()):
            copy.addParticle(system.getParticleMass(i))
        copy.setDefaultPeriodicBoxVectors(*box)
        for force in simulation.system.getForces():
            if force.getName() in groups:
                copy.addForce(mm.XmlSerializer.clone(force))
        context = mm.Context(copy, mm.VerletIntegrator(0.001), REFERENCE)
        context.setPositions(x)
        assert context.getState(energy=True).getPotentialEnergy()._value == pytest.approx(wanted, rel=1e-6)
    assert names[0] == names[1] and len(names[0]) == 3
    before = fit.table
    simulation.step(10)
    assert fit.table == before
