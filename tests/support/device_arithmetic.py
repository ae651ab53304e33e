"""The CUDA kernels' arithmetic on the processor, with the arguments of the torch operators.

No GPU is needed: the kernels are functors, cpp/DeviceArithmetic.cpp runs them one after the other, and teams of threads
(thread blocks on a GPU) as real threads.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"verlet": 0, "langevin-middle": 1, "nose-hoover": 2}


class System(ctypes.Structure):
    """As in DeviceArithmetic.cpp."""

    _fields_ = (
        *(
            (name, ctypes.c_int)
            for name in ("replicas", "atoms", "num_types", "num_exclusions", "knots", "team", "rows")
        ),
        *((name, ctypes.c_void_p) for name in ("types", "exclusions", "boxes", "inverse_mass", "coefficients")),
        ("r_min", ctypes.c_double),
        ("cutoff", ctypes.c_double),
    )


class Dynamics(ctypes.Structure):
    """As in DeviceArithmetic.cpp."""

    _fields_ = (
        ("timestep", ctypes.c_double),
        *((name, ctypes.c_int) for name in ("steps", "frame_every", "checkpoint_every", "keep_from", "kind")),
        ("settings", ctypes.c_int * 4),
        ("seed", ctypes.c_ulonglong),
        ("bath", ctypes.c_void_p),
    )


def compile_library(folder: Path, *options: str) -> ctypes.CDLL | None:
    """None without a compiler."""
    if shutil.which("g++") is None:
        return None
    target = folder / "libdevice_arithmetic.so"
    core = [f"{ROOT}/cpp/src/{name}.cpp" for name in ("Table", "PairSystem", "NoseHooverChain")]
    includes = [f"-I{ROOT}/cpp/{name}" for name in ("include", "src", "cuda")]
    flags = ["-std=c++20", "-O0", "-shared", "-fPIC", "-pthread", "-Wall", "-Wextra", "-Werror", *options]
    command = ["g++", *flags, *includes, f"{ROOT}/tests/core/cpp/DeviceArithmetic.cpp", *core, "-o", str(target)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    library = ctypes.CDLL(str(target))
    library.lastMessage.restype = ctypes.c_char_p
    return library


def problem_of(
    coefficients, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, timestep, steps, frame_every,
    checkpoint_every, keep_from, name, settings,
):  # fmt: skip
    """The SegmentProblem of a segment's arguments in the order of DeviceOperators."""
    problem = torch.classes.diffpair.SegmentProblem(types, exclusions, num_types, inverse_mass, boxes)
    problem.set_table(r_min, cutoff, coefficients.shape[-1] - 2)
    problem.set_steps(timestep, steps, frame_every)
    problem.set_checkpoints(checkpoint_every, keep_from)
    problem.set_integrator(name, settings)
    return problem


class CpuOperators:
    """The same interface to the operators of the CPU: segments without sums."""

    def segment(self, x0, v0, coefficients, bath, *arguments):
        """Frames x and v, kept, records."""
        problem = problem_of(coefficients, *arguments)
        x, v, _, kept, records = torch.ops.diffpair.segment(x0, v0, coefficients, bath, [], problem)
        return x, v, kept, records

    def segment_backward(self, grad_x, grad_v, kept, records, coefficients, bath, *arguments):
        """Gradients of x0, v0, coefficients and bath."""
        problem = problem_of(coefficients, *arguments)
        return torch.ops.diffpair.segment_backward(
            grad_x, grad_v, None, None, kept, records, coefficients, bath, [], problem
        )[:4]


