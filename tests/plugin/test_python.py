"""What the SWIG module adds for Python: units, casting, tables and files, and what may not be imported."""

from __future__ import annotations

import gc
import inspect
import json
import os
import subprocess
import sys

import numpy as np
import openmm
import pytest
from openmm import unit

from diffpair._openmm_forces import PairForce, PairTableForce, TorchPairForce
from diffpair.errors import DiffPairError
from diffpair.tables import PairTable


@pytest.fixture
def table() -> PairTable:
    random = np.random.default_rng(0)
    return PairTable(("O", "C"), 0.2, 0.9, np.pad(random.standard_normal((3, 19)), ((0, 0), (0, 3))))


def test_units_are_stripped_and_returned():
    force = PairTableForce(1, 2 * unit.angstrom, 0.9 * unit.nanometer, 8)
    assert force.getRMin() == 0.2 * unit.nanometer
    assert force.getTableCutoff() == 9 * unit.angstrom
    force.setCutoffDistance(10 * unit.angstrom)
    assert force.getCutoffDistance() == 1 * unit.nanometer
    row = [1.0, 2, 3, 4, 5, 6, 7, 0, 0, 0]
    for coefficients in (
        row,
        tuple(row),
        np.array(row),
        np.array(row, dtype=np.float32),
        np.array(row) * unit.kilojoule_per_mole,
    ):
        force.setPairCoefficients(0, 0, coefficients)
        assert force.getPairCoefficients(0, 0) == tuple(row)
    force.setPairCoefficients(0, 0, [c / 4.184 * unit.kilocalorie_per_mole for c in row])
    np.testing.assert_allclose(force.getPairCoefficients(0, 0), row, rtol=1e-15)
    assert force.getPairEnergy(0, 0, 4 * unit.angstrom).unit == unit.kilojoule_per_mole
    assert force.getPairForce(0, 0, 0.4).unit == unit.kilojoule_per_mole / unit.nanometer
    assert TorchPairForce(b"m", 1, 0.2, 0.9, 8).getSwitchWidth().value_in_unit(unit.angstrom) == pytest.approx(0.9)


def test_numpy_integers_are_accepted():
    force = PairTableForce(2, 0.2, 0.9, 8)
    for particle_type in np.array([0, 1, 1]):
        force.addParticle(particle_type)
    force.createExclusionsFromBonds(np.array([[0, 1], [1, 2]]), np.int64(1))
    assert [force.getExclusionParticles(i) for i in range(2)] == [[0, 1], [1, 2]]


def test_cast_and_isinstance(table):
    system = openmm.System()
    force = PairTableForce.fromTable(table)
    assert isinstance(force, openmm.Force)
    assert isinstance(force, PairForce)
    system.addForce(force)
    system.addForce(openmm.HarmonicBondForce())
    found = system.getForce(0)
    assert PairTableForce.isinstance(found)
    assert not TorchPairForce.isinstance(found)
    assert not PairTableForce.isinstance(system.getForce(1))
    assert PairTableForce.cast(found).getTypeName(1) == "C"
    with pytest.raises(openmm.OpenMMException, match="HarmonicBondForce is not a PairTableForce"):
        PairTableForce.cast(system.getForce(1))


def restored(table) -> openmm.Force:
    return openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(PairTableForce.fromTable(table)))


def test_a_cast_force_is_the_same_object(table):
    """It lives as long as either name, owns what its source owns, and is given to a System once."""
    force = PairTableForce.cast(restored(table))
    gc.collect()
    assert force.getTable() == table
    source = restored(table)
    first, second = PairTableForce.cast(source), PairTableForce.cast(source)
    assert (source.thisown, first.thisown, second.thisown) == (True, True, True)
    system = openmm.System()
    system.addForce(first)
    assert (source.thisown, first.thisown, second.thisown) == (False, False, False)
    for force in (source, second):
        with pytest.raises(Exception, match="does not own"):
            system.addForce(force)
    first.setTypeName(0, "X")
    assert second.getTypeName(0) == "X" and PairTableForce.cast(system.getForce(0)).getTypeName(0) == "X"
    assert PairTableForce.cast(first).getTypeName(0) == "X"


def test_casts_are_freed_once(table):
    """In a process of its own, in which freed memory is filled: a second free, or a read after it, would end that."""
    script = f"""
import gc, itertools, openmm
from diffpair import PairTableForce
text = {openmm.XmlSerializer.serialize(PairTableForce.fromTable(table))!r}
gc.freeze()  # collections look at what comes from here on
for order in itertools.permutations(["source", "first", "second", "system"]):
    for added in ("source", "first", "second", None):
        names = {{"source": openmm.XmlSerializer.deserialize(text), "system": openmm.System()}}
        names["first"], names["second"] = (PairTableForce.cast(names["source"]) for _ in range(2))
        if added:
            names["system"].addForce(names[added])
        for name in order:
            del names[name]
            gc.collect()
            if added is None or "system" in names:
                left = [n for n in ("first", "second") if n in names]
                assert all(names[n].getTypeName(1) == "C" for n in left)
print("done")
"""
    environment = {**os.environ, "MALLOC_PERTURB_": "165", "MALLOC_CHECK_": "3"}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr


