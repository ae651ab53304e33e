"""The potential file: bit-exact round trips, a reader written from the specification alone, and every refusal."""

import json
import os

import numpy as np
import openmm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diffpair import PairTableForce
from diffpair.errors import DiffPairError
from diffpair.formats.lammps import lammps_table
from diffpair.formats.uf3 import uf3_file
from diffpair.formats.units import units_of_style
from diffpair.tables import PairTable, read_document

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def tables(draw):
    types = draw(st.lists(st.text(min_size=1, max_size=4).filter(str.isprintable), min_size=1, max_size=3, unique=True))
    npairs = len(types) * (len(types) + 1) // 2
    knots = draw(st.integers(5, 12))
    inner = draw(arrays(np.float64, (npairs, knots - 1), elements=FINITE))
    r_min = draw(st.floats(0, 1e3))
    cutoff = draw(st.floats(1.0001 * r_min + 1e-6, 1e4))
    parameters = draw(st.dictionaries(st.sampled_from(["T", "lambda"]), FINITE))
    return PairTable(tuple(types), r_min, cutoff, np.pad(inner, ((0, 0), (0, 3))), parameters)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(tables())
def test_round_trip_is_bit_exact(tmp_path, table):
    path = tmp_path / "p.json"
    table.save(path)
    loaded = PairTable.load(path)
    assert loaded.coefficients.tobytes() == table.coefficients.tobytes()
    assert loaded == table
    first = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == first


def simple(**change):
    document = {
        "format": "diffpair-potential",
        "version": 1,
        "units": {"length": "nm", "energy": "kJ/mol"},
        "types": ["A", "B"],
        "r_min": 0.5,
        "cutoff": 0.9,
        "knots": 5,
        "pairs": [
            {"types": ["A", "A"], "coefficients": [8.0, 2.0, -1.0, -0.25, 0, 0, 0]},
            {"types": ["A", "B"], "coefficients": [9.0, 2.0, -1.0, -0.25, 0, 0, 0]},
            {"types": ["B", "B"], "coefficients": [1.0, 2.0, -1.0, -0.25, 0, 0, 0]},
        ],
    }
    return document | change


def write(path, document):
    path.write_text(json.dumps(document))
    return path


def test_pairs_may_come_in_any_order_and_direction(tmp_path):
    document = simple()
    shuffled = [document["pairs"][2], {**document["pairs"][1], "types": ["B", "A"]}, document["pairs"][0]]
    one = PairTable.load(write(tmp_path / "a.json", document))
    assert one == PairTable.load(write(tmp_path / "b.json", simple(pairs=shuffled)))
    assert one.energy(0.5, "A", "B") == pytest.approx((9 + 8 - 1) / 6)


def test_provenance_and_fit_errors_are_kept(tmp_path):
    path = tmp_path / "p.json"
    table = PairTable(("A",), 0.1, 1.0, np.zeros((1, 8)), {"temperature": 300.0})
    table.save(path, provenance={"file": tmp_path, "n": np.int64(3)}, fit={"mae": np.float64(0.01), "g": np.ones(2)})
    document = read_document(path)
    assert document["provenance"] == {"file": str(tmp_path), "n": 3}
    assert document["fit"] == {"mae": 0.01, "g": [1.0, 1.0]}
    assert PairTable.load(path).global_parameters == {"temperature": 300.0}


def test_a_failed_save_keeps_the_old_file(tmp_path):
    path = tmp_path / "p.json"
    table = PairTable(("A",), 0.1, 1.0, np.zeros((1, 8)))
    table.save(path)
    before = path.read_bytes()
    for bad in ({"mae": float("nan")}, {"mae": object()}):
        with pytest.raises(DiffPairError, match=r"p\.json: cannot be written as a potential file"):
            table.save(path, fit=bad)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["p.json"]


def test_save_into_a_missing_folder(tmp_path):
    with pytest.raises(DiffPairError, match=r"nowhere/p\.json: cannot be written: No such file"):
        PairTable(("A",), 0.1, 1.0, np.zeros((1, 8))).save(tmp_path / "nowhere" / "p.json")


