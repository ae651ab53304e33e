"""The examples of fits in Systems with forces of their own: their truths against what others print, and short fits."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import openmm as mm
import pytest
import yaml

from diffpair.config import load_config
from diffpair.tables import PairTable
from diffpair.targets import read_rdf

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KJ_PER_EV = 96.48533
# A in eV, sigma in Angstrom, C in eV Angstrom^6, D in eV Angstrom^8 of NaCl as LAMMPS' born/coul/long takes them
# (rho 0.317 Angstrom; D with the other sign there)
IN_EV = {
    ("Na", "Na"): (0.26370, 2.340, 1.0486, 0.4993),
    ("Na", "Cl"): (0.21096, 2.755, 6.9906, 8.6758),
    ("Cl", "Cl"): (0.15822, 3.170, 72.4022, 145.4285),
}


def script(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, EXAMPLES / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / path), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fit(folder: Path, config: str, out: Path, **sections: dict[str, object]) -> dict[str, object]:
    """Summary of a short fit of an example's config to the files in a folder."""
    from diffpair.config import run_fit

    document = yaml.safe_load((EXAMPLES / config).read_text())
    for name, keys in sections.items():
        document[name] |= keys
    (folder / "fit.yaml").write_text(yaml.safe_dump(document))
    summary = json.loads(run_fit(load_config(folder / "fit.yaml"), out).read_text())
    return dict(summary)


def energy_of(system: mm.System, positions: np.ndarray) -> float:
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    return float(context.getState(energy=True).getPotentialEnergy()._value)


@pytest.mark.parametrize("pair", IN_EV)
def test_pair_terms_of_the_salt(pair: tuple[str, str]) -> None:
    """OpenMM's energy of two ions, and the function that fits are compared with, against numbers in other units."""
    salt = script("molten_salt/nacl_rdf.py")
    topology, _, _ = salt.charges(2)
    names = [atom.name for atom in topology.atoms()]
    i = names.index(pair[0])
    j = next(k for k in range(len(names)) if names[k] == pair[1] and k != i)
    strength, sigma, c, d = IN_EV[pair]
    for r in (0.2, 0.25, 0.3, 0.35, 0.4, 0.49):
        system, whole = mm.System(), salt.short_range(topology)
        system.setDefaultPeriodicBoxVectors(*50 * np.eye(3))
        for _ in names:
            system.addParticle(1.0)
        system.addForce(whole)
        positions = 5.0 + 5.0 * np.array(list(np.ndindex(2, 2, 2)), dtype=float)  # out of reach of each other
        positions[j] = positions[i] + [0, 0, r]
        x = 10 * r
        wanted = KJ_PER_EV * (strength * np.exp((sigma - x) / 0.317) - c / x**6 - d / x**8)
        assert energy_of(system, positions) == pytest.approx(wanted, rel=1e-3, abs=2e-3)
        assert salt.tosi_fumi(r, *pair) == pytest.approx(wanted, rel=1e-3, abs=2e-3)
        np.testing.assert_allclose(salt.tosi_fumi(r, *pair), salt.tosi_fumi(r, *pair[::-1]))


def test_switch_of_the_salt() -> None:
    salt = script("molten_salt/nacl_rdf.py")
    assert salt.tosi_fumi(0.6, "Cl", "Cl") == 0 and salt.tosi_fumi(0.65, "Cl", "Cl") == 0
    wanted = 0.15822 * np.exp((3.170 - 5.5) / 0.317) - 72.4022 / 5.5**6 - 145.4285 / 5.5**8
    assert salt.tosi_fumi(0.55, "Cl", "Cl") == pytest.approx(0.5 * KJ_PER_EV * wanted, rel=1e-3)


def test_charges_of_the_salt() -> None:
    """The lattice that the script starts from has the Madelung energy of rock salt, -1.747565 k e^2 / d per pair."""
    salt = script("molten_salt/nacl_rdf.py")
    topology, positions, system = salt.charges(8)
    edge = topology.getUnitCellDimensions()[0]._value
    assert 512 / 2 * 58.443 / 602.214 / edge**3 == pytest.approx(salt.DENSITY, rel=1e-3)
    energy = energy_of(system, positions)
    assert energy == pytest.approx(-256 * 1.747565 * 138.935 / (edge / 8), rel=2e-3)


