"""Further forces of a segment through OpenMM: against those that the core knows, and against finite differences."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import signal
import threading
import time

import chains
import numpy as np
import openmm
import pytest
import torch

from diffpair.errors import DiffPairError
from diffpair.force_hooks import ForceHook
from diffpair.segments import Checkpoints, Difference, FurtherForces, SystemForces, Verlet, refusal

COUNT = 27
NARROW = Difference(3e-8, False, 1e-6)  # for double precision


def start(replicas: int = 2) -> tuple[np.ndarray, np.ndarray]:
    x = np.stack([chains.positions_of(COUNT, seed) for seed in range(replicas)])
    return x, 0.3 * np.random.default_rng(9).normal(size=x.shape)


def all_forces() -> openmm.System:
    return chains.system_of(COUNT, *chains.bonded_forces(COUNT, True), chains.charges(COUNT))


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(a @ b / a.norm() / b.norm())


@pytest.mark.parametrize("central", [False, True])
def test_native_against_bridge(central):
    """The same bonded forces by the core and by OpenMM; the bridge's error is what it says of itself."""
    system = chains.system_of(COUNT, *chains.bonded_forces(COUNT, True))
    native = SystemForces(system)
    bridge = SystemForces(system, "Reference", native=False)
    if central:
        bridge = SystemForces(system, "Reference", native=False, difference=Difference(1e-6, True, 1e-9))
    assert native.bridge is None and bridge.bridge is not None and not bridge.bonded
    want, got = (chains.gradient(forces, system, *start()) for forces in (native, bridge))
    assert cosine(got, want) > 0.9999
    assert (got - want).norm() < 1e-6 * want.norm()
    frames = [chains.run(forces, system, *start(), chains.table())[0] for forces in (native, bridge)]
    assert (frames[0] - frames[1]).abs().max() < 1e-10


@pytest.mark.parametrize(("platform", "tolerance"), [("Reference", 1e-6), ("CPU", 2e-3)])
def test_gradient_by_finite_differences_of_a_whole_segment(platform, tolerance):
    """Of the loss in double precision, whichever platform makes the gradient: bonds natively, charges by OpenMM."""
    system, (x, v) = all_forces(), start()
    gradient = chains.gradient(SystemForces(system, platform), system, x, v)
    direction = torch.from_numpy(np.random.default_rng(3).normal(size=gradient.shape))
    exact = SystemForces(system, "Reference")
    losses = []
    for step in (1e-5, -1e-5):
        c = chains.table()
        c[0, :-3] += step * direction
        losses.append(float(chains.loss_of(*chains.run(exact, system, x, v, c))))
    assert float(gradient @ direction) == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=tolerance)


def test_segment_in_single_precision():
    system, (x, v) = all_forces(), start()
    exact = chains.gradient(SystemForces(system, "Reference"), system, x, v)
    rough = chains.gradient(SystemForces(system, "CPU"), system, x, v, dtype=torch.float32)
    assert (rough - exact).norm() < 2e-3 * exact.norm()


def test_forces_in_double_precision_for_a_segment_in_single():
    """The path's forces are rounded there, and a difference has to be wide enough for that; against the native ones."""
    system, (x, v) = chains.system_of(COUNT, *chains.bonded_forces(COUNT, True)), start()
    want = chains.gradient(SystemForces(system), system, x, v)
    bridged = SystemForces(system, "Reference", native=False)
    errors = [
        float((chains.gradient(forces, system, x, v, dtype=torch.float32) - want).norm() / want.norm())
        for forces in (SystemForces(system), bridged, SystemForces(system, "Reference", None, False, NARROW))
    ]
    assert errors[1] < 1e-4 < errors[2]
    assert "over 7e-06 nm" in bridged.describe(single=True) and "over 3e-08 nm" in bridged.describe()


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_same_bits_again_on_more_threads_and_wherever_the_checkpoints_are(platform):
    system, (x, v) = all_forces(), start(3)
    results = []
    before = torch.get_num_threads()
    try:
        for threads, checkpoints in (
            (1, None),
            (1, Checkpoints(7, 30)),
            (3, Checkpoints(1, 0)),
            (3, Checkpoints(4, 13)),
        ):
            torch.set_num_threads(threads)
            forces = SystemForces(system, platform)
            c = chains.table().requires_grad_()
            frames = chains.run(forces, system, x, v, c, checkpoints=checkpoints)
            (gradient,) = torch.autograd.grad(chains.loss_of(*frames), c)
            results.append((*(z.detach() for z in frames), gradient))
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0], strict=True))


