"""Files as programs and people write them: each gives the g(r) that it was made from, and says what was done."""

import gzip
import warnings

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.targets import read_rdf
from diffpair.targets.reading import Choice

R = 0.02 * np.arange(1, 60)


def truth(r):
    g = 1 + 1.9 * np.exp(-(((r - 0.33) / 0.025) ** 2)) + 0.1 * np.cos(20 * (r - 0.33)) * np.exp(-3 * (r - 0.33))
    return np.where(r < 0.29, 0.0, g)


G = truth(R)
N = 4 * np.pi * 33.3 * np.cumsum(G * R**2) * 0.02
ERROR = 0.01 + 0.005 * np.cos(7 * R) ** 2
OTHER = np.where(R < 0.35, 0.0, 1 - np.exp(-9 * (R - 0.35)))


def table(*columns, separator=" ", form=".5f"):
    return "\n".join(separator.join(f"{value:{form}}" for value in row) for row in zip(*columns, strict=True)) + "\n"


def read(tmp_path, content, said=None, error=None, **options):
    """The file's g(r), with the one line that is said of it (None: nothing may be said)."""
    path = tmp_path / "g.dat"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        target = read_rdf(path, options.pop("pair", ("O", "O")), **options)
    lines = [str(warning.message) for warning in caught]
    if said is None:
        assert not lines
    else:
        (line,) = lines
        assert said in line and line.startswith(f"{path}: ") and "\n" not in line
    assert (target.error is not None) == (error is not None)
    if error is not None:
        np.testing.assert_allclose(target.error, error, atol=1e-5)
    return target


def check(target, r=R, g=G, atol=1e-5):
    assert len(target.r) == len(r)
    np.testing.assert_allclose(target.r, r, atol=1e-6)
    np.testing.assert_allclose(target.g, g, atol=atol)


def refusal(tmp_path, content, **options):
    path = tmp_path / "g.dat"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DiffPairError) as error:
        read_rdf(path, options.pop("pair", ("O", "O")), **options)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)
    return str(error.value)


# A third column


@pytest.mark.parametrize(
    "name",
    [
        "error",
        "Error",
        "g_err",
        "sigma",
        "std",
        "StdDev",
        "std. dev.",
        "stderr",
        "sem",
        "SE",
        "sd",
        "uncertainty",
        "dg",
        "standard error",
        "+/-",
        "±",
        "error_g",
        "Δg",
    ],
)
def test_errors_by_name(tmp_path, name):
    check(read(tmp_path, f"r,g,{name}\n" + table(R, G, ERROR, separator=","), error=ERROR))


@pytest.mark.parametrize(
    "header",
    [
        "# r g error\n",
        "#r,g,err\n",
        "! r  g(r)  sigma\n",
        "# column 1: r\n# column 2: g\n# column 3: error\n",
        "r (nm)   g(r)   error (1 sigma)\n",
        "g(r) of water\nr\tg\terror\n",
        '"r","g","std"\n',
        "r g error\nnm - -\n",
    ],
)
def test_errors_by_other_headers(tmp_path, header):
    check(read(tmp_path, header + table(R, G, ERROR), error=ERROR))


@pytest.mark.parametrize(
    "name",
    ["coordination_number", "n(r)", "N(r)", "integral", "cumulative g", "CN", "running coordination", "N", "count"],
)
def test_a_coordination_number_by_name(tmp_path, name):
    """Whatever its values: here they are those of an error."""
    target = read(tmp_path, f"r,g,{name}\n" + table(R, G, ERROR, separator=","), f"not used: column 3 {name!r}")
    check(target)


def test_a_coordination_number_by_its_growth(tmp_path):
    check(read(tmp_path, table(R, G, N), "not used: column 3 (grows as a coordination number does)"))


@pytest.mark.parametrize("name", ["error (%)", "relative error", "variance", "foo", "smoothed"])
def test_what_is_no_standard_error(tmp_path, name):
    check(read(tmp_path, f"r,g,{name}\n" + table(R, G, ERROR, separator=","), f"not used: column 3 {name!r}"))


@pytest.mark.parametrize(
    ("third", "looks"),
    [
        (ERROR, "is small and positive, as an error is"),
        (OTHER, "tends to 1, as the g of another pair does|grows throughout"),
        (0.001 * np.arange(59) ** 2, "grows throughout, as a coordination number does and no error"),
        (np.zeros(59), "is small and positive"),
    ],
)
@pytest.mark.parametrize("header", ["", "# made by hand in 2020\n"])
def test_a_third_column_is_asked_for(tmp_path, third, looks, header):
    content = header + table(R, G, third)
    sentence = refusal(tmp_path, content)
    assert any(look in sentence for look in looks.split("|"))
    assert "say so with columns: {r: 1, g: 2, error: 3} or columns: {r: 1, g: 2, error: none}" in sentence
    check(read(tmp_path, content, error=third, choice=Choice(1, 2, 3)))
    check(read(tmp_path, content, "not used: column 3", choice=Choice(1, 2, False)))
    check(read(tmp_path, content, "not used: column 3", choice=Choice(y=2)))


def test_a_second_column_that_is_no_g(tmp_path):
    assert "column 2 'n(r)' is a coordination number" in refusal(tmp_path, "r n(r)\n" + table(R, N))
    assert "column 1 'Q' is a momentum transfer" in refusal(tmp_path, "Q S(Q)\n" + table(R, G))
    check(read(tmp_path, "r n(r)\n" + table(R, G), choice=Choice(y="n(r)")))