class DeviceOperators:
    """`spline_sums`, `pair_forces`, `segment`, `segment_backward` of cpp/cuda.

    Args:
        team: threads of a team.
        rows: length that the neighbour list's rows begin with.
    """

    def __init__(self, library: ctypes.CDLL, team: int = 1, rows: int = 200) -> None:
        self.library, self.team, self.rows, self.attempts = library, team, rows, 0

    def spline_sums(self, x, boxes, types, exclusions, num_types, r_min, cutoff, knots):
        """[M, P, knots + 2]."""
        system = self._system(x, boxes, types, exclusions, None, num_types, r_min, cutoff, None, knots)
        sums = torch.empty((len(x), num_types * (num_types + 1) // 2, knots + 2), dtype=torch.float64)
        self._call("splineSums", x, ctypes.byref(system), x, sums)
        return sums

    def pair_forces(self, x, boxes, types, exclusions, num_types, r_min, cutoff, coefficients):
        """Forces, energy, virial."""
        knots = coefficients.shape[-1] - 2
        system = self._system(x, boxes, types, exclusions, None, num_types, r_min, cutoff, coefficients, knots)
        forces, energy = torch.empty_like(x), torch.empty(len(x), dtype=torch.float64)
        virial = torch.empty_like(energy)
        tables = len(coefficients) if coefficients.dim() == 3 else 1
        self._call("pairForces", x, ctypes.byref(system), tables, x, forces, energy, virial)
        return forces, energy, virial

    def segment(
        self, x0, v0, coefficients, bath, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, *rest
    ):
        """Frames x and v, kept, records."""
        system, dynamics = self._segment(
            x0, coefficients, bath, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, rest
        )
        grid = (num_types, r_min, cutoff)
        problem = problem_of(coefficients, boxes, types, exclusions, inverse_mass, *grid, *rest)
        frames, _, kept, records = problem.shapes()
        results = [torch.full(shape, torch.nan, dtype=x0.dtype) for shape in (frames, frames, kept)]
        results.append(torch.full(records, torch.nan, dtype=torch.float64))
        self._call("segment", x0, ctypes.byref(system), ctypes.byref(dynamics), x0, v0, *results)
        return results

    def segment_backward(
        self, grad_x, grad_v, kept, records, coefficients, bath, boxes, types, exclusions, inverse_mass, num_types,
        r_min, cutoff, *rest,
    ):  # fmt: skip
        """Gradients of x0, v0, coefficients and bath."""
        start = torch.empty((len(grad_x), *grad_x.shape[2:]), dtype=grad_x.dtype)
        system, dynamics = self._segment(
            start, coefficients, bath, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, rest
        )
        results = [start, torch.empty_like(start), torch.empty_like(coefficients), torch.empty_like(bath)]
        numbers = (kept, records, grad_x, grad_v, *results)
        self._call("adjoint", start, ctypes.byref(system), ctypes.byref(dynamics), *numbers)
        return results

    def _system(
        self, x, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, coefficients, knots
    ) -> System:
        pointers = [0 if z is None else z.data_ptr() for z in (types, exclusions, boxes, inverse_mass, coefficients)]
        sizes = (len(x), x.shape[1], num_types, len(exclusions), knots, self.team, self.rows)
        return System(*sizes, *pointers, r_min, cutoff)

    def _segment(self, x, coefficients, bath, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, rest):
        timestep, steps, frame_every, checkpoint_every, keep_from, name, settings = rest
        knots = coefficients.shape[-1] - 2
        system = self._system(x, boxes, types, exclusions, inverse_mass, num_types, r_min, cutoff, coefficients, knots)
        chain = (ctypes.c_int * 4)(*(settings if name == "nose-hoover" else ()))
        seed = settings[0] if name == "langevin-middle" else 0
        numbers = (timestep, steps, frame_every, checkpoint_every, keep_from, KINDS[name], chain, seed)
        return system, Dynamics(*numbers, bath.data_ptr())

    def _call(self, name: str, x: Tensor, *arguments) -> None:
        assert all(z.is_contiguous() for z in arguments if isinstance(z, Tensor))
        function = getattr(self.library, f"{name}_{'double' if x.dtype == torch.float64 else 'float'}")
        numbers = [ctypes.c_void_p(z.data_ptr()) if isinstance(z, Tensor) else z for z in arguments]
        self.attempts = function(*numbers)
        if self.attempts < 0:
            raise ValueError(self.library.lastMessage().decode())
