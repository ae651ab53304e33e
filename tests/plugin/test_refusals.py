"""Every misuse is refused with one sentence that names the culprit; see also the tests of updates and XML."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairForce, PairTableForce, TorchPairForce

KNOTS = 8


def good_row(value: float = 1.0) -> np.ndarray:
    return np.pad(np.full(KNOTS - 1, value), (0, 3))


def two_types() -> PairTableForce:
    force = PairTableForce(2, 0.2, 0.9, KNOTS)
    force.setTypeName(0, "C")
    force.setTypeName(1, "H")
    return force


def torch_force() -> TorchPairForce:
    force = TorchPairForce(b"module", 1, 0.2, 0.9, KNOTS)
    force.addGlobalParameter("lambda", 1.0)
    return force


def with_entry(index: int, value: float) -> np.ndarray:
    row = good_row()
    row[index] = value
    return row


def twice(force: TorchPairForce) -> None:
    for _ in range(2):
        force.addEnergyParameterDerivative("lambda")


def xml(thing) -> str:
    return openmm.XmlSerializer.serialize(thing)


def torchscript() -> bytes:
    """What looks like TorchScript from outside."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("m/constants.pkl", "m/code/m.py"):
            archive.writestr(name, "")
    return content.getvalue()


SETTERS = [
    (lambda: PairTableForce(0, 0.2, 0.9, KNOTS), "at least one particle type, but numTypes is 0"),
    (lambda: PairTableForce(1, -0.1, 0.9, KNOTS), "0 <= r_min < cutoff, but r_min is -0.1 nm"),
    (lambda: PairTableForce(1, 0.9, 0.9, KNOTS), "0 <= r_min < cutoff"),
    (lambda: PairTableForce(1, 0.2, float("nan"), KNOTS), "0 <= r_min < cutoff"),
    (lambda: PairTableForce(1, 0.2, 0.9, 4), "at least 5 knots, but has 4"),
    (lambda: two_types().addParticle(2), "particle 0 is given type 2, but types run from 0 to 1"),
    (lambda: two_types().addParticle(-1), "particle 0 is given type -1"),
    (lambda: two_types().setParticleType(3, 0), "particle 3 does not exist; there are 0"),
    (lambda: two_types().getParticleType(-1), "particle -1 does not exist"),
    (lambda: two_types().getTypeName(2), "type 2 does not exist; types run from 0 to 1"),
    (lambda: two_types().setTypeName(0, ""), "the name of type 0 must not be empty"),
    (lambda: two_types().findType("O"), "no type 'O'; the types are 'C', 'H'"),
    (lambda: two_types().addExclusion(-1, 2), "exclusion 0 names particle -1, which does not exist"),
    (lambda: two_types().addExclusion(4, 4), "exclusion 0 excludes particle 4 from itself"),
    (lambda: two_types().getExclusionParticles(0), "exclusion 0 does not exist; there are 0"),
    (lambda: two_types().setExclusionParticles(1, 0, 1), "exclusion 1 does not exist"),
    (lambda: two_types().createExclusionsFromBonds([(0, 1)], 3), r"the bond \(0, 1\) must name two of the 0 particles"),
    (lambda: two_types().createExclusionsFromBonds([], 0), "bondCutoff of 1 or more, not 0"),
    (lambda: two_types().setNonbondedMethod(3), "no nonbonded method 3"),
    (lambda: two_types().setCutoffDistance(0.89), "not smaller than the table's cutoff, 0.9 nm, .* but is 0.89 nm"),
    (lambda: two_types().setCutoffDistance(1e160), "not larger than 1e.06 nm, but is 1e.160 nm"),
    (lambda: PairTableForce(4097, 0.2, 0.9, KNOTS), "There can be 1 to 4096 types, not 4097"),
    (lambda: PairTableForce(46_341, 0.2, 0.9, KNOTS), "1 to 4096 types"),
    (lambda: PairTableForce(2**31 - 1, 0.2, 0.9, KNOTS), "1 to 4096 types"),
    (lambda: PairTableForce(4096, 0.2, 0.9, 100), "The tables of 4096 types with 100 knots are too large"),
    (
        lambda: PairTableForce(1, 0.2, 1e160, KNOTS),
        "cutoff of a table must be from 1e-06 to 1e.06 nm, but is 1e.160 nm",
    ),
    (lambda: PairTableForce(1, 0.0, 1e-160, KNOTS), "cutoff of a table must be from"),
    (lambda: PairTableForce(1, 0.2, 0.9, 2**31 - 1), "at most 1000000 knots, but has 2147483647"),
    (lambda: TorchPairForce(b"m", 5000, 0.2, 0.9, KNOTS), "1 to 4096 types, not 5000"),
    (lambda: TorchPairForce.fromModule(torchscript(), 2 * 10**9, 0.2, 0.9, KNOTS), "1 to 4096 types"),
    (lambda: two_types().setCutoffDistance(float("nan")), "the cutoff distance must be finite"),
    (lambda: two_types().setCutoffDistance(float("inf")), "the cutoff distance must be finite"),
    (lambda: two_types().setPairCoefficients(0, 2, good_row()), "type 2 does not exist"),
    (lambda: two_types().setPairCoefficients(0, 1, good_row()[1:]), "'C' and 'H' must be 10 numbers, .* but are 9"),
    (
        lambda: two_types().setPairCoefficients(0, 1, with_entry(3, np.nan)),
        "'C' and 'H' must be finite, but number 3 is",
    ),
    (lambda: two_types().setPairCoefficients(1, 1, with_entry(0, np.inf)), "'H' and 'H' must be finite, but number 0"),
    (lambda: two_types().setPairCoefficients(0, 0, with_entry(-3, 1e-9)), "'C' and 'C' must end in three zeros"),
    (lambda: two_types().setPairCoefficients(0, 0, with_entry(-1, 1e-9)), "must end in three zeros"),
    (lambda: two_types().getPairCoefficients(0, 1), "'C' and 'H' have no coefficients"),
    (lambda: two_types().getPairEnergy(0, 1, 0.3), "'C' and 'H' have no coefficients"),
    (lambda: TorchPairForce.cast(two_types()), "PairTableForce is not a TorchPairForce"),
    (lambda: TorchPairForce(b"", 1, 0.2, 0.9, KNOTS), "the module is empty"),
    (lambda: TorchPairForce(b"m", 1, 0.2, 0.9, KNOTS, 0.9), "switch width must be smaller than the cutoff, 0.9 nm"),
    (lambda: TorchPairForce.readModule("/no/such.pt"), "file '/no/such.pt' is missing, empty or unreadable"),
    (lambda: torch_force().addGlobalParameter("lambda", 2.0), "a global parameter 'lambda' already"),
    (
        lambda: torch_force().addGlobalParameter("T", float("nan")),
        "default value of the global parameter 'T' must be finite",
    ),
    (lambda: torch_force().getGlobalParameterName(1), "global parameter 1 does not exist; there are 1"),
    (
        lambda: torch_force().addEnergyParameterDerivative("T"),
        "there is no global parameter 'T'; call addGlobalParameter",
    ),
    (lambda: twice(torch_force()), "the derivative with respect to 'lambda' has been requested already"),
    (lambda: torch_force().getEnergyParameterDerivativeName(0), "derivative 0 does not exist; there are 0"),
    (lambda: torch_force().setEmbeddedTable(good_row(), [1.0], good_row()), "0 numbers of the tables of 0 derivatives"),
    (lambda: PairTableForce._fromXml(xml(openmm.System())), "the XML holds the class System, not a PairTableForce"),
    (lambda: PairTableForce._fromXml("<Force/>"), "the XML holds no object of OpenMM, not a PairTableForce"),
    (lambda: TorchPairForce._fromXml(xml(two_types())), "the XML holds the class PairTableForce, not a TorchPairForce"),
    (lambda: torch_force().setEmbeddedTable(good_row()[1:], [1.0]), "embedded table must be 10 numbers, .* but is 9"),
    (lambda: torch_force().setEmbeddedTable(good_row(), []), "values of the 1 global parameters, but comes with 0"),
    (lambda: torch_force().setEmbeddedTable(with_entry(2, np.nan), [1.0]), "must be finite, but number 2"),
]


