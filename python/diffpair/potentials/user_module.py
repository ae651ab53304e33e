"""A user's own module as a pair potential, and the checks that make a bad one a clear sentence."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffpair.errors import DiffPairError
from diffpair.module_files import EXPORTED, TORCHSCRIPT, describe, kind_of, read_module_file
from diffpair.potentials.base import PairPotential
from diffpair.potentials.exported import ExportedModule, load_program

PROBES = 64


class UserModule(PairPotential):
    """Hosts a module with forward(r [n], *global_parameters) -> [npairs, n], or [n] for one pair of types.

    It computes in double precision. One that cannot, because it asks for single precision itself, is called in the
    precision it was written in, and a warning says so.

    Args:
        source: an nn.Module, a torch.export.ExportedProgram, or the path of a file that torch.export.save or
            torch.jit.save wrote.
        types, cutoff, switch_width, learned: see PairPotential.
        global_names: names of the arguments after r.
        r_min: nm; the module is tried out between r_min and the cutoff at once.
        parameters: values of the global parameters to try it with.

    Raises:
        DiffPairError: the file cannot be read; or the module returns the wrong shape, complex numbers, NaN, or nothing
            with a gradient with respect to r and to its weights. The sentence names the file or class.

    Weights that the module has frozen (requires_grad False) stay as they are.
    """

    def __init__(
        self,
        source: nn.Module | str | os.PathLike[str] | Any,
        types: tuple[str, ...],
        cutoff: float,
        *,
        global_names: tuple[str, ...] = (),
        r_min: float | None = None,
        parameters: tuple[float, ...] = (),
        switch_width: float | None = None,
        learned: Sequence[int] | None = None,
    ) -> None:
        super().__init__(types, cutoff, switch_width, learned)
        if isinstance(source, nn.Module):
            self.label, self.module = f"the module {type(source).__name__}", source
        elif isinstance(source, torch.export.ExportedProgram):
            self.label = "the exported program"
            self.module = ExportedModule(source, self.label)
        else:
            self.label = f"the module {os.fspath(source)}"
            self.module = _load(source, self.label)
        self.global_names = list(global_names)
        self.precision = torch.float64
        self._choose_precision(0.3 * cutoff if r_min is None else r_min, parameters)
        self._probe(0.3 * cutoff if r_min is None else r_min, parameters)

    def forward(self, r: Tensor, *global_parameters: Tensor) -> Tensor:
        """U [npairs, n] in kJ/mol at r [n] in nm."""
        energy = self.module(r.to(self.precision), *(p.to(self.precision) for p in global_parameters))
        if not isinstance(energy, Tensor):
            raise DiffPairError(f"{self.label} must return a tensor, not a {type(energy).__name__}")
        shape = list(energy.shape)
        if energy.ndim == 1 and self.npairs == 1:
            energy = energy[None]
        if energy.shape != (self.npairs, r.shape[0]):
            raise DiffPairError(
                f"{self.label} returns the shape {shape} for {r.shape[0]} distances, but it must be "
                f"{[self.npairs, r.shape[0]]}: a row per pair of types that is learned"
            )
        if energy.is_complex():
            raise DiffPairError(f"{self.label} returns complex numbers, but energies must be real")
        return energy.double()

    def _choose_precision(self, r_min: float, parameters: tuple[float, ...]) -> None:
        """Make the module double, unless it works as it was written only."""
        tensors = [t for t in (*self.module.parameters(), *self.module.buffers()) if t.is_floating_point()]
        written = [t.dtype for t in tensors]
        self.module.double()
        if self._works(r_min, parameters):
            return
        for tensor, dtype in zip(tensors, written, strict=True):
            tensor.data = tensor.data.to(dtype)
        self.precision = torch.float32
        if self._works(r_min, parameters):
            warnings.warn(f"{self.label} computes in single precision, as it was written", stacklevel=4)
        else:  # then `_probe` says what is wrong
            self.module.double()
            self.precision = torch.float64

    def _works(self, r_min: float, parameters: tuple[float, ...]) -> bool:
        try:
            self._call(r_min, parameters)
        except DiffPairError:  # it was called, and what it returned is another matter
            return True
        except Exception:  # of any kind: this is a user's code
            return False
        return True

    def _call(self, r_min: float, parameters: tuple[float, ...]) -> tuple[Tensor, Tensor]:
        """Distances that need a gradient, and the energies at them."""
        r = torch.linspace(r_min, self.cutoff, PROBES, dtype=torch.float64).clamp(min=1e-3).requires_grad_()
        return r, self(r, *(torch.tensor(p, dtype=torch.float64) for p in parameters))

    def _probe(self, r_min: float, parameters: tuple[float, ...]) -> None:
        if len(parameters) != len(self.global_names):
            raise DiffPairError(
                f"{self.label} takes {len(self.global_names)} global parameters, but {len(parameters)} values are given"
            )
        try:
            r, energy = self._call(r_min, parameters)
        except DiffPairError:
            raise
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise DiffPairError(f"{self.label} cannot be called with {PROBES} distances: {reason}") from None
        if not torch.isfinite(energy).all():
            pair, at = (int(i) for i in torch.nonzero(~torch.isfinite(energy))[0])
            raise DiffPairError(
                f"{self.label} returns {energy[pair, at].item()} for pair {pair} at r = {r[at].item():.4g} nm"
            )
        if not any(True for _ in self.module.parameters()):
            raise DiffPairError(
                f"{self.label} has no parameter that could be learned; torch.jit.freeze and optimize_for_inference "
                "make constants of weights, so give the module as it was before"
            )
        weights = [weight for weight in self.module.parameters() if weight.requires_grad]
        if not weights:
            raise DiffPairError(f"{self.label} has no parameter that could be learned: requires_grad is False for all")
        if not energy.requires_grad:
            raise DiffPairError(f"{self.label} returns energies without a gradient: is it detached or under no_grad?")
        by_r, *by_weights = torch.autograd.grad(energy.sum(), [r, *weights], allow_unused=True)
        if all(g is None for g in by_weights):
            raise DiffPairError(f"{self.label} returns energies without a gradient with respect to its parameters")
        if by_r is None or not by_r.any():
            raise DiffPairError(f"{self.label} returns energies without a gradient with respect to r")
        for gradient in (by_r, *by_weights):
            if gradient is not None and not torch.isfinite(gradient).all():
                raise DiffPairError(
                    f"{self.label} has a gradient that is not finite between {r_min:.4g} nm and its cutoff"
                )


def _load(path: str | os.PathLike[str], label: str) -> nn.Module:
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise DiffPairError(f"the module file {name} does not exist")
    content = read_module_file(name)
    kind = kind_of(content)
    if kind == EXPORTED:
        return ExportedModule(load_program(content, label), label)
    if kind != TORCHSCRIPT:
        raise DiffPairError(f"the module file {name} {describe(content)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.load(io.BytesIO(content), map_location="cpu")
    except Exception as error:  # torch raises many kinds for a damaged archive
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DiffPairError(f"the module file {name} is a TorchScript module that cannot be read: {reason}") from None
