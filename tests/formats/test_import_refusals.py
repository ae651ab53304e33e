"""Files that cannot be imported: one sentence each, which names the file, and status 2."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.cli import main

ROWS = "\n".join(f"{k} {0.5 + 0.1 * k:.1f} {20 - k}.0 10.0" for k in range(1, 21))
SECTION = f"LJ\nN 20\n\n{ROWS}\n"
REAL = "# UNITS: real\n"
COLUMNS = [f"{0.3 + 0.05 * k:.2f},{(20 - k) ** 2}" for k in range(21)]
BLOCK = "#UF3 POT UNITS: metal\n2B A A 0 3 uk\n8 11\n0 0 0 0 2 4 6 8 8 8 8\n7\n4 2 1 1 0 0 0\n#\n"


def columns(**changes):
    lines = list(COLUMNS)
    for place, text in changes.items():
        lines[int(place[1:])] = text
    return "\n".join(lines)


CASES = {
    "empty": ("u.csv", "", "u.csv: an empty file"),
    "blank": ("u.csv", " \n\n", "u.csv: an empty file"),
    "binary": ("u.csv", "\0\1\2" * 50, "u.csv: is not a text file"),
    "words": ("u.csv", "this is\nno table\n", "u.csv: holds no rows of numbers"),
    "a word": ("u.csv", columns(_4="0.50,abc"), "u.csv, line 5: 'abc' is not a number"),
    "three columns": ("u.csv", columns(_4="0.50,256,1"), "u.csv, line 5: has 3 columns, but 2 are expected"),
    "one column": ("u.csv", columns(_4="0.50"), "u.csv, line 5: has 1 columns, but 2 are expected"),
    "r falls": ("u.csv", columns(_4="0.40,1"), "u.csv, line 5: r does not rise: 0.4 follows 0.45"),
    "r twice": ("u.csv", columns(_4="0.45,1"), "u.csv, line 5: r does not rise: 0.45 follows 0.45"),
    "negative r": ("u.csv", columns(_0="-0.3,1"), "u.csv, line 1: r is -0.3, but a distance is 0 or more"),
    "nan": ("u.csv", columns(_4="0.50,nan"), "u.csv, line 5: U is nan, not a finite number"),
    "inf": ("u.csv", columns(_4="0.50,1e999"), "u.csv, line 5: U is inf, not a finite number"),
    "few rows": ("u.csv", "0.3,1\n0.4,0\n", "u.csv: U has 2 rows, too few for a potential"),
    "unknown columns": ("u.csv", "r,U,weight\n" + "\n".join(f"{c},1" for c in COLUMNS), "column 'weight' is neither U"),
    "no r": ("u.csv", "x,U,F\n" + "\n".join(f"{c},1" for c in COLUMNS), "the first column must be r, not 'x'"),
    "the same name": ("u.csv", "r,U,U\n" + "\n".join(f"{c},1" for c in COLUMNS), "two columns have the same name"),
    "no units": ("t", SECTION, "t: does not say its units: give LAMMPS's unit style by --units"),
    "unknown units": ("t", "# UNITS: si\n" + SECTION, "t: the unit style must be real, metal, nano or lj, not 'si'"),
    "other units": ("t --units metal", REAL + SECTION, "t: says that its units are real, not metal"),
    "lj without scales": ("t", "# UNITS: lj\n" + SECTION, "t: units lj have no size of their own"),
    "units of gromacs": (
        "t.xvg --units real",
        "0 1 2\n",
        "t.xvg: --units is for lammps, uf3, csv, but this file is read as",
    ),
    "two sections": (
        "t",
        REAL + SECTION + SECTION.replace("LJ", "MORSE"),
        "several potentials are there (LJ, MORSE): say",
    ),
    "the same section": ("t", REAL + SECTION + SECTION, "t: two potentials have the name LJ"),
    "no such section": ("t --pair A A X", REAL + SECTION, "--pair A A X: there is no potential of that name, but LJ"),
    "a pair is missing": ("t --pair A A LJ --pair A B LJ", REAL + SECTION, "no potential of the pair B-B is given"),
    "a pair twice": ("t --pair A B LJ --pair B A LJ", REAL + SECTION, "the pair B-A is given twice"),
    "type and pair": ("t --pair A A LJ --type A", REAL + SECTION, "--type is for a file with one potential"),
    "cut short": ("t", REAL + SECTION[:-60], "t: the section LJ should have 20 rows, but the file ends after"),
    "no N": ("t", REAL + SECTION + "MORSE\nR 1 2\n", "a section 'MORSE' of a LAMMPS table should begin here"),
    "no number of rows": ("t --units real", "LJ\nN x\n", "a section 'LJ' of a LAMMPS table should begin here"),
    "negative N": ("t --units real", SECTION.replace("N 20", "N -20"), "a section 'LJ' of a LAMMPS table should"),
    "bitmap": ("t", REAL + SECTION.replace("N 20", "N 20 BITMAP 1 2"), "t: LJ is a BITMAP table"),
    "R without ends": ("t", REAL + SECTION.replace("N 20", "N 20 R 1 x"), "t: LJ has no two distances after R"),
    "five columns": ("t", REAL + SECTION.replace(" 10.0", " 10.0 1"), "line 5: has 5 columns, but 4 are expected"),
    "xvg of four": ("t.xvg", "0 1 2 3\n", "t.xvg: a table of GROMACS has 7 columns, or 2 or 3 (r, U, -dU/dr), not 4"),
    "xvg of none": ("t.xvg", "# nothing\n", "t.xvg: a table of GROMACS has 7 columns"),
    "both g and h": ("t.xvg", "\n".join(f"{k} 0 0 {k} 1 {k} 1" for k in range(9)), "t.xvg: has values of both g and h"),
    "three bodies": ("t", BLOCK.replace("2B A A", "3B A A A"), "t, line 2: has terms of three bodies"),
    "uf3 cut short": ("t", BLOCK.rpartition("4 2 1")[0], "t, line 2: a block of uf3 should have five lines"),
    "knots and coefficients": (
        "t",
        BLOCK.replace("\n7\n", "\n6\n"),
        "t, line 5: 11 knots and 6 coefficients are no spline",
    ),
    "knots that fall": ("t", BLOCK.replace("2 4 6", "4 2 6"), "t, line 4: knots must rise"),
    "one knot": ("t", BLOCK.replace("0 0 0 0 2 4 6 8 8 8 8", "8 " * 11), "t, line 4: knots must rise"),
    "too few coefficients": (
        "t",
        BLOCK.replace("4 2 1 1 0", "4 2 1 1"),
        "t, line 6: has 6 columns, but 7 are expected",
    ),
    "many knots": ("u.csv --knots 500", columns(), "A-A: 11 rows from 0.8 to 1.3 nm do not say what U is at 500 knots"),
    "no counts": ("t", BLOCK.replace("\n8 11\n", "\n8 nan\n"), "t, line 5: nan knots and 7 coefficients are no spline"),
    "no coefficients": ("t", BLOCK.replace("4 2 1 1", "4 nan 1 1"), "t, line 6: U is nan, not a finite number"),
    "few knots": ("u.csv --r-min 2nm", columns(), "r_min = 2.0 nm and cutoff = 1.3 nm must obey"),
    "a long cutoff": ("u.csv --cutoff 2nm", columns(), "the cutoff 2 nm is beyond the last row, which is at 1.3 nm"),
    "no unit of length": (
        "u.csv --length-unit kg",
        columns(),
        "--length-unit: 'kg' is not a unit of length such as nm",
    ),
    "no unit": ("u.csv --energy-unit foo", columns(), "--energy-unit: 'foo' is not a unit"),
    "a sigma alone": ("u.csv --sigma 0.3nm", columns(), "--sigma and --epsilon are for units lj: add --units lj"),
    "two units": ("u.csv --units real --length-unit nm", columns(), "--units and --length-unit or --energy-unit say"),
    "no file": ("none.csv", None, "none.csv: no such file"),
    "an empty folder": (".", None, "a folder without files table_*.xvg"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence(capsys, monkeypatch, tmp_path, case):
    arguments, text, sentence = CASES[case]
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / arguments.split()[0]).write_text(text)
    with pytest.raises(SystemExit) as end:
        main(["import", *arguments.split(), "--out", "p.json"])
    error = capsys.readouterr().err
    assert end.value.code == 2 and sentence in error and error.count("\n") == 1, error
    assert not (tmp_path / "p.json").exists()


def test_random_damage_is_one_sentence_too(capsys, monkeypatch, tmp_path):
    """Bytes changed anywhere in files of each kind: an import or a sentence, never a traceback."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(5)
    for name, text in (
        ("t", REAL + SECTION),
        ("b", BLOCK),
        ("u.csv", columns()),
        ("g.xvg", columns().replace(",", " ")),
    ):
        for _ in range(60):
            data = bytearray(text.encode())
            for place in random.integers(0, len(data), 3):
                data[place] = random.choice(list(b"0123456789 .-\nNe#A"))
            (tmp_path / name).write_bytes(data)
            with pytest.raises(SystemExit) as end:
                main(["import", name, "--out", "p.json"])
            error = capsys.readouterr().err
            assert end.value.code in (0, 2), error + data.decode()
