"""The command line with wrong words: exit status 2 and one sentence, never a traceback nor "a defect of DiffPair"."""

import json
import re

import pytest
from hostile import CURVE, POTENTIAL
from refused_config import GOOD

from diffpair.cli import main

EXPORT = "export p.json --out o --format"
IMPORT = "import g.csv --out o.json"
CHECK = "target --check g.csv"
RUN = "run folder --steps 10 --out o"
# words, what stands in folder/summary.json, the sentence
COMMANDS = [
    ("validate folder", "", "folder: holds no potential.json, so it is not the folder of a fit"),
    ("validate /dev/null", "", "/dev/null: is empty"),
    ("validate none.json", "", "none.json: no such potential file"),
    (f"validate {'x' * 300}", "", "File name too long"),
    ("export none.json --format csv --out o", "", "none.json: no such potential file"),
    ("export g.csv --format csv --out o", "", "g.csv: not a potential file but columns of numbers"),
    (f"{EXPORT} csv --points 100000000000", "", "Invalid value for '--points': 100000000000 is not in the range"),
    (f"{EXPORT} lammps --units lj --sigma 9**9**9nm --epsilon 1kJ/mol", "", r"--sigma: '\*\*9\*\*9nm' is not a unit"),
    (f"{EXPORT} lammps --units lj --sigma 0nm --epsilon 1kJ/mol", "", "--sigma must be positive, not 0nm"),
    (f"{EXPORT} potential --temperature nanK", "", "must be a number with a unit such as '350 K', not 'nanK'"),
    (f"{EXPORT} potential --temperature 300K", "", "does not depend on temperature: it has no entropy"),
    ("export p.json --format csv --out no/where", "", "no/where: cannot be written: No such file or directory"),
    ("import p.json --out o.json", "", "p.json: holds no rows of numbers"),
    (f"{IMPORT} --knots 2000000000", "", "knots = 2000000000 is too many"),
    (f"{IMPORT} --r-min 5nm", "", "r_min = 5.0 nm and cutoff = 1.18 nm must obey"),
    (f"{IMPORT} --cutoff 1e300nm", "", r"the cutoff 1e\+300 nm is beyond the last row"),
    (f"{IMPORT} --length-unit 9**9**9", "", r"--length-unit: '\*\*9\*\*9' is not a unit"),
    (f"{IMPORT} --energy-unit nm", "", "--energy-unit: 'nm' is not a unit of energy"),
    (f"{IMPORT} --type ", "", "--type must be the name of a type, not empty"),
    (f"{CHECK} --columns r=99", "", "has no column 99 for r, but 2 columns"),
    (f"{CHECK} --columns r={'9' * 5000}", "", "has no column named '9+[.]{3} for r"),
    (f"{CHECK} --block {'9' * 5000}", "", "--block: must be a number from 1, last or average, not '9+[.]{3}"),
    (f"{CHECK} --block ²", "", "--block: must be a number from 1, last or average, not '²'"),
    (f"{CHECK} --out g.doc", "", "--out: g.doc must end in one of .png, .pdf"),
    (f"{CHECK} --out no/g.png", "", "no/g.png: No such file or directory"),
    (f"{CHECK} --r-unit 9^9^9", "", r"'\^9\^9' is not a unit"),
    ("target --check p.json", "", "p.json: holds no columns of numbers"),
    (RUN, "[]", "summary.json: cannot be read"),
    (RUN, "[" * 100_000, "summary.json: cannot be read"),
    (RUN, "\udcff", "summary.json: cannot be read: 'utf-8' codec"),
    (f"{RUN} --replicate ²", "{}", "--replicate must be a number of copies such as 2, or 5x2x1, not '²'"),
    (f"{RUN} --timestep 5", "{}", "--timestep.*needs a unit"),
    (f"{RUN} --seed 99999999999", "{}", "Invalid value for '--seed'"),
    ("fit p.json --out o", "", "p.json, line 1: unknown key 'format'"),
    ("fit fit.yaml --out p.json", "", "p.json: is a file, but --out needs a folder"),
    ("fit fit.yaml --out o --resume", "", "o holds no fit to resume: o/checkpoint.pt does not exist"),
    ("audit p.json --out o", "", "p.json, line 1: unknown key 'format'"),
    ("fits fit.yaml", "", "No such command 'fits'"),
]


@pytest.mark.parametrize(("words", "summary", "said"), COMMANDS, ids=[row[0][:40] for row in COMMANDS])
@pytest.mark.timeout(60)
def test_refusals(tmp_path, monkeypatch, capfd, words, summary, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(POTENTIAL)
    (tmp_path / "g.csv").write_text(CURVE)
    (tmp_path / "fit.yaml").write_text(GOOD.replace("rdf.csv", "g.csv").replace("0.75 nm, 3.3", "0.1 nm, 1.1"))
    (tmp_path / "folder").mkdir()
    if summary:
        (tmp_path / "folder" / "summary.json").write_bytes(summary.encode(errors="surrogateescape"))
    with pytest.raises(SystemExit) as ended:
        main(words.split(" "))
    written = capfd.readouterr().err
    assert ended.value.code == 2, written
    assert re.search(said, written), written
    assert "Traceback" not in written and "defect" not in written


def test_a_run_that_another_hand_changed(tmp_path):
    from diffpair.errors import DiffPairError
    from diffpair.model.simulation import SETTINGS, STATE, Conditions

    (tmp_path / STATE).write_text("")
    for text in (
        "[" * 100_000,
        json.dumps({"replicate": 3}),
        json.dumps({"replicate": [1, 1, 1], "steps": 3}),
        "9" * 5000,
    ):
        (tmp_path / SETTINGS).write_text(text)
        with pytest.raises(DiffPairError, match="cannot be read"):
            Conditions.read(tmp_path)