def test_arguments_have_names_and_docstrings_units():
    signature = inspect.signature(PairTableForce.setPairCoefficients)
    assert list(signature.parameters) == ["self", "type1", "type2", "coefficients"]
    assert "kJ/mol" in PairTableForce.setPairCoefficients.__doc__
    assert "in nm" in PairTableForce.__init__.__doc__
    for cls in (PairForce, PairTableForce, TorchPairForce):
        for name, member in vars(cls).items():
            if not name.startswith("_") and callable(member):
                assert member.__doc__, f"{cls.__name__}.{name} has no docstring"


def test_tables_go_in_and_out(table):
    force = PairTableForce.fromTable(table)
    assert (force.getNumTypes(), force.findType("C"), force.getNumKnots()) == (2, 1, 20)
    found = force.getTable()
    assert found.coefficients.tobytes() == table.coefficients.tobytes()
    assert found == table
    for r in (0.1, 0.2, 0.33, 0.8, 0.9, 1.0):
        for pair in ((0, 0), (1, 0), (1, 1)):
            assert force.getPairEnergy(*pair, r)._value == pytest.approx(
                float(table.energy(r, *pair)), rel=1e-12, abs=1e-14
            )
            assert force.getPairForce(*pair, r)._value == pytest.approx(
                float(table.force(r, *pair)), rel=1e-12, abs=1e-12
            )


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (
            PairTable(("O", "H"), 0.2, 0.9, np.zeros((3, 22))),
            r"type names is \('O', 'H'\), but the force's is \('O', 'C'\)",
        ),
        (PairTable(("O", "C"), 0.21, 0.9, np.zeros((3, 22))), "r_min in nm is 0.21, but the force's is 0.2"),
        (PairTable(("O", "C"), 0.2, 1.0, np.zeros((3, 22))), "cutoff in nm is 1.0, but the force's is 0.9"),
        (PairTable(("O", "C"), 0.2, 0.9, np.zeros((3, 23))), "number of knots is 21, but the force's is 20"),
        (PairTable(("O",), 0.2, 0.9, np.zeros((1, 22))), "type names is"),
    ],
)
def test_a_table_on_another_grid_is_refused(table, other, problem):
    force = PairTableForce.fromTable(table)
    with pytest.raises(openmm.OpenMMException, match=f"PairTableForce: the table's .*{problem}"):
        force.setTable(other)
    assert force.getTable() == table


def test_live_update_from_a_table(tools, table, platform):
    pair_system = tools.PairSystem()
    force = PairTableForce.fromTable(table)
    pair_system.fill(force)
    context = pair_system.context(force, platform)
    scaled = PairTable(table.types, table.r_min, table.cutoff, 2 * table.coefficients)
    before = tools.evaluate(context)
    force.setTable(scaled)
    force.updateParametersInContext(context)
    after = tools.evaluate(context)
    assert after[0] == pytest.approx(2 * before[0], rel=1e-6)


def test_from_file(tmp_path, table):
    table.save(tmp_path / "potential.json")
    assert PairTableForce.fromFile(tmp_path / "potential.json").getTable() == table
    with pytest.raises(DiffPairError, match="missing\\.json"):
        PairTableForce.fromFile(tmp_path / "missing.json")
    document = json.loads((tmp_path / "potential.json").read_text())
    (tmp_path / "newer.json").write_text(json.dumps({**document, "version": 99}))
    with pytest.raises(DiffPairError, match="99"):
        PairTableForce.fromFile(tmp_path / "newer.json")


def test_production_imports_no_torch(tmp_path, table):
    """A learned table is loaded and run; neither Python's torch nor its libraries come in."""
    table.save(tmp_path / "potential.json")
    script = f"""
import sys, openmm
from diffpair._openmm_forces import PairTableForce
force = PairTableForce.fromFile({str(tmp_path / "potential.json")!r})
system = openmm.System()
for _ in range(2):
    system.addParticle(10.0)
    force.addParticle(force.findType("O"))
system.addForce(force)
context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
context.setPositions([[0, 0, 0], [0.4, 0, 0]])
context.getIntegrator().step(10)
assert "torch" not in sys.modules and "libtorch" not in open("/proc/self/maps").read()
print(context.getState(energy=True).getPotentialEnergy()._value)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) != 0
