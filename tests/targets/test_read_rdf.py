"""Reading g(r): what is accepted, onto which grid it comes, and every refusal with the sentence it gets."""

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.observables.pair_histogram import count_types
from diffpair.targets import check_unit, read_rdf

R = 0.2 + 0.02 * np.arange(50)
G = 1 - np.exp(-(((R - 0.15) / 0.1) ** 4)) + 1.5 * np.exp(-(((R - 0.3) / 0.03) ** 2))


def write(path, rows, header="r,g"):
    path.write_text("\n".join([header, *rows] if header else rows) + "\n")
    return path


def rows(r=R, *columns, separator=","):
    return [separator.join(f"{value:.6f}" for value in row) for row in zip(r, *(columns or (G,)), strict=True)]


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("r,g", ","),
        ("", ","),
        ("", " "),
        ("# a comment\n\nr g", "\t"),
        ("@ title\nr (nm); g", " ; "),
        ("\ufeffr,g", ", "),
    ],
)
def test_formats(tmp_path, header, separator):
    target = read_rdf(write(tmp_path / "g.csv", rows(separator=separator), header), ("A", "B"))
    np.testing.assert_allclose(target.r, R, atol=1e-12)
    np.testing.assert_allclose(target.g, G, atol=1e-6)
    assert target.pair == ("A", "B") and target.error is None and target.file == tmp_path / "g.csv"
    assert target.bin_width == pytest.approx(0.02) and target.r_max == pytest.approx(R[-1] + 0.01)
    assert len(target.edges) == len(R) + 1 and target.edges[0] == pytest.approx(0.19)


def test_errors_and_units(tmp_path):
    target = read_rdf(write(tmp_path / "g", rows(10 * R, G, 0.01 * G), "r,g,error"), ("A", "A"), r_unit="angstrom")
    np.testing.assert_allclose(target.r, R, atol=1e-7)
    np.testing.assert_allclose(target.error, 0.01 * G, atol=1e-6)


def test_range_selects_bins(tmp_path):
    target = read_rdf(write(tmp_path / "g", rows()), ("A", "A"), r_range=(0.3, 0.6))
    np.testing.assert_allclose(target.r, R[5:21], atol=1e-12)


def test_rounded_even_grid_stays(tmp_path):
    r = 0.0255 * (np.arange(60) + 0.5)
    text = [f"{a:.3f} {1.0 if a > 0.3 else 0.0}" for a in r]
    target = read_rdf(write(tmp_path / "g", text, ""), ("A", "A"))
    np.testing.assert_allclose(target.r, r, atol=6e-4)
    assert len(target.r) == 60


def test_bin_at_zero_is_dropped(tmp_path):
    r = 0.02 * np.arange(50)
    target = read_rdf(write(tmp_path / "g", rows(r, np.where(r > 0.3, 1.0, 0.0))), ("A", "A"))
    assert target.r[0] == pytest.approx(0.02) and target.edges[0] == pytest.approx(0.01)


def test_uneven_grid_is_interpolated(tmp_path):
    r = np.concatenate([np.linspace(0.1, 0.5, 60), np.linspace(0.55, 1.0, 10)])
    g = np.interp(r, R, G, left=0)
    target = read_rdf(write(tmp_path / "g", rows(r, g)), ("A", "A"), r_range=(0.2, 0.9))
    # The lower quartile of the spacings is the fine part's, 0.4 / 59 nm.
    assert target.bin_width == pytest.approx(0.4 / 59, rel=0.02)
    # The grid spans the rows within the range; those outside are not looked at.
    assert target.edges[0] == pytest.approx(0.1 + 15 * 0.4 / 59, abs=1e-5) and target.r_max == pytest.approx(0.9)
    np.testing.assert_allclose(target.g, np.interp(target.r, r, g), atol=1e-4)


def test_bin_width_of_the_user(tmp_path):
    target = read_rdf(write(tmp_path / "g", rows()), ("A", "A"), bin_width=0.05)
    assert target.bin_width == pytest.approx(0.05) and target.edges[0] == pytest.approx(0.2)
    with pytest.raises(DiffPairError, match=r"a bin width of 0\.5 nm leaves fewer than 8 bins"):
        read_rdf(tmp_path / "g", ("A", "A"), bin_width=0.5)


