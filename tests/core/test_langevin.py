"""The Langevin segment in distribution: what is known on paper, and OpenMM's integrator, in units of sigma."""

from __future__ import annotations

import numpy as np
import openmm as mm
import pytest
import torch
from oracle import KB
from scipy import stats
from systems import make_system

import diffpair
from diffpair.segments import LangevinMiddle, Topology, run_segment

DT, TEMPERATURE = 0.01, 120.0
ATOMS = 3000


def free_velocities(friction: float, seed: int, steps: int, start: float, replicas: int = 1, dtype=torch.float64):
    """sqrt(m/kT) v [R, steps, N, 3] of particles without forces, masses 0.5 to 2, that start at `start` sqrt(kT/m)."""
    mass = torch.linspace(0.5, 2, ATOMS, dtype=torch.float64)
    thermal = torch.sqrt(KB * TEMPERATURE / mass)[:, None]
    box = 20 * torch.eye(3, dtype=torch.float64).expand(replicas, 3, 3).contiguous()
    x0 = 20 * torch.rand((replicas, ATOMS, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, v = run_segment(
        x0.to(dtype), (start * thermal).expand_as(x0).to(dtype), torch.zeros((1, 12), dtype=torch.float64),
        topology=Topology.of(np.zeros(ATOMS), 1), boxes=box, inverse_mass=1 / mass, r_min=0.1, cutoff=0.5, timestep=DT,
        steps=steps, frame_every=1, integrator=LangevinMiddle(TEMPERATURE, friction, seed),
    )  # fmt: skip
    return (v.double() / thermal).numpy()


def sigmas(samples: np.ndarray, expected: float) -> float:
    """How many standard errors the mean of independent samples is off."""
    return abs(samples.mean() - expected) / (samples.std() / np.sqrt(samples.size))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
def test_free_particles_forget_their_start_as_on_paper(dtype):
    """u = sqrt(m/kT) v is an autoregressive process: <u_t> = a^t u_0, var u_t = 1 - a^(2t), <u_s u_t> = a^(t-s)."""
    friction = 15.0
    a = np.exp(-friction * DT)
    u = free_velocities(friction, 5, 60, 2.0, dtype=dtype)[0]
    for t in (1, 2, 10, 40, 60):
        now = u[t - 1]
        assert sigmas(now, 2 * a**t) < 4.5
        assert sigmas((now - 2 * a**t) ** 2, 1 - a ** (2 * t)) < 4.5
    for lag in (1, 5, 20):
        assert sigmas(u[59 - lag] * u[59], a**lag) < 4.5
    # Not only those of the whole: light and heavy particles each have their own.
    assert sigmas(u[59, :300] ** 2, 1.0) < 4.5 and sigmas(u[59, -300:] ** 2, 1.0) < 4.5


def test_noise_is_normal_and_without_memory():
    """With a friction that forgets at once the velocities are the noise: 540,000 numbers."""
    noise = free_velocities(1e4, 11, 30, 0.0, replicas=2)
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-4
    for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (6, 15.0)):
        assert sigmas(noise**power, moment) < 4.5
    z = noise
    for left, right in (
        (z[..., 0], z[..., 1]), (z[..., 0], z[..., 2]), (z[..., 1], z[..., 2]),  # components
        (z[:, 1:], z[:, :-1]), (z[:, :, 1:], z[:, :, :-1]), (z[0], z[1]),  # steps, atoms, replicas
    ):  # fmt: skip
        assert sigmas(left * right, 0.0) < 4.5
        assert sigmas((left**2 - 1) * (right**2 - 1), 0.0) < 4.5


def test_seeds():
    """The same seed repeats every bit; any other, also one that differs in its upper half alone, does not."""
    first = free_velocities(5.0, 3, 2, 0.0)
    assert np.array_equal(first, free_velocities(5.0, 3, 2, 0.0))
    for seed in (4, -3, 3 + 2**32):
        other = free_velocities(5.0, seed, 2, 0.0)
        assert sigmas(first[0, 0] * other[0, 0], 0.0) < 4.5
        assert (first != other).mean() > 0.999


def observables(x: np.ndarray, v: np.ndarray, system) -> dict[str, np.ndarray]:
    """Potential and kinetic energy of frames [F, N, 3], and how far particles get from one frame to the next."""
    t = system.topology
    _, potential, _ = torch.ops.diffpair.pair_forces(
        torch.from_numpy(x), system.box.expand(len(x), 3, 3).contiguous(), t.types, t.exclusions, t.num_types,
        system.r_min, system.cutoff, system.coefficients,
    )  # fmt: skip
    kinetic = 0.5 * (v**2 / system.inverse_mass[:, None].numpy()).sum((1, 2))
    return {
        "potential": potential.numpy(),
        "kinetic": kinetic,
        "displacement": ((x[1:] - x[:-1]) ** 2).sum((1, 2)),
    }


def mean_and_error(values: np.ndarray, blocks: int = 20) -> tuple[float, float]:
    means = values[: len(values) // blocks * blocks].reshape(blocks, -1).mean(1)
    return means.mean(), means.std(ddof=1) / np.sqrt(blocks)


def test_liquid_has_openmms_averages():
    """A small liquid: potential and kinetic energy and displacements are those of LangevinMiddleIntegrator."""
    system = make_system(seed=31, atoms=24)
    dt, friction, every, frames, warm = 0.004, 4.0, 10, 3000, 300
    with torch.no_grad():
        x, v = run_segment(
            system.x[None], system.v[None], system.coefficients, timestep=dt, steps=every * (frames + warm),
            frame_every=every, integrator=LangevinMiddle(TEMPERATURE, friction, 1), **system.segment_arguments(),
        )  # fmt: skip
    ours = observables(x[0, warm:].numpy(), v[0, warm:].numpy(), system)

    force = diffpair.PairTableForce(1, system.r_min, system.cutoff, system.coefficients.shape[1] - 2)
    force.setPairCoefficients(0, 0, system.coefficients[0].tolist())
    force.setNonbondedMethod(diffpair.PairTableForce.CutoffPeriodic)
    openmm_system = mm.System()
    openmm_system.setDefaultPeriodicBoxVectors(*system.box.numpy())
    for inverse in system.inverse_mass.tolist():
        force.addParticle(0)
        openmm_system.addParticle(1 / inverse)
    openmm_system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE, friction, dt)
    integrator.setRandomNumberSeed(1)
    context = mm.Context(openmm_system, integrator, mm.Platform.getPlatformByName("Reference"))
    context.setPositions(system.x.numpy())
    context.setVelocities(system.v.numpy())
    integrator.step(warm * every)
    xs, vs = [], []
    for _ in range(frames):
        integrator.step(every)
        state = context.getState(positions=True, velocities=True)
        xs.append(state.getPositions(asNumpy=True)._value)
        vs.append(state.getVelocities(asNumpy=True)._value)
    theirs = observables(np.array(xs), np.array(vs), system)

    for name, values in ours.items():
        (mean, error), (other, other_error) = mean_and_error(values), mean_and_error(theirs[name])
        assert abs(mean - other) < 4 * np.hypot(error, other_error), name
        assert error < 0.05 * abs(mean), name
    mean, error = mean_and_error(ours["kinetic"])
    assert mean == pytest.approx(1.5 * 24 * KB * TEMPERATURE, abs=4 * error + 0.01 * mean)
