"""What the front door's constructors take is what the functions behind them take, spelled out."""

from __future__ import annotations

import inspect

import pytest
from own_simulations import liquid

from diffpair import Fit, State
from diffpair.states import build_from_files, build_from_simulation, build_lattice


def taken(function):
    found = list(inspect.signature(function).parameters.values())
    return [(each.name, each.kind, each.default, each.annotation) for each in found if each.name != "self"]


@pytest.mark.parametrize(
    ("front", "behind"),
    [
        (State.from_lattice, build_lattice),
        (State.from_files, build_from_files),
        (State.from_simulation, build_from_simulation),
    ],
)
def test_states(front, behind):
    assert taken(front) == taken(behind)


def test_resume():
    assert taken(Fit.resume)[1:] == taken(Fit.__init__)
    assert taken(Fit.resume)[0][0] == "out"


def test_types_and_targets_of_a_simulation_may_go_without_their_names():
    assert State.from_simulation(liquid(), {"A": "bead"}).type_names == ("bead",)
