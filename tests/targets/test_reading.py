"""Files as programs and people write them: each gives the g(r) that it was made from, and says what was done."""

import gzip

import numpy as np
import pytest
from rdf_files import ERROR, OTHER, G, R, check, read, refusal, table, truth

# Numbers and separators


def comma(text):
    return text.replace(".", ",")


@pytest.mark.parametrize(
    "content",
    [
        comma(table(R, G, separator=";")),
        comma(table(R, G, separator="\t")),
        comma(table(R, G, separator="   ")),
        "r;g(r)\n" + comma(table(R, G, separator=" ; ")),
        "".join(f'"{comma(f"{r:.2f}")}","{comma(f"{g:.5f}")}"\n' for r, g in zip(R, G, strict=True)),
    ],
)
def test_decimal_commas(tmp_path, content):
    check(read(tmp_path, content, "commas are decimals"))


@pytest.mark.parametrize("separator", ["\t", ";", "  "])
def test_decimal_commas_with_whole_r(tmp_path, separator):
    content = "".join(f"{1000 * r:.0f}{separator}{comma(f'{g:.5f}')}\n" for r, g in zip(R, G, strict=True))
    check(read(tmp_path, content, "commas are decimals", r_unit="pm"))


@pytest.mark.parametrize(
    ("content", "readings"),
    [
        (
            "".join(f"{1000 * r:.0f},{comma(f'{g:.4f}')}\n" for r, g in zip(R, G, strict=True)),
            "20 | 0 | 0000 or as 20 | 0,0000",
        ),
        (comma(table(R, G, separator=",")), "0 | 02000 | 0 | 00000 or as 0,02000 | 0,00000"),
        ("".join(f"{r:.3f}\t{comma(f'{g:.4f}')}\n" for r, g in zip(R, G, strict=True)), "can be read as"),
        (table(R, G, separator=";").replace(".", ",", 60), "decimal points and line 1 decimal commas"),
    ],
)
def test_commas_in_doubt(tmp_path, content, readings):
    assert readings in refusal(tmp_path, content, r_unit="pm")


@pytest.mark.parametrize("separator", [",", ", ", ";", "\t", " | ".replace("|", " "), ",\t"])
def test_separators(tmp_path, separator):
    check(read(tmp_path, table(R, G, separator=separator)))
    end = separator if separator.strip() else "  "
    check(read(tmp_path, table(R, G, separator=separator).replace("\n", f"{end}\n")))


def test_ways_to_write_a_number(tmp_path):
    fortran = table(R, G, form=".6E").replace("E", "D")
    check(read(tmp_path, fortran))
    check(read(tmp_path, table(R, G, form="+.5f")))
    check(read(tmp_path, "".join(f"{r:.2f} {g:.5f}\n".replace("0.", ".") for r, g in zip(R, G, strict=True))))
    minus = table(R, G - 0.001, separator="\u00a0").replace("-", "\u2212")
    check(read(tmp_path, minus, "set to 0"), atol=2e-3)


def test_an_index_is_no_r(tmp_path):
    """As pandas writes it, without a name."""
    rows = "".join(f"{k},{r:.2f},{g:.5f}\n" for k, (r, g) in enumerate(zip(R, G, strict=True)))
    check(read(tmp_path, ",r,g\n" + rows, "r is column 2 'r', g column 3 'g'"))


# Text


@pytest.mark.parametrize(
    ("encode", "said"),
    [
        (lambda text: text.encode("utf-8-sig"), None),
        (lambda text: text.encode("utf-16"), "text in UTF-16"),
        (lambda text: text.encode("utf-16-le"), "text in UTF-16"),
        (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "text in UTF-16"),
        (lambda text: text.encode("latin-1"), "text in Latin-1"),
        (lambda text: gzip.compress(text.encode()), "unpacked by gzip"),
        (lambda text: gzip.compress(text.encode("latin-1")), "unpacked by gzip; text in Latin-1"),
        (lambda text: text.replace("\n", "\r\n").encode(), None),
        (lambda text: text.replace("\n", "\r").encode(), None),
    ],
)
def test_encodings(tmp_path, encode, said):
    content = encode("r (Å);g(r)\n" + table(10 * R, G, separator=";"))
    check(read(tmp_path, content, said, r_unit="angstrom"))
    assert "says that r is in angstrom, but r_unit is nm" in refusal(tmp_path, content)


