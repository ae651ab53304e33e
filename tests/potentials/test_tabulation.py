"""Tables of potentials: exact where they must be, close where they are interpolated, honest where they cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import diffpair.ops  # noqa: F401  registers the operators
from diffpair.errors import DiffPairError
from diffpair.potentials import (
    BSpline,
    GaussianMLP,
    LennardJones,
    SoftSphere,
    Sum,
    TableGrid,
    TemperatureDependent,
    UserModule,
    refine,
    tabulate,
    tabulation_error,
    to_table,
)
from diffpair.potentials.tabulation import switched_energy

KT = 1.0


def test_lennard_jones_force_within_tolerance_everywhere_below_20_kT():
    """Against the derivative of the switched formula, worked out here, at random distances."""
    potential = LennardJones(("A",), 2.5, epsilon=1.0, sigma=1.0, switch_width=0.5)
    refined = refine(potential, 0.75, 40, KT, tolerance=1e-3)
    assert refined.converged
    r = np.random.default_rng(1).uniform(0.86, 2.5, 400)
    u, du = 4 * (r**-12 - r**-6), 4 * (-12 * r**-13 + 6 * r**-7)
    x = np.clip((r - 2.0) / 0.5, 0, 1)
    s, ds = 1 - 10 * x**3 + 15 * x**4 - 6 * x**5, -30 * x**2 * (1 - x) ** 2 / 0.5
    force = -(du * s + u * ds)
    error = np.abs(to_table(potential, refined.grid).force(r) - force) / np.maximum(np.abs(force), 4.0)
    assert error.max() < 1.5e-3  # midpoints are where the table is refined; elsewhere it is about as good


def test_doubling_the_knots_reduces_the_error():
    potential = LennardJones(("A",), 2.5)
    errors = [tabulation_error(potential, TableGrid(0.7, 2.5, knots), KT) for knots in (41, 81, 161)]
    assert errors[0] > 4 * errors[1] > 16 * errors[2] > 0


def test_soft_core_does_not_multiply_the_knots():
    """A network's own start is below 20 kT at r_min, where the table's natural end bends every curve."""
    potential = GaussianMLP(("A",), 2.5, length=0.95, energy=KT, hidden=(16,), switch_width=0.25)
    assert float(potential(torch.tensor([0.75], dtype=torch.float64))) < 20 * KT
    everywhere, outside = (refine(potential, 0.75, 51, KT, above=above) for above in (0.0, 0.85))
    assert everywhere.grid.knots > 4 * outside.grid.knots and outside.grid.knots <= 201 and outside.converged
    r = np.random.default_rng(1).uniform(0.86, 2.49, 200)
    x = torch.from_numpy(r).requires_grad_()
    exact = -torch.autograd.grad(switched_energy(potential, x, ()).sum(), x)[0].numpy()
    error = np.abs(to_table(potential, outside.grid).force(r) - exact) / np.maximum(np.abs(exact), 4 * KT)
    assert error.max() < 2e-3


def test_refinement_says_when_it_cannot():
    class Rough(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.size = torch.nn.Parameter(torch.tensor(1.0))

        def forward(self, r: torch.Tensor) -> torch.Tensor:
            return self.size * torch.sin(2e4 * r)

    refined = refine(UserModule(Rough(), ("A",), 1.0), 0.3, 50, KT)
    assert not refined.converged and refined.error > 0.1


def test_spline_table_is_the_potential_itself():
    potential = BSpline(("A", "B"), 1.2, 0.3, 24)
    potential.set_coefficients(torch.from_numpy(np.random.default_rng(2).normal(size=(3, 23))))
    table = to_table(potential, potential.own_grid())
    r = np.linspace(0.1, 1.3, 200)
    energy = potential(torch.from_numpy(r)).detach().numpy()
    for row, pair in enumerate([("A", "A"), ("A", "B"), ("B", "B")]):
        np.testing.assert_allclose(table.energy(r, *pair), energy[row], atol=1e-12)
    assert np.all(energy[:, r >= 1.2] == 0)
    with pytest.raises(DiffPairError, match="own knots"):
        tabulate(potential, (0.3, 1.2, 30))


@pytest.mark.parametrize(
    "potential",
    [
        LennardJones(("A", "B"), 1.2, 1.3, [0.30, 0.35, 0.4]),
        GaussianMLP(("A",), 1.2, length=0.3, hidden=(8,)),
        Sum([LennardJones(("A",), 1.2, 1.0, 0.3), SoftSphere(("A",), 1.2, 0.5, 0.3)]),
    ],
    ids=["lj", "mlp", "sum"],
)
def test_gradient_of_the_table_by_finite_differences(potential):
    """One random direction in theta, one in c: the derivative of a single number checks the whole chain."""
    grid = TableGrid(0.28, 1.2, 30)
    generator = torch.Generator().manual_seed(4)
    weights = torch.randn(potential.npairs, 32, generator=generator, dtype=torch.float64)
    parameters = list(potential.parameters())
    direction = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in parameters]
    gradient = torch.autograd.grad((tabulate(potential, grid) * weights).sum(), parameters, allow_unused=True)
    exact = sum(float((g * d).sum()) for g, d in zip(gradient, direction, strict=True) if g is not None)
    values = []
    with torch.no_grad():
        for sign in (1, -1):
            for p, d in zip(parameters, direction, strict=True):
                p += sign * 1e-6 * d
            values.append(float((tabulate(potential, grid) * weights).sum()))
            for p, d in zip(parameters, direction, strict=True):
                p -= sign * 1e-6 * d
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(exact, rel=1e-6)


def test_switching_function():
    """Quintic from 1 to 0 over the width, with its derivative; a step where the width is 0."""
    r = torch.linspace(0.0, 1.4, 300, dtype=torch.float64, requires_grad=True)
    for width in (0.1, 1.0):
        x = ((r - 1.0 + width) / width).clamp(0, 1)
        s, expected = torch.ops.diffpair.switching(r, 1.0, width), 1 - 10 * x**3 + 15 * x**4 - 6 * x**5
        assert torch.allclose(s, expected, atol=1e-14)
        slopes = [torch.autograd.grad(each.sum(), r)[0] for each in (s, expected)]
        assert torch.allclose(*slopes, atol=1e-12) and slopes[0].abs().max() > 1
    assert torch.equal(torch.ops.diffpair.switching(r, 1.0, 0.0), (r < 1.0).double())


def test_temperature_enters_the_table():
    energy, entropy = LennardJones(("A",), 1.2, 2.0, 0.3), SoftSphere(("A",), 1.2, 0.7, 0.3, 8.0)
    potential = TemperatureDependent(energy, entropy, 300.0)
    grid = TableGrid(0.25, 1.2, 60)
    expected = tabulate(energy, grid) - 0.5 * tabulate(entropy, grid)
    assert torch.allclose(tabulate(potential, grid, (450.0,)), expected, atol=1e-9)
    assert to_table(potential, grid, (450.0,)).global_parameters == {"temperature": 450.0}
    with pytest.raises(DiffPairError, match="temperature"):
        tabulate(potential, grid)


def test_bad_tables_are_named():
    with pytest.raises(DiffPairError, match="cutoff"):
        tabulate(LennardJones(("A",), 1.2), (0.2, 1.1, 40))
    with pytest.raises(DiffPairError, match="LennardJones is .* at r = 0"):
        tabulate(LennardJones(("A",), 1.2), (0.0, 1.2, 40))
