"""Integrators that cannot be: one sentence for each, from Python and from the operator."""

from __future__ import annotations

import pytest
import torch
from segment_runs import DT
from systems import make_system

from diffpair.segments import LangevinMiddle, NoseHoover, run_segment


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LangevinMiddle(-1.0, 1.0, 0), "temperature of an integrator must be positive, not -1"),
        (lambda: LangevinMiddle(300.0, 0.0, 0), "friction of an integrator must be positive, not 0"),
        (lambda: LangevinMiddle(300.0, 1.0, 2**63), "seed of LangevinMiddle must be an integer of 64 bits"),
        (lambda: NoseHoover(torch.tensor([300.0, float("nan")]), 1.0), "temperature of an integrator .* not nan"),
        (lambda: NoseHoover(300.0, float("inf")), "collision frequency of an integrator must be positive, not inf"),
        (lambda: NoseHoover(300.0, 1.0, chain_length=0), "chain_length of NoseHoover must be at least 1, not 0"),
        (lambda: NoseHoover(300.0, 1.0, num_yoshida_suzuki=2), "weights must be 1, 3, 5 or 7, not 2"),
        (lambda: NoseHoover(torch.ones(3), 1.0), "one for each of the 1 replicas, not of shape \\(3,\\)"),
    ],
)
def test_refusals(make, message):
    system = make_system(atoms=4)
    with pytest.raises(ValueError, match=message):
        run_segment(
            system.x[None], system.v[None], system.coefficients, timestep=DT, steps=1, frame_every=1, integrator=make(),
            **system.segment_arguments(),
        )  # fmt: skip


def test_operator_refuses_what_python_did_not_make():
    system = make_system(atoms=4)
    t = system.topology
    for bath, name, numbers, message in (
        (torch.ones(1, 2), "brownian", [], "no integrator 'brownian'"),
        (torch.ones(1, 2), "langevin-middle", [], "has 1 settings, not 0"),
        (torch.ones(1, 0), "langevin-middle", [1], "bath must have the shape"),
        (-torch.ones(1, 2), "langevin-middle", [1], "temperature of a heat bath must be positive"),
        (torch.ones(1, 2), "nose-hoover", [0, 3, 3, 7], "at least one degree of freedom"),
        (torch.ones(1, 2), "nose-hoover", [3, 3, 3, 4], "must be 1, 3, 5 or 7, not 4"),
    ):
        with pytest.raises((RuntimeError, ValueError), match=message):
            problem = torch.classes.diffpair.SegmentProblem(
                t.types, t.exclusions, 1, system.inverse_mass, system.box[None]
            )
            problem.set_table(system.r_min, system.cutoff, system.coefficients.shape[-1] - 2)
            problem.set_steps(DT, 2, 1)
            problem.set_integrator(name, numbers)
            torch.ops.diffpair.segment(system.x[None], system.v[None], system.coefficients, bath.double(), [], problem)
