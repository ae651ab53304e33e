"""Programs of torch.export as pair potentials: in Python for learning, as TorchScript for TorchPairForce."""

from __future__ import annotations

import io
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError

# A program that takes any number of distances is called with so many at a time; the result does not depend on it.
CHUNK = 64
# Between the energies of a program and of its copy: relative, and as a fraction of the largest one. A copy does the
# same operations, so what differs is rounding of single precision.
RELATIVE, ABSOLUTE = 1e-3, 1e-6


def load_program(content: bytes, label: str) -> Any:
    """The torch.export.ExportedProgram of a file's content. Raises DiffPairError that begins with the label."""
    try:
        return torch.export.load(io.BytesIO(content))
    except Exception as error:  # torch raises many kinds for a damaged or newer file
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DiffPairError(
            f"{label} is a torch.export program that torch {torch.__version__} cannot read: {reason}"
        ) from None


class ExportedModule(nn.Module):
    """An ExportedProgram with forward(r [n], *parameters) as a module that takes any number of distances.

    A program that was exported for a fixed number of distances is called with so many at a time, and the last distance
    is repeated where they do not suffice. Its weights are parameters of this module.

    Args:
        program: a torch.export.ExportedProgram. label: begins the sentences of errors.

    Raises DiffPairError if the program does not take one vector of distances first and scalars after it.
    """

    def __init__(self, program: Any, label: str) -> None:
        super().__init__()
        inputs = [node for node in program.graph.nodes if node.op == "placeholder"]
        taken = [node.meta["val"] for node in inputs if node.name in program.graph_signature.user_inputs]
        shapes = [value.shape if isinstance(value, Tensor) else None for value in taken]
        if not shapes or shapes[0] is None or len(shapes[0]) != 1 or any(s is None or len(s) > 0 for s in shapes[1:]):
            raise DiffPairError(
                f"{label} must be exported with the arguments r [n] and one scalar tensor per global parameter, but "
                f"takes the shapes {[None if s is None else list(map(str, s)) for s in shapes]}"
            )
        self.num_parameters = len(shapes) - 1
        self.precision: torch.dtype = taken[0].dtype
        size = shapes[0][0]
        self.length = size if isinstance(size, int) else CHUNK
        self.program = program.module()

    def train(self, mode: bool = True) -> ExportedModule:
        """Nothing: a program is what it was when it was exported, and refuses the call."""
        return self

    def forward(self, r: Tensor, *parameters: Tensor) -> Tensor:
        """What the program returns, for any number of distances."""
        parts = []
        for part in r.split(self.length):
            filled = torch.cat([part, part[-1:].expand(self.length - len(part))])
            parts.append(self.program(filled, *parameters)[..., : len(part)])
        return torch.cat(parts, -1)


def to_torchscript(program: Any, label: str) -> bytes:
    """The program as the bytes of a TorchScript module, in double precision if it works in it.

    The program's calls are traced once, for as many distances as it takes at a time; a loop in TorchScript does the
    rest.

    Raises DiffPairError if the program does not fit, or its copy does not give the same energies.
    """
    hosted = ExportedModule(program, label)
    problem: Exception | None = None
    for precision in (torch.float64, hosted.precision):
        module = ExportedModule(program, label)  # a fresh copy: conversion is in place
        try:
            content = _traced(module.to(precision), precision)
            _compare(content, hosted, precision)
            return content
        except Exception as error:  # of any kind: calls of a user's program
            problem = problem or error
    reason = (str(problem).strip().splitlines() or [type(problem).__name__])[-1]
    raise DiffPairError(f"{label} cannot be made a TorchScript module: {reason}") from None


def _traced(module: ExportedModule, precision: torch.dtype) -> bytes:
    names = [f"p{i}" for i in range(module.num_parameters)]
    example = (torch.linspace(0.5, 1.0, module.length, dtype=precision), *_ones(module, precision))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and tracing warns of the program's own checks
        inner = torch.jit.trace(module.program, example, check_trace=False)
        whole = torch.jit.script(_Holder(inner))
        whole.define(
            f"""
            def forward(self, {", ".join(f"{name}: Tensor" for name in ("r", *names))}) -> Tensor:
                parts: List[Tensor] = []
                for begin in range(0, r.size(0), {module.length}):
                    part = r[begin:begin + {module.length}]
                    n = part.size(0)
                    part = torch.cat([part, part[-1:].expand({module.length} - n)])
                    parts.append(self.inner({", ".join(("part", *names))})[..., :n])
                return torch.cat(parts, -1)
            """
        )
        return bytes(whole.save_to_buffer())


class _Holder(nn.Module):
    """Holds a traced program; its forward is written in `_traced`, since TorchScript knows no *parameters."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


def _ones(module: ExportedModule, precision: torch.dtype) -> list[Tensor]:
    return [torch.ones((), dtype=precision) for _ in range(module.num_parameters)]


def _compare(content: bytes, hosted: ExportedModule, precision: torch.dtype) -> None:
    """Raise if TorchScript gives other energies than the program, at distances that the trace has not seen."""
    size = 2 * hosted.length + max(1, hosted.length // 3)  # no multiple of what the program takes at a time
    r = torch.linspace(0.4, 1.1, size, dtype=torch.float64)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        found = torch.jit.load(io.BytesIO(content))(r.to(precision), *_ones(hosted, precision)).double()
        expected = hosted(r.to(hosted.precision), *_ones(hosted, hosted.precision)).double()
    scale = float(expected.abs().nan_to_num(0.0, 0.0, 0.0).max())
    if not torch.allclose(found, expected, rtol=RELATIVE, atol=ABSOLUTE * scale, equal_nan=True):
        raise DiffPairError("TorchScript gives other energies than the program")