def _pairs(index, **change):
    pairs = simple()["pairs"]
    pairs[index] = pairs[index] | change
    return {"pairs": pairs}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "x"}, 'not a potential file but of the format "x": "format" must be "diffpair-potential"'),
        ({"version": 2}, '"version" is 2, but this DiffPair reads version 1'),
        ({"version": True}, '"version" is True'),
        ({"units": {"length": "angstrom", "energy": "kJ/mol"}}, '"units" must be'),
        ({"types": []}, '"types" must be a list of type names'),
        ({"types": ["A", "A"]}, '"types" names a type twice'),
        ({"r_min": "0.5"}, '"r_min" must be a number, not "0.5"'),
        ({"r_min": True}, '"r_min" must be a number'),
        ({"r_min": 1.0}, "r_min < cutoff"),
        ({"cutoff": 10**400}, '"cutoff" must be a finite number'),
        ({"knots": 5.5}, '"knots" must be a positive integer'),
        ({"knots": 6}, r'"pairs\[0\].coefficients" must be knots \+ 2 = 8 numbers, but there are 7 numbers'),
        ({"cutoff": 1e160}, "cutoff = 1e.160 nm must be from 1e-06 to 1e.06 nm"),
        ({"knots": 2 * 10**9}, "knots = 2000000000 is too many: a table can have at most 1000000"),
        ({"types": [str(i) for i in range(100_000)]}, "a table has 4096 types at most, not 100000"),
        ({"types": [str(i) for i in range(4000)], "knots": 100}, "4000 types with 100 knots is too large"),
        ({"extra": 1}, 'unknown key "extra"'),
        ({"pairs": simple()["pairs"][:2]}, '"pairs" has no potential for the type pair B-B'),
        ({"pairs": {}}, '"pairs" must be a list'),
        (_pairs(1, types=["A", "A"]), r'"pairs\[1\]" gives the pair A-A a second time'),
        (_pairs(1, types=["A", "C"]), r"""names 'C', which is not one of "types" \["A", "B"\]"""),
        (_pairs(1, types=["A"]), r'"pairs\[1\].types" must name two types'),
        (_pairs(0, more=1), r'"pairs\[0\]" must hold "types" and "coefficients" and nothing else'),
        (_pairs(2, coefficients=[0, 0, "x", 0, 0, 0, 0]), r'"pairs\[2\].coefficients\[2\]" must be a number, not "x"'),
        (_pairs(2, coefficients=[0, 0, 0, 0, 0, 0, 1]), "last three coefficients of the pair B-B must be 0"),
        ({"global_parameters": {"T": None}}, '"global_parameters.T" must be a number'),
        ({"provenance": []}, '"provenance" must be an object'),
    ],
)
def test_refusals(tmp_path, change, message):
    path = write(tmp_path / "p.json", simple(**change))
    with pytest.raises(DiffPairError, match=message) as error:
        PairTable.load(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["units", "types", "r_min", "cutoff", "knots", "pairs"])
