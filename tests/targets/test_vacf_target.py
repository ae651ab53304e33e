"""Velocity autocorrelations as targets: files, units, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.targets import VacfTarget, read_vacf


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "needs 3 or more lags, but has 0"),
        ("0 1\n1 0.5\n", "needs 3 or more lags, but has 2"),
        ("0 1\n1 0.5\n3 0.2\n", "the lags must be even and start at 0"),
        ("1 1\n2 0.5\n3 0.2\n", "the lags must be even and start at 0"),
        ("0 3\n1 1.5\n2 0.2\n", r"C\(t\) / C\(0\) must be 1 at lag 0, not 3"),
        ("0 1\n1 nan\n2 0.2\n", "a number is not finite"),
        ("0 1\n1 half\n2 0.2\n", "line 2: '1 half' does not hold numbers"),
        ("0 1\n1\n2 0.2\n", r"line 2: t, C\(t\) / C\(0\) and perhaps an error are needed, not '1'"),
        ("0 1 0\n1 0.5 -1\n2 0.2 0\n", "errors must be zero or more"),
    ],
)
def test_refusals(tmp_path, text, reason):
    path = tmp_path / "vacf.csv"
    path.write_text(text)
    with pytest.raises(DiffPairError, match=reason):
        read_vacf(path)
    with pytest.raises(DiffPairError, match="cannot be read as a target vacf"):
        read_vacf(tmp_path / "none.csv")


def test_label_without_file():
    with pytest.raises(DiffPairError, match="^vacf: needs 3"):
        VacfTarget(np.zeros(1), np.ones(1))
