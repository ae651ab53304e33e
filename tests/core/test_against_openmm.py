"""The segment against OpenMM's VerletIntegrator, and the loops of one instruction set against another's."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import openmm as mm
import pytest
import torch
from systems import CUBIC, TRICLINIC, make_system

import diffpair
from diffpair.segments import run_segment

DT = 0.003


@pytest.mark.parametrize("box", [CUBIC, TRICLINIC], ids=["cubic", "triclinic"])
def test_trajectory_equals_openmms_verlet(box):
    """100 steps on Reference in double precision, unequal masses, two types, exclusions."""
    system = make_system(seed=21, num_types=2, exclusions=8, box=box)
    t, knots = system.topology, system.coefficients.shape[1] - 2
    force = diffpair.PairTableForce(2, system.r_min, system.cutoff, knots)
    for row, (a, b) in enumerate([(0, 0), (0, 1), (1, 1)]):
        force.setPairCoefficients(a, b, system.coefficients[row].tolist())
    for kind in t.types.tolist():
        force.addParticle(kind)
    for a, b in {tuple(sorted(pair)) for pair in t.exclusions.tolist() if pair[0] != pair[1]}:
        force.addExclusion(a, b)
    force.setNonbondedMethod(diffpair.PairTableForce.CutoffPeriodic)
    openmm_system = mm.System()
    openmm_system.setDefaultPeriodicBoxVectors(*box)
    for inverse in system.inverse_mass.tolist():
        openmm_system.addParticle(1 / inverse)
    openmm_system.addForce(force)
    context = mm.Context(openmm_system, mm.VerletIntegrator(DT), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(system.x.numpy())
    context.setVelocities(system.v.numpy())

    x, v = run_segment(
        system.x[None],
        system.v[None],
        system.coefficients,
        timestep=DT,
        steps=100,
        frame_every=25,
        **system.segment_arguments(),
    )
    for frame in range(4):
        context.getIntegrator().step(25)
        state = context.getState(positions=True, velocities=True)
        np.testing.assert_allclose(x[0, frame], state.getPositions(asNumpy=True)._value, rtol=0, atol=1e-8)
        np.testing.assert_allclose(v[0, frame], state.getVelocities(asNumpy=True)._value, rtol=0, atol=1e-6)
    assert (x[0, -1] - system.x).norm(dim=-1).mean() > 0.1


_PRINT_SUMS = """
import json, sys, torch
sys.path.insert(0, sys.argv[1])
from systems import make_system
import diffpair.ops
out = []
for dtype in (torch.float64, torch.float32):
    s = make_system(seed=2, atoms=60, num_types=2, box=3 * make_system().box.numpy())
    t = s.topology
    grid = (s.box[None], t.types, t.exclusions, 2, s.r_min, s.cutoff)
    f, e, w = torch.ops.diffpair.pair_forces(s.x[None].to(dtype), *grid, s.coefficients)
    m = torch.ops.diffpair.spline_sums(s.x[None].to(dtype), *grid, 20)
    out.append(torch.cat([f.double().flatten(), e, w, m.flatten()]).tolist())
print(json.dumps(out))
"""


def test_all_instruction_sets_agree_to_rounding():
    """DIFFPAIR_ISA picks the loops; on a processor without one, its run uses the next narrower."""
    support = os.path.join(os.path.dirname(os.path.dirname(__file__)), "support")
    results = []
    for isa in ("portable", "x86-64-v3", "x86-64-v4"):
        environment = os.environ | {"DIFFPAIR_ISA": isa}
        done = subprocess.run(
            [sys.executable, "-c", _PRINT_SUMS, support], env=environment, capture_output=True, text=True, check=True
        )
        results.append([torch.tensor(row) for row in json.loads(done.stdout)])
    for other in results[1:]:
        for tolerance, portable, wide in zip((1e-12, 1e-5), results[0], other, strict=True):
            assert (portable - wide).abs().max() <= tolerance * portable.abs().max()
