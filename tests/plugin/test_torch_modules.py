"""What may be in a TorchPairForce: modules that are refused, where they may come from, and running without PyTorch."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
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


class Network(torch.nn.Module):
    """Two types, with a parameter; perhaps one that insists on single precision inside."""

    def __init__(self, single: bool = False) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.register_buffer("centres", torch.linspace(0.2, 0.9, 8))
        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 12), torch.nn.Tanh(), torch.nn.Linear(12, 3))
        self.single = single

    def forward(self, r: Tensor, scale: Tensor) -> Tensor:
        features = torch.exp(-(((r[:, None] - self.centres) / 0.1) ** 2))
        if self.single:
            features = features.float()
        energies = scale * (self.layers(features).T + (0.3 / r) ** 8)
        return energies.double() if self.single else energies


def hosted(module, **options) -> TorchPairForce:
    return TorchPairForce.fromModule(module, 2, 0.2, 0.9, 50, globalParameters={"scale": 1.5}, **options)


@pytest.fixture(scope="module")
def network(tools) -> torch.jit.ScriptModule:
    return tools.script(Network().eval())


@pytest.fixture(scope="module")
def table(network) -> np.ndarray:
    """Energies of the network in double precision."""
    return np.array(hosted(network).getEmbeddedTable())


OPTIMIZED = {
    "freeze": lambda network: torch.jit.freeze(network),
    "optimize_for_inference": lambda network: torch.jit.optimize_for_inference(network),
}


@pytest.mark.parametrize("how", [*OPTIMIZED, "single"])
def test_modules_that_need_single_precision(tools, capfd, network, table, how):
    """Their constants are single, or they ask for it themselves: they work, and it is said once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = OPTIMIZED[how](network) if how in OPTIMIZED else tools.script(Network(single=True))
    force = hosted(module)
    np.testing.assert_allclose(force.getEmbeddedTable(), table, rtol=1e-5, atol=1e-5)
    assert force.computeTabulationError([1.5])._value > 0
    assert capfd.readouterr().err.count("computes in single precision instead of double") == 1


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu")])
def test_modes_of_the_caller_do_not_matter(tools, network, table, mode):
    """Neither what is tabulated, nor in a live Context, nor of a module in single precision."""
    with mode():
        force = hosted(network, energyParameterDerivatives=["scale"])
        np.testing.assert_array_equal(force.getEmbeddedTable(), table)
        np.testing.assert_allclose(force.getEmbeddedDerivatives(), table / 1.5, rtol=1e-12, atol=1e-14)
        single = hosted(tools.script(Network(single=True)))
        np.testing.assert_allclose(single.getEmbeddedTable(), table, rtol=1e-5, atol=1e-5)
        pair_system = tools.PairSystem()
        pair_system.fill(force)
        context = pair_system.context(force, "Reference")
        before = tools.evaluate(context)[0]
        context.setParameter("scale", 3.0)
        assert tools.evaluate(context)[0] == pytest.approx(2 * before, rel=1e-12)


def exported(dtype: torch.dtype, dynamic: bool, module: torch.nn.Module | None = None):
    r = torch.linspace(0.2, 0.9, 7, dtype=dtype)
    shapes = ({0: torch.export.Dim("n", min=2)}, None) if dynamic else None
    module = (Network().eval() if module is None else module).to(dtype)
    return torch.export.export(module, (r, torch.tensor(1.0, dtype=dtype)), dynamic_shapes=shapes)


@pytest.mark.parametrize("dynamic", [True, False], ids=["any number", "seven"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_exported_programs(table, tmp_path, dtype, dynamic):
    """Given itself or as a file: like the module in double precision, whatever it was exported with."""
    program = exported(dtype, dynamic)
    torch.export.save(program, tmp_path / "program.pt2")
    for source in (program, tmp_path / "program.pt2", (tmp_path / "program.pt2").read_bytes()):
        force = hosted(source, energyParameterDerivatives=["scale"])
        np.testing.assert_allclose(force.getEmbeddedTable(), table, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(force.getEmbeddedDerivatives(), table / 1.5, rtol=1e-12, atol=1e-12)
        assert force.computeTabulationError([1.5])._value == pytest.approx(
            force.computeTabulationError([3.0])._value / 2, rel=0.1
        )


def test_exported_program_that_insists_on_single_precision(capfd, table):
    force = hosted(exported(torch.float32, False, Network(single=True).eval()))
    np.testing.assert_allclose(force.getEmbeddedTable(), table, rtol=1e-5, atol=1e-5)
    assert "computes in single precision" in capfd.readouterr().err


def test_exported_programs_that_do_not_fit():
    class Matrix(torch.nn.Module):
        def forward(self, r: Tensor) -> Tensor:
            return r.sum(1)

    program = torch.export.export(Matrix(), (torch.ones(3, 2),))
    with pytest.raises(
        openmm.OpenMMException, match=r"arguments r \[n\] and one scalar .* takes the shapes \[\['3', '2'\]\]"
    ):
        TorchPairForce.fromModule(program, 1, 0.2, 0.9, 20)
    with pytest.raises(openmm.OpenMMException, match="could not be evaluated .*missing value for argument"):
        TorchPairForce.fromModule(exported(torch.float64, True), 2, 0.2, 0.9, 20)


def write_files(folder: Path) -> dict[str, str]:
    """Files that are no modules, and what has to be said of each."""
    network, files = Network(), {}

    def add(name: str, words: str, content: bytes | None = None) -> Path:
        files[name] = words
        if content is not None:
            (folder / name).write_bytes(content)
        return folder / name

    torch.save(
        network, add("whole.pt", rf"is a pickled object of the class {__name__}.Network, as torch.save writes a whole")
    )
    torch.save(network.state_dict(), add("weights.pt", r"holds weights only \(a state_dict or tensors"))
    torch.save({"epoch": 3, "model": network.state_dict()}, add("checkpoint.pt", "holds weights only"))
    old = add("old.pt", "holds weights only")
    torch.save(network.state_dict(), old, _use_new_zipfile_serialization=False)
    np.savez(add("arrays.npz", "is an archive of numpy arrays"), a=np.zeros(3))
    add("notes.pt", "is a text file, not a module", b"not a module")
    add("potential.json", "is a potential file of DiffPair.*fromFile", b'{"format": "diffpair-potential"}')
    add("other.json", "is a JSON file", b"{}")
    add("table.pkl", "is a pickle without a module", pickle.dumps([1, 2]))
    add("empty.pt", "is missing, empty or unreadable", b"")
    add("weights.safetensors", r"holds weights only \(safetensors\)", (2).to_bytes(8, "little") + b"{}    ")
    add("random.bin", "is no file of torch", bytes(range(128, 256)))
    return files


def test_files_that_are_no_modules(tmp_path):
    """Each is named for what it is, with the way out, in one sentence; nothing in it is executed."""
    for name, words in write_files(tmp_path).items():
        with pytest.raises(
            openmm.OpenMMException, match=rf"TorchPairForce: the module file '.*{name}' {words}"
        ) as raised:
            TorchPairForce.fromModule(tmp_path / name, 1, 0.2, 0.9, 15)
        assert "\n" not in str(raised.value)


def test_bytes_that_are_no_module(tools):
    force = TorchPairForce(b"not a module", 1, 0.2, 0.9, 15)
    with pytest.raises(openmm.OpenMMException, match="not a TorchScript module"):
        force.embedTable()
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
