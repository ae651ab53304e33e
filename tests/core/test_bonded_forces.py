"""Bonds, angles and torsions of segments: OpenMM's forces, and gradients of their parameters."""

from __future__ import annotations

import chains
import numpy as np
import openmm
import pytest
import torch

from diffpair.segments import FurtherForces, SystemForces, Topology, Verlet, run_segment
from diffpair.segments.bonded import bonded_forces

COUNT = 6


def native_forces(system: openmm.System, x: np.ndarray) -> np.ndarray:
    """From what one step makes of atoms at rest; the table is zero."""
    masses = np.array([system.getParticleMass(i)._value for i in range(len(x))])
    _, v = run_segment(
        torch.from_numpy(x[None]), torch.zeros((1, *x.shape), dtype=torch.float64),
        torch.zeros((1, 12), dtype=torch.float64), topology=Topology.of(np.zeros(len(x)), 1),
        boxes=torch.from_numpy(chains.BOX[None]), inverse_mass=torch.from_numpy(1 / masses), r_min=0.1, cutoff=1.0,
        timestep=0.001, steps=1, frame_every=1, integrator=Verlet(), forces=FurtherForces(SystemForces(system).bonded),
    )  # fmt: skip
    return np.asarray(v[0, 0].numpy() * masses[:, None] / 0.001)


def openmm_forces(system: openmm.System, x: np.ndarray) -> np.ndarray:
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(x)
    return np.asarray(context.getState(forces=True).getForces(asNumpy=True)._value)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("kind", range(3))
def test_forces_are_those_of_openmm(kind, periodic):
    system = chains.system_of(COUNT, chains.bonded_forces(COUNT, periodic)[kind])
    x = chains.positions_of(COUNT)
    if periodic:  # every atom in an image of its own: nothing may change
        shifted = x + np.random.default_rng(5).integers(-1, 2, size=x.shape) @ chains.BOX
        np.testing.assert_allclose(native_forces(system, shifted), native_forces(system, x), rtol=1e-9, atol=1e-8)
        x = shifted
    expected = openmm_forces(system, x)
    assert np.abs(expected).max() > 10
    assert np.abs(native_forces(system, x) - expected).max() < 1e-10 * np.abs(expected).max()


def test_gradient_of_the_parameters_by_finite_differences():
    """Of all at once, along a random direction in all that may change."""
    forces = chains.bonded_forces(COUNT, True)
    system = chains.system_of(COUNT, *forces)
    own = SystemForces(system)
    rng = np.random.default_rng(2)
    x = np.stack([chains.positions_of(COUNT, seed) for seed in (1, 2)])
    v = 0.3 * rng.normal(size=x.shape)
    scales = {"harmonic-bond": [0.01, 100.0], "harmonic-angle": [0.1, 1.0], "periodic-torsion": [0.0, 0.1, 1.0]}
    directions = [
        torch.from_numpy(rng.normal(size=one.parameters.shape)) * torch.tensor(scales[one.kind]) for one in own.bonded
    ]

    def along(step: float, leaves: bool = False):
        bonded = tuple(
            type(one)(one.kind, one.atoms, (one.parameters + step * d).requires_grad_(leaves), one.periodic)
            for one, d in zip(own.bonded, directions, strict=True)
        )
        value = chains.loss_of(*chains.run(FurtherForces(bonded), system, x, v, chains.table()))
        return value, [one.parameters for one in bonded]

    value, parameters = along(0.0, leaves=True)
    gradients = torch.autograd.grad(value, parameters)
    assert gradients[2][:, 0].abs().max() == 0  # periodicities
    expected = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))
    sides = [float(along(step)[0]) for step in (1e-6, -1e-6)]
    assert expected == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)


def test_of_a_force_without_terms():
    none = bonded_forces(openmm.PeriodicTorsionForce())
    assert none.atoms.shape == (0, 4) and none.parameters.shape == (0, 3)


def test_refusals():
    problem = torch.classes.diffpair.SegmentProblem(
        torch.zeros(4, dtype=torch.int32), torch.empty((0, 2), dtype=torch.int32), 1,
        torch.ones(4, dtype=torch.float64), torch.zeros((1, 3, 3), dtype=torch.float64),
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="no bonded forces 'morse-bond', only harmonic-bond"):
        problem.add_bonded("morse-bond", torch.zeros((1, 2), dtype=torch.int32), False)
    with pytest.raises(RuntimeError, match=r"harmonic-angle must be int32 of shape \[n, 3\]"):
        problem.add_bonded("harmonic-angle", torch.zeros((1, 2), dtype=torch.int32), False)
    problem.set_table(0.1, 1.0, 10)
    problem.set_steps(0.001, 1, 1)
    problem.add_bonded("harmonic-bond", torch.tensor([[0, 4]], dtype=torch.int32), False)
    x, bath = torch.zeros((1, 4, 3), dtype=torch.float64), torch.empty((1, 0), dtype=torch.float64)
    c = torch.zeros((1, 12), dtype=torch.float64)
    with pytest.raises(RuntimeError, match="1 kinds of bonded forces needs as many tensors of parameters, not 0"):
        torch.ops.diffpair.segment(x, x, c, bath, [], problem)
    with pytest.raises(RuntimeError, match=r"parameters must have the shape \[1, 2\]"):
        torch.ops.diffpair.segment(x, x, c, bath, [torch.ones((1, 3), dtype=torch.float64)], problem)
    with pytest.raises(ValueError, match="The bond 0 names particle 4, but there are 4"):
        torch.ops.diffpair.segment(x, x, c, bath, [torch.ones((1, 2), dtype=torch.float64)], problem)
