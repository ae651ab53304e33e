"""What Python callers give by mistake, and what numpy would make of it without a word."""

import re

import numpy as np
import openmm
import pytest
from hostile import G, R, sentence

from diffpair import PairTable, PairTableForce, Potential, RdfTarget, Sampling

ROW = np.zeros((1, 8))


def table(types=("A",), r_min=0.1, cutoff=1.0, coefficients=ROW, parameters=None):
    return PairTable(types, r_min, cutoff, coefficients, parameters or {})


def force():
    return PairTableForce(1, 0.2, 0.9, 12)


# name, call, the sentence
CALLS = [
    ("complex", lambda: table(coefficients=ROW + 1j), "coefficients must be real numbers, not array"),
    ("words", lambda: table(coefficients="x"), "coefficients must be real numbers, not 'x'"),
    (
        "ragged",
        lambda: table(coefficients=[[1, 2], [3]]),
        r"coefficients must be real numbers, not \[\[1, 2\], \[3\]\]",
    ),
    ("none", lambda: table(coefficients=[[None] * 8]), "coefficient 0 of the pair A-A is nan"),
    ("no-columns", lambda: table(coefficients=np.zeros((1, 0))), "knots = -2 is too few"),
    (
        "letters",
        lambda: table(types="AB", coefficients=np.zeros((3, 8))),
        r"types must be a tuple of names, such as .*, not 'AB'",
    ),
    ("numbers", lambda: table(types=(1,)), r"types must be a tuple of names, such as .*, not \(1,\)"),
    ("nan-r_min", lambda: table(r_min=np.nan), "r_min = nan nm and cutoff = 1.0 nm must obey"),
    ("parameter", lambda: table(parameters={"T": "hot"}), "global parameter T must be a number, not 'hot'"),
    ("parameter-nan", lambda: table(parameters={"T": np.nan}), "global parameter T is nan"),
    ("at-nan", lambda: table().energy(np.nan), "r must be distances in nm, but holds nan"),
    ("at-complex", lambda: table().force([1j]), "r must be real numbers, not"),
    ("at-a-word", lambda: table().energy("x"), "r must be real numbers, not 'x'"),
    ("half-a-type", lambda: table().energy(0.3, 0.5), "a type is a name or an index, not 0.5"),
    ("no-type", lambda: table().energy(0.3, "B"), "type 'B' is not in the table, which has A"),
    ("minus-a-type", lambda: table().energy(0.3, -1), "type index -1 is out of range"),
    ("target-of-a-letter", lambda: RdfTarget("A", R, G), "the pair of a target must be two types, not 'A'"),
    ("target-of-words", lambda: RdfTarget(("A", "A"), "x", G), "target A-A: r must be real numbers, not 'x'"),
    ("target-of-phases", lambda: RdfTarget(("A", "A"), R, G + 0j), "target A-A: g must be real numbers, not"),
    ("target-of-nan", lambda: RdfTarget(("A", "A"), R, G * np.nan), "target A-A: g holds a value that is not finite"),
    ("10^400-steps", lambda: Sampling(steps=10**400), r"Sampling: steps: must be a whole number, not 10{30,}\.\.\."),
    ("two-steps", lambda: Sampling(steps=np.array([1, 2])), "Sampling: steps: must be a whole number, not array"),
    ("true-steps", lambda: Sampling(steps=True), "Sampling: steps: must be a whole number, not True"),
    ("nan-timestep", lambda: Sampling(timestep=np.nan), "Sampling: timestep: must be a finite number, not nan"),
    ("bomb-timestep", lambda: Sampling(timestep="1 9**9**9 fs"), r"Sampling: timestep: '9\*\*9\*\*9 fs' is not a unit"),
    (
        "list-of-sigma",
        lambda: Potential("lj", sigma=[1], epsilon=1.0, cutoff=1.0),
        "sigma: must be a number with a unit",
    ),
    ("form-3", lambda: Potential(3, cutoff=1.0), "Potential: form: '3' is not available; allowed are bspline"),
    (
        "cutoff-1e9",
        lambda: Potential("bspline", cutoff=1e9),
        r"cutoff = 1000000000.0 nm must be from 1e-06 to 1e\+06 nm",
    ),
    ("missing-file", lambda: PairTableForce.fromFile("none.json"), "none.json: no such potential file"),
]


@pytest.mark.parametrize(("call", "said"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
@pytest.mark.timeout(20)
def test_refusals(call, said):
    found = sentence(call)
    assert re.search(said, found), found


def test_the_plugin_says_it_in_openmms_words():
    for call, said in (
        (lambda: force().setPairCoefficients(0, 0, [np.nan] * 14), "must be finite, but number 0 is nan"),
        (lambda: PairTableForce(1, 0.2, 0.9, 2**31 - 1), "at most 1000000 knots"),
        (lambda: PairTableForce(2**31 - 1, 0.2, 0.9, 12), "1 to 4096 types"),
        (lambda: PairTableForce(1, np.nan, 0.9, 12), "PairTableForce: "),
    ):
        found = sentence(call, openmm.OpenMMException)
        assert re.search(said, found), found
    for misuse in (lambda: force().setPairCoefficients(0, 0, None), lambda: PairTableForce(2**40, 0.2, 0.9, 12)):
        with pytest.raises((TypeError, OverflowError)):
            misuse()
