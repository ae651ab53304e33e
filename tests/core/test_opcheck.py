"""torch's own checks of every operator: schema, fake kernel, autograd registration, tracing."""

from __future__ import annotations

import pytest
import torch
from systems import make_system

from diffpair.segments import Topology


def samples() -> dict[str, tuple]:
    system = make_system(num_types=2, exclusions=5)
    t: Topology = system.topology
    x, v = system.x[None].clone().requires_grad_(), system.v[None].clone().requires_grad_()
    c = system.coefficients.clone().requires_grad_()
    box = system.box[None].contiguous()
    grid = (t.num_types, system.r_min, system.cutoff)
    numbers = (*grid, 0.004, 12, 4)
    rest = (box, t.types, t.exclusions, system.inverse_mass)
    checkpoints = torch.ops.diffpair.segment(x.detach(), v.detach(), c.detach(), *rest, *numbers)[2]
    frames = torch.randn(1, 3, *system.x.shape, dtype=torch.float64)
    return {
        "spline_sums": (x, box, t.types, t.exclusions, *grid, 15),
        "virial_sums": (x, box, t.types, t.exclusions, *grid, 15),
        "neighbor_pairs": (x.detach()[0], box[0], t.exclusions, system.cutoff),
        "pair_forces": (x.detach(), box, t.types, t.exclusions, *grid, c.detach()),
        "interpolate_table": (torch.randn(3, 12, dtype=torch.float64, requires_grad=True), 0.3, 0.9),
        "interpolate_table_backward": (torch.randn(3, 12, dtype=torch.float64, requires_grad=True), 0.3, 0.9),
        "switching": (torch.linspace(0.1, 1, 9, dtype=torch.float64, requires_grad=True), 0.9, 0.2),
        "segment": (x, v, c, *rest, *numbers),
        "segment_backward": (frames, frames.flip(0), checkpoints, c.detach(), *rest, *numbers),
    }


@pytest.mark.parametrize("name", list(samples()))
def test_opcheck(name):
    results = torch.library.opcheck(getattr(torch.ops.diffpair, name).default, samples()[name])
    assert set(results.values()) == {"SUCCESS"}, results
