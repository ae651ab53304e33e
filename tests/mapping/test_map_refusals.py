"""Everything that is wrong with a map: one sentence that names file, line, key and the bead or atom."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
import yaml
from tests.support.mapped import ARGON, BUTANE, MAP, WATER, topology_of

from diffpair.errors import DiffPairError
from diffpair.mapping import MapSettings, load_map
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.kinds import find_kinds
from diffpair.mapping.structure import check_neutral

REMOVE = object()


def changed(**changes):
    """MAP with the values at paths such as molecules__0__beads__1__type."""
    document = copy.deepcopy(MAP)
    for path, value in changes.items():
        *keys, last = [int(key) if key.isdigit() else key for key in path.split("__")]
        place = document
        for key in keys:
            place = place[key]
        if value is REMOVE:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return document


def written(tmp_path, document):
    path = tmp_path / "map.yaml"
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": REMOVE}, "the key 'temperature' is missing"),
        ({"temperature": 300}, "temperature: needs a unit, for example '300 K'"),
        ({"pressure": "1 nm"}, "pressure: 'nm' is not a unit of pressure such as bar"),
        ({"molecules": []}, "molecules: must have 1 or more entries"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"molecules__0__beads": []}, r"molecules\[0\]\.beads: must have 1 or more entries"),
        ({"molecules__0__residue": REMOVE}, r"molecules\[0\]: must hold either 'residue' or 'select'"),
        ({"molecules__0__select": "all"}, r"molecules\[0\]: must hold either 'residue' or 'select'"),
        ({"molecules__0__beads__0__select": "all"}, r"beads\[0\]: must hold either 'atoms' or 'select'"),
        ({"molecules__0__beads__0__atoms": []}, r"beads\[0\]\.atoms: must have 1 or more entries"),
        ({"molecules__0__beads__0__centre": "middle"}, "centre: must be 'mass' or 'geometry', not 'middle'"),
        ({"molecules__0__beads__1__name": "L"}, "two beads are called 'L': give every bead of a molecule a 'name'"),
        ({"molecules__0__beads__0__name": "LEFTY"}, "'LEFTY' must be 4 characters or fewer"),
        ({"molecules__1__beads__0__type": "water"}, "needs a 'name' of 4 characters or fewer, since 'water' is longer"),
        ({"molecules__0__beads__0__type": "A-B"}, "'A-B' is no name of a type"),
        ({"molecules__0__beads__0__type": "../A"}, "'../A' is no name of a type"),
        ({"molecules__0__name": "BUTA"}, "name: 'BUTA' must be 3 characters or fewer"),
        ({"molecules__0__bonds": [["L", "Q"]]}, "bonds: 'Q' is no bead; allowed are L, R"),
        ({"molecules__0__bonds": [["L", "L"]]}, r"bonds: \[L, L\] joins a bead with itself"),
        ({"molecules__0__bonds": [["L", "R"], ["R", "L"]]}, r"bonds: \[R, L\] is given twice"),
        ({"molecules__0__bonds": [["L"]]}, "must have 2 or more entries"),
        ({"molecules__1__beads__0__name": "L"}, "the bead 'L' is of type 'A' in one kind and of 'W' in another"),
        ({"charges": {"Q": 1}}, "charges: 'Q' is no type of a bead; allowed are"),
        ({"masses": {"C1": "-1 amu"}}, "masses.C1: must not be negative"),
        ({"masses": {"C1": 15}}, "masses.C1: needs a unit, for example '15.035 amu'"),
        ({"exclude_bonds": -1}, "exclude_bonds: must be 0 or more"),
        ({"intramolecular": "maybe"}, "intramolecular: must be true or false"),
    ],
)
def test_maps_that_are_wrong(tmp_path, changes, message):
    with pytest.raises(DiffPairError, match=message) as refusal:
        load_map(written(tmp_path, changed(**changes)))
    assert re.match(r".*map\.yaml, line \d+: ", str(refusal.value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a\n", "is no map: it has no keys such as 'temperature:' and 'molecules:'"),
        ("a: [", "is not valid YAML"),
    ],
)
def test_files_that_are_no_maps(tmp_path, text, message):
    with pytest.raises(DiffPairError, match=message):
        load_map(written(tmp_path, text))
    with pytest.raises(DiffPairError, match="no such map file"):
        load_map(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"molecules__0__residue": "BTU"}, r"line 3: molecules\[0\]\.residue: there is no molecule 'BTU';"),
        ({"molecules__1__residue": "WAT"}, r"no molecule 'WAT'; mdtraj reads BUT, HOH, AR"),
        (
            {"molecules__0": {"select": "name C9", "name": "X", "beads": MAP["molecules"][0]["beads"]}},
            r"molecules\[0\]\.select: the selection 'name C9' matches none",
        ),
        (
            {"molecules__2": {"select": "name C1 ???", "name": "X", "beads": MAP["molecules"][0]["beads"]}},
            r"molecules\[2\]\.select: 'name C1 \?\?\?' is not a selection",
        ),
        (
            {"molecules__2": {"select": "element H", "name": "X", "beads": MAP["molecules"][0]["beads"]}},
            r"molecules\[2\]: the molecule of residue BUT\d+ is of this kind and of BUT: a molecule has one kind",
        ),
        (
            {"molecules": [{"select": "element H", "name": "X", "beads": MAP["molecules"][0]["beads"]}]},
            "have the same atoms in the same order, but those of residues BUT0 and HOH2 differ, in BUT-C1 and HOH-O",
        ),
        (
            {"molecules__0__beads__1__atoms": ["C2", "C3", "H3", "C4", "H4"]},
            r"beads\[1\]: the atom BUT-C2 is in the bead 'R' and in 'L', but an atom has one bead",
        ),
        ({"molecules__0__beads__1__atoms": ["C3", "C3"]}, r"beads\[1\]\.atoms: the bead 'R' names the atom C3 twice"),
        (
            {"molecules__0__beads__1__atoms": ["C33"]},
            r"beads\[1\]\.atoms: the molecule has no atom 'C33'",
        ),
        (
            {"molecules__1__beads__0": {"type": "W", "select": "name N"}},
            r"beads\[0\]\.select: the bead 'W' has no atoms: the selection 'name N' matches none of the 3 atoms",
        ),
        (
            {"molecules__0__beads__1__atoms": ["C3", "C4"]},
            r"molecules\[0\]\.beads: the masses do not add up: 2 of the 8 atoms of BUT are in no bead \(H3, H4\): put",
        ),
        ({"molecules__0__leave_out": ["H4"]}, r"leave_out\[0\]: the atom H4 is left out and in the bead 'R'"),
        ({"molecules__0__leave_out": ["H9"]}, r"leave_out\[0\]: the molecule has no atom 'H9'"),
        ({"masses": {"C9": "12 amu"}}, r"masses\.C9: no atom of the molecules is called so"),
        ({"masses": {"O": "0 amu", "H1": "0 amu", "H2": "0 amu"}}, r"\[1\]\.beads\[0\]: the bead 'W' has no mass"),
        ({"molecules__1__name": "WAT"}, r"molecules\[1\]\.name: 'WAT' is a residue that OpenMM and mdtraj know"),
        ({"molecules__1__name": "BUT"}, r"molecules\[1\]: two kinds are called 'BUT': give one another 'name'"),
        ({"molecules__0__bonds": []}, r"molecules\[0\]\.bonds: no bond joins R to L, so nothing would hold"),
    ],
)  # fmt: skip
def test_maps_that_do_not_fit_the_topology(tmp_path, changes, message):
    topology = topology_of((BUTANE, 2), (WATER, 2), (ARGON, 1))
    with pytest.raises(DiffPairError, match=message) as refusal:
        find_kinds(topology, load_map(written(tmp_path, changed(**changes))))
    assert re.match(r".*map\.yaml, line \d+: ", str(refusal.value))


def test_bonds_that_the_topology_does_not_have():
    topology = topology_of(((*BUTANE[:2], [], BUTANE[3]), 2))
    with pytest.raises(DiffPairError, match=r"no bond joins R to L \(the topology has no bonds between their atoms\)"):
        find_kinds(topology, MapSettings(**changed(molecules=MAP["molecules"][:1])))


def test_molecules_with_other_bonds_are_not_of_one_kind():
    topology = topology_of((BUTANE, 1), ((*BUTANE[:2], BUTANE[2][:-1], BUTANE[3]), 1))
    with pytest.raises(DiffPairError, match="the molecules BUT have the same atoms, but not the same bonds"):
        find_kinds(topology, MapSettings(**changed(molecules=MAP["molecules"][:1])))


def test_an_atom_without_a_mass():
    dummy = ("DUM", [("X1", "VS")], [], [[0, 0, 0]])
    molecules = [{"residue": "DUM", "beads": [{"type": "D", "atoms": ["X1"]}]}]
    with pytest.raises(
        DiffPairError,
        match=r"molecules\[0\]\.beads\[0\]: mdtraj does not know the mass of the atom DUM-X1: give it, masses: "
        r"\{X1: 15\.035 amu\}, or 0 amu for a virtual site",
    ):
        find_kinds(topology_of((dummy, 1)), MapSettings(temperature=300, molecules=molecules))
    given = MapSettings(temperature=300, molecules=molecules, masses={"X1": "9 amu"})
    assert find_kinds(topology_of((dummy, 1)), given)[0].mass == 9


def test_united_atoms_are_asked_about():
    united = ("BUT", [("C1", "C"), ("C2", "C")], [(0, 1)], [[0, 0, 0], [0.15, 0, 0]])
    molecules = [{"residue": "BUT", "beads": [{"type": "A", "atoms": ["C1", "C2"]}]}]
    with pytest.warns(UserWarning, match=r"BUT have carbon and no hydrogen.*masses: \{C1: 14\.027 amu\}"):
        find_kinds(topology_of((united, 1)), MapSettings(temperature=300, molecules=molecules))


def test_a_name_that_several_atoms_have():
    topology = topology_of((BUTANE, 2))
    atoms = list(topology.atoms)
    topology.add_bond(atoms[6], atoms[8])
    beads = [{"type": "A", "name": "L", "atoms": ["C1"]}, {"type": "A", "name": "R", "select": "resid 1"}]
    section = {"residue": "BUT", "beads": beads, "leave_out": ["H1"]}
    with pytest.raises(
        DiffPairError, match=r"2 atoms of the molecule are called 'C1', in residues BUT0, BUT1: .*'resid 0 and name C1'"
    ):
        find_kinds(topology, MapSettings(temperature=300, molecules=[section]))
    beads[0] = {"type": "A", "name": "L", "select": "resid 0"}
    (kind,) = find_kinds(topology, MapSettings(temperature=300, molecules=[{"residue": "BUT", "beads": beads}]))
    assert kind.molecules.shape == (1, 16) and kind.bonds.tolist() == [[0, 1]]
    np.testing.assert_array_equal(kind.beads[1].atoms, np.arange(8, 16))


def test_charges_that_do_not_add_up(tmp_path):
    settings = load_map(written(tmp_path, changed(charges={"W": 0.5})))
    beads = BeadMap(find_kinds(topology_of((BUTANE, 1), (WATER, 3)), settings))
    with pytest.raises(DiffPairError, match=r"map\.yaml, line \d+: charges: those of all beads add up to 1\.5 e"):
        check_neutral(beads, settings)


def test_names_by_default():
    topology = topology_of((BUTANE, 1), (WATER, 1))
    settings = MapSettings(
        temperature=300,
        molecules=[
            {"residue": "BUT", "beads": [{"type": "A", "select": "all"}]},
            {"residue": "HOH", "beads": [{"type": "W", "select": "all"}]},
        ],
    )
    assert [kind.name for kind in find_kinds(topology, settings)] == ["BUT", "W"]
    with pytest.raises(DiffPairError, match="give the kind a 'name' of 3 characters or fewer"):
        beads = [{"type": "O", "atoms": ["O"]}, {"type": "H", "atoms": ["H1", "H2"]}]
        find_kinds(topology, MapSettings(temperature=300, molecules=[{"residue": "HOH", "beads": beads}]))