@pytest.mark.parametrize(("misuse", "problem"), SETTERS)
def test_setters(misuse, problem):
    with pytest.raises(openmm.OpenMMException, match=problem) as raised:
        misuse()
    sentence = str(raised.value)
    assert "\n" not in sentence
    assert "PairForce: " in sentence or "PairTableForce" in sentence  # says who speaks


def test_a_refused_call_changes_nothing():
    force = two_types()
    for misuse in (lambda: force.addParticle(9), lambda: force.addExclusion(1, 1)):
        with pytest.raises(openmm.OpenMMException):
            misuse()
    assert (force.getNumParticles(), force.getNumExclusions()) == (0, 0)


def periodic(force: PairForce) -> None:
    force.setNonbondedMethod(PairForce.CutoffPeriodic)


def too_long(force: PairForce) -> None:
    periodic(force)
    force.setCutoffDistance(1.6)


def duplicate(force: PairForce) -> None:
    force.addExclusion(0, 1)
    force.addExclusion(1, 0)


def same_names(force: PairForce) -> None:
    force.setTypeName(1, "C")


CONTEXTS = [
    (lambda force: force.addParticle(0), "the force has 4 particles, but the System it is in has 3"),
    (lambda force: force.addExclusion(1, 3), "particles 1 and 3 are excluded, but there are only 3 particles"),
    (duplicate, "particles 1 and 0 are excluded more than once"),
    (same_names, "more than one type has the name 'C'"),
    (too_long, "the cutoff distance, 1.6 nm, is greater than half of the periodic box, which is 3 x 3.5 x 4 nm"),
    (lambda force: force.setParticleType(0, 1), "particles of the types 'C' and 'H' have no potential"),
]


