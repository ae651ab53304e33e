"""The command line: what it prints, and that a problem is one sentence with status 2."""

import dataclasses
import subprocess
import sys

import numpy as np
import openmm
import pytest
from bonded_files import GOOD, write_files
from click.testing import CliRunner

from diffpair import PairTable, PairTableForce
from diffpair.bonded import TabulatedTerm
from diffpair.cli import cli, main

CONFIG = """\
potential: {form: bspline, cutoff: 2.5 nm, knots: 60}
states:
  - name: liquid
    system: {lattice: {n: 500, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}
    temperature: 120.27 K
    targets: [rdf: {pair: [A, A], file: rdf.csv}]
sampling: {timestep: 5 fs}
"""


@pytest.fixture
def folder(tmp_path):
    r = 0.8 + 0.05 * np.arange(50)
    (tmp_path / "rdf.csv").write_text("\n".join(f"{x:.3f} {float(x > 0.95)}" for x in r))
    (tmp_path / "fit.yaml").write_text(CONFIG)
    coefficients = np.zeros((3, 62))
    coefficients[:, :10] = np.random.default_rng(1).normal(size=(3, 10))
    PairTable(("A", "B"), 0.7, 2.5, coefficients, {"T": 1.5}).save(tmp_path / "p.json", provenance={"by": "test"})
    return tmp_path


