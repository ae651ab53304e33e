"""Velocity autocorrelations as targets: files, units, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.targets import VacfTarget, read_vacf
from diffpair.targets.reading import Choice


def test_file_in_other_units(tmp_path):
    path = tmp_path / "vacf.csv"
    path.write_text("t,c,error\n# comment\n0, 1, 0\n10, 0.8, 0.01\n20, 0.5, 0.02\n")
    target = read_vacf(path, "fs")
    np.testing.assert_allclose(target.t, [0, 0.01, 0.02])
    np.testing.assert_allclose(target.c, [1, 0.8, 0.5])
    np.testing.assert_allclose(target.error, [0, 0.01, 0.02])
    assert target.stride(0.005) == 2 and target.stride(0.01) == 1
    with pytest.raises(DiffPairError, match=r"lags are 0.01 ps apart, which is no multiple of the time step of 0.003"):
        target.stride(0.003)


def test_a_third_column_is_asked_for(tmp_path):
    path = tmp_path / "vacf.csv"
    path.write_text("0 1 0\n10 0.8 0.01\n20 0.5 0.02\n")
    with pytest.raises(
        DiffPairError, match=r"columns: \{t: 1, c: 2, error: 3\} or columns: \{t: 1, c: 2, error: none\}"
    ):
        read_vacf(path)
    np.testing.assert_allclose(read_vacf(path, choice=Choice(1, 2, 3)).error, [0, 0.01, 0.02])
    with pytest.warns(UserWarning, match="t is column 1, c column 2; not used: column 3"):
        assert read_vacf(path, choice=Choice(error=False, y=2)).error is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("0 1\n1 0.5\n", "needs 3 or more lags, but has 2"),
        ("0 1\n1 0.5\n3 0.2\n", "the lags must be even and start at 0"),
        ("1 1\n2 0.5\n3 0.2\n", "the lags must be even and start at 0"),
        ("0 3\n1 1.5\n2 0.2\n", r"C\(t\) / C\(0\) must be 1 at lag 0, not 3"),
        ("0 1\n1 nan\n2 0.2\n", "line 2: c = nan is not a finite number"),
        ("0 1\n1 half\n2 0.2\n", "line 2: c = 'half' is not a number"),
        ("0 1\n1\n2 0.2\n", "line 2: has 1 column, but line 1 has 2"),
        ("t c error\n0 1 0\n1 0.5 -1\n2 0.2 0\n", "errors must be zero or more"),
    ],
)
def test_refusals(tmp_path, text, reason):
    path = tmp_path / "vacf.csv"
    path.write_text(text)
    with pytest.raises(DiffPairError, match=reason):
        read_vacf(path)
    with pytest.raises(DiffPairError, match=r"none\.csv: no such file; it should hold the target vacf"):
        read_vacf(tmp_path / "none.csv")


def test_label_without_file():
    with pytest.raises(DiffPairError, match="^vacf: needs 3"):
        VacfTarget(np.zeros(1), np.ones(1))
