"""Analytic forms at the points where their values are known on paper."""

from __future__ import annotations

import math

import pytest
import torch

from diffpair.potentials import (
    GaussianMLP,
    GeneralisedLennardJones,
    LennardJones,
    ModifiedMorse,
    SoftSphere,
    Yukawa,
)


def at(potential, r):
    return float(potential(torch.tensor([r], dtype=torch.float64)).detach())


def test_lennard_jones_minimum_and_zero():
    potential = LennardJones(("A",), 2.0, epsilon=0.7, sigma=0.34)
    assert at(potential, 0.34) == pytest.approx(0, abs=1e-12)
    assert at(potential, 0.34 * 2 ** (1 / 6)) == pytest.approx(-0.7)


def test_generalised_lennard_jones_contains_the_ordinary_one():
    general, plain = GeneralisedLennardJones(("A",), 2.0, 1.2, 0.5), LennardJones(("A",), 2.0, 1.2, 0.5)
    assert all(at(general, r) == pytest.approx(at(plain, r)) for r in (0.4, 0.6, 1.1))


def test_yukawa_and_soft_sphere():
    assert at(Yukawa(("A",), 2.0, epsilon=3.0, sigma=0.5, kappa=4.0), 1.0) == pytest.approx(1.5 * math.exp(-2.0))
    assert at(SoftSphere(("A",), 2.0, epsilon=2.0, sigma=0.5, n=6), 1.0) == pytest.approx(2 / 64)


@pytest.mark.parametrize("phi", [1.0, 0.4, -0.7])
def test_morse_well(phi):
    """-epsilon at sigma, whatever phi; for phi = 1 the familiar formula; for phi < 0 zero far away."""
    potential = ModifiedMorse(("A",), 50.0, epsilon=0.8, sigma=0.5, a=4.0, phi=phi)
    assert at(potential, 0.5) == pytest.approx(-0.8)
    if phi == 1:
        assert at(potential, 0.7) == pytest.approx(0.8 * ((1 - math.exp(-8.0 * 0.2)) ** 2 - 1))
    if phi < 0:
        assert abs(at(potential, 1e9)) < 1e-4


def test_network_starts_near_its_soft_repulsion():
    potential = GaussianMLP(("A",), 1.0, length=0.3, energy=2.5)
    assert at(potential, 0.18) == pytest.approx(2.5 * (0.27 / 0.18) ** 10, rel=0.05)
    r = torch.linspace(0.3, 1.0, 50, dtype=torch.float64)
    assert float((potential(r) - potential.prior(r)).detach().abs().max()) < 2.5