def changed(index, text):
    lines = rows()
    lines[index] = text
    return lines


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no columns of numbers"),
        (changed(3, "0.26,abc"), r"line 5: g = 'abc' is not a number"),
        (changed(3, "abc,0.1"), r"line 5: r = 'abc' is not a number"),
        (changed(3, "0.26,"), r"line 5: g = '' is not a number"),
        (changed(3, "0.26"), r"line 5: has 1 column"),
        (changed(3, "1,2,3,4"), r"line 5: has 4 column"),
        (changed(3, "0,26;1,0"), r"line 5: '0,26;1,0' has both , and ; \(decimals need a point\)"),
        (changed(3, "0.26,1.0,0.1"), r"line 5: has 3 columns, but line 4 has 2"),
        (changed(3, "0.26,nan"), r"line 5: g = nan is not a finite number"),
        (changed(3, "0.26,inf"), r"line 5: g = inf is not a finite number"),
        (changed(3, "0.26,-0.1"), r"line 5: g = -0\.1 is negative"),
        (changed(0, "-0.2,0.1"), r"line 2: r = -0\.2 is negative"),
        (changed(3, "nan,0.1"), r"line 5: r = nan is not a finite number"),
        (changed(3, "0.26,0.1 0.2"), r"line 5: g = '0\.1 0\.2' is not a number"),
        (rows()[:7], r"has only 7 points, but a target needs at least 8"),
        (rows(R, 0 * R), r"g is 0 everywhere"),
    ],
)
def test_refusals(tmp_path, lines, message):
    path = write(tmp_path / "g.csv", lines)
    with pytest.raises(DiffPairError, match=message) as error:
        read_rdf(path, ("A", "A"))
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"# only\n", "is empty"), (b"\xff\xfe\x00", "not a text file"), (None, "no such file")],
)
def test_no_rdf_at_all(tmp_path, content, message):
    path = tmp_path / "g.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DiffPairError, match=f"g.csv: .*{message}"):
        read_rdf(path, ("A", "A"))


def test_folder(tmp_path):
    with pytest.raises(DiffPairError, match="is a folder"):
        read_rdf(tmp_path, ("A", "A"))


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (-0.1, 0.5), (0.6, 0.5)])
def test_bad_range(tmp_path, low, high):
    with pytest.raises(DiffPairError, match="must obey 0 <= low < high"):
        read_rdf(write(tmp_path / "g", rows()), ("A", "A"), r_range=(low, high))


def test_empty_range(tmp_path):
    with pytest.raises(
        DiffPairError, match=r"only 0 points lie in the range \[2 nm, 3 nm\].*covers 0\.2 nm to 1\.18 nm"
    ):
        read_rdf(write(tmp_path / "g", rows()), ("A", "A"), r_range=(2, 3))


def test_wrong_unit_hidden_by_the_range(tmp_path):
    path = write(tmp_path / "g", rows(10 * R, np.where(R > 0.25, 1.0, 0.0)))
    with pytest.raises(DiffPairError, match=r"only 0 points .* \(is r_unit = nm right\?\)"):
        read_rdf(path, ("A", "A"), r_range=(0.2, 0.9))
    fine = write(tmp_path / "g", rows(0.05 * np.arange(1, 100), np.where(np.arange(1, 100) > 50, 1.0, 0.0)))
    with pytest.raises(DiffPairError, match=r"g is 0 everywhere between .* \(is r_unit = nm right\?\)"):
        read_rdf(fine, ("A", "A"), r_range=(0.2, 0.9))


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("furlongs per", "'furlongs per' is not a unit"),
        ("K", "'K' is not a unit of length"),
        ("pm", "nearer than any two"),
    ],
)
def test_bad_units(tmp_path, unit, message):
    with pytest.raises(DiffPairError, match=message):
        read_rdf(write(tmp_path / "g", rows()), ("A", "A"), r_unit=unit)


@pytest.mark.parametrize(
    ("header", "unit", "said"),
    [
        ("r_angstrom,g", "nm", "angstrom"),
        ("r (Å), g", "nm", "angstrom"),
        ("r [A], g", "nm", "angstrom"),
        ("r_nm,g", "angstrom", "nm"),
        ("distance [nm]\tg(r)", "angstrom", "nm"),
        ("r/pm,g", "angstrom", "pm"),
        ("d / A\tg(r)", "nm", "angstrom"),
        ("r (\\AA) g", "nm", "angstrom"),
        ("r(a.u.) g", "nm", "bohr"),
        ("# distances in Å\nr g", "nm", "angstrom"),
        ("# distances in Å", "nm", "angstrom"),
    ],
)
def test_unit_of_the_header(tmp_path, header, unit, said):
    path = write(tmp_path / "g", rows(), header)
    with pytest.raises(DiffPairError, match=f"says that r is in {said}, but r_unit is {unit}; set r_unit: {said}"):
        read_rdf(path, ("A", "A"), r_unit=unit)