def three_particles(change) -> openmm.System:
    force = two_types()
    force.setPairCoefficients(0, 0, good_row())
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors([3, 0, 0], [0, 3.5, 0], [0, 0, 4])
    for _ in range(3):
        force.addParticle(0)
        system.addParticle(1)
    change(force)
    system.addForce(force)
    return system


@pytest.mark.parametrize(("change", "problem"), CONTEXTS)
def test_contexts(tools, host_platform, change, problem):
    with pytest.raises(openmm.OpenMMException, match=problem):
        tools.make_context(three_particles(change), host_platform)


def test_a_single_particle_of_a_type_needs_no_potential_with_itself(tools, host_platform):
    def mixed(force):
        force.setParticleType(0, 1)
        force.setPairCoefficients(0, 1, good_row())

    context = tools.make_context(three_particles(mixed), host_platform, np.eye(3))
    assert tools.evaluate(context)[0] == 0  # farther apart than the cutoff


def test_a_box_that_shrinks(tools, host_platform):
    context = tools.make_context(three_particles(periodic), host_platform, 0.3 * np.eye(3))
    tools.evaluate(context)
    context.setPeriodicBoxVectors([1.79, 0, 0], [0, 3.5, 0], [0, 0, 4])
    problem = r"the cutoff distance, 0\.9 nm, is greater than half of the periodic box, which is 1\.79 x 3\.5 x 4 nm"
    with pytest.raises(openmm.OpenMMException, match=problem):
        tools.evaluate(context)
    context.setPeriodicBoxVectors([1.8, 0, 0], [0, 3.5, 0], [0, 0, 4])
    tools.evaluate(context)


@pytest.mark.parametrize("index", [2**32, -(2**32), 2**31, 10**30, np.int64(2**32 + 1)])
def test_bonds_of_particles_that_need_more_than_32_bits(index):
    force = two_types()
    for _ in range(3):
        force.addParticle(0)
    with pytest.raises(OverflowError, match=f"{index} is no index of a particle: it needs more than 32 bits"):
        force.createExclusionsFromBonds([(index, 2)], 1)
    assert force.getNumExclusions() == 0
    force.createExclusionsFromBonds([(np.int64(0), np.uint8(1))], 2**31 - 1)  # ends when nothing further is bonded
    assert force.getNumExclusions() == 1


def test_wrong_kinds_of_arguments():
    force = two_types()
    for misuse in (
        lambda: force.setPairCoefficients(0, 0, 3.0),
        lambda: force.setPairCoefficients(0, 0, ["a"] * 10),
        lambda: force.createExclusionsFromBonds([(0, 1, 2)], 1),
        lambda: force.createExclusionsFromBonds([(0.5, 1)], 1),
        lambda: force.addParticle("C"),
        lambda: TorchPairForce("text", 1, 0.2, 0.9, KNOTS),
        lambda: TorchPairForce.fromModule(object(), 1, 0.2, 0.9, KNOTS),
    ):
        with pytest.raises((TypeError, ValueError)):
            misuse()
