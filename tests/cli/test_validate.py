"""diffpair validate: what a config or a potential file holds."""

from bonded_files import GOOD
from command_line import CONFIG, bonded_potential, run


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


def test_warnings_are_one_line(capsys, folder):
    (folder / "rdf.csv").write_text((folder / "rdf.csv").read_text().replace(" 1.0", " 3.0"))
    status, _, err = run(capsys, "validate", folder / "fit.yaml")
    assert status == 0
    assert err.startswith("diffpair: warning: ") and "should approach 1" in err and err.count("\n") == 1
