"""diffpair target: files of g(r) that are made, and that are checked."""

import numpy as np
import pytest
from command_line import run


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