def test_evaluations_of_openmm():
    """One in every step of a replica, and one on the way back; central differences take two."""
    system, (x, v) = all_forces(), start()
    for difference, per_step in ((None, 2), (Difference(1e-6, True, 1e-9), 3)):
        forces = SystemForces(system, "Reference", difference=difference)
        chains.gradient(forces, system, x, v, steps=10)
        assert forces.bridge.evaluations == per_step * len(x) * 10


def test_which_force_goes_which_way_is_told():
    idle = openmm.HarmonicBondForce()
    system = chains.system_of(COUNT, *chains.bonded_forces(COUNT, True), chains.charges(COUNT), idle)
    system.addForce(openmm.CMMotionRemover())
    assert SystemForces(system, "Reference").describe() == (
        "HarmonicBondForce, HarmonicAngleForce, PeriodicTorsionForce natively; NonbondedForce by OpenMM (Reference, "
        "double precision; products with the Hessian by differences over 3e-08 nm on alternating sides, each exact to "
        "1e-06)"
    )
    assert "(CPU, single precision" in SystemForces(system, "CPU").describe()
    assert SystemForces(chains.system_of(1)).describe() == ""


def test_global_parameters():
    """A Context of the user's may have other values than its forces were made with."""

    def springs(k: float) -> openmm.System:
        force = openmm.CustomExternalForce("k*(x^2+y^2+z^2)")
        force.addGlobalParameter("k", k)
        for i in range(4 * COUNT):
            force.addParticle(i)
        return chains.system_of(COUNT, force)

    x, v = start(1)
    frames = [
        chains.run(SystemForces(system, "Reference", parameters=parameters), system, x, v, chains.table())[0]
        for system, parameters in ((springs(1.0), {}), (springs(1.0), {"k": 3.0}), (springs(3.0), {}))
    ]
    assert torch.equal(frames[1], frames[2]) and not torch.equal(frames[0], frames[1])


def test_trajectory_is_that_of_openmm_and_held_particles_stay():
    """OpenMM's own VerletIntegrator, with a table of zeros here; one particle without mass."""
    system, (x, v) = all_forces(), start(1)
    system.setParticleMass(5, 0.0)
    v[:, 5] = 0
    masses = np.array([system.getParticleMass(i)._value for i in range(4 * COUNT)])
    inverse = torch.from_numpy(np.divide(1.0, masses, out=np.zeros_like(masses), where=masses > 0))
    zeros = torch.zeros_like(chains.table())
    forces = SystemForces(system, "Reference")
    found = chains.run(forces, system, x, v, zeros, integrator=Verlet(), inverse_mass=inverse)
    context = openmm.Context(system, openmm.VerletIntegrator(0.002), openmm.Platform.getPlatform("Reference"))
    context.setPositions(x[0])
    context.setVelocities(v[0])
    context.getIntegrator().step(30)
    state = context.getState(positions=True, velocities=True)
    for got, want in zip(found, (state.getPositions(asNumpy=True), state.getVelocities(asNumpy=True)), strict=True):
        assert np.abs(got[0, -1].numpy() - want._value).max() < 1e-9
    assert torch.equal(found[0][0, -1, 5], torch.from_numpy(x[0, 5]))


def test_failures_are_told_in_a_sentence():
    def fail(replica: int, x: np.ndarray) -> np.ndarray:
        raise ValueError("no forces today")

    system, (x, v) = all_forces(), start(3)
    failing = FurtherForces((), ForceHook(fail, x.shape[1], 1e-6))
    with pytest.raises(DiffPairError, match="further forces of a segment cannot be evaluated: no forces today"):
        chains.run(failing, system, x, v, chains.table())
    x[1, 3] = np.nan
    with pytest.raises(DiffPairError, match="cannot be evaluated: Particle coordinate is NaN"):
        chains.run(SystemForces(chains.system_of(COUNT, chains.charges(COUNT))), system, x, v, 0 * chains.table())


