"""Sums over pairs taken on the way through a segment: those of its frames, with the same gradients."""

from __future__ import annotations

import pytest
import torch
from segment_runs import NAMES, leaves_of, run
from systems import make_system

from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.segments import Checkpoints, LangevinMiddle


def _gradients(rdf: SmoothRdf, system, fused: bool, checkpoints=None, dtype=torch.float64, steps=30):
    x0, v0 = (z[None].to(dtype).repeat(2, 1, 1).requires_grad_() for z in (system.x, 2 * system.v))
    c = system.coefficients.clone().requires_grad_()
    boxes = system.box.expand(2, 3, 3).contiguous()
    arguments = dict(
        boxes=boxes, inverse_mass=system.inverse_mass, r_min=system.r_min, cutoff=system.cutoff, timestep=0.004,
        steps=steps, frame_every=5, integrator=LangevinMiddle(100.0, 2.0, 5), checkpoints=checkpoints,
    )  # fmt: skip
    if fused:
        x, v, g = rdf.along_segment(x0, v0, c, **arguments)
    else:
        from diffpair.segments import run_segment

        x, v = run_segment(x0, v0, c, topology=rdf.topology, **arguments)
        g = rdf.g(x.flatten(0, 1), boxes.repeat_interleave(x.shape[1], 0)).unflatten(0, x.shape[:2])
    weights = torch.linspace(-1, 1, g[0, 0].numel(), dtype=torch.float64).reshape(g.shape[2:]).sin()
    loss = (g * weights).sum() + x.double().sin().sum() + v.double().sin().sum()
    return g.detach(), *torch.autograd.grad(loss, (x0, v0, c))


@pytest.mark.parametrize("reach", ["within the cutoff", "beyond the cutoff"])
@pytest.mark.parametrize("exclusions", [0, 6])
def test_equal_those_of_the_frames(reach, exclusions):
    """g and the gradients with respect to x0, v0 and c; the list serves both, whichever reaches further."""
    system = make_system(num_types=2, exclusions=exclusions)
    last = 0.7 * system.cutoff if reach == "within the cutoff" else 1.05 * system.cutoff
    rdf = SmoothRdf(0.1, last / 20, 18, system.topology)
    assert (rdf.reach > system.cutoff) == (reach == "beyond the cutoff")
    for one, other in zip(_gradients(rdf, system, True), _gradients(rdf, system, False), strict=True):
        assert one.abs().max() > 0
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9 * float(other.abs().max()))


def test_checkpoints_change_no_bit():
    system = make_system(num_types=2)
    rdf = SmoothRdf(0.1, 0.7 * system.cutoff / 20, 18, system.topology)
    for dtype in (torch.float64, torch.float32):
        whole = _gradients(rdf, system, True, Checkpoints(1, 0), dtype)
        for plan in ((30, 30), (7, 30), (4, 11)):
            for one, other in zip(whole, _gradients(rdf, system, True, Checkpoints(*plan), dtype), strict=True):
                assert torch.equal(one, other)


def test_reach_beyond_half_the_box_is_refused():
    system = make_system()
    rdf = SmoothRdf(0.1, 0.1, 200, system.topology)
    with pytest.raises(ValueError, match="beyond half the periodic box"):
        _gradients(rdf, system, True)


@pytest.mark.parametrize("name", NAMES)
def test_a_segment_without_sums_has_none(name):
    system = make_system()
    assert len(run(name, system, leaves_of(system), 10, 5)) == 2