def run(capsys, *arguments):
    """Status, stdout, stderr of the entry point itself."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return end.value.code, output.out, output.err


def test_help_lists_all_commands():
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for name in ("fit", "target", "map", "audit", "report", "compare", "validate", "export", "import"):
        assert f"\n  {name} " in result.output
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_version(capsys):
    status, out, _ = run(capsys, "--version")
    assert status == 0 and out.startswith("diffpair ")


def test_validate_config(capsys, folder):
    status, out, err = run(capsys, "validate", folder / "fit.yaml")
    assert (status, err) == (0, "")
    assert "state liquid: 500 particles, 0.845 per nm^3, 120.27 K" in out
    assert "g(r) of A-A: 50 bins of 0.05 nm, 0.775 to 3.275 nm" in out
    assert "gradient: fluctuation; update: gauss-newton, 10 iterations" in out


def test_validate_vacf(capsys, folder):
    (folder / "vacf.csv").write_text("\n".join(f"{0.01 * k} {0.9**k}" for k in range(51)))
    text = CONFIG.replace("targets: [", "targets: [vacf: {file: vacf.csv}, ")
    (folder / "fit.yaml").write_text(text + "gradient: {method: adjoint, learn_friction: 2 /ps}\n")
    status, out, err = run(capsys, "validate", folder / "fit.yaml")
    assert (status, err) == (0, "")
    assert "C(t)/C(0) of the velocities: 51 lags of 0.01 ps, to 0.5 ps" in out


def test_validate_potential(capsys, folder):
    status, out, err = run(capsys, "validate", folder / "p.json")
    assert (status, err) == (0, "")
    assert "types: A, B" in out and "cutoff 2.5 nm, 60 knots" in out and "tabulated at T = 1.5" in out
    assert out.count("pair ") == 3


def bonded_potential(folder):
    write_files(folder)
    terms = (*PairTable.load(folder / "terms.json").bonded, TabulatedTerm(("A", "B", "A", "B"), np.cos(np.arange(9))))
    table = PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)), bonded=terms)
    table.save(folder / "bonded.json")
    return table


def test_validate_bonded_terms(capsys, folder):
    bonded_potential(folder)
    status, out, err = run(capsys, "validate", folder / "bonded.json")
    assert (status, err) == (0, "")
    assert "bond A-B: tabulated at 9 nodes from 0.3 to 0.5 nm, lowest at 0.3 nm" in out
    assert "angle A-B-A: harmonic, k 50 kJ/mol/rad^2, x0 114.59 degree" in out
    assert "dihedral A-B-A-B: tabulated at 9 nodes from -180 to 180 degree, lowest at -60 degree" in out
    (folder / "trimers.yaml").write_text(GOOD)
    status, out, err = run(capsys, "validate", folder / "trimers.yaml")
    assert status == 0 and "bonded: bond A-B, tabulated\nbonded: angle A-B-A, tabulated\n" in out
    assert "  angle A-B-A: 40 bins of 2.781 degree, 68.75 to 180 degree (" in out
    for name, message in (("none.txt", "no such potential file"), ("rdf.csv", "not a potential file")):
        (folder / "trimers.yaml").write_text(
            GOOD.replace("{types: [A, B]}\n", f"{{types: [A, B], start: {name}}}\n", 1)
        )
        status, _, err = run(capsys, "validate", folder / "trimers.yaml")
        assert status == 2 and f"{name}: {message}" in err


def test_exports_say_what_they_leave_out(capsys, folder):
    table = bonded_potential(folder)
    for kind, told in (("openmm", True), ("openmm-custom", True), ("lammps", False), ("potential", False)):
        status, out, _ = run(capsys, "export", folder / "bonded.json", "--format", kind, "--out", folder / "x")
        assert status == 0 and ("left out: bond A-B, angle A-B-A, dihedral A-B-A-B (" in out) == told
    assert PairTable.load(folder / "x") == table


def test_warnings_are_one_line(capsys, folder):
    (folder / "rdf.csv").write_text((folder / "rdf.csv").read_text().replace(" 1.0", " 3.0"))
    status, _, err = run(capsys, "validate", folder / "fit.yaml")
    assert status == 0
    assert err.startswith("diffpair: warning: ") and "should approach 1" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["validate", "none.json"], "none.json: no such potential file"),
        (["validate", "none.yaml"], "none.yaml: no such config file"),
        (["fit", "none.yaml", "--out", "out"], "none.yaml: no such config file"),
        (["fit", "fit.yaml", "--out", "p.json"], "p.json: is a file, but --out needs a folder"),
        (["fit", "broken.yaml", "--out", "out"], "broken.yaml, line 1: potential.cutoff: needs a unit"),
        (["fit", "lost.yaml", "--out", "out"], "lost.csv: no such file"),
        (["fit", "fit.yaml", "--out", "out", "--resume"], "out holds no fit to resume"),
        (["validate", "module.yaml"], "no.pt: no such file; it should hold the potential's TorchScript module"),
        (["validate", "start.yaml"], "no.json: no such potential file"),
        (
            ["export", "fit.yaml", "--format", "lammps", "--out", "x"],
            "fit.yaml: not a potential file but a fit's config: diffpair fit makes",
        ),
        (["export", "p.json", "--format", "lammps", "--out", "no/x"], "no/x: cannot be written"),
        (["target", "t.dcd", "--select", "name O", "--r-max", "1", "--out", "x"], "--r-max: needs a unit"),
        (["target", "t.dcd", "--select", "name O", "--r-max", "1 nm", "--out", "x"], "t.dcd: no such trajectory"),
    ],
)
def test_a_problem_is_one_sentence(capsys, folder, monkeypatch, arguments, sentence):
    monkeypatch.chdir(folder)
    (folder / "broken.yaml").write_text(CONFIG.replace("2.5 nm", "2.5"))
    (folder / "lost.yaml").write_text(CONFIG.replace("rdf.csv", "lost.csv"))
    (folder / "module.yaml").write_text(CONFIG.replace("form: bspline", "module: no.pt"))
    (folder / "start.yaml").write_text(CONFIG + "start: no.json\n")
    status, out, err = run(capsys, *arguments)
    assert status == 2 and out == ""
    assert err.startswith("diffpair: ") and err.count("\n") == 1 and sentence in err and "Traceback" not in err
    assert "--resume" not in arguments or not (folder / "out").exists()


def test_an_interrupted_fit_says_how_to_go_on(capsys, folder, monkeypatch):
    import diffpair.config
    from diffpair.fit.record.checkpoint import CHECKPOINT

    for made, sentence in (
        (False, "interrupted"),
        (True, "interrupted; my out keeps what is finished; go on with: diffpair --debug fit fit.yaml --out 'my out' "
               "--resume --workers 1 --task-timeout 2.5"),
    ):  # fmt: skip

        class Interrupted:
            def __init__(self, _config, made=made, **how):
                assert how["task_timeout"] == 2.5 and how["executor"].count == 1
                self.made = made

            def interrupt(self):
                pass

            def run(self, out, resume):
                assert not resume
                if self.made:
                    out.mkdir()
                    (out / CHECKPOINT).touch()
                raise KeyboardInterrupt

        monkeypatch.setattr(diffpair.config, "make_fit", Interrupted)
        monkeypatch.chdir(folder)
        options = ["--out", "my out", "--workers", "1", "--task-timeout", "2.5"]
        status, _, err = run(capsys, "--debug", "fit", "fit.yaml", *options)
        assert status == 130 and f"diffpair: {sentence}" in err and ("resume" in err) == made


@pytest.mark.parametrize("arguments", [["fit", "fit.yaml"], ["nonsense"], ["export", "p.json", "--format", "x"]])
def test_wrong_usage(capsys, arguments):
    status, _, err = run(capsys, *arguments)
    assert status == 2 and "Error: " in err and "Traceback" not in err


def test_debug_shows_the_traceback(capsys):
    status, _, err = run(capsys, "--debug", "validate", "none.json")
    assert status == 2 and "Traceback" in err and "no such potential file" in err


def _raise(error):
    def command(*_args, **_options):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (openmm.OpenMMException("Particle 3:\n wrong"), 2, "diffpair: Particle 3: wrong\n"),
        (KeyboardInterrupt(), 130, "diffpair: interrupted\n"),
        (KeyboardInterrupt("do go on"), 130, "diffpair: interrupted; do go on\n"),
        (PermissionError(13, "Permission denied", "a.part", None, "a"), 2, "diffpair: a: Permission denied\n"),
        (MemoryError("of 9 TB"), 2, "diffpair: there is not enough memory for this: of 9 TB\n"),
        (
            ModuleNotFoundError("No module", name="torch"),
            2,
            "torch is needed for this command: pip install 'diffpair[learn]'",
        ),
        (
            ZeroDivisionError("oh"),
            1,
            "this is a defect of DiffPair, please report it: ZeroDivisionError: oh; 'diffpair --debug",
        ),
    ],
)
def test_other_errors(capsys, monkeypatch, error, status, sentence):
    from diffpair.cli import validate

    monkeypatch.setattr(validate.command, "callback", _raise(error))
    code, _, err = run(capsys, "validate", "x")
    assert code == status and sentence in err and "Traceback" not in err


def test_export_to_openmm(capsys, folder):
    status, out, _ = run(capsys, "export", folder / "p.json", "--format", "openmm", "--out", folder / "p.xml")
    assert status == 0 and "p.xml: openmm form of" in out
    force = PairTableForce.cast(openmm.XmlSerializer.deserialize((folder / "p.xml").read_text()))
    table = PairTable.load(folder / "p.json")
    assert (force.getNumTypes(), force.getNumKnots()) == (2, 60)
    assert force.getTable().coefficients.tobytes() == table.coefficients.tobytes()


def test_export_to_lammps(capsys, folder):
    status, _, _ = run(
        capsys, "export", folder / "p.json", "--format", "lammps", "--points", "500", "--out", folder / "t"
    )
    assert status == 0
    table = PairTable.load(folder / "p.json")
    lines = (folder / "t").read_text().splitlines()
    assert lines[0] == "# UNITS: real" and "# pair_coeff 1 2 t A_B 25" in lines
    for a, b in table.pairs:
        start = lines.index(f"{a}_{b}")
        assert lines[start + 1] == "N 500 RSQ 0.5 25" and lines[start + 2] == ""
        rows = np.array([line.split() for line in lines[start + 3 : start + 503]], dtype=float)
        np.testing.assert_array_equal(rows[:, 0], np.arange(1, 501))
        r = rows[:, 1] / 10
        np.testing.assert_allclose(rows[:, 2] * 4.184, table.energy(r, a, b), atol=1e-8)
        np.testing.assert_allclose(rows[:, 3] * 41.84, table.force(r, a, b), atol=1e-7)


def test_target_writes_a_file_that_can_be_fitted(capsys, tmp_path):
    import mdtraj

    from diffpair.targets import read_rdf

    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for _ in range(40):
        topology.add_atom("O", mdtraj.element.oxygen, topology.add_residue("HOH", chain))
    xyz = 2.0 * np.random.default_rng(0).random((12, 40, 3))
    box = np.full((12, 3), 2.0)
    traj = mdtraj.Trajectory(xyz, topology, unitcell_lengths=box, unitcell_angles=np.full((12, 3), 90.0))
    traj.save_pdb(str(tmp_path / "t.pdb"))
    arguments = ["--select", "name O", "--r-min", "2 angstrom", "--r-max", "1 nm", "--bin-width", "0.1 nm"]
    status, out, err = run(capsys, "target", tmp_path / "t.pdb", *arguments, "--out", tmp_path / "g.csv")
    assert (status, err) == (0, "") and "g.csv: g(r) in 8 bins from 12 frames" in out
    assert (tmp_path / "g.csv").read_text().splitlines()[:2] == [
        "# diffpair target: 'name O' with 'name O', 12 frames of t.pdb",
        "# pairs: the 780 more than 3 bonds of the topology apart; 0 are left out",
    ]
    target = read_rdf(tmp_path / "g.csv", ("O", "O"))
    assert target.edges[0] == pytest.approx(0.2) and target.r_max == pytest.approx(1.0)
    assert np.abs(target.g - 1).max() < 0.3
    written = (tmp_path / "g.csv").read_bytes()
    for unit in ("angstrom", "0.1 nm"):
        options = ["--length-unit", unit, "--exclude-bonds", "3", "--out", tmp_path / "g.csv"]
        assert run(capsys, "target", tmp_path / "t.pdb", *arguments, *options)[0] == 0
        assert (tmp_path / "g.csv").read_bytes() == written
    for wrong, message in (("3 kg", "'kg' is not a unit of length"), ("-1 nm", "must be positive, not -1 nm")):
        options = ["--length-unit", wrong, "--out", tmp_path / "g.csv"]
        status, _, err = run(capsys, "target", tmp_path / "t.pdb", *arguments, *options)
        assert status == 2 and "--length-unit" in err and message in err


def test_target_check_draws_what_was_understood(capsys, tmp_path, monkeypatch):
    from matplotlib.image import imread

    monkeypatch.chdir(tmp_path)
    r = 0.2 + 0.2 * np.arange(60)
    g = np.where(r > 2.9, 1 + 1.5 * np.exp(-((r - 3.2) ** 2) / 0.1), 0.0)
    rows = [f"{x:.1f};{y:.4f};{z:.3f}".replace(".", ",") for x, y, z in zip(r, g, 0.02 + 0 * r, strict=True)]
    (tmp_path / "g.csv").write_text("\n".join(["r;A-B;sigma", *rows]))
    status, out, err = run(capsys, "target", "--check", "g.csv")
    assert (status, err) == (0, "")
    for said in (
        "columns: r is column 1 'r', g column 2 'A-B', its error column 3 'sigma'\n",
        "unit of r: nm, taken for granted, no header says so\n",
        "grid: 60 bins of 0.2 nm, 0.1 to 12.1 nm, as in the file\n",
        "neighbours: from r = 3 nm; highest g = 2.5 at 3.2 nm\n",
        "tail: g averages 1 over the last fifth of r (1 is right)\n",
        "standard error of g: 0.02 in the middle, 0.02 at most\n",
        "note: commas are decimals\n",
        "note: if r is in angstrom (r_unit: angstrom), neighbours begin at 0.3 nm instead\n",
        "drawn in g.csv.png\n",
    ):
        assert said in out
    bars = next(line for line in out.splitlines() if line.startswith("g: ")).removeprefix("g: ")
    assert len(bars) == 60 and set(bars[:14]) == {"▁"} and bars[15] == "█"
    assert np.ptp(imread(tmp_path / "g.csv.png")) > 0.5
    options = ["--r-unit", "angstrom", "--columns", "g=A-B, error=none", "--out", "figure.png"]
    status, out, err = run(capsys, "target", *options, "--check=g.csv")
    assert (status, err) == (0, "") and "unit of r: angstrom, as --r-unit says" in out and "standard error" not in out
    assert "to 1.21 nm" in out and (tmp_path / "figure.png").is_file()
    first = 0.05 + 0.1 * np.arange(90)  # Angstrom; in nm the first edge is 1e-18 by rounding
    np.savetxt("first.csv", np.column_stack([first, np.where(first > 3, 1.0, 0.0)]), "%.6g", ",")
    assert "90 bins of 0.01 nm, 0 to 0.9 nm" in run(capsys, "target", "--check", "first.csv", "--r-unit", "angstrom")[1]
    for wrong, said in (
        (["--columns", "g"], "--columns: 'g' should be r, g or error"),
        (["--columns", "g=C-C"], "has no column named 'C-C' for g; the columns are 'r', 'A-B', 'sigma'"),
        (["--block", "first"], "--block: must be a number from 1, last or average, not 'first'"),
        (["--r-unit", "pm"], "nearer than any two atoms can be"),
    ):
        status, _, err = run(capsys, "target", "--check", "g.csv", *wrong)
        assert status == 2 and said in err


def test_as_a_program(folder):
    """A real process: status and streams, and that a light command loads no torch."""
    code = "import sys; from diffpair.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    for arguments, status in ((["validate", "p.json"], 0), (["validate", "fit.yaml"], 0), (["validate", "x.json"], 2)):
        result = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == status, result.stderr
        assert "Traceback" not in result.stderr


def test_export_at_another_temperature(capsys, folder):
    table = PairTable.load(folder / "p.json")
    with_entropy = dataclasses.replace(
        table, global_parameters={"temperature": 300.0}, entropy=1e-3 * table.coefficients
    )
    with_entropy.save(folder / "t.json")
    arguments = ("export", folder / "t.json", "--format", "potential", "--out", folder / "hot.json", "--temperature")
    assert run(capsys, *arguments, "400 K")[0] == 0
    hot = PairTable.load(folder / "hot.json")
    np.testing.assert_allclose(hot.coefficients, 0.9 * table.coefficients, atol=1e-12)
    assert hot.global_parameters == {"temperature": 400.0}
    for wrong, message in (("400", "needs a unit"), ("-3 K", "must be positive")):
        status, _, error = run(capsys, *arguments, wrong)
        assert status == 2 and f"--temperature of {folder / 't.json'}" in error and message in error
    status, _, error = run(capsys, "export", folder / "p.json", *arguments[2:], "400 K")
    assert status == 2 and "does not depend on temperature" in error