# Several curves


def test_several_pairs(tmp_path):
    content = "r,Na-Na,Na-Cl,Cl-Cl\n" + table(R, OTHER, G, 1 - OTHER, separator=",")
    sentence = refusal(tmp_path, content)
    assert (
        "more than one column may be g" in sentence
        and "'Na-Cl'" in sentence
        and "say which, with column: Na-Na" in sentence
    )
    said = "r is column 1 'r', g column 3 'Na-Cl'; not used: column 2 'Na-Na', column 4 'Cl-Cl'"
    for choice in (Choice(y="Na-Cl"), Choice(y="na-cl"), Choice(y=3), Choice(y="3"), Choice("r", "Na-Cl", False)):
        check(read(tmp_path, content, said, choice=choice))
    for pair in (("Na", "Cl"), ("Cl", "Na")):
        check(read(tmp_path, content, said, pair=pair))
    assert "no column named 'K-Cl' for g; the columns are 'r', 'Na-Na'" in refusal(
        tmp_path, content, choice=Choice(y="K-Cl")
    )
    assert "has no column 5 for g, but 4 columns" in refusal(tmp_path, content, choice=Choice(y=5))


@pytest.mark.parametrize("name", ["g_OH", "gOH(r)", "g_O-H", "RDF O-H", "H-O", "g(OH)", "OH"])
def test_a_pair_in_a_name(tmp_path, name):
    content = f"r,g_OO,{name},g_HH\n" + table(R, OTHER, G, OTHER, separator=",")
    check(read(tmp_path, content, f"g column 3 {name!r}", pair=("O", "H")))


def test_errors_beside_several_curves(tmp_path):
    content = "r g_OO err g_OH err\n" + table(R, OTHER, 2 * ERROR, G, ERROR)
    check(read(tmp_path, content, "its error column 5", pair=("O", "H"), error=ERROR))
    check(read(tmp_path, content, "g column 4 'g_OH'; not used", pair=("O", "H"), choice=Choice(error=False)))


def test_legends_of_gromacs(tmp_path):
    head = '# gmx rdf\n@    title "RDF"\n@    xaxis  label "r (nm)"\n@TYPE xy\n@ s0 legend "OW"\n@ s1 legend "HW"\n'
    content = head + table(R, OTHER, G, separator="  ")
    assert "column 2 'OW'; column 3 'HW'" in refusal(tmp_path, content)
    check(read(tmp_path, content, "g column 3 'HW'", choice=Choice(y="HW")))
    assert "says that r is in nm, but r_unit is pm" in refusal(tmp_path, content, choice=Choice(y=3), r_unit="pm")
    number = head.replace('"RDF"', '"Cumulative Number RDF"').replace("@TYPE", '@ yaxis label "number"\n@TYPE')
    assert "column 2 'number' is a coordination number" in refusal(
        tmp_path, "\n".join(number.split("\n")[:5]) + "\n" + table(R, N)
    )


def test_curves_one_after_another(tmp_path):
    content = table(R, OTHER) + "\n" + table(R, G)
    assert "holds 2 curves one after another, from lines 1, 61 on; choose with block: 1" in refusal(tmp_path, content)
    check(read(tmp_path, content, "block 2 of 2", choice=Choice(block=2)))
    check(read(tmp_path, content, "average of 2 blocks", choice=Choice(block="average")), g=(OTHER + G) / 2)
    assert "has no block 3, but 2" in refusal(tmp_path, content, choice=Choice(block=3))
    grace = '@ s0 legend "a"\n' + table(R, OTHER) + "&\n" + table(R, G) + "&\n"
    check(read(tmp_path, grace, "the last of 2 blocks", choice=Choice(block="last")))
    check(read(tmp_path, '@ title "one"\n' + table(R, G) + "&\n"))


def lammps(*blocks, comments=True):
    names = " ".join(f"c_rdf[{k}]" for k in range(1, len(blocks[0]) + 1))
    text = f"# Time-averaged data for fix 1\n# TimeStep Number-of-rows\n# Row {names}\n" if comments else ""
    for step, columns in enumerate(blocks, start=1):
        text += f"{1000 * step} {len(columns[0])}\n" + "".join(
            f"{row} " + " ".join(f"{value:g}" for value in values) + "\n"
            for row, values in enumerate(zip(*columns, strict=True), start=1)
        )
    return text


@pytest.mark.parametrize("comments", [True, False])
def test_blocks_of_lammps(tmp_path, comments):
    """The average of the blocks, where each alone is off and negative in the core."""
    content = lammps((10 * R, G - 0.02, N), (10 * R, G + 0.02, N), comments=comments)
    check(read(tmp_path, content, "average of 2 blocks", r_unit="angstrom"), atol=1e-4)
    check(
        read(tmp_path, content, "the last of 2", r_unit="angstrom", choice=Choice(block="last")), g=G + 0.02, atol=1e-4
    )
    cut = content + "3000 59\n1 0.2 0.5 0.1\n2 0.4 0."
    check(read(tmp_path, cut, "the last block, cut short in line", r_unit="angstrom"), atol=1e-4)


def test_pairs_of_lammps(tmp_path):
    content = lammps((R, OTHER, N, G, N))
    assert "column 3 'c_rdf[2]'; column 5 'c_rdf[4]'" in refusal(tmp_path, content)
    for choice in (Choice(y="c_rdf[4]"), Choice(y=5)):
        check(read(tmp_path, content, "g column 5 'c_rdf[4]'", choice=choice), atol=1e-4)


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