@pytest.mark.parametrize("backward", [False, True])
def test_interrupts_come_through(backward):
    """One by Ctrl-C in the forces: not a segment with the forces of before, as if nothing had been."""
    calls, system, (x, v) = itertools.count(), chains.system_of(COUNT), start(1)

    def interrupted(replica: int, x: np.ndarray) -> np.ndarray:
        if next(calls) == (35 if backward else 5):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        return -10 * x

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        forces, c = FurtherForces((), ForceHook(interrupted, x.shape[1], 1e-6)), chains.table().requires_grad_()
        with contextlib.nullcontext() if backward else pytest.raises(KeyboardInterrupt):
            frames = chains.run(forces, system, x, v, c)
        if backward:
            with pytest.raises(KeyboardInterrupt):
                torch.autograd.grad(chains.loss_of(*frames), c)
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupts_between_two_calls_come_through():
    """Ctrl-C while the core computes: Python sees it before the first line of the next call."""
    system, (x, v) = chains.system_of(COUNT), start(1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    later = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):
            later.start()
            forces = FurtherForces((), ForceHook(lambda replica, x: -x, x.shape[1], 1e-6))
            chains.run(forces, system, x, v, chains.table(), steps=200_000, every=200_000)
    finally:
        later.join()
        torch.set_num_threads(before)


def test_segments_of_several_threads_tell_each_its_own_failure():
    """Of one hook: a second segment begins while the first one waits to fail."""
    (x, v), system, begun, first = start(1), chains.system_of(COUNT), threading.Event(), threading.Lock()

    def forces(replica: int, x: np.ndarray) -> np.ndarray:
        if first.acquire(blocking=False):
            begun.set()
            ready.wait(20)
            raise ValueError("the first")
        failing.wait(20)
        raise ValueError("the second")

    ready, failing, told = threading.Event(), threading.Event(), {}
    hook = FurtherForces((), ForceHook(forces, x.shape[1], 1e-6))

    def run(name: str) -> None:
        try:
            chains.run(hook, system, x, v, chains.table())
        except DiffPairError as error:
            told[name] = str(error).split()[-1]

    one, two = (threading.Thread(target=run, args=[name]) for name in ("first", "second"))
    one.start()
    assert begun.wait(20)
    two.start()
    failing.set()
    two.join(20)
    ready.set()
    one.join(20)
    assert told == {"first": "first", "second": "second"}


def test_every_segment_keeps_its_boxes_and_its_hook():
    """Backward after another segment in other boxes, and after all names of the forces are gone."""
    system, (x, v) = all_forces(), start()
    want = chains.gradient(SystemForces(system, "Reference"), system, x, v)
    forces, c = SystemForces(system, "Reference"), chains.table().requires_grad_()
    loss = chains.loss_of(*chains.run(forces, system, x, v, c))
    wider = [1.1 * np.repeat(chains.BOX[None], 2, 0), chains.table()]
    chains.run(forces.in_boxes(wider[0]), system, x, v, wider[1])
    del forces
    gc.collect()
    (gradient,) = torch.autograd.grad(loss, c)
    assert torch.equal(gradient.flatten()[:-3], want)


def test_what_a_segment_does_not_know():
    system = chains.system_of(2)
    assert refusal(system) == ""
    system.addConstraint(3, 4, 0.1)
    with pytest.raises(DiffPairError, match="the System has 1 constraint .*, which segments do not know"):
        SystemForces(system)
    assert refusal(system) == "1 constraint (the first holds particles 3 and 4 at their distance)"
    system = chains.system_of(2)
    system.setVirtualSite(2, openmm.TwoParticleAverageSite(0, 1, 0.5, 0.5))
    assert refusal(system) == "virtual sites (the first is particle 2)"
    assert refusal(chains.system_of(2, openmm.MonteCarloBarostat(1.0, 300.0))) == "a MonteCarloBarostat"
