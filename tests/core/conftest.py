"""With DIFFPAIR_TEST_DEVICE=CUDA (`make test-gpu`) the tests of this folder run the operators on a GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

# How many of an operator's first arguments go to the GPU; those without an implementation there are not listed.
STATES = {"spline_sums": 1, "pair_forces": 1, "segment": 2, "segment_backward": 6}


class OnGpu(TorchFunctionMode):
    """Calls of torch.ops.diffpair with states on the CPU run on the GPU, autograd included."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        count = 0
        states = [z for z in args if isinstance(z, torch.Tensor)]
        if isinstance(func, torch._ops.OpOverloadPacket) and states[0].device.type == "cpu":
            namespace, name = func._qualified_op_name.split("::")
            count = STATES.get(name, 0) if namespace == "diffpair" else 0
            if name.startswith("segment") and (args[-1].has_sums() or args[-1].has_further_forces()):
                count = 0  # sums on the way and further forces are for the CPU
        moved = [z if z is None else z.to("cuda") for z in args[:count]]
        result = func(*moved, *args[count:], **(kwargs or {}))
        return tree_map(lambda z: z.to("cpu"), result) if count else result


@pytest.fixture(autouse=True)
def operators_on_gpu(request: pytest.FixtureRequest) -> Iterator[None]:
    # torch tells a mode which operator is called by looking it up: a test must not have put another in its place.
    if os.environ.get("DIFFPAIR_TEST_DEVICE") != "CUDA" or "monkeypatch" in request.fixturenames:
        yield
    elif not torch.cuda.is_available():
        pytest.skip("torch sees no GPU")
    else:
        with OnGpu():
            yield
