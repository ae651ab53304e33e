"""A small Lennard-Jones liquid: its g(r) from OpenMM's own forces, and configs that fit it."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
import yaml

from diffpair.config import load_config
from diffpair.observables.rdf import histogram_rdf

ATOMS, DENSITY, T_STAR = 256, 0.845, 120.27
EDGES = np.linspace(0.75, 3.3, 101)


def simulate_lennard_jones(
    steps: int, every: int, density: float = DENSITY, temperature: float = T_STAR, hot: float = 2.5, edges=EDGES
) -> np.ndarray:
    """g(r) [bins] of LJ, epsilon = sigma = 1, cut off at 2.5, from FCC by NonbondedForce; `hot` times as hot
    at first, which melts it."""
    edge = (ATOMS / density) ** (1 / 3)
    cells = round((ATOMS / 4) ** (1 / 3))
    base = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    x = np.concatenate([(base + cell) * edge / cells for cell in np.ndindex(cells, cells, cells)])
    system = mm.System()
    system.setDefaultPeriodicBoxVectors(*(edge * np.eye(3)))
    force = mm.NonbondedForce()
    force.setUseDispersionCorrection(False)
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(2.5)
    for _ in x:
        system.addParticle(1.0)
        force.addParticle(0.0, 1.0, 1.0)
    system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(hot * temperature, 1.0, 0.005)
    integrator.setRandomNumberSeed(11)
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("CPU"))
    context.setPositions(x)
    context.setVelocitiesToTemperature(temperature, 11)
    integrator.step(1000)
    integrator.setTemperature(temperature)
    integrator.step(1500)
    frames = []
    for _ in range(steps // every):
        integrator.step(every)
        frames.append(context.getState(positions=True).getPositions(asNumpy=True)._value)
    boxes = np.repeat(edge * np.eye(3)[None], len(frames), 0)
    types, none = np.zeros(ATOMS, int), np.zeros((0, 2), int)
    g = histogram_rdf(np.array(frames), boxes, types, none, (0, 0), edges)
    return np.asarray(g).reshape(-1, len(edges) - 1).mean(0)


@pytest.fixture(scope="session")
def lennard_jones_rdf():
    return simulate_lennard_jones


@pytest.fixture(scope="session")
def target_file(tmp_path_factory):
    """The target as a user would have it: a CSV file."""
    path = tmp_path_factory.mktemp("target") / "lj.csv"
    g = simulate_lennard_jones(16000, 20)
    np.savetxt(path, np.column_stack([0.5 * (EDGES[1:] + EDGES[:-1]), g]), delimiter=",", header="r,g", comments="")
    return path


@pytest.fixture
def make_config(target_file, tmp_path):
    """make_config(section=..., ...) -> FitConfig: the small liquid, with sections replaced."""

    def make(**sections):
        document = {
            "potential": {"form": "bspline", "cutoff": "2.5 nm", "knots": 50},
            "states": [
                {
                    "name": "liquid",
                    "system": {"lattice": {"n": ATOMS, "density": "0.845 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
                    "temperature": "120.27 K",
                    "targets": [{"rdf": {"pair": ["A", "A"], "file": str(target_file), "r_unit": "nm"}}],
                }
            ],
            "sampling": {"timestep": "5 fs", "equilibration": 300, "steps": 2000, "every": 10},
            "production": {"max_steps": 12000, "noise_target": 0.003},
            "update": {"method": "gauss-newton", "iterations": 7},
            "seed": 1,
            **sections,
        }
        path = tmp_path / "fit.yaml"
        path.write_text(yaml.safe_dump(document))
        return load_config(path)

    return make


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
