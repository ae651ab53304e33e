"""XML, copies and pickles: every number comes back with the same bits."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairForce, PairTableForce, TorchPairForce


def through_xml(force: openmm.Force) -> openmm.Force:
    return openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(force))


def through_system_xml(force: openmm.Force) -> openmm.Force:
    system = openmm.System()
    system.addForce(copy.copy(force))
    restored = openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(system))
    found = restored.getForce(0)
    found._keep = restored
    return found


WAYS = [through_xml, through_system_xml, copy.copy, copy.deepcopy, lambda force: pickle.loads(pickle.dumps(force))]
WAY_NAMES = ["xml", "system", "copy", "deepcopy", "pickle"]


def random_bits(size: int, seed: int) -> np.ndarray:
    """Doubles of every magnitude, denormals and negative zero included."""
    bits = np.random.default_rng(seed).integers(0, 2**64, size * 2, dtype=np.uint64)
    values = bits.view(np.float64)
    values = values[np.isfinite(values)][:size].copy()
    values[:3] = [5e-324, -0.0, 0.1]
    return values


def settings(force: PairForce) -> dict:
    return {
        "grid": (force.getRMin()._value, force.getTableCutoff()._value, force.getNumKnots()),
        "types": [force.getTypeName(i) for i in range(force.getNumTypes())],
        "particles": [force.getParticleType(i) for i in range(force.getNumParticles())],
        "exclusions": [tuple(force.getExclusionParticles(i)) for i in range(force.getNumExclusions())],
        "method": force.getNonbondedMethod(),
        "cutoff": force.getCutoffDistance()._value,
        "group": force.getForceGroup(),
        "name": force.getName(),
    }


def configure(force: PairForce) -> None:
    force.setTypeName(0, "O & <water>")
    force.setTypeName(1, "Γ")
    for particle_type in (0, 1, 1, 0):
        force.addParticle(particle_type)
    force.addExclusion(3, 1)
    force.addExclusion(0, 2)
    force.setNonbondedMethod(PairForce.CutoffPeriodic)
    force.setCutoffDistance(np.nextafter(1.1, 2))
    force.setForceGroup(7)
    force.setName("water")


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_table_force_round_trip(way):
    force = PairTableForce(2, np.nextafter(0.2, 1), 1 / 1.3, 20)
    configure(force)
    for index, (a, b) in enumerate([(0, 0), (1, 1)]):  # (0, 1) is left out: that has to survive too
        force.setPairCoefficients(a, b, np.pad(random_bits(19, index), (0, 3)))
    found = PairTableForce.cast(way(force))
    assert settings(found) == settings(force)
    assert [found.hasPairCoefficients(a, b) for a, b in ((0, 0), (0, 1), (1, 1))] == [True, False, True]
    for pair in ((0, 0), (1, 1)):
        before, after = (np.array(each.getPairCoefficients(*pair)) for each in (force, found))
        assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
@pytest.mark.parametrize("size", [1, 2, 3, 256 * 7])
def test_torch_force_round_trip(way, size):
    """Neither the module's bytes nor the table are looked at on the way; PyTorch is not needed."""
    module = bytes(range(256)) * 7 if size > 3 else b"\0\xff\0"[:size]
    force = TorchPairForce(module, 2, 0.21, 0.9, 12, 0.123456789)
    configure(force)
    force.addGlobalParameter("lambda", 1 / 3)
    force.addGlobalParameter("T", 300.1)
    table = np.concatenate([np.pad(random_bits(11, seed), (0, 3)) for seed in range(3)])
    force.addEnergyParameterDerivative("T")
    derivative = np.concatenate([np.pad(random_bits(11, seed), (0, 3)) for seed in range(5, 8)])
    force.setEmbeddedTable(table, [0.25, 1e-300], derivative)
    found = TorchPairForce.cast(way(force))
    assert settings(found) == settings(force)
    assert found.getModule() == module
    assert found.getSwitchWidth() == force.getSwitchWidth()
    assert [found.getGlobalParameterName(i) for i in range(2)] == ["lambda", "T"]
    assert [found.getGlobalParameterDefaultValue(i) for i in range(2)] == [1 / 3, 300.1]
    assert np.array(found.getEmbeddedTable()).tobytes() == table.tobytes()
    assert found.getEmbeddedParameterValues() == (0.25, 1e-300)
    assert found.getNumEnergyParameterDerivatives() == 1
    assert found.getEnergyParameterDerivativeName(0) == "T"
    assert np.array(found.getEmbeddedDerivatives()).tobytes() == derivative.tobytes()


