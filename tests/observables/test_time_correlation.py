"""Velocity autocorrelation, mean-square displacement and diffusion against NumPy loops, OpenMM and paper."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
import torch
from systems import make_system

from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.observables.time_correlation import (
    einstein_diffusion,
    green_kubo_diffusion,
    mean_square_displacement,
    velocity_autocorrelation,
)
from diffpair.segments import Topology, run_segment


def random_frames(replicas, frames, atoms, seed=0, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(replicas, frames, atoms, 3))).to(dtype)


def by_loops(values, lags, product):
    """Mean over replicas, origins and atoms of product(now, later), one term at a time."""
    replicas, frames, atoms, _ = values.shape
    result = np.zeros(lags)
    for lag in range(lags):
        terms = [
            product(values[r, t, i], values[r, t + lag, i])
            for r in range(replicas)
            for t in range(frames - lag)
            for i in range(atoms)
        ]
        result[lag] = np.mean(terms)
    return result


CURVES = [
    pytest.param(velocity_autocorrelation, lambda a, b: a @ b, id="vacf"),
    pytest.param(mean_square_displacement, lambda a, b: (b - a) @ (b - a), id="msd"),
]


@pytest.mark.parametrize(("curve", "product"), CURVES)
@pytest.mark.parametrize("lags", [None, 1, 5])
def test_equals_loops(curve, product, lags):
    values = random_frames(2, 11, 4)
    expected = by_loops(values.numpy(), lags or 11, product)
    np.testing.assert_allclose(curve(values, lags).numpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("curve", "product"), CURVES)
@pytest.mark.parametrize("lags", [3, 300, 600])
def test_many_frames_in_blocks(curve, product, lags):
    """More frames than one block of origins, lags shorter and longer than a block, a walk that leads far away."""
    values = random_frames(1, 600, 1).cumsum(1)
    expected = by_loops(values.numpy(), lags, product)
    np.testing.assert_allclose(curve(values, lags).numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("curve", "product"), CURVES)
def test_per_type(curve, product):
    values, topology = random_frames(2, 6, 5), Topology.of([0, 2, 0, 2, 2], 3)
    curves = curve(values, topology=topology).numpy()
    assert curves.shape == (3, 6) and np.isnan(curves[1]).all()
    for kind in (0, 2):
        members = np.flatnonzero(topology.types.numpy() == kind)
        expected = by_loops(values.numpy()[:, :, members], 6, product)
        np.testing.assert_allclose(curves[kind], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("curve", "product"), CURVES)
def test_gradient(curve, product):
    values, topology = random_frames(2, 6, 3).requires_grad_(), Topology.of([0, 1, 1], 2)
    assert torch.autograd.gradcheck(lambda z: curve(z, 4), (values,))
    assert torch.autograd.gradcheck(lambda z: curve(z, topology=topology), (values,))


def test_normalised_starts_at_one():
    v = random_frames(2, 6, 3).requires_grad_()
    curve = velocity_autocorrelation(v, normalised=True, topology=Topology.of([0, 1, 1], 2))
    assert torch.equal(curve[:, 0], torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(curve[1], velocity_autocorrelation(v[:, :, 1:]) / (v[:, :, 1:] ** 2).sum(-1).mean())
    assert torch.autograd.gradcheck(lambda z: velocity_autocorrelation(z, normalised=True), (v,))


def test_single_precision_far_from_the_origin():
    """A displacement of 0.01 nm at 100 nm from the origin: what float32 positions hold of it is kept."""
    x = (100 + 0.01 * random_frames(1, 20, 30).cumsum(1)).float()
    msd = mean_square_displacement(x)
    assert msd.dtype == torch.float64
    expected = by_loops(x.double().numpy(), 20, lambda a, b: (b - a) @ (b - a))
    np.testing.assert_allclose(msd, expected, rtol=1e-10, atol=1e-16)


def test_free_flight():
    v = random_frames(1, 1, 50, seed=3)
    time = 0.1 * torch.arange(20, dtype=torch.float64)
    x = 7 + v * time[None, :, None, None]
    expected = (v**2).sum(-1).mean() * time**2
    torch.testing.assert_close(mean_square_displacement(x), expected, rtol=1e-10, atol=1e-12)


def test_einstein_ignores_the_intercept_and_what_is_outside():
    time = 0.2 * torch.arange(10, dtype=torch.float64)
    msd = torch.stack([6 * 0.3 * time + 0.05, 6 * 0.7 * time - 0.01])
    msd[:, 0], msd[:, 9] = 0, 100
    torch.testing.assert_close(einstein_diffusion(msd, 0.2, 1, 9), torch.tensor([0.3, 0.7], dtype=torch.float64))
    assert float(einstein_diffusion(msd[0], 0.2, 2)) > 1


def test_green_kubo_of_an_exponential():
    decay, interval = 2.0, 0.01
    vacf = 0.9 * torch.exp(-decay * interval * torch.arange(1000, dtype=torch.float64))
    assert float(green_kubo_diffusion(vacf, interval)) == pytest.approx(0.9 / (3 * decay), rel=1e-4)


def test_free_langevin_particles_in_openmm():
    """<v v(t)> = 3 kT/m exp(-gamma t), and both routes give D = kT/(m gamma), within the statistical noise."""
    atoms, frames, interval, gamma, mass, temperature = 400, 300, 0.05, 4.0, 2.0, 300.0
    system = openmm.System()
    for _ in range(atoms):
        system.addParticle(mass)
    integrator = openmm.LangevinMiddleIntegrator(temperature, gamma, interval)
    integrator.setRandomNumberSeed(5)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(np.zeros((atoms, 3)))
    context.setVelocitiesToTemperature(temperature, 7)
    integrator.step(40)
    x, v = np.empty((1, frames, atoms, 3)), np.empty((1, frames, atoms, 3))
    for frame in range(frames):
        integrator.step(1)
        state = context.getState(positions=True, velocities=True)
        x[0, frame], v[0, frame] = state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value
    kt = BOLTZMANN * temperature
    exact = kt / (mass * gamma)
    vacf = velocity_autocorrelation(torch.from_numpy(v), 40).numpy()
    expected = 3 * kt / mass * np.exp(-gamma * interval * np.arange(40))
    independent = 3 * atoms * frames * interval * gamma / 2  # numbers in the average, by the correlation time
    assert np.abs(vacf - expected).max() < 5 * 3 * kt / mass / np.sqrt(independent)
    assert float(green_kubo_diffusion(torch.from_numpy(vacf), interval)) == pytest.approx(exact, rel=0.06)
    msd = mean_square_displacement(torch.from_numpy(x), 60)
    assert float(einstein_diffusion(msd, interval, 20)) == pytest.approx(exact, rel=0.12)


@pytest.mark.parametrize("loss", ["vacf", "msd"])
def test_gradient_through_a_segment(loss):
    """The loss on a trajectory's dynamics, differentiated with respect to the table by the segment's adjoint."""
    system = make_system(seed=4, atoms=20)

    def value(c):
        x, v = run_segment(
            system.x[None], system.v[None], c, **system.segment_arguments(), timestep=0.004, steps=24, frame_every=4
        )
        curve = velocity_autocorrelation(v) if loss == "vacf" else mean_square_displacement(x)
        return (curve * torch.linspace(1, 2, 6, dtype=torch.float64)).sum()

    c = system.coefficients.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(c), c)
    step = 1e-5 * gradient / gradient.norm()
    with torch.no_grad():
        slope = float(value(c + step) - value(c - step)) / 2e-5
    assert float(gradient.norm()) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: velocity_autocorrelation(torch.zeros(5, 4, 3)), r"velocities must have the shape \[R, F, N, 3\]"),
        (lambda: mean_square_displacement(torch.zeros(0, 2, 4, 3)), "positions must have the shape"),
        (lambda: mean_square_displacement(torch.zeros(1, 2, 4, 3), 3), "from 1 to the number of frames, 2"),
        (lambda: velocity_autocorrelation(torch.zeros(1, 2, 4, 3), 0), "not 0"),
        (
            lambda: velocity_autocorrelation(torch.zeros(1, 2, 4, 3), topology=Topology.of([0, 0], 1)),
            "the topology has 2 atoms, but the velocities 4",
        ),
        (lambda: einstein_diffusion(torch.zeros(5), 0.1, 4), "2 or more lags to fit, but 4:None has 1"),
        (lambda: einstein_diffusion(torch.zeros(5), 0.0), "must be positive, not 0.0 ps"),
        (lambda: green_kubo_diffusion(torch.zeros(1), 0.1), "2 or more lags, not 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(DiffPairError, match=message):
        call()
