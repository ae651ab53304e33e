"""Rows of a matrix in an orthonormal basis, for few columns and for many."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.updates.parameter_space import row_space


@pytest.mark.parametrize("width", [7, 30, 900])
def test_rows_are_kept(width):
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(20, width)) * np.logspace(0, -3, 20)[:, None]
    matrix[-1] = matrix[0] - 2 * matrix[1]  # one direction less than rows
    coordinates, basis = row_space(matrix)
    assert len(basis) == min(19, width)
    assert basis @ basis.T == pytest.approx(np.eye(len(basis)), abs=1e-8)
    assert coordinates @ basis == pytest.approx(matrix, abs=1e-10)
