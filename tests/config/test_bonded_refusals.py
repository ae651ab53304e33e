"""Every mistake in the section `bonded` and in its targets gets one sentence: of the config alone, of the states, and
of the start."""

from __future__ import annotations

import copy

import numpy as np
import openmm as mm
import pytest
from bonded_files import GOOD, write_files

from diffpair import Angle, Bond, Bonded, Dihedral
from diffpair.bonded import HarmonicTerm
from diffpair.config import build_states, load_config
from diffpair.errors import DiffPairError
from diffpair.fit.start.bonded import starting_terms

BOND, ANGLE = "{types: [A, B]}", "{types: A-B-A, nodes: 12}"
SPRING = "form: harmonic, k: 900 kJ/mol/nm^2, x0: 0.4 nm"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("trimers"))


def config(folder, *changes):
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "fit.yaml").write_text(text)
    return load_config(folder / "fit.yaml")


def terms(folder, *changes):
    made = config(folder, *changes)
    states = build_states(made)
    return starting_terms(made.bonded, [s for s in states if not s.held_out], made.starting_point.file)


def test_the_config_is_good(folder):
    bond, angle = terms(folder)
    assert bond.term.kind == ("A", "B") and angle.term.kind == ("A", "B", "A") and len(angle.term.values) == 12


LENGTHS = "must name the 2 types of a bond or the 3 types of an angle or the 4 types of a dihedral"
# what is replaced, by what, the line that the sentence names, and the sentence after it
OF_THE_CONFIG = [
    (BOND, "{types: [A]}", 3, f"bonded[0].types: {LENGTHS}, not 1"),
    (BOND, "{types: A-B-A-B-A}", 3, f"bonded[0].types: {LENGTHS}, not 5"),
    (BOND, "{types: [A, B], form: quartic}", 3, "bonded[0].form: must be 'tabulated' or 'harmonic', not 'quartic'"),
    (BOND, "{types: [A, B], node: 12}", 3, "bonded[0]: unknown key 'node', did you mean 'nodes'?"),
    (ANGLE, "{types: A-B-A, nodes: 3}", 4, "bonded[1].nodes: must lie between 4 and 400, not 3"),
    (ANGLE, "{types: A-B-A, nodes: 1001}", 4, "bonded[1].nodes: must lie between 4 and 400, not 1001"),
    (ANGLE, "{types: A-B-A, nodes: 12, form: harmonic}", 4, "bonded[1]: nodes go with form: tabulated"),
    (ANGLE, "{types: A-B-A-B, form: harmonic}", 4, "bonded[1]: form: a dihedral has no harmonic form; use tabulated"),
    (BOND, "{types: A-B, form: harmonic, k: 900 kJ/mol/nm^2}", 3, "bonded[0]: k and x0 go together"),
    (BOND, f"{{types: A-B, {SPRING}, start: p.json}}", 3, "bonded[0]: k and x0 go with form: harmonic, without start"),
    (BOND, "{types: A-B, k: 900 kJ/mol/nm^2, x0: 0.4 nm}", 3, "bonded[0]: k and x0 go with form: harmonic, without"),
    (BOND, f"{{types: A-B, {SPRING.replace('900', '-900')}}}", 3, "bonded[0]: k: must be positive, not -900 kJ/mol"),
    (BOND, f"{{types: A-B, {SPRING.replace(' kJ/mol/nm^2', '')}}}", 3, "bonded[0]: k: needs a unit, for example '5000"),
    (BOND, f"{{types: A-B, {SPRING.replace('nm^2', 'K')}}}", 3, "bonded[0]: k: 'kJ/mol/K' is not a unit of force"),
    (BOND, f"{{types: A-B, {SPRING.replace('x0: 0.4 nm', 'x0: 0.4')}}}", 3, "bonded[0]: x0: needs a unit, for example"),
    (BOND, f"{{types: A-B, {SPRING.replace('x0: 0.4 nm', 'x0: [1]')}}}", 3, "bonded[0]: x0: must be a number with a"),
    (ANGLE, f"{{types: A-B-A, {SPRING}}}", 4, "bonded[1]: k: 'kJ/mol/nm^2' is not a unit of force constant such as kJ"),
    (BOND, "{types: A-B, fixed: true}", 3, "bonded[0]: fixed: a term that is not learned needs start: FILE, or k and"),
    (BOND, "{types: A-B, fixed: perhaps}", 3, "bonded[0].fixed: must be true or false, not 'perhaps'"),
    (ANGLE, "{types: B-A}", 1, "bonded: the bond A-B is given twice"),
    (ANGLE, "{types: A-A}", 1, "states: 'liquid' has the distribution of A-B-A as a target, but the section bonded has "
     "no such term: add {types: [A, B, A]} to it"),
    ("angle: {types: [A, B, A], file: angle.csv}", "bond: {types: A-B, file: bond.csv}", 1,
     "states: 'liquid' has the distribution of A-B twice"),
    ("angle: {types: [A, B, A], file: angle.csv}", "angle: {types: [A, B], file: angle.csv}", 14,
     "states[0].targets[4].angle.types: must name the 3 types of an angle, not 2"),
    ("angle: {types: [A, B, A], file: angle.csv}", "angle: {types: [A, B, A]}", 14, "states[0].targets[4].angle: "),
    ("sampling:", "update: ibi\nsampling:", 1, "bonded: terms of bonds, angles and dihedrals are learned with update: "
     "gauss-newton and gradient: fluctuation, not with ibi and fluctuation"),
    ("sampling:", "gradient: adjoint\nsampling:", 1, "bonded: terms of bonds, angles and dihedrals are learned with "),
    ("sampling:", "gradient: reweighting\nupdate: adam\nsampling:", 1, "bonded: terms of bonds, angles and dihedrals "),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), OF_THE_CONFIG, ids=range(len(OF_THE_CONFIG)))
