"""Every form can be hosted by TorchPairForce: torch.jit.script accepts it and gives the same numbers."""

import io
import warnings

import pytest
import torch

from diffpair.potentials import (
    BSpline,
    GaussianMLP,
    GeneralisedLennardJones,
    LennardJones,
    ModifiedMorse,
    PairPotential,
    SoftSphere,
    Sum,
    TemperatureDependent,
    Yukawa,
)

A, AB = ("A",), ("A", "B")


def spline(types: tuple[str, ...]) -> BSpline:
    potential = BSpline(types, 2.5, 0.8, 30)
    torch.manual_seed(3)
    potential.set_coefficients(torch.randn(potential.npairs, 29, dtype=torch.float64))
    return potential


FORMS = {
    "bspline": spline,
    "mlp": lambda types: GaussianMLP(types, 2.5, hidden=(16, 16)),
    "lj": lambda types: LennardJones(types, 2.5, 1.1, 0.9),
    "generalised lj": lambda types: GeneralisedLennardJones(types, 2.5, n=10, m=5),
    "yukawa": lambda types: Yukawa(types, 2.5, epsilon=-2.0, kappa=3.0),
    "soft sphere": lambda types: SoftSphere(types, 2.5, n=9),
    "morse": lambda types: ModifiedMorse(types, 2.5, phi=-0.5),
    "sum": lambda types: Sum([spline(types), LennardJones(types, 2.5)]),
}


def scripted(potential: PairPotential) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.script(potential), buffer)
        buffer.seek(0)
        return torch.jit.load(buffer)


@pytest.mark.parametrize("types", [A, AB], ids=["one type", "two types"])
@pytest.mark.parametrize("form", FORMS)
def test_scripted_form_gives_the_same_energies(form, types):
    potential = FORMS[form](types)
    r = torch.linspace(0.7, 2.6, 57, dtype=torch.float64)
    expected = potential(r)
    assert expected.shape == (potential.npairs, 57) and torch.isfinite(expected).all()
    assert torch.equal(scripted(potential)(r), expected)


def test_scripted_form_takes_global_parameters():
    potential = TemperatureDependent(LennardJones(A, 2.5), SoftSphere(A, 2.5), 300.0)
    r = torch.linspace(0.9, 2.5, 9, dtype=torch.float64)
    t = torch.tensor(150.0, dtype=torch.float64)
    assert torch.allclose(scripted(potential)(r, t), potential.energy(r) + 0.5 * potential.entropy(r))
