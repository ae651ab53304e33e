"""What a LAMMPS input script may not hold as a state of a fit: refused with its place, or LAMMPS' own words."""

from __future__ import annotations

import pytest
from lammps_trimers import ALONE, PAIRS, write_trimers

from diffpair.errors import DiffPairError
from diffpair.lammps import described
from diffpair.lammps.script import InputScript
from diffpair.states import State

TYPES = {1: "A", 2: "B"}
LJ = {"pair_style": "pair_style lj/cut 9.0", "pair_coeff": "pair_coeff * * 0.1 3.0"}
MIXED = {"pair_style": "pair_style lj/cut 9.0", "pair_coeff": "pair_coeff 1 1 0.1 3.0\npair_coeff 2 2 0.2 3.5"}


def refused(folder, message, lines=PAIRS, types=TYPES, extra="", old="", new="", **options):
    script = write_trimers(folder, **lines)
    text = script.read_text()
    assert old in text
    script.write_text(text.replace(old, new) + extra)
    with pytest.raises(DiffPairError, match=message):
        State.from_lammps(script, types, **({"temperature": 300} | options))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DiffPairError, match=r"in\.nowhere: no such LAMMPS input script$"):
        State.from_lammps(tmp_path / "in.nowhere", TYPES, temperature=300)
    refused(tmp_path, r"in\.also: no such LAMMPS input script$", extra="include in.also\n")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("run 1000\n", r"in\.trimers, line 16: run: the fit itself takes the steps, so take this command out; a stru"),
        ("minimize 0 0 10 &\n  10\n", r"line 16: minimize: the fit itself takes the steps"),
        ("clear\n", r"line 16: clear: a fit goes on with what the script has made; take this command out$"),
        # commands that only LAMMPS sees, and no steps of which it may take
        (
            'variable a equal 2\nif "${a} > 1" then "run 1"\n',
            r"line 17: it has LAMMPS take steps, but these are the fit's",
        ),
    ],
)
def test_steps_are_the_fits(extra, message, tmp_path):
    refused(tmp_path, message, extra=extra)


def test_steps_in_a_file_that_it_includes(tmp_path):
    (tmp_path / "more.in").write_text("# one\nrun 1\n")
    refused(tmp_path, r"more\.in, line 2: run: the fit", extra="include more.in\n")
    (tmp_path / "more.in").write_text("include more.in\n")
    refused(tmp_path, r"more\.in, line 1: it includes itself by more\.in$", extra="include more.in\n")


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ({1: "A"}, r"types: atom type 2 is missing, LAMMPS has 2 of them here; those that take no part"),
        ({1: "A", 2: "B", 3: "C"}, r"types: 3 is no atom type, LAMMPS has 2 of them here$"),
        (
            {"A": "A", "*": "B"},
            r"(?s)types: 'A' is neither the number nor a label of an atom type; its last lines:.*ERROR",
        ),
        ({"*": None}, r"types leaves all atom types out$"),
        (None, r"types is missing: the type of the potential for each atom type of LAMMPS, such as types: \{1: A, 2"),
    ],
)
def test_types(types, message, tmp_path):
    refused(tmp_path, message, types=types)


def test_types_that_are_named_twice(tmp_path):
    lines = {"pair_style": "pair_style diffpair", "pair_coeff": "pair_coeff * * learned.json A B"}
    refused(tmp_path, "its pair_coeff of style diffpair names the types already: leave out types$", lines)
    lines["pair_coeff"] = ""
    refused(tmp_path, r"line 4: it has pair_style diffpair, which needs one pair_coeff .* but there are 0$", lines)
    lines["pair_coeff"] = "pair_coeff * * learned.json A"
    refused(tmp_path, r"(?s)line 7: LAMMPS stopped at 'pair_coeff .*names 1 types of .* for 2 atom", lines, None)


def test_what_no_fit_can_use(tmp_path):
    refused(
        tmp_path,
        "units lj, and a fit needs to know how large they are: use real, metal or nano",
        old="units real",
        new="units lj",
    )
    refused(
        tmp_path, "a box that is not periodic in three", old="atom_style full", new="atom_style full\nboundary p p f"
    )
    npt = "fix 1 all npt temp 300 300 100 iso 1 1 1000"
    refused(
        tmp_path,
        "a fix that changes the box: say which pressure it holds, such as pressure: 1 bar",
        old="fix 1 all nve",
        new=npt,
    )
    refused(tmp_path, "no fix that changes the box, but a pressure is given", pressure="1 bar")
    refused(tmp_path, "neigh_modify exclude for types or groups", extra="neigh_modify exclude type 1 1\n")
    refused(tmp_path, "no fix of it moves the atoms: add one with a", extra="unfix 1\nunfix 2\n")
    refused(
        tmp_path, "IDs of its 191 atoms are not 1 to 191", extra="group one id 5\ndelete_atoms group one bond yes\n"
    )
    refused(tmp_path, "exclude_bonds: LAMMPS knows of bonds up to three apart, not 4$", exclude_bonds=4)
    refused(tmp_path, "exclude_bonds leaves pairs 2 bonds apart .* but special_bonds lj is 0 there", exclude_bonds=1)
    refused(tmp_path, "temperature of -1 K: it must be positive", temperature=-1)


