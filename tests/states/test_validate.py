"""Targets and cutoffs that do not fit a state are refused by name and number."""

from pathlib import Path

import numpy as np
import openmm
import pytest

from diffpair.errors import DiffPairError
from diffpair.states import NO_TYPE, build_lattice, check_cutoff, check_types
from diffpair.states.validate import check_targets
from diffpair.targets import DensityTarget, PressureTarget, RdfTarget, VacfTarget


def target(r_max=3.3, pair=("A", "A"), scale=1.0):
    r = scale * (0.75 + (r_max - 0.75) / 100 * (np.arange(100) + 0.5))
    return RdfTarget(pair, r, np.where(r > 0.95 * scale, 1.0, 0.0), file=Path("measured.csv"))


def liquid(n=864, targets=(), types=None):
    return build_lattice("liquid", n, 0.845, types or {"A": 1.0}, 1.0, 120.27, targets)


def test_a_target_that_fits_is_taken():
    state = liquid(targets=[target()])
    assert state.rdfs[0].r_max < state.half_box


def test_target_beyond_half_the_box():
    with pytest.raises(DiffPairError, match=r"measured.csv of state 'liquid' reaches to r = 3.3 nm.*\(2.5\d* nm\)"):
        liquid(108, [target()])


def test_target_of_unknown_type():
    with pytest.raises(DiffPairError, match=r"measured.csv names type 'B', which state 'liquid' does not have"):
        liquid(targets=[target(pair=("A", "B"))])


def test_target_of_a_type_of_one_particle():
    """A-A has no pairs, A-B has as many as there are B."""
    types = {"A": 1 / 864, "B": 863 / 864}
    with pytest.raises(DiffPairError, match=r"measured.csv: state 'liquid' has a single particle of type 'A', and"):
        liquid(targets=[target()], types=types)
    assert len(liquid(targets=[target(pair=("B", "A")), target(pair=("B", "B"))], types=types).rdfs) == 2


def test_target_of_pairs_that_are_all_excluded():
    state = liquid(targets=[target(pair=("A", "B"))], types={"A": 1 / 864, "B": 863 / 864})
    (one,) = np.flatnonzero(state.types == 0)
    state.exclusions = np.array([[one, k] for k in range(864) if k != one])
    with pytest.raises(DiffPairError, match="state 'liquid' excludes all its pairs A-B, so that none has a g"):
        check_targets(state)


def test_what_a_barostat_decides():
    """A density is a target under a barostat only, a pressure without one only, or of a state that is held out."""
    with pytest.raises(DiffPairError, match="'liquid' has a density as a target, but no barostat, so its volume is"):
        liquid(targets=[DensityTarget(1.4)])
    state = liquid(targets=[PressureTarget(1.0)])
    state.base_system = openmm.System()
    check_targets(state)
    state.base_system.addForce(openmm.MonteCarloBarostat(7.0, 120.27))
    with pytest.raises(DiffPairError, match="'liquid' has a pressure as a target, but its barostat holds 7 bar"):
        check_targets(state)
    state.held_out = True
    check_targets(state)
    state.targets = [DensityTarget(1.4)]
    check_targets(state)
    state.targets *= 2
    with pytest.raises(DiffPairError, match="a state has one density, but targets names several"):
        check_targets(state)


def test_target_in_another_unit_is_told_so_first():
    with pytest.raises(DiffPairError, match=r"measured.csv") as refusal:
        liquid(targets=[target(scale=10.0)])
    assert "unit" in str(refusal.value)


def test_cutoff_beyond_half_the_box():
    state = liquid(108)
    check_cutoff(state, state.half_box)
    with pytest.raises(DiffPairError, match=r"cutoff of 2.6 nm is beyond half the box of state 'liquid' \(2.5\d* nm\)"):
        check_cutoff(state, 2.6)


def test_types_that_the_potential_lacks():
    with pytest.raises(
        DiffPairError, match="state 'liquid' has particles of type 'B', but the potential has only A, C"
    ):
        check_types(liquid(types={"A": 0.5, "B": 0.5}), ("A", "C"))


def test_what_atoms_without_a_type_leave_open():
    """Their part of the velocities is not seen; production of a held-out state measures all of it."""
    state = liquid()
    state.types = np.where(np.arange(state.num_atoms) < 3, NO_TYPE, state.types)
    vacf = VacfTarget(np.arange(5.0), np.exp(-np.arange(5.0)), None)
    state.targets = [vacf]
    with pytest.raises(DiffPairError, match="'liquid' has atoms without a type, whose part of the vacf a fit"):
        check_targets(state)
    state.held_out = True
    check_targets(state)
