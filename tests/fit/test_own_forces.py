"""Starts where the System has nonbonded forces of its own, and molecules of which some atoms take no part."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import openmm as mm
import pytest
import yaml
from openmm import app, unit
from prepared import prepared

from diffpair.config import load_config, run_fit
from diffpair.fit.record.progress import FitProgress
from diffpair.fit.start.inversion import boltzmann_inversion
from diffpair.fit.start.own_forces import OwnForces
from diffpair.fit.start.scales import contact_distances
from diffpair.gradients import TargetRows
from diffpair.observables.rdf import histogram_rdf
from diffpair.potentials import TableGrid
from diffpair.states import build_lattice, has_nonbonded_forces
from diffpair.tables import PairTable
from diffpair.targets import RdfTarget
from diffpair.updates.basis import fine_grid, spline_basis

GRID = TableGrid(0.8, 2.5, 60)
R = 0.805 + 0.01 * np.arange(250)


def lj(r, epsilon=1.0, sigma=1.0):
    return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)


def own_forces(u_own, u_target, kT=1.0):
    """Of a thin gas, g = exp(-U / kT), whose System and whose target have these potentials."""
    target = RdfTarget(("A", "A"), R, np.exp(-u_target(R) / kT))
    state = build_lattice("gas", 64, 0.2, {"A": 1.0}, 1.0, kT / 0.00831446261815324, targets=[target])
    rows = TargetRows(state).rdf
    other = TargetRows(replace(state, targets=[replace(target, g=np.exp(-u_own(R) / kT))])).rdf
    g = np.interp(rows.radii, other.radii, other.target)
    return OwnForces(state, rows, g, float(np.abs(g - rows.target).mean()), 0.001, None, False)


def test_what_is_missing_is_the_difference_of_two_potentials():
    found = own_forces(lambda r: lj(r, 0.4), lj)
    (row,) = boltzmann_inversion([found.state], GRID, np.ones(1), {"gas": found})
    near, known = np.array([0.82, 0.87]), np.linspace(1.0, 2.0, 60)
    np.testing.assert_allclose(spline_basis(GRID, known) @ row, lj(known, 0.6), atol=0.06)
    np.testing.assert_allclose(spline_basis(GRID, near) @ row, lj(near, 0.6), rtol=0.3)  # continued: the core is softer


def test_a_system_that_is_too_repulsive_is_mended_by_attraction():
    found = own_forces(lambda r: lj(r, sigma=1.1), lj)
    energy = found.missing(found.state.rdfs[0], R, 2.5)
    known = (R > 1.08) & (R < 2.0)
    np.testing.assert_allclose(energy[known], (lj(R) - lj(R, sigma=1.1))[known], atol=0.15)
    assert (energy[R < 1.04] < -1).all() and np.ptp(energy[R < 1.0]) < 1e-9


def test_without_a_core_of_its_own_it_is_boltzmann_inversion():
    found = own_forces(np.zeros_like, lj)
    inverted = boltzmann_inversion([found.state], GRID, np.ones(1))
    (row,), (other,) = boltzmann_inversion([found.state], GRID, np.ones(1), {"gas": found}), inverted
    r = np.linspace(0.85, 2.4, 80)
    np.testing.assert_allclose(spline_basis(GRID, r) @ row, spline_basis(GRID, r) @ other, rtol=0.15, atol=0.05)


@pytest.mark.parametrize("enough", [True, False])
def test_nothing_is_missing_where_it_is_enough(enough):
    found = replace(own_forces(lambda r: lj(r, 0.9), lj), enough=enough)
    assert found.missing(found.state.rdfs[0], fine_grid(GRID), GRID.cutoff).any() != enough
    assert ("U = 0" in found.sentence) == enough
    both = replace(found, mae=0.07, guess=0.08 if enough else 0.06).sentence
    assert both.endswith("U = 0" if enough else "of that") and f"them {0.08 if enough else 0.06:.4f}" in both


def test_a_pair_without_a_target_stays_as_the_system_has_it():
    found = own_forces(lambda r: lj(r, 0.4), lj)
    mixed = replace(found.state, type_names=("A", "B"))
    assert not boltzmann_inversion([mixed], GRID, np.ones(3), {"gas": found})[1:].any()
    assert boltzmann_inversion([mixed], GRID, np.ones(3))[1:].any()


def charged(q=0.0, epsilon=0.0):
    force = mm.NonbondedForce()
    force.addParticle(q, 0.3, epsilon)
    return force


@pytest.mark.parametrize(
    ("force", "acts"),
    [
        (mm.HarmonicBondForce(), False),
        (mm.CMMotionRemover(), False),
        (charged(), False),
        (charged(q=0.1), True),
        (charged(epsilon=0.1), True),
        (mm.CustomNonbondedForce("r"), True),
        (mm.GBSAOBCForce(), True),
    ],
)
def test_which_forces_act_between_molecules(force, acts):
    system = mm.System()
    system.addParticle(1.0)
    system.addForce(force)
    assert has_nonbonded_forces(system) == acts


@pytest.fixture(scope="module")
def water(tmp_path_factory):
    """64 SPC/E molecules, their g(r) of oxygen, the whole System and one without nonbonded forces."""
    folder, rng = tmp_path_factory.mktemp("water"), np.random.default_rng(1)
    edge, arms = 1.2429, 0.1 * np.array([[0.8165, 0.5774, 0], [-0.8165, 0.5774, 0]])
    topology, x = app.Topology(), []
    chain = topology.addChain()
    for cell in np.ndindex(4, 4, 4):
        residue = topology.addResidue("HOH", chain)
        oxygen = topology.addAtom("O", app.element.oxygen, residue)
        centre, turn = (np.array(cell) + 0.5) * edge / 4, np.linalg.qr(rng.normal(size=(3, 3)))[0]
        for name in ("H1", "H2"):
            topology.addBond(oxygen, topology.addAtom(name, app.element.hydrogen, residue))
        x += [centre, *(centre + arm @ turn for arm in arms)]
    topology.setPeriodicBoxVectors(edge * np.eye(3) * unit.nanometer)
    system = app.ForceField("spce.xml").createSystem(topology, nonbondedMethod=app.CutoffPeriodic, nonbondedCutoff=0.6)
    integrator = mm.LangevinMiddleIntegrator(300, 2.0, 0.004)
    integrator.setRandomNumberSeed(5)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("CPU"))
    context.setPositions(x)
    mm.LocalEnergyMinimizer.minimize(context, 10, 100)
    context.setVelocitiesToTemperature(300, 5)
    integrator.step(1500)
    frames = []
    for _ in range(250):
        integrator.step(20)
        frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value[::3])
    edges = np.arange(0.21, 0.611, 0.02)
    blocks = [
        histogram_rdf(np.array(part), edge * np.eye(3), np.zeros(64, int), None, (0, 0), edges)
        for part in np.array_split(frames, 5)
    ]
    columns = [edges[1:] - 0.01, np.mean(blocks, axis=0), np.std(blocks, axis=0, ddof=1) / 5**0.5]
    np.savetxt(folder / "oo.csv", np.column_stack(columns), delimiter=",", header="r,g,error", comments="")
    with open(folder / "water.pdb", "w") as file:
        app.PDBFile.writeFile(topology, context.getState(positions=True).getPositions(), file)
    (folder / "true.xml").write_text(mm.XmlSerializer.serialize(system))
    for index in reversed(range(system.getNumForces())):
        if isinstance(system.getForce(index), mm.NonbondedForce):
            system.removeForce(index)
    (folder / "bonded.xml").write_text(mm.XmlSerializer.serialize(system))
    return folder


@pytest.fixture
def water_config(water, tmp_path):
    def make(xml, **sections):
        document = {
            "potential": {"form": "bspline", "cutoff": "0.6 nm"},
            "states": [
                {
                    "name": "water",
                    "system": {
                        "topology": str(water / "water.pdb"),
                        "xml": str(water / xml),
                        "types": {"O": "O", "H": "none"},
                    },
                    "temperature": "300 K",
                    "targets": [{"rdf": {"pair": ["O", "O"], "file": str(water / "oo.csv")}}],
                }
            ],
            "sampling": {"timestep": "4 fs", "equilibration": 200, "steps": 2000, "every": 20, "adaptive": False},
            "production": {"max_steps": 400, "every": 20},
            "update": {"method": "gauss-newton", "iterations": 1, "stop_at_noise": False},
            **sections,
        }
        (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
        return load_config(tmp_path / "fit.yaml")

    return make


def test_water_whose_system_holds_the_true_force_field_starts_from_nothing(water_config, tmp_path, capfd):
    out = tmp_path / "out"
    # 64 molecules are slow: blocks of shorter samplings say too little noise
    long = {"sampling": {"timestep": "4 fs", "equilibration": 500, "steps": 8000, "every": 20, "adaptive": False}}
    run_fit(water_config("true.xml", **long), out)
    said = capfd.readouterr()
    assert "the fit starts from U = 0" in said.out and "closer than the table's r_min" not in said.err
    assert not PairTable.load(out / "start.json").coefficients.any()
    (first,) = json.loads((out / "history.json").read_text())
    assert first["mae"] < 0.02 + 2 * first["noise"] and first["md_steps"] >= 2 * 2200
    learned = PairTable.load(out / "potential.json")
    assert learned.types == ("O",)
    assert json.loads((out / "summary.json").read_text())["md_steps"] == first["md_steps"]

    more = {"update": {"method": "gauss-newton", "iterations": 2, "stop_at_noise": False}}
    run_fit(water_config("true.xml", **long, **more), out, resume=True)  # does not sample the System again
    assert "own forces" not in capfd.readouterr().out
    assert not PairTable.load(out / "start.json").coefficients.any()
    assert len(json.loads((out / "history.json").read_text())) == 2


def test_water_without_nonbonded_forces_starts_by_inversion(water_config):
    config = water_config("bonded.xml")
    setup = prepared(config, FitProgress())
    assert setup.own == {}
    (row,) = boltzmann_inversion(setup.fitted, setup.space.grid, contact_distances(setup.fitted))
    np.testing.assert_array_equal(setup.wanted[0], row)


def test_charges_that_nothing_keeps_apart_are_no_base(water_config, water, tmp_path, capsys):
    system = mm.XmlSerializer.deserialize((water / "true.xml").read_text())
    (force,) = (f for f in system.getForces() if isinstance(f, mm.NonbondedForce))
    for index in range(force.getNumParticles()):
        force.setParticleParameters(index, force.getParticleParameters(index)[0] * 2, 0.3, 0.0)
    (tmp_path / "charges.xml").write_text(mm.XmlSerializer.serialize(system))
    setup = prepared(water_config(tmp_path / "charges.xml"), FitProgress())
    assert setup.own == {} and setup.wanted[0].any()
    assert "do not keep particles apart without the potential" in capsys.readouterr().out
