"""torch's own checks of every operator: schema, fake kernel, autograd registration, tracing."""

from __future__ import annotations

from functools import lru_cache

import pytest
import torch
from systems import make_system

from diffpair.segments import (
    BondedForces,
    Checkpoints,
    FurtherForces,
    LangevinMiddle,
    NoseHoover,
    SumsGrid,
    Topology,
    Verlet,
    make_problem,
)

CHECKS = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")


@lru_cache
def samples() -> dict[str, tuple]:
    system = make_system(num_types=2, exclusions=5)
    t: Topology = system.topology
    x, v = system.x[None].clone().requires_grad_(), system.v[None].clone().requires_grad_()
    c = system.coefficients.clone().requires_grad_()
    box = system.box[None].contiguous()
    grid = (t.num_types, system.r_min, system.cutoff)
    frames = torch.randn(1, 3, *system.x.shape, dtype=torch.float64)
    segments = {}
    bonds = torch.tensor([[0.8, 50.0], [0.9, 40.0]], dtype=torch.float64)
    forces = FurtherForces((BondedForces("harmonic-bond", torch.tensor([[0, 1], [2, 3]], dtype=torch.int32), bonds),))
    for theta, plan, sums in (
        (Verlet(), Checkpoints(5, 12), None),
        (LangevinMiddle(100.0, 2.0, 7), Checkpoints(1, 0), None),
        (NoseHoover(100.0, 3.0), Checkpoints(3, 7), SumsGrid(0.3, system.cutoff, 8)),
    ):
        table = SumsGrid(system.r_min, system.cutoff, c.shape[-1] - 2)
        further = forces if sums else FurtherForces()
        problem = make_problem(t, system.inverse_mass, box, table, 0.004, 12, 4, plan, theta, sums, further)
        parameters = [p.clone() for p in further.parameters]
        bath = theta.bath(1)
        start = (x.detach(), v.detach(), c.detach())
        x_frames, _, all_sums, *kept = torch.ops.diffpair.segment(*start, bath, parameters, problem)
        grad_v = None if theta.name == "verlet" else frames.flip(0)
        of_sums = (torch.randn_like(all_sums), x_frames) if sums else (None, None)
        segments[f"segment_backward {theta.name}"] = (
            frames,
            grad_v,
            *of_sums,
            *kept,
            c.detach(),
            bath,
            parameters,
            problem,
        )
        bath = bath.clone().requires_grad_(bool(bath.numel()))
        segments[f"segment {theta.name}"] = (x, v, c, bath, [p.clone().requires_grad_() for p in parameters], problem)
    return {
        "spline_sums": (x, box, t.types, t.exclusions, *grid, 15),
        "virial_sums": (x, box, t.types, t.exclusions, *grid, 15),
        "frame_sums": (x.detach(), box, t.types, t.exclusions, grid[0], [0.3, 0.2], [0.9, 1.0], [12, 9], True),
        "neighbor_pairs": (x.detach()[0], box[0], t.exclusions, system.cutoff),
        "pair_forces": (x.detach(), box, t.types, t.exclusions, *grid, c.detach()),
        "interpolate_table": (torch.randn(3, 12, dtype=torch.float64, requires_grad=True), 0.3, 0.9),
        "interpolate_table_backward": (torch.randn(3, 12, dtype=torch.float64, requires_grad=True), 0.3, 0.9),
        "switching": (torch.linspace(0.1, 1, 9, dtype=torch.float64, requires_grad=True), 0.9, 0.2),
        **segments,
    }


@pytest.mark.parametrize("name", list(samples()))
def test_opcheck(name):
    operator = getattr(torch.ops.diffpair, name.split()[0]).default
    # A graph ahead of time would hold copies of a segment's problem, which torch can only make of what can be pickled.
    checks = CHECKS[:3] if name.startswith("segment ") else CHECKS
    results = torch.library.opcheck(operator, samples()[name], test_utils=checks)
    assert set(results.values()) == {"SUCCESS"}, results
