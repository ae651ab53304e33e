"""The thresholds on g, each met by a g that crosses it at a known place."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.targets import sampled

R = 0.3 + 0.01 * np.arange(100)
# of a liquid near contact, ln g rises linearly: e-fold every 0.02 nm up to a peak of 3, then 1
LIQUID = np.where(R < 0.6, np.minimum(3.0 * np.exp((R - 0.5) / 0.02), 3.0), 1.0)


def reached(level):
    """The first bin in which the liquid's g has this value."""
    return np.ceil((0.5 + 0.02 * np.log(level / 3.0) - 0.3) / 0.01 - 1e-9) * 0.01 + 0.3


@pytest.mark.parametrize(("factor", "most"), [(1.0, 1.0), (0.1, 0.3)])
def test_where_neighbours_begin_and_contact_is(factor, most):
    """Also of a g that never reaches 1, where parts of its maximum count."""
    g = factor * LIQUID
    assert sampled.neighbours_from(R, g) == pytest.approx(reached(3e-3))
    assert sampled.onset(R, g) == pytest.approx(reached(0.3))
    assert R[sampled.contact_bin(g)] == pytest.approx(reached(1.0 if factor == 1 else 2.7))
    assert sampled.invertible(g) == pytest.approx(0.05 * most)


def test_a_g_that_is_cut_off_has_no_core():
    assert sampled.begins_with_core(LIQUID) and not sampled.begins_with_core(LIQUID[16:])


def test_thresholds_of_one_measure_rise():
    """A distance that counts as visited is one whose g can be inverted, and so on inward."""
    assert 0 < sampled.EMPTY < sampled.CORE < sampled.ONSET < sampled.CONTACT < 1
    assert 0 < sampled.LEAST < sampled.INVERTIBLE < sampled.VISITED < sampled.CRYSTAL_GAP < 1