def test_refusals_of_the_config(folder, old, new, line, message):
    with pytest.raises(DiffPairError) as refused:
        config(folder, (old, new))
    assert str(refused.value).startswith(f"{folder / 'fit.yaml'}, line {line}: {message}")
    assert "\n" not in str(refused.value)


RDFS = "      - rdf: {pair: [A, A], file: rdf.csv}\n"
OF_THE_STATES = [
    ([(ANGLE, "{types: B-B}"), ("      - angle: {types: [A, B, A], file: angle.csv}\n", "")],
     "bonded: no state has a bond B-B: its bonds are A-B; bonds are those of the structure file (CONECT of a .pdb)"),
    ([(ANGLE, f"{ANGLE}\n  - {{types: A-B-A-B}}")], "bonded: no state has a dihedral A-B-A-B: there are no dihedrals"),
    ([(BOND, f"{BOND}\n  - {{types: B-B}}"),
      ("      - bond:", "      - bond: {types: [B, B], file: bb.csv}\n      - bond:")],
     "bonded: no state has a bond B-B"),
    ([("bond.csv", "none.csv")], "none.csv: no such file; it should hold the distribution of bonds"),
    ([("bond.csv", "angle.csv")], "angle.csv, line 1: the header of a distribution of bonds is r_nm,p_per_nm,error or"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), OF_THE_STATES, ids=range(len(OF_THE_STATES)))
def test_refusals_of_the_states(folder, changes, message):
    with pytest.raises(DiffPairError) as refused:
        build_states(config(folder, *changes))
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_a_distribution_of_what_a_state_does_not_have(folder):
    """The term occurs in another state."""
    second = """\
  - name: other
    system: {topology: trimers.pdb, types: {A1: C, A2: C, B1: C}, masses: 20 amu}
    temperature: 300 K
    targets:
      - rdf: {pair: [C, C], file: rdf.csv}
      - bond: {types: [A, B], file: bond.csv}
sampling:"""
    with pytest.raises(DiffPairError, match=r"bond\.csv: state 'other' has no bond A-B: its bonds are C-C$"):
        build_states(config(folder, ("sampling:", second)))


def compound(energy: str, particles: list[int]) -> mm.Force:
    force = mm.CustomCompoundBondForce(len(particles), energy)
    force.addBond(particles, [])
    return force


def single(kind: type, add: str, *particles: int, parameters: tuple = ("x",)) -> mm.Force:
    force = kind(*parameters)
    getattr(force, add)(*particles)
    return force


BOND_TAKEN, ANGLE_TAKEN = ("bond A-B", "3, 4"), ("angle A-B-A", "3, 4, 5")
TAKEN = [
    (single(mm.HarmonicBondForce, "addBond", 4, 3, 0.4, 900.0, parameters=()), BOND_TAKEN),
    (single(mm.HarmonicAngleForce, "addAngle", 5, 4, 3, 2.0, 50.0, parameters=()), ANGLE_TAKEN),
    (single(mm.CustomBondForce, "addBond", 4, 3, parameters=("r^2",)), BOND_TAKEN),
    (single(mm.CustomAngleForce, "addAngle", 5, 4, 3, parameters=("theta^2",)), ANGLE_TAKEN),
    (compound("distance(p1, p2)^2", [4, 3]), BOND_TAKEN),
    (compound("k*angle( p3,p1,p2 )^2; k=2", [4, 3, 5]), ANGLE_TAKEN),
    (compound("a*r; a=angle(p1,p2,p3); r=distance(p1,p3)", [5, 4, 3]), ANGLE_TAKEN),
    (compound("x1*x2", [4, 3]), BOND_TAKEN),
]


def with_force(folder, force: mm.Force):
    system = mm.System()
    for _ in range(81):
        system.addParticle(20.0)
    system.addForce(copy.deepcopy(force))
    system.setDefaultPeriodicBoxVectors(*(3 * np.eye(3)))
    (folder / "system.xml").write_text(mm.XmlSerializer.serialize(system))
    return config(folder, ("masses: 20 amu", "xml: system.xml"))