@pytest.fixture(scope="module")
def melt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what a fit of the salt takes: a melt made now, and the g(r) of the repository."""
    folder = tmp_path_factory.mktemp("salt")
    run("molten_salt/nacl_rdf.py", "--out", folder, "--melting", 1000, "--steps", 0)
    for target in (EXAMPLES / "molten_salt").glob("*.csv"):
        shutil.copy(target, folder)
    return folder


def test_targets_of_the_salt(tmp_path: Path) -> None:
    said = run("molten_salt/nacl_rdf.py", "--out", tmp_path, "--per-side", 6, "--melting", 1000, "--steps", 5000)
    assert said.count("500 frames") == 3
    whole = read_rdf(EXAMPLES / "molten_salt/Na-Cl.csv", ("Na", "Cl"))
    short = read_rdf(tmp_path / "Na-Cl.csv", ("Na", "Cl"))
    assert np.abs(short.g - np.interp(short.r, whole.r, whole.g))[short.r > 0.3].mean() < 0.06


def test_a_short_fit_of_the_salt(melt: Path, tmp_path: Path) -> None:
    """The script's files are what a fit takes; it starts beside the charges, near the target."""
    summary = fit(
        melt, "molten_salt/fit.yaml", tmp_path, sampling={"steps": 1000, "adaptive": False},
        production={"max_steps": 400}, update={"iterations": 1, "stop_at_noise": False},
    )  # fmt: skip
    (first,) = json.loads((tmp_path / "history.json").read_text())
    assert first["mae"] < 0.09, "a start from -kT ln g is 0.24 off"
    assert [target["pair"] for target in summary["states"][0]["targets"]] == [["Na", "Na"], ["Na", "Cl"], ["Cl", "Cl"]]


def test_the_salt_in_an_ordinary_simulation(melt: Path, tmp_path: Path) -> None:
    """Its script learns, goes on with the learned potentials, and is compared with the truth."""
    said = run("molten_salt/learn.py", "--files", melt, "--out", tmp_path, "--quick")
    history = json.loads((tmp_path / "history.json").read_text())
    assert history[0]["mae"] < 0.09
    energy = float(said.split("after 1000 steps more:")[1].split()[0])  # kJ/mol
    assert -370 < energy / 512 < -310, "rock salt has -385"
    lines = run("molten_salt/compare.py", tmp_path, melt).splitlines()
    assert [line.split(":")[0] for line in lines] == ["Na-Na", "Na-Cl", "Cl-Cl"]
    assert all(float(line.split("RMS error of U ")[1].split()[0]) < 1.0 for line in lines), "at the start it is 0.7 kT"


def test_pair_terms_of_the_chains() -> None:
    """Two beads of different chains; those of one chain do not feel each other."""
    chains = script("chains/chains_rdf.py")
    topology, _, _ = chains.bonded(3)
    count = topology.getNumAtoms()
    for other, r in [(4, 0.45), (4, 0.6), (4, 0.95), (4, 1.1), (4, 1.25), (3, 0.45)]:
        system = mm.System()
        system.setDefaultPeriodicBoxVectors(*100 * np.eye(3))
        for _ in range(count):
            system.addParticle(1.0)
        system.addForce(chains.between_chains(topology, chains.CUTOFF))
        positions = 2.5 * np.array(list(np.ndindex(4, 4, 4)), dtype=float)[:count]
        positions[other] = positions[0] + [r, 0, 0]
        s = min(max((r - 1.0) / 0.2, 0), 1)
        wanted = 10 * ((0.47 / r) ** 12 - (0.47 / r) ** 6) * (1 - 10 * s**3 + 15 * s**4 - 6 * s**5)
        assert energy_of(system, positions) == pytest.approx(0.0 if other < 4 else wanted, abs=1e-5)
        assert chains.lennard_jones(r) == pytest.approx(wanted)


