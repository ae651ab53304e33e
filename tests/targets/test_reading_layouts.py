"""Layouts of programs beyond plain columns: blocks under titles, LAMMPS in YAML, running averages, numbered columns."""

import numpy as np
import pytest
from rdf_files import ERROR, OTHER, G, N, R, check, read, refusal, table, truth

from diffpair.targets import read_rdf
from diffpair.targets.reading import Choice


def dl_poly(*curves):
    """RDFDAT: a title, the numbers of pairs and of rows, then each pair's names above its rows."""
    head = "liquid with 2 types\n" + f"{len(curves):10d}{len(R):10d}\n"
    return head + "".join(f"{a:8s}{b:8s}\n{table(R, g, form='14.6E', separator='')}" for a, b, g in curves)


def test_blocks_under_titles(tmp_path):
    content = dl_poly(("OW", "OW", OTHER), ("HW", "OW", G))
    check(read(tmp_path, content, "block 2 of 2, 'HW OW'", pair=("OW", "HW")))
    check(read(tmp_path, content, "block 2 of 2", choice=Choice(block=2)))
    sentence = refusal(tmp_path, content, pair=("O", "H"))
    assert "from lines 4 ('OW OW'), 64 ('HW OW') on; choose with block: 1" in sentence and "average" not in sentence
    check(read(tmp_path, dl_poly(("OW", "OW", G))))


def test_names_of_columns_under_titles(tmp_path):
    content = f"A-A\nr g sigma\n{table(R, OTHER, ERROR)}A-B\nr g sigma\n{table(R, G, ERROR)}"
    check(read(tmp_path, content, "block 2 of 2, 'A-B'", pair=("B", "A"), error=ERROR))


def lammps_yaml(*blocks):
    text = "# Time-averaged data for fix 1\n# TimeStep Number-of-rows\n# Row c_r[1] c_r[2] c_r[3]\n---\n"
    text += "keywords: ['c_r[1]', 'c_r[2]', 'c_r[3]', ]\ndata:\n"
    for step, columns in enumerate(blocks, start=3):
        text += f"  {100 * step}:\n" + "".join(
            f"  - [{', '.join(f'{cell:.6g}' for cell in row)}, ]\n" for row in zip(*columns, strict=True)
        )
    return text


def test_lammps_in_yaml(tmp_path):
    content = lammps_yaml((R, G - 0.02, N), (R, G + 0.02, N))
    check(
        read(tmp_path, content, "not used: column 3 'c_r[3]' (a coordination number); average of 2 blocks"), atol=1e-5
    )
    check(read(tmp_path, content, "the last of 2", choice=Choice(block="last")), g=G + 0.02)
    check(read(tmp_path, content + "  500:\n  - [0.02, 9, 9, ]\n", "average of 2 blocks"))


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("count", [3, 6])
def test_running_averages_of_lammps(tmp_path, running, count):
    """``ave running``: each block is the average of all before it, so the last one alone is right."""
    rng = np.random.default_rng(count)
    each = G + 0.05 * (R > 0.29) * rng.normal(size=(count, len(R)))
    blocks = np.cumsum(each, axis=0) / np.arange(1, count + 1)[:, None] if running else each
    content = lammps_yaml(*[(R, block, N) for block in blocks])
    said = (
        "change less and less, as running averages (ave running) do: for these, take block: last"
        if running
        else f"average of {count} blocks"
    )
    path = tmp_path / "rdf.yaml"
    path.write_text(content)
    with pytest.warns(UserWarning) as caught:
        target = read_rdf(path, ("A", "A"))
    (line,) = [str(warning.message) for warning in caught]
    assert line.endswith(said)
    np.testing.assert_allclose(target.g, blocks.mean(axis=0), atol=1e-5)


def test_lammps_without_r(tmp_path):
    rows = "".join(f"{k} {g:.5f}\n" for k, g in enumerate(G, start=1))
    content = f"# Row c_r[2]\n100 {len(G)}\n{rows}200 {len(G)}\n{rows}"
    assert "r is missing: have LAMMPS write c_ID[*] of compute rdf" in refusal(tmp_path, content)


def test_numbers_of_columns_are_no_point(tmp_path):
    """pandas writes 0,1 above columns without names: as a point it is g = 1 at r = 0."""
    r = R - 0.01
    check(read(tmp_path, "0,1\n" + table(r, truth(r), separator=","), "line 1 numbers the columns"), r, truth(r))
    three = "0,1,2\n" + table(R, G, N, separator=",")
    check(read(tmp_path, three, "line 1 numbers the columns; r is column 1, g column 2; not used: column 3"))
    soft = 1 - 0.3 * np.exp(-R)
    check(read(tmp_path, "0 0.7\n" + table(R, soft)), g=soft)
    ideal = np.ones_like(R)
    check(read(tmp_path, "0 1\n" + table(R, ideal)), g=ideal)


def test_r_between_two_printed_values(tmp_path):
    """0.0005 is printed as 0.001 in some rows, 0.0015 as 0.001 in others: a line through r is off by more than half
    a unit in the last place."""
    r = 0.0005 * np.arange(1000)
    up = np.where(np.arange(1000) < 500, 1e-9, -1e-9)
    text = "".join(f"{x:.3f} {y:.5f}\n" for x, y in zip(r + up, truth(r), strict=True))
    target = read(tmp_path, text, "r is rounded to 0.001; the rows are evenly spaced")
    np.testing.assert_allclose(target.r, r[1:], atol=1e-9)
    np.testing.assert_allclose(target.g, truth(r)[1:], atol=1e-5)


@pytest.mark.parametrize(
    "header",
    ['# "Pair separation distance" Na-Na Cl-Na Cl-Cl\n', "# r Na-Na Na-Cl Cl-Cl\n", "#r/nm   Na:Na   Cl:Na   Cl:Cl\n"],
)
def test_pairs_in_a_comment(tmp_path, header):
    """As OVITO names its columns."""
    content = header + table(R, OTHER, G, 1 - OTHER)
    check(read(tmp_path, content, "g column 3 ", pair=("Na", "Cl")))