def test_a_selection_named_n(tmp_path):
    check(read(tmp_path, '@ s0 legend "N"\n' + table(R, G)))


def test_what_is_no_text(tmp_path):
    packed = gzip.compress(table(R, G).encode())
    assert "broken or cut short" in refusal(tmp_path, packed[: len(packed) // 2])
    for content in (b"PK\x03\x04\x00\x00", bytes(range(256))):
        assert "is not a text file" in refusal(tmp_path, content)


@pytest.mark.parametrize("name", ["r (µm)", "r (\u03bcm)", "r/um", "r [micrometre]"])
def test_micrometres(tmp_path, name):
    content = f"{name},g\n" + table(R, G, separator=",")
    assert "says that r is in um, but r_unit is nm; set r_unit: um" in refusal(tmp_path, content)
    target = read(tmp_path, content, r_unit="um")
    assert target.r_max == pytest.approx(1190)


@pytest.mark.parametrize("sign", ["#", "@", "!", "%", ";", "//", "*"])
def test_comments(tmp_path, sign):
    check(read(tmp_path, f"{sign} made by hand, 2020\n" + table(R, G) + f"{sign} end\n"))


@pytest.mark.parametrize(
    "note", ["  # first peak", " ! first peak", "\t% first peak", " // first peak", " ; first peak"]
)
def test_comments_in_a_line(tmp_path, note):
    lines = table(R, G).splitlines()
    lines[15] += note
    check(read(tmp_path, "\n".join(lines), "comments at the end of 1 line are left out"))
    lines[15] = lines[15].removesuffix(note) + " first peak"
    check(read(tmp_path, "\n".join(lines), "words at the end of line 16 are left out"))


# Rows


def test_rows_instead_of_columns(tmp_path):
    lines = [",".join(f"{value:.5f}" for value in values) for values in (R, G, ERROR)]
    check(read(tmp_path, "\n".join(lines[:2]), "rows are read as columns"))
    named = "\n".join(f"{name},{line}" for name, line in zip(("r", "g", "error"), lines, strict=True))
    check(read(tmp_path, named, "rows are read as columns", error=ERROR))
    assert "nothing says which" in refusal(tmp_path, "\n".join(lines))


def test_a_misprint_of_r(tmp_path):
    lines = table(R, G).splitlines()
    for wrong, line in ((f"3.2 {G[15]:.5f}", 15), (f"0.09 {G[17]:.5f}", 17), ("59 1", 0)):
        sentence = refusal(tmp_path, "\n".join([*lines[:line], wrong, *lines[line + 1 :]]))
        assert f"line {line + 1}: r = {wrong.split()[0]} is out of order" in sentence and "misprint?" in sentence
    late = [*lines[:20], *lines[21:], lines[20]]  # a point that was digitised last
    check(read(tmp_path, "\n".join(late), "rows out of order are sorted (at 1 place)"))


def test_points_of_a_digitiser(tmp_path):
    lines = table(R, G).splitlines()
    swapped = [*lines[:20], lines[21], lines[20], *lines[22:]]
    check(read(tmp_path, "\n".join(swapped), "rows out of order are sorted (at 1 place)"))
    np.random.default_rng(1).shuffle(swapped)
    check(read(tmp_path, "\n".join(swapped), "rows out of order are sorted"))
    check(read(tmp_path, "\n".join(lines[::-1]), "turned around"))
    check(
        read(
            tmp_path,
            "\n".join([*lines[:30], lines[29], *lines[30:]]),
            "1 doubled point, such as r = 0.6, with the same",
        )
    )
    double = f"{R[29]:.5f} {G[29] + 0.02:.5f}"
    target = read(tmp_path, "\n".join([*lines[:30], double, *lines[30:]]), "averaged (g differs by 0.02 at most)")
    check(target, g=np.where(np.arange(59) == 29, G + 0.01, G))
    both = table(np.repeat(R, 2), np.column_stack([G, OTHER]).ravel())
    assert "stand twice or more, with other g" in refusal(tmp_path, both)


@pytest.mark.parametrize("spacing", [0.0009766, 0.00141])
def test_r_of_three_decimals(tmp_path, spacing):
    """Rounding makes neighbours equal or uneven; by row they are even."""
    r = spacing * np.arange(900)
    text = "".join(f"{x:10.3f} {y:12.4f}\n" for x, y in zip(r, truth(r), strict=True))
    target = read(tmp_path, text, "r is rounded to 0.001; the rows are evenly spaced")
    assert target.bin_width == pytest.approx(spacing, rel=1e-4)
    np.testing.assert_allclose(target.r, r[1:], atol=2e-5)
    np.testing.assert_allclose(target.g, truth(r)[1:], atol=1e-4)


def test_flags_of_votca(tmp_path):
    flags = np.where(R < 0.29, "u", "i")
    text = "".join(f"{r:.2f} {g:.5f} {flag}\n" for r, g, flag in zip(R, G, flags, strict=True))
    check(
        read(tmp_path, text, "flags of VOTCA understood, 14 undefined rows before the first neighbours count as g = 0")
    )
    check(read(tmp_path, text + "1.2 7.0 o\n1.22 7.0 o\n", "2 rows without a usable g at the ends left out"))
    with_error = "".join(f"{r:.2f} {g:.5f} {e:.5f} i\n" for r, g, e in zip(R, G, ERROR, strict=True))
    check(read(tmp_path, with_error, "flags of VOTCA understood", error=ERROR))
    assert "line 30: is flagged 'o'" in refusal(tmp_path, text.replace(f"0.60 {G[29]:.5f} i", f"0.60 {G[29]:.5f} o"))


def test_ripples_of_a_transform(tmp_path):
    ripples = np.where(R < 0.29, 0.03 * np.sin(60 * R + 3), 0)
    check(read(tmp_path, table(R, G + ripples), "ripples around 0 before the first neighbours: set to 0"), atol=0.03)
    target = read(tmp_path, table(R, G + ripples), "set to 0")
    last = np.flatnonzero(ripples < 0)[-1]
    assert (target.g[: last + 1] == 0).all()
    assert "line 5: g = -0.06 is negative" in refusal(tmp_path, table(R, np.where(np.arange(59) == 4, -0.06, G)))
    assert "line 40: g = -0.01 is negative" in refusal(tmp_path, table(R, np.where(np.arange(59) == 39, -0.01, G)))


@pytest.mark.parametrize("bad", ["nan", "-nan", "NaN", "inf", "-0.9", "x", "", "1e300", "****", "1.0,7,7"])
@pytest.mark.parametrize("place", [0, 5, -1])
def test_rows_outside_the_range_never_matter(tmp_path, bad, place):
    lines = table(R, G, separator=",").splitlines()
    lines[place] = lines[place].split(",")[0] + f",{bad}"
    check(read(tmp_path, "\n".join(["r,g", *lines]), r_range=(0.2, 1.1)), R[9:55], G[9:55])


def test_uneven_rows_outside_the_range_never_matter(tmp_path):
    r = np.concatenate([np.linspace(0.02, 0.5, 60), np.linspace(0.55, 1.2, 14)])
    options = {"r_range": (0.2, 1.0)}
    clean = read(tmp_path, table(r, truth(r)), **options)
    spoilt = read(tmp_path, table(r, np.where((r < 0.2) | (r > 1.0), 77.0, truth(r))), **options)
    np.testing.assert_array_equal(clean.g, spoilt.g)


@pytest.mark.parametrize("value", ["nan", "inf", "NA", ""])
def test_no_numbers_at_the_ends(tmp_path, value):
    content = f"r,g\n0.0,{value}\n" + table(R, G, separator=",") + f"1.2,{value}\nnan,nan\n"
    check(read(tmp_path, content, "2 rows without a usable g at the ends left out"))
    middle = content.replace(f"0.60000,{G[29]:.5f}", f"0.60000,{value}")
    assert f"line 32: g = {value!r} is not" in refusal(tmp_path, middle).replace(f"g = {value} is", f"g = {value!r} is")


def test_a_table_cut_short(tmp_path):
    assert "line 59: has 1 column, but line 58 has 2" in refusal(tmp_path, table(R, G).rsplit(" ", 1)[0])


def test_prose_that_seems_to_name_columns(tmp_path):
    content = "Radial distribution, r in Angstrom\n" + table(10 * R, G)
    assert "'r in Angstrom' says that r is in angstrom" in refusal(tmp_path, content)
    check(read(tmp_path, content, r_unit="angstrom"))
    check(read(tmp_path, "Water in a box of 3 nm\n" + table(10 * R, G), r_unit="angstrom"))


def test_many_points(tmp_path):
    r = 0.0005 * np.arange(1, 5001)
    check(read(tmp_path, table(r, truth(r), form=".6f")), r, truth(r))
