"""Potentials that cannot work are refused with a sentence that names them."""

from __future__ import annotations

import warnings

import pytest
import torch

from diffpair.errors import DiffPairError
from diffpair.potentials import (
    BSpline,
    GaussianMLP,
    GeneralisedLennardJones,
    LennardJones,
    ModifiedMorse,
    Sum,
    UserModule,
)


class Module(torch.nn.Module):
    """A module with one weight that returns what a function makes of it."""

    def __init__(self, function):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.function = function

    def forward(self, r):
        return self.function(r, self.weight)


BAD_MODULES = {
    "too many rows": (lambda r, w: (w / r).expand(2, -1), r"\[2, 64\].*must be \[1, 64\]"),
    "too few values": (lambda r, w: (w / r)[:-1], r"\[63\]"),
    "not a tensor": (lambda r, w: 1.0, "must return a tensor, not a float"),
    "nan": (lambda r, w: w * torch.log(r - 0.5), "nan for pair 0 at r = 0.3 nm"),
    "no gradient": (lambda r, w: (w / r).detach(), "without a gradient"),
    "weights unused": (lambda r, w: 1 / r, "gradient with respect to its parameters"),
    "distance unused": (lambda r, w: w.expand(64), "gradient with respect to r"),
    "steps in distance": (lambda r, w: w * torch.round(10 * r), "gradient with respect to r"),
    "complex": (lambda r, w: torch.complex(w / r, r), "returns complex numbers"),
    "infinite gradient": (lambda r, w: (w - 1).sqrt() + 1 / r, "gradient that is not finite"),
    "raises": (lambda r, w: w @ r, "cannot be called"),
}


@pytest.mark.parametrize("case", BAD_MODULES)
def test_bad_module(case):
    function, message = BAD_MODULES[case]
    with pytest.raises(DiffPairError, match=message) as caught:
        UserModule(Module(function), ("A",), 1.0)
    assert "the module Module" in str(caught.value) and "\n" not in str(caught.value)


def test_module_without_weights():
    with pytest.raises(DiffPairError, match="no parameter"):
        UserModule(torch.nn.Identity(), ("A",), 1.0)


def test_frozen_weights_stay_frozen():
    module = Module(lambda r, w: w / r)
    module.fixed = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    hosted = UserModule(module, ("A",), 1.0)
    assert [p.requires_grad for p in hosted.parameters()] == [True, False]
    module.weight.requires_grad_(False)
    with pytest.raises(DiffPairError, match="requires_grad is False for all"):
        UserModule(module, ("A",), 1.0)


def test_bad_files_are_named(tmp_path):
    with pytest.raises(DiffPairError, match=r"missing\.pt does not exist"):
        UserModule(tmp_path / "missing.pt", ("A",), 1.0)
    (tmp_path / "text.pt").write_text("not a module")
    with pytest.raises(DiffPairError, match=r"text\.pt is a text file, not a module; give what torch"):
        UserModule(tmp_path / "text.pt", ("A",), 1.0)


def test_file_with_the_wrong_shape_names_the_file(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(LennardJones(("A", "B"), 1.0, 1.0, 0.3)), tmp_path / "two.pt")
    with pytest.raises(DiffPairError, match=r"two\.pt returns the shape \[3, 64\]"):
        UserModule(tmp_path / "two.pt", ("A",), 1.0)
    hosted = UserModule(tmp_path / "two.pt", ("A", "B"), 1.0)
    r = torch.linspace(0.3, 1.0, 5)
    assert torch.allclose(hosted(r), LennardJones(("A", "B"), 1.0, 1.0, 0.3)(r))


REFUSED = {
    "cutoff must be positive": lambda: LennardJones(("A",), -1.0),
    "unique names": lambda: LennardJones(("A", "A"), 1.0),
    "sigma must be positive": lambda: LennardJones(("A",), 1.0, sigma=0.0),
    "epsilon needs 1 or 3 values": lambda: LennardJones(("A", "B"), 1.0, epsilon=[1.0, 2.0]),
    "n > m > 0": lambda: GeneralisedLennardJones(("A",), 1.0, n=6, m=12),
    "phi": lambda: ModifiedMorse(("A",), 1.0, phi=0.0),
    "knots must be 5": lambda: BSpline(("A",), 1.0, 0.2, 4),
    "r_min": lambda: BSpline(("A",), 1.0, 1.2, 40),
    "switch_width": lambda: LennardJones(("A",), 1.0, switch_width=2.0),
    "2 or more Gaussians": lambda: GaussianMLP(("A",), 1.0, gaussians=1),
    "same types and cutoff": lambda: Sum([LennardJones(("A",), 1.0), LennardJones(("A",), 1.1)]),
    "share their knots": lambda: Sum([BSpline(("A",), 1.0, 0.2, 20), BSpline(("A",), 1.0, 0.2, 30)]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_values(message):
    with pytest.raises(DiffPairError, match=message):
        REFUSED[message]()
