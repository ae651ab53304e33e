"""Files of one true g(r), and what becomes of them when they are read."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.targets import read_rdf

R = 0.02 * np.arange(1, 60)


def truth(r):
    g = 1 + 1.9 * np.exp(-(((r - 0.33) / 0.025) ** 2)) + 0.1 * np.cos(20 * (r - 0.33)) * np.exp(-3 * (r - 0.33))
    return np.where(r < 0.29, 0.0, g)


G = truth(R)
N = 4 * np.pi * 33.3 * np.cumsum(G * R**2) * 0.02
ERROR = 0.01 + 0.005 * np.cos(7 * R) ** 2
OTHER = np.where(R < 0.35, 0.0, 1 + np.sin(9 * (R - 0.35)) * np.exp(-3 * (R - 0.35)))


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