@pytest.fixture(scope="module")
def short_chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the script writes of 72 chains."""
    folder = tmp_path_factory.mktemp("chains")
    said = run("chains/chains_rdf.py", "--out", folder, "--per-side", 6, "--melting", 2000, "--steps", 6000)
    assert "300 frames" in said
    return folder


def test_targets_of_the_chains(short_chains: Path) -> None:
    text = (short_chains / "intermolecular.csv").read_text()
    assert "the 40896 of different molecules" in text  # 288 * 287 / 2 less 6 in each of 72 chains
    whole = read_rdf(EXAMPLES / "chains/intermolecular.csv", ("C", "C"))
    short = read_rdf(short_chains / "intermolecular.csv", ("C", "C"))
    assert np.abs(short.g - np.interp(short.r, whole.r, whole.g)).mean() < 0.03


# Without the audit of `steps: auto`: the adjoint has the length that it recommends for the example.
@pytest.mark.parametrize("config, keys", [("fit.yaml", {}), ("adjoint.yaml", {"steps": 100, "segments": 8})])
def test_a_short_fit_of_the_chains(short_chains: Path, tmp_path: Path, config: str, keys: dict[str, object]) -> None:
    summary = fit(
        short_chains, f"chains/{config}", tmp_path, sampling={"steps": 2000, "adaptive": False},
        production={"max_steps": 6000}, update={"iterations": 4, "stop_at_noise": False}, gradient=keys,
    )  # fmt: skip
    (target,) = summary["states"][0]["targets"]
    start = json.loads((tmp_path / "history.json").read_text())[0]["mae"]
    assert target["mae"] < 0.02 and target["mae"] < start < 0.045, "-kT ln g starts 0.048 off"


def test_density_of_the_chains(tmp_path: Path) -> None:
    """At 1 bar it is the density of the lattice that the script starts from; under 2 kbar it is larger."""
    chains, found = script("chains/chains_rdf.py"), []
    for bar in (1, 2000):
        sizes = ("--per-side", 6, "--melting", 2000, "--steps", 4000)
        run("chains/chains_rdf.py", "--out", tmp_path, *sizes, "--pressure", bar)
        header, row = (tmp_path / "density.csv").read_text().splitlines()
        assert header == "chains_per_nm3,error,g_per_cm3,error"
        number, _, grams, _ = map(float, row.split(","))
        assert grams == pytest.approx(number * 4 * 56.0 / 602.214, rel=1e-4)
        found.append(4 * number)
    assert found[0] == pytest.approx(chains.DENSITY, rel=0.02)
    assert found[1] > 1.02 * found[0]


def test_the_chains_under_pressure(short_chains: Path, tmp_path: Path) -> None:
    """The density comes to its target from a potential under which it is 4 % too low."""
    chains = script("chains/chains_rdf.py")
    shutil.copytree(short_chains, tmp_path, dirs_exist_ok=True)
    shutil.copy(EXAMPLES / "chains/density.csv", tmp_path)
    knots, r_min = 52, 0.36  # nm
    nodes = np.linspace(r_min, chains.CUTOFF, knots)
    spline = np.zeros((1, knots + 2))
    spline[0, 1:-1] = 0.93 * chains.lennard_jones(nodes)
    spline[0, 0] = 2 * spline[0, 1] - spline[0, 2]
    spline[0, -3:] = 0
    PairTable(("C",), r_min, chains.CUTOFF, spline).save(tmp_path / "potential.json")
    run("chains/pressure.py", tmp_path, "--files", tmp_path, "--out", tmp_path / "out", "--quick")
    (state,) = json.loads((tmp_path / "out/summary.json").read_text())["states"]
    rdf, density = state["targets"]
    assert density["target"] == pytest.approx(0.8294, abs=1e-4)
    assert density["value"] == pytest.approx(density["target"], rel=0.02)
    assert rdf["mae"] < 0.02