def test_pair_styles_that_nothing_can_be_put_on_top_of(tmp_path):
    lines = {"pair_style": "pair_style hybrid lj/cut 9.0", "pair_coeff": "pair_coeff * * lj/cut 0.1 3.0"}
    refused(tmp_path, r"line 4: the learned pair cannot be put on top of pair_style hybrid: use hybrid/overlay", lines)
    lines = {"pair_style": "variable s index coul/cut\npair_style ${s} 9.0", "pair_coeff": "pair_coeff * *"}
    refused(tmp_path, r"line 5: write out the name of the pair_style, \$\{s\}, so that", lines)
    refused(tmp_path, "its pair_style lj/cut mixes the coefficients of the types 1-2, which LAMMPS does not do", MIXED)
    with pytest.MonkeyPatch.context() as patch:  # were it not told, energies would
        patch.setattr(described, "_check_mixing", lambda script, own: None)
        refused(tmp_path, r"its energy is -?[\d.]+ instead of -?[\d.]+: name diffpair in the script itself", MIXED)
    script = write_trimers(tmp_path, **LJ)
    assert State.from_lammps(script, TYPES, temperature=300).pairs_act


def test_what_would_bring_a_pair_style_unseen(tmp_path):
    refused(tmp_path, r"line 16: include: what is in that file has to be seen", extra="include ${x}\n")
    refused(tmp_path, r"line 16: jump: what is in that file has to be seen", extra="jump other.in\n")
    refused(tmp_path, r"line 6: read_restart: it may bring a pair style", ALONE, old="read_data", new="read_restart")
    later = 'if "1 > 0" then "pair_style zero 10.0" "pair_coeff * *"\n'
    refused(tmp_path, "its pair_style is zero in the end, where diffpair should be: give it by", ALONE, extra=later)
    special = "pair_modify pair diffpair special lj 0 0 0\n"
    lines = {"pair_style": "pair_style diffpair", "pair_coeff": "pair_coeff * * learned.json A B"}
    refused(tmp_path, "line 16: pair_modify: which pairs the learned pair leaves out is said by", lines, None, special)


def test_coefficients_in_the_data_file_are_none_beside_another_style(tmp_path):
    """LAMMPS takes them with one style, and refuses them with several: its words, the place, and ours."""
    script = write_trimers(tmp_path, **{**LJ, "pair_coeff": ""})
    data = tmp_path / "trimers.data"
    data.write_text(data.read_text() + "\nPairIJ Coeffs\n\n1 1 0.1 3.0\n1 2 0.1 3.0\n2 2 0.1 3.0\n")
    with pytest.raises(
        DiffPairError,
        match=r"(?s)line 6: LAMMPS stopped at 'read_data trimers.data' where pair_style hybrid.overlay has",
    ):
        State.from_lammps(script, TYPES, temperature=300)


@pytest.mark.parametrize("command", ["lmp", "mpiexec -n 2 lmp"])
def test_an_error_of_lammps_is_told_with_its_line(command, tmp_path):
    message = (
        r"(?s)^state 'script': .*in\.trimers, line 16: LAMMPS stopped at 'fix 3 all nonsense'; its last lines:.*ERROR"
    )
    refused(tmp_path, message, lines=ALONE, extra="fix 3 all nonsense  # of no use\n", command=command)


def test_a_script_is_read_as_lammps_reads_it(tmp_path):
    """Continued lines, comments, quotes, text in three quotes, and what only writes is left out."""
    script = tmp_path / "in.x"
    script.write_text(
        "# run 5\n\nvariable x string 'a # b' # c\npair_style lj/cut &  \n  9.0 # d\npair_coeff 1 1 &\n 0.1 &\n 3\n"
        'print """one\nrun 3\ntwo"""\ndump d all atom 1 x.dump\nread_data x.data\n'
    )
    read = InputScript(script)
    assert [(line.number, line.words) for line in read.lines] == [
        (3, ("variable", "x", "string", "a # b")),
        (4, ("pair_style", "lj/cut", "9.0")),
        (6, ("pair_coeff", "1", "1", "0.1", "3")),
        (9, ("print", "one\nrun 3\ntwo")),
        (13, ("read_data", "x.data")),
    ]
    lines = [
        line for line in read.with_pair("f.json", ["A"], (0.0, 0.0, 1.0)) if not line.startswith('print "diffpair')
    ]
    assert lines[1:3] == ["pair_style hybrid/overlay lj/cut 9.0 diffpair", "pair_coeff 1 1 lj/cut 0.1 3"]
    assert lines[4].splitlines() == [
        "read_data x.data",
        'pair_coeff * * diffpair "f.json" A',
        "pair_modify pair diffpair special lj 0 0 1",
    ]