def test_missing_key(tmp_path, key):
    document = simple()
    del document[key]
    with pytest.raises(DiffPairError, match=f'p.json: the key "{key}" is missing'):
        PairTable.load(write(tmp_path / "p.json", document))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_not_finite(tmp_path, word):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(simple()).replace("8.0", word, 1))
    with pytest.raises(DiffPairError, match=f"p.json: holds {word}, but every number must be finite"):
        PairTable.load(path)


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "p.json"
    text = json.dumps(simple())
    for length in range(7, len(text), 7):
        for end in ("", "\n", 8 * "\0"):  # zeros: a file system that lost power
            path.write_text(text[:length] + end)
            with pytest.raises(DiffPairError, match=r"p\.json: a damaged potential file: it ends too early"):
                PairTable.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a potential file but an empty file"),
        (b"[]", r"not a potential file but \[\]"),
        (b"{} {}", "not a potential file but damaged JSON of another kind: Extra data, line 1"),
        (b'{"name": "cg", "version": [1, 2', r"damaged JSON of another kind: it ends too early"),
        (b'{"name": "cg", "version": 2}', r'not a potential file but JSON with the keys \["name", "version"\]'),
        (b'{"states": [], "files": {"potential": "potential.json"}}', r"a fit's summary, whose potential is .*l\.json"),
        (b'{"format": "diffpair-potential", "version" 1}', "a damaged potential file: Expecting ':' delimiter, line 1"),
        (b'{"format": "diffpair-potential", "types": ["\xe9"]}', "a damaged potential file: byte 44 is no UTF-8"),
        (b'{"format": 1, "format": 2}', 'the key "format" appears twice'),
        (b"[" * 100_000, "nested too deeply|damaged JSON"),
        ("{}".encode("utf-16"), "not a potential file but UTF-16 text"),
        (b"\x1f\x8b\x08\0", "compressed by gzip"),
        (b"\0\1\2", "binary data"),
        (b"U = 4 epsilon", "text of another kind"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"<?xml version='1.0'?>\n<!-- <System> -->\n<ForceField></ForceField>", r"force field in XML: openmm\.app\."),
        (b"<votca><r>1</r></votca>", "not a potential file but XML$"),
        (b"# r, U\n0.1, 2.0\n0.2, 1.0\n", "columns of numbers"),
        (b'@    title "Radial distribution"\n0.002 0.0\n', r"a GROMACS \.xvg file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a pointer of Git LFS"),
    ],
)
def test_not_a_potential(tmp_path, content, message):
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(DiffPairError, match=message) as error:
        PairTable.load(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_files_that_other_programs_made(tmp_path):
    torch = pytest.importorskip("torch")
    table = PairTable(("A",), 0.1, 1.0, np.zeros((1, 8)))
    force = PairTableForce.fromTable(table)
    module = torch.jit.script(torch.nn.Linear(1, 1))
    np.savez(tmp_path / "npz", table.coefficients)
    np.save(tmp_path / "npy", table.coefficients)
    torch.jit.save(module, str(tmp_path / "jit"))
    torch.save(module.state_dict(), tmp_path / "weights")
    torch.save(module.state_dict(), tmp_path / "old", _use_new_zipfile_serialization=False)
    (tmp_path / "force").write_text(openmm.XmlSerializer.serialize(force))
    (tmp_path / "system").write_text(openmm.XmlSerializer.serialize(openmm.System()))
    (tmp_path / "lammps").write_text(lammps_table(table))
    (tmp_path / "uf3").write_text(uf3_file(table, units_of_style("real"))[0])
    for name, words in {
        "npz.npz": r"NumPy arrays \(\.npz\)",
        "npy.npy": "a NumPy array",
        "jit": "a TorchScript module: a config's",
        "weights": r"a file of torch\.save",
        "old": "a Python pickle",
        "force": "OpenMM's XML of a PairTableForce: openmm.XmlSerializer.deserialize reads it",
        "system": "OpenMM's XML of a System",
        "lammps": r"a LAMMPS table \(pair_style table\): diffpair import makes a potential of it",
        "uf3": r"a file of LAMMPS's pair_style uf3: diffpair import",
    }.items():
        with pytest.raises(DiffPairError, match=f"{name}: not a potential file but {words}"):
            PairTable.load(tmp_path / name)


def test_byte_order_mark(tmp_path):
    path = write(tmp_path / "p.json", simple())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert PairTable.load(path).types == ("A", "B")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DiffPairError, match=r"none\.json: no such potential file"):
        PairTable.load(tmp_path / "none.json")
    with pytest.raises(DiffPairError, match="cannot be read: Is a directory$"):
        PairTable.load(tmp_path)
    write(tmp_path / "potential.json", simple())
    with pytest.raises(DiffPairError, match=r"Is a directory; the potential of a fit in it is .*potential\.json$"):
        PairTable.load(tmp_path)