@pytest.mark.parametrize("header", ["r,g_AA", "r g", "range,g", "normalised r,g"])
def test_header_without_unit(tmp_path, header):
    assert len(read_rdf(write(tmp_path / "g", rows(), header), ("A", "A")).r) == len(R)


# A liquid of 33 particles per nm^3 whose neighbours begin at about 0.25 nm.
@pytest.mark.parametrize(("factor", "unit"), [(10, "nm"), (1, "angstrom")])
def test_unit_against_density(tmp_path, factor, unit):
    path = write(tmp_path / "g", rows(factor * R))
    with pytest.raises(
        DiffPairError, match=rf"r appears not to be in {unit}; perhaps|nearer than any two atoms.*{unit}"
    ):
        check_unit(read_rdf(path, ("A", "A"), r_unit=unit), 33.0)


@pytest.mark.parametrize("header", ["r/sigma,g", "r* g(r*)", "r / σ; g"])
def test_lengths_in_sigma(tmp_path, header):
    path = write(tmp_path / "g", rows(R / 0.34, G), header)
    with pytest.raises(DiffPairError, match=r"r is in units of a sigma; say how long that is, .* r_unit: 0.34 nm"):
        read_rdf(path, ("A", "A"))
    np.testing.assert_allclose(read_rdf(path, ("A", "A"), r_unit="0.34 nm").r, R, rtol=1e-3)
    with pytest.raises(DiffPairError, match="'0 nm' is no length"):
        read_rdf(path, ("A", "A"), r_unit="0 nm")


def test_comments_on_other_lengths(tmp_path):
    """Of the box, the cutoff, or in prose."""
    for comment in (
        "box of 30 Angstrom, cutoff 12 A",
        "g(r) of water (TIP4P), r to 10 A",
        "distance of atoms (unit: nm)",
    ):
        assert read_rdf(write(tmp_path / "g", rows(), f"# {comment}\nr g"), ("A", "A")).r_max < 10


def test_reduced_units_taken_for_angstrom(tmp_path):
    r = 0.75 + 0.0255 * np.arange(100)
    path = write(tmp_path / "g", rows(r, np.where(r > 0.95, 1.0, 0.0)))
    with pytest.raises(DiffPairError, match="r appears not to be in angstrom; perhaps r_unit should be nm"):
        check_unit(read_rdf(path, ("A", "A"), r_unit="angstrom"), 0.845)


@pytest.mark.parametrize("density", [0.05, 0.1, 0.845, 1.2])
def test_right_units_pass_from_gas_to_solid(tmp_path, density):
    r = 0.75 + 0.0255 * np.arange(100)
    path = write(tmp_path / "g", rows(r, np.where(r > 0.95, 1.0, 0.0)))
    check_unit(read_rdf(path, ("A", "A")), density)


def test_dilute_ions_and_a_thin_gas_pass(tmp_path):
    r = 0.01 * (np.arange(120) + 0.5)
    check_unit(read_rdf(write(tmp_path / "ions", rows(r, np.where(r > 0.25, 1.0, 0.0))), ("Na", "Cl")), 0.012)
    r = 0.75 + 0.0255 * np.arange(100)
    check_unit(read_rdf(write(tmp_path / "gas", rows(r, np.where(r > 0.95, 1.0, 0.0))), ("A", "A")), 0.001)


def test_ideal_gas_passes(tmp_path):
    check_unit(read_rdf(write(tmp_path / "g", rows(0.01 * np.arange(1, 60), np.ones(59))), ("A", "A")), 30.0)


def test_warns_if_g_does_not_approach_one(tmp_path):
    with pytest.warns(UserWarning, match=r"g: g averages 2 over the last fifth of r, but should approach 1"):
        read_rdf(write(tmp_path / "g", rows(R, np.where(R > 0.3, 2.0, 0.0))), ("A", "A"))


def test_bins_from_0_have_no_edge_below(tmp_path):
    """r as it is printed: the first edge, r[0] - width / 2, would be -1e-18."""
    r = 0.005 + 0.01 * np.arange(124)
    (tmp_path / "g.csv").write_text("r_nm,g\n" + "\n".join(f"{x:.8g},{float(x > 0.3)}" for x in r))
    target = read_rdf(tmp_path / "g.csv", ("A", "A"))
    assert target.r[0] - 0.5 * target.bin_width < 0, "rounding shows"
    assert target.edges[0] == 0
    count_types([[[0, 0, 0], [0.5, 0, 0]]], 3 * np.eye(3), [0, 0], None, [(0, 0)], target.edges)
