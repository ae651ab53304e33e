"""Which column is what: told by names, numbers or the user, and asked for where nothing tells."""

import numpy as np
import pytest
from rdf_files import ERROR, OTHER, G, N, R, check, read, refusal, table

from diffpair.targets.reading import Choice

ERROR_NAMES = [
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
]


@pytest.mark.parametrize("name", [*ERROR_NAMES, "dg", "standard error", "+/-", "±", "error_g", "gerr", "Δg"])
def test_errors_by_name(tmp_path, name):
    check(read(tmp_path, f"r,g,{name}\n" + table(R, G, ERROR, separator=","), error=ERROR))


@pytest.mark.parametrize("name", ["2 sigma", "error (2 sigma)", "2σ", "1.96 SE", "g_min", "CI95", "err_%"])
def test_no_standard_errors_by_name(tmp_path, name):
    check(read(tmp_path, f"r,g,{name}\n" + table(R, G, ERROR, separator=","), f"not used: column 3 {name!r} ("))


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
        "#! FIELDS r g sigma_g\n",
        '@ xaxis label "r"\n@TYPE xydy\n',
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
        (OTHER, "tends to 1, as the g of another pair does"),
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
    assert "column 2 grows throughout, to" in refusal(tmp_path, table(R, N))
    for names in ("r_lo r_hi", "bin_left bin_right", "lower_edge upper_edge", "r_min r_max", "left right"):
        sentence = refusal(tmp_path, f"{names} g\n" + table(R - 0.01, R + 0.01, G))
        assert f"column 1 {names.split()[0]!r} is an edge of bins, but r is the centre: write a column r" in sentence
    check(read(tmp_path, "r r_lo g\n" + table(R, R - 0.01, G), "column 2 'r_lo' (an edge of bins)"))
    for name, known in {
        "g+1": "is shifted",
        "4 pi r^2 rho g(r)": "is a radial density",
        "T(r)": "is a radial density",
        "rho(r)": "is a radial density",
    }.items():
        assert f"column 2 {name!r} {known}" in refusal(tmp_path, f"r;{name}\n" + table(R, G, separator=";"))


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


PAIRS = [
    "Se-Se,Ge-Se",
    "K-K,K-Cl",
    "Na+-Na+,Na+-Cl-",
    "SD-SD,O-O",
    "CN-CN,O-O",
    "N-N,N-C",
    "1-1,1-2",
    "g1-1,g1-2",
    "I-I,K-I",
]
SELECTIONS = ["K,Cl", "O,H", "N,O", "Y,O", "G,A", "Se,O", "SE,SD"]


@pytest.mark.parametrize("names", [*PAIRS, *SELECTIONS])
def test_types_whose_names_are_words(tmp_path, names):
    """Se is selenium, K potassium: such columns are neither errors nor anything else that may be left aside."""
    content = f"r,{names}\n" + table(R, OTHER, G, separator=",")
    assert "more than one column may be g" in refusal(tmp_path, content, pair=("X", "Z"))
    second = names.split(",")[1]
    said = f"g column 3 {second!r}; not used: column 2"
    check(read(tmp_path, content, said, pair=("X", "Z"), choice=Choice(y=second)))
    if "-" in second:
        pair = second.removeprefix("g").replace("+-", "+ ").rstrip("-").replace("-", " ").split()
        pair[1] += "-" if second.endswith("-") else ""
        check(read(tmp_path, content, said, pair=tuple(pair)))


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