def test_a_force_with_derivatives_is_of_version_2():
    """A reader that does not know derivatives would leave them out silently."""
    force = TorchPairForce(b"m", 1, 0.2, 0.9, 12)
    force.addGlobalParameter("a", 1.0)
    assert 'version="1"' in openmm.XmlSerializer.serialize(force)
    force.addEnergyParameterDerivative("a")
    assert 'version="2"' in openmm.XmlSerializer.serialize(force)


def test_without_embedded_table():
    force = TorchPairForce(b"m", 1, 0.2, 0.9, 12)
    assert not TorchPairForce.cast(through_xml(force)).hasEmbeddedTable()


def test_same_forces_after_the_round_trip(tools, platform):
    pair_system = tools.PairSystem(exclusions=[(0, 1)])
    system = pair_system.system(pair_system.table_force())
    restored = openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(system))
    results = [tools.evaluate(tools.make_context(each, platform, pair_system.positions)) for each in (system, restored)]
    tools.assert_repeats(*results, platform)


def xml_of(force: openmm.Force, pattern: str, replacement: str) -> str:
    text, count = re.subn(pattern, replacement, openmm.XmlSerializer.serialize(force), count=1)
    assert count == 1
    return text


def test_other_versions_and_damage_are_refused():
    table, torch = PairTableForce(1, 0.2, 0.9, 12), TorchPairForce(b"module", 1, 0.2, 0.9, 12)
    table.addParticle(0)
    for text, problem in (
        (xml_of(table, r'version="1"', 'version="2"'), "PairTableForce: the XML has version 2 .* reads version 1"),
        (xml_of(torch, r'version="1"', 'version="9"'), "TorchPairForce: the XML has version 9 .* reads version 1 or 2"),
        (xml_of(torch, r'base64="[^"]*"', 'base64="a*b="'), "not valid base64"),
        (xml_of(torch, r'base64="[^"]*"', 'base64="abc"'), "not valid base64"),
        (xml_of(table, r'<Particle type="0"', '<Particle type="3"'), "particle 0 is given type 3"),
        (xml_of(table, r'knots="12"', 'knots="2"'), "at least 5 knots"),
        (xml_of(table, r'knots="12"', 'knots="2000000000"'), "at most 1000000 knots, but has 2000000000"),
        (xml_of(table, r'types="1"', 'types="65536"'), "1 to 4096 types, not 65536"),
        (xml_of(table, r'types="1"', 'types="2000000000"'), "1 to 4096 types, not 2000000000"),
        (xml_of(table, r'types="1"', 'types="99999999999"'), "types = '99999999999', which is no whole number"),
        (xml_of(torch, r'types="1"', 'types="46341"'), "1 to 4096 types, not 46341"),
        (xml_of(table, r'types="1"', 'types="2"'), "the XML has 2 types, but the names of 1"),
        (xml_of(table, r'tableCutoff="[^"]*"', 'tableCutoff="1e160"'), "cutoff of a table must be from"),
        (
            xml_of(table, r'<Particle type="0"', '<Particle type="4294967296"'),
            "type = '4294967296', which is no whole number",
        ),
    ):
        with pytest.raises(openmm.OpenMMException, match=problem):
            openmm.XmlSerializer.deserialize(text)
