"""What a fit says of targets that its potential does not reproduce."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffpair.engines.production import ProductionResult, RdfResult
from diffpair.engines.results import DistributionResult
from diffpair.fit.record.results import misfits

R = np.linspace(0.8, 3.3, 100)


def result(g_target, mae, noise=0.002, held_out=False):
    rdf = RdfResult(("A", "A"), R, np.ones(100), g_target, np.full(100, noise), mae, noise)
    return ProductionResult("cold", held_out, [rdf], None, 1000, True, 0.9, None)


@pytest.mark.parametrize(
    ("mae", "noise", "held_out"), [(0.01, 0.0005, False), (0.05, 0.02, False), (0.05, 0.002, True)]
)
def test_small_misfits_noise_and_held_out_states_are_not_told(mae, noise, held_out):
    assert misfits([result(np.ones(100), mae, noise, held_out)]) == []


def test_misfit_that_a_scale_error_admits_is_not_told():
    wrong = result(np.full(100, 0.97), 0.03)
    assert len(misfits([wrong])) == 1
    wrong.targets[0] = replace(wrong.targets[0], scale_error=0.02)
    assert misfits([wrong]) == [] and wrong.rdfs[0].misfit == pytest.approx(0, abs=1e-12)
    wrong.targets[0] = replace(wrong.targets[0], scale_error=0.002)  # three of them at most
    (told,) = misfits([wrong])
    assert wrong.rdfs[0].misfit == pytest.approx(1 - 1.006 * 0.97) and "of 0.03 is not noise" in told


def test_misfit_is_told_and_a_separated_target_named():
    fluid = 1 + 0.1 * np.sin(6 * R) / R
    (told,) = misfits([result(fluid, 0.05)])
    assert told.startswith("state cold: the potential does not reproduce g of A-A: its mean |g - target| of 0.05")
    assert "two phases" not in told
    (told,) = misfits([result(fluid + 0.05, 0.05)])
    assert "two phases" in told and "by 0.05" in told and "beyond 2.21 nm" in told


def angles(l1, noise=0.004, part=1.0, held_out=False):
    """part: of the angles in production that lie within the target's bins."""
    x = np.linspace(1.0, 2.0, 11)
    p = np.full(11, 1 / 1.1)
    found = DistributionResult("angle", ("A", "B", "A"), x, part * p, p, 0.01 * p, l1, noise)
    return ProductionResult("cold", held_out, [found], None, 1000, True, 0.9, None)


@pytest.mark.parametrize("fine", [angles(0.04), angles(0.2, noise=0.05), angles(0.2, held_out=True)])
def test_distributions_that_are_met_known_badly_or_held_out_are_not_told(fine):
    assert misfits([fine]) == []


def test_a_distribution_that_is_not_met_is_told():
    (told,) = misfits([angles(0.2)])
    assert told == (
        "state cold: the potential does not reproduce the distribution of the angle A-B-A: its integral |p - target| "
        "of 0.2 is not noise (0.004); a term that is fixed or of another form, other targets or too few iterations may "
        "be why"
    )
    (told,) = misfits([angles(0.2, part=0.9)])
    assert "not noise (0.004), and 10 % of it lies beyond the target's bins; a term" in told