@pytest.mark.parametrize(("force", "chain"), TAKEN, ids=range(len(TAKEN)))
def test_what_the_system_does_already_is_not_learned_again(folder, force, chain):
    with pytest.raises(DiffPairError) as refused:
        build_states(with_force(folder, force))
    assert str(refused.value) == (
        f"bonded: the {chain[0]} is to be learned, but the {force.getName()} in the System of state 'liquid' "
        f"acts on the particles {chain[1]} already: remove that force or leave the term out"
    )


@pytest.mark.parametrize(
    "force",
    [compound("distance(p1, p3)^2", [3, 4, 5]), single(mm.CustomBondForce, "addBond", 4, 3, parameters=("0",))],
    ids=["ends", "links"],
)
def test_forces_beside_the_terms_are_none_of_them(folder, force):
    """A length between the ends of an angle is none of its bonds, and bonds without energy do nothing."""
    build_states(with_force(folder, force))


ANGLE_TARGET = "      - angle: {types: [A, B, A], file: angle.csv}\n"
OF_THE_START = [
    ([(ANGLE_TARGET, "")], "bonded: the angle A-B-A has no start: give its distribution as a target of a fitted state, "
     "or start: FILE of a potential or k and x0"),
    ([(BOND, "{types: A-B, start: none.json}")], "none.json: holds no bond A-B, which bonded is to start from"),
    ([(BOND, "{types: A-B, start: terms.json, nodes: 12}")],
     "terms.json: its bond A-B is tabulated with 9 numbers, but bonded wants it tabulated with 12 nodes"),
    ([(ANGLE, "{types: A-B-A, start: terms.json}")],
     "terms.json: its angle A-B-A is harmonic with 2 numbers, but bonded wants it tabulated"),
    ([(BOND, "{types: A-B, start: nowhere.json}")], "nowhere.json: no such potential file"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), OF_THE_START, ids=range(len(OF_THE_START)))
def test_refusals_of_the_start(folder, changes, message):
    with pytest.raises(DiffPairError) as refused:
        terms(folder, *changes)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_terms_start_from_files_and_numbers(folder):
    """Also from the file that the whole fit starts from, where that holds them; else from the target."""
    spring = "{types: A-B-A, form: harmonic, k: 50 kJ/mol/rad^2, x0: 120 degree}"
    bond, angle = terms(folder, (BOND, "{types: A-B, start: terms.json}"), (ANGLE, spring))
    np.testing.assert_array_equal(bond.term.values, np.ones(9))
    assert (angle.term.k, angle.term.x0) == pytest.approx((50.0, 2 * np.pi / 3))
    bond, angle = terms(
        folder, (ANGLE, "{types: A-B-A, form: harmonic}"), ("sampling:", "start: terms.json\nsampling:")
    )
    np.testing.assert_array_equal(bond.term.values, np.ones(9))
    assert angle.term == HarmonicTerm.of("ABA", 50.0, 2.0)
    bond, angle = terms(folder, ("sampling:", "start: none.json\nsampling:"))
    assert len(bond.term.values) == 13 and np.ptp(bond.term.values) > 5


def test_fixed_terms_may_be_without_a_target(folder):
    bond, _ = terms(folder, (BOND, f"{{types: A-B, fixed: true, {SPRING}}}"),
                    ("      - bond: {types: [B, A], file: bond.csv}\n", ""))  # fmt: skip
    assert bond.term.fixed and bond.term.k == 900.0
    assert bond.spread == pytest.approx(np.sqrt(0.0083144626 * 300 / 900.0), rel=1e-6)


PYTHON = [
    (lambda: Bonded(["A"]), f"Bonded: types: {LENGTHS}, not 1"),
    (lambda: Bonded("A-B-B-A", form="harmonic"), "Bonded: form: a dihedral has no harmonic form"),
    (lambda: Bonded("A-B", form="harmonic", k=-1.0, x0=0.3), "Bonded: k: must be positive, not -1"),
    (lambda: Bonded("A-B", form="harmonic", k=float("nan"), x0=0.3), "Bonded: k: must be "),
    (lambda: Bonded("A-B", form="harmonic", k=True, x0=0.3), "Bonded: k: must be a number with a unit"),
    (lambda: Bond("A-B-A", "f.csv"), "Bond: types: must name the 2 types of a bond, not 3"),
    (lambda: Angle("A-B", "f.csv"), "Angle: types: must name the 3 types of an angle, not 2"),
    (lambda: Dihedral("A-B", "f.csv"), "Dihedral: types: must name the 4 types of a dihedral, not 2"),
    (lambda: Dihedral("A-B-B-A"), "Dihedral: "),
]


@pytest.mark.parametrize(("make", "message"), PYTHON, ids=range(len(PYTHON)))
def test_refusals_in_python(make, message):
    with pytest.raises(DiffPairError) as refused:
        make()
    assert str(refused.value).startswith(message) and "\n" not in str(refused.value)
