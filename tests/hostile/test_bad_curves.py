"""Files of g(r) that would take all time or memory, and numbers that no g(r) has."""

import gzip
import re

import numpy as np
import pytest
from hostile import CURVE, G, R, sentence

from diffpair.targets import read_rdf
from diffpair.targets.distribution import Distribution
from diffpair.targets.vacf_target import read_vacf


def scaled(r="{:.3f}", g="{:.4f}"):
    return "".join(f"{r.format(a)} {g.format(b)}\n" for a, b in zip(R, G, strict=True))


def at_line_30(text):
    return CURVE.replace("0.600 ", text)


# name, content, the sentence after the file's name
FILES = [
    ("bomb-of-gzip", gzip.compress(bytes(100_000_000)), "holds more than 10 MB when gzip unpacks it"),
    ("bomb-of-lines", gzip.compress(b"1 1\n" * 200_000), "has 200000 lines, too many for the target g"),
    ("many-lines", b"\r" * 200_000, "has 200000 lines, too many"),
    ("32-MB", b"#" * 32_000_001, "has more than 32 MB, too much for the target g.r.; is it a trajectory or a log?"),
    ("many-columns", b"1 " * 1001, "has 1001 columns, too many"),
    ("r-of-1e308", scaled(r="{:.3f}e306"), "r ends at 1.18e.306 nm, which is not between 1e-06 and 1e.06 nm"),
    ("r-of-1e-308", scaled(r="{:.3f}e-306"), "r ends at 1.18e-306 nm, which is not between"),
    ("one-r-of-1e308", at_line_30("1e308 "), "line 30: r = 1e.308 is out of order"),
    ("g-of-1e308", scaled(g="{:.3f}e308"), "line 1[56]: g = .*e.308 is not a finite number|is no value of a g"),
    ("g-of-1e300", scaled(g="{:.3f}e300"), "line 15: g = 1.*e.300 is no value of a g.r."),
    ("exponent-of-11-digits", at_line_30("1e99999999999 "), "line 30: r = 1e99999999999 is not a finite number"),
    ("5000-digits", at_line_30(f"{'1' * 5000} "), r"line 30: r = '1{30,}\.\.\. is not a number"),
    ("digits-and-a-word", f"{'1' * 50_000}x 1\n{CURVE}", r"line 1: r = '1{30,}\.\.\. is not a number"),
    ("a-long-word", f"{'a' * 100_000}1 1\n", "holds no columns of numbers"),
    (
        "a-long-quotation",
        f'"1","{"1" * 200_000}"\n' * 3,
        r"line 1: '\"1\",\"1{20,}.* has both|line 1: .*is not a number|columns?",
    ),
    ("quotation-marks", ('"' * 1000 + '1"\n') * 60, "line 1: has 1 column, but r and g are needed"),
    ("superscripts", at_line_30("² "), "line 30: r = '²' is not a number"),
    (
        "block-of-1e21-rows",
        "1000 999999999999999999999\n1 0.02 0 0\n2 0.04 0 0\n",
        "the only block of rows is cut short",
    ),
    (
        "lammps-without-r",
        "1000 3\n1 0.1 0.0 0\n2 4 1.0 0\n3 1.0 1.4 0\n",
        "nothing says which of the 2 columns beside r is g",
    ),
    ("file-separator", "0\x1c0", "line 1: has 1 column, but r and g are needed"),
    ("line-of-separators", "0 1\n\x1f\n1 2\n", "points, but a target needs at least 8|columns?"),
    ("commas-and-spaces", "1,  2,  3,  4,  " * 40 + ",5\n" * 2, "can be read as|column"),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
@pytest.mark.timeout(20)
def test_refusals(tmp_path, content, said):
    path = tmp_path / "g.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = sentence(lambda: read_rdf(path, ("A", "A")))
    assert found.startswith(str(path))
    assert re.search(said, found), found


@pytest.mark.parametrize(
    "content",
    [
        at_line_30(f"0.600 {' ' * 50_000}"),
        f"#{' ' * 50_000}x\n{CURVE}",
        f"{CURVE}0.00 1{' ' * 50_000}# x\n"[: len(CURVE)] + "# " + "r (" * 20_000,
        f"# {'r (nm) ' * 20_000}\n{CURVE}",
    ],
)
@pytest.mark.timeout(20)
def test_long_lines_take_no_time(tmp_path, content):
    (tmp_path / "g.txt").write_text(content)
    np.testing.assert_allclose(read_rdf(tmp_path / "g.txt", ("A", "A")).g, np.round(G, 4), atol=1e-6)


# name, how it is asked for, the sentence
CHOICES = [
    ("tiny-bins", {"bin_width": 1e-12}, "a bin width of 1e-12 nm makes 1160000001160 bins .* more than the 100000"),
    ("nan-bins", {"bin_width": np.nan}, "a bin width of nan nm leaves fewer than 8 bins"),
    ("nan-range", {"r_range": (np.nan, 1.0)}, r"the range \[nan nm, 1 nm\] must obey 0 <= low < high"),
    ("power-of-power", {"r_unit": "9**9**9**9"}, r"'\*\*9\*\*9\*\*9' is not a unit"),
    ("no-length", {"r_unit": "kelvin"}, "'kelvin' is not a unit of length"),
    ("offset", {"r_unit": "degC"}, "'degC' is not a unit of length"),
    ("one-type", {"pair": "A"}, "the pair of a g.r. must be two types, not 'A'"),
    ("three-types", {"pair": ("A", "B", "C")}, "the pair of a g.r. must be two types, not ..A"),
]


@pytest.mark.parametrize(("options", "said"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES])
@pytest.mark.timeout(20)
def test_what_is_asked_for(tmp_path, options, said):
    (tmp_path / "g.txt").write_text(CURVE)
    assert re.search(said, sentence(lambda: read_rdf(tmp_path / "g.txt", **{"pair": ("A", "A"), **options})))


def test_other_curves_go_through_the_same_door(tmp_path):
    path = tmp_path / "c.txt"
    path.write_bytes(gzip.compress(bytes(20_000_000)))
    for call in (lambda: read_vacf(path), lambda: Distribution.read(path, ("A", "A"))):
        assert "holds more than 10 MB when gzip unpacks it" in sentence(call)
    path.write_text('x,"' + "1" * 200_000 + '"\n')
    assert "is no table of numbers: field larger than field limit" in sentence(
        lambda: Distribution.read(path, ("A", "A"))
    )
    assert "'99**9' is not a unit" in sentence(lambda: read_vacf(path, t_unit="99**9"))
    assert "is no name of a file" in sentence(lambda: read_rdf("a\0b", ("A", "A")))
