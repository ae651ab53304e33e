"""Modules of users in a fit: exported programs, single precision, files that are something else."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor

from diffpair.errors import DiffPairError
from diffpair.potentials import UserModule
from diffpair.potentials.tabulation import tabulate

GRID = (0.3, 0.9, 30)


class Network(torch.nn.Module):
    """Two types and a parameter; perhaps one that insists on single precision inside."""

    def __init__(self, single: bool = False) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.layers = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
        self.single = single

    def forward(self, r: Tensor, scale: Tensor) -> Tensor:
        x = r[:, None]
        if self.single:
            x = x.float()
        return scale * self.layers(x).T + (0.3 / r) ** 8


def hosted(source) -> UserModule:
    return UserModule(source, ("A", "B"), 0.9, global_names=("scale",), parameters=(1.5,))


def table_and_gradient(potential: UserModule) -> tuple[Tensor, list[Tensor]]:
    """Coefficients, and the gradient of the sum of their squares with respect to the weights."""
    coefficients = tabulate(potential, GRID, (1.5,))
    return coefficients.detach(), list(torch.autograd.grad((coefficients**2).sum(), list(potential.parameters())))


@pytest.fixture(scope="module")
def expected() -> tuple[Tensor, list[Tensor]]:
    return table_and_gradient(hosted(Network()))


@pytest.mark.parametrize("dynamic", [True, False], ids=["any number", "seven"])
def test_exported_program_learns_like_its_module(tmp_path, expected, dynamic):
    """Exported in single precision, it computes in double; its weights are parameters, whose gradients are the same."""
    shapes = ({0: torch.export.Dim("n", min=2)}, None) if dynamic else None
    program = torch.export.export(Network(), (torch.linspace(0.3, 0.9, 7), torch.ones(())), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "program.pt2")
    for source in (program, tmp_path / "program.pt2"):
        potential = hosted(source)
        coefficients, gradients = table_and_gradient(potential)
        torch.testing.assert_close(coefficients, expected[0], rtol=1e-12, atol=1e-12)
        for found, right in zip(gradients, expected[1], strict=True):
            torch.testing.assert_close(found, right, rtol=1e-10, atol=1e-10)
    with torch.no_grad():
        next(iter(potential.parameters())).add_(0.1)
    assert not torch.allclose(tabulate(potential, GRID, (1.5,)), expected[0])


def test_module_in_single_precision(expected):
    module = Network(single=True)
    with pytest.warns(UserWarning, match="the module Network computes in single precision, as it was written"):
        potential = hosted(module)
    assert {p.dtype for p in potential.parameters()} == {torch.float32}
    coefficients, gradients = table_and_gradient(potential)
    assert coefficients.dtype == torch.float64
    torch.testing.assert_close(coefficients, expected[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close([g.double() for g in gradients], expected[1], rtol=1e-3, atol=1e-2)


def test_frozen_module_says_that_its_weights_are_constants(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        frozen = torch.jit.freeze(torch.jit.script(Network().eval()))
        torch.jit.save(frozen, tmp_path / "frozen.pt")
        with pytest.raises(
            DiffPairError, match="no parameter that could be learned; torch.jit.freeze .* make constants"
        ):
            hosted(tmp_path / "frozen.pt")


def test_files_that_are_no_modules(tmp_path):
    torch.save(Network().state_dict(), tmp_path / "weights.pt")
    with pytest.raises(DiffPairError, match=r"^the module file .*weights\.pt holds weights only \(a state_dict"):
        hosted(tmp_path / "weights.pt")
    program = torch.export.export(Network(), (torch.linspace(0.3, 0.9, 7), torch.ones(())))
    torch.export.save(program, tmp_path / "program.pt2")
    content = (tmp_path / "program.pt2").read_bytes()
    (tmp_path / "damaged.pt2").write_bytes(content.replace(b"torch.ops.aten", b"torch.ops.oops"))
    with pytest.raises(
        DiffPairError, match=r"damaged\.pt2 is a torch.export program that torch .* cannot read: "
    ) as raised:
        hosted(tmp_path / "damaged.pt2")
    assert "\n" not in str(raised.value)
