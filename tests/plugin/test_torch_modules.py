"""What may be in a TorchPairForce: modules that are refused, where they may come from, and running without PyTorch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import openmm
import pytest

import diffpair._openmm_forces as openmm_forces
from diffpair._openmm_forces import PairForce, TorchPairForce

torch = pytest.importorskip("torch")
from torch import Tensor  # noqa: E402


class Inverse(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        return 1 / r


class Missing(torch.nn.Module):
    def forward(self, r: Tensor, a: Tensor) -> Tensor:
        return a / r


class Shape(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        return (1 / r).unsqueeze(0).repeat(2, 1)


class Detached(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        return 1 / r.detach()


class DetachedParameter(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, r: Tensor) -> Tensor:
        return self.w / r.detach()


class SteepRoot(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        return torch.sqrt(torch.abs(r - 0.2))


class Pair(torch.nn.Module):
    def forward(self, r: Tensor) -> tuple[Tensor, Tensor]:
        return r, r


class Integer(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        return torch.ones(r.shape[0], dtype=torch.int64)


class Raises(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        assert r.shape[0] == 0, "nobody expects this"
        return r


class NotANumber(torch.nn.Module):
    def forward(self, r: Tensor) -> Tensor:
        return torch.log(r - 0.3)


BAD_MODULES = [
    (Shape(), r"must return energies of shape \[1, 15\].*for 15 distances returns shape \[2, 15\]"),
    (Detached(), "do not depend on r through differentiable operations"),
    (DetachedParameter(), "do not depend on r through differentiable operations"),
    (SteepRoot(), "force is not finite at r = 0.2 nm for the types 'W' and 'W'"),
    (NotANumber(), "energy is not finite at r = 0.2 nm for the types 'W' and 'W'"),
    (Pair(), "must return a tensor, but returns Tuple"),
    (Integer(), "must return floating-point energies"),
    (Raises(), "could not be evaluated .*nobody expects this"),
    (Missing(), "could not be evaluated .*missing value for argument 'a'"),
]


@pytest.mark.parametrize(("module", "problem"), BAD_MODULES, ids=[type(module).__name__ for module, _ in BAD_MODULES])
def test_bad_modules(tools, module, problem):
    with pytest.raises(openmm.OpenMMException, match=f"TorchPairForce: .*{problem}") as raised:
        TorchPairForce.fromModule(tools.script(module), ["W"], 0.2, 0.9, 15)
    assert "\n" not in str(raised.value)
    # The same when a Context is what needs the table.
    force = TorchPairForce.fromModule(tools.script(module), ["W"], 0.2, 0.9, 15, embedTable=False)
    force.addParticle(0)
    system = openmm.System()
    system.addParticle(1.0)
    system.addForce(force)
    with pytest.raises(openmm.OpenMMException, match=f"TorchPairForce: .*{problem}"):
        tools.make_context(system, "Reference")


def test_bytes_that_are_no_module(tools, tmp_path):
    force = TorchPairForce(b"not a module", 1, 0.2, 0.9, 15)
    with pytest.raises(openmm.OpenMMException, match="not a TorchScript module"):
        force.embedTable()
    (tmp_path / "notes.pt").write_bytes(b"not a module")
    with pytest.raises(openmm.OpenMMException, match=r"not a TorchScript module.*\(module file '.*notes\.pt'\)"):
        TorchPairForce.fromModule(tmp_path / "notes.pt", 1, 0.2, 0.9, 15)
    with pytest.raises(openmm.OpenMMException, match="takes 0 global parameters, but is given 1 values"):
        TorchPairForce.fromModule(tools.script(Inverse()), 1, 0.2, 0.9, 15).tabulate([1.0])


def test_from_path_and_bytes(tools, tmp_path):
    inverse = tools.script(Inverse())
    path = tmp_path / "inverse.pt"
    path.write_bytes(inverse.save_to_buffer())
    tables = [
        TorchPairForce.fromModule(source, 1, 0.2, 0.9, 50).getEmbeddedTable()
        for source in (inverse, path, str(path), path.read_bytes())
    ]
    assert tables[0] == tables[1] == tables[2] == tables[3]


WITHOUT_TORCH = """
import sys, openmm
from diffpair._openmm_forces import TorchPairForce
system = openmm.XmlSerializer.deserialize(open(sys.argv[1]).read())
context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
context.setPositions([[0, 0, 0], [0.4, 0, 0]])
print(repr(context.getState(energy=True).getPotentialEnergy()._value))
assert "torch" not in sys.modules
assert "libtorch" not in open("/proc/self/maps").read()
context.setParameter("a", 3.0)
try:
    print(repr(context.getState(energy=True).getPotentialEnergy()._value))
except openmm.OpenMMException as problem:
    print(problem)
"""


@pytest.mark.parametrize("tabulator", [True, False], ids=["tabulator", "no tabulator"])
def test_xml_in_a_process_that_never_imports_torch(power, tmp_path, tabulator):
    """Runs on the embedded table; a changed parameter needs libtorch (not Python's torch), or says what to install."""
    force = TorchPairForce.fromModule(power, ["A"], 0.2, 0.9, 80, globalParameters={"a": 1.0, "b": 0.5})
    system = openmm.System()
    for _ in range(2):
        system.addParticle(1.0)
        force.addParticle(0)
    force.setNonbondedMethod(PairForce.CutoffNonPeriodic)
    system.addForce(force)
    (tmp_path / "system.xml").write_text(openmm.XmlSerializer.serialize(system))
    package = Path(openmm_forces.__file__).parent
    if not tabulator:
        shutil.copytree(package, tmp_path / "diffpair", ignore=shutil.ignore_patterns("*torch*", "__pycache__"))
        package = tmp_path / "diffpair"
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "system.xml")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(package.parent), "PATH": "/usr/bin:/bin"},
    )
    assert result.returncode == 0, result.stderr
    before, after = result.stdout.splitlines()
    assert float(before) == pytest.approx((0.3 / 0.4) ** 6 + 0.5, rel=1e-4)
    if tabulator:
        assert float(after) == pytest.approx(3 * (0.3 / 0.4) ** 6 + 0.5, rel=1e-4)
    else:
        assert "tabulating the module needs PyTorch, install it with: pip install 'torch==2.13.*'" in after
