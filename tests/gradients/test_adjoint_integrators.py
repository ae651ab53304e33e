"""The adjoint gradient with every integrator that segments have."""

from __future__ import annotations

import dataclasses

import numpy as np
import openmm
import pytest
import torch

from diffpair.audit import audit_state
from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.fit.iterate.watch import WatchedAdjoint
from diffpair.gradients import DiscreteAdjoint, Fluctuation, TargetRows, langevin_middle, nose_hoover, verlet
from diffpair.gradients.dynamics import noise_seed
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.segments import LangevinMiddle, NoseHoover, Verlet, run_segment
from diffpair.states import build_lattice
from diffpair.targets import RdfTarget

GRID = TableGrid(0.8, 2.0, 40)
TEMPERATURE = 120.27
STEPS, EVERY, TIMESTEP = 20, 5, 0.003
MAKERS = {"verlet": verlet, "langevin-middle": langevin_middle(9.0), "nose-hoover": nose_hoover(7.0, 4)}


def named(name, seed):
    """The integrator that is meant, written out."""
    return {
        "verlet": Verlet(),
        "langevin-middle": LangevinMiddle(TEMPERATURE, 9.0, seed),
        "nose-hoover": NoseHoover(TEMPERATURE, 7.0, chain_length=4, degrees_of_freedom=3 * 108),
    }[name]


@pytest.fixture(scope="module")
def case():
    """rows, table, frames, weights: 108 atoms off their lattice, hotter than their thermostats."""
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    target = RdfTarget(("A", "A"), r, np.ones(24))
    rows = TargetRows(build_lattice("lj", 108, 0.8, {"A": 1.0}, 1.0, TEMPERATURE, targets=[target]))
    rng = np.random.default_rng(0)
    c = tabulate(LennardJones(("A",), 2.0), GRID).detach()
    x = rows.state.positions + rng.normal(scale=0.05, size=(12, 108, 3))
    frames = Frames(x, rng.normal(scale=1.3, size=x.shape), np.repeat(rows.state.box[None], 12, 0), np.zeros(12))
    return rows, c, frames, torch.from_numpy(rng.normal(size=len(rows)))


def measure(case, name, *, seed=1, draw=0, state=None):
    rows, c, frames, weights = case
    if state is not None:
        rows = TargetRows(state)
    method = DiscreteAdjoint(3, STEPS, EVERY, timestep=TIMESTEP, integrator=MAKERS[name], seed=seed)
    return method.measure(rows, c, GRID, frames, weights, draw).gradient


@pytest.mark.parametrize("name", list(MAKERS))
def test_gradient_by_finite_differences(case, name):
    """L(c) = w . g of segments under the integrator that is meant, along one random direction in c."""
    rows, c, frames, weights = case
    gradient = measure(case, name, seed=5, draw=2)
    direction = torch.from_numpy(np.random.default_rng(1).normal(size=c.shape))
    direction[:, -3:] = 0
    chosen = [0, 6, 11]
    boxes = torch.from_numpy(frames.boxes[chosen])

    def loss(coefficients):
        x, _ = run_segment(
            torch.from_numpy(frames.positions[chosen]), torch.from_numpy(frames.velocities[chosen]), coefficients,
            topology=rows.topology, boxes=boxes, inverse_mass=rows.inverse_mass, r_min=GRID.r_min, cutoff=GRID.cutoff,
            timestep=TIMESTEP, steps=STEPS, frame_every=EVERY, integrator=named(name, noise_seed(5, rows.state, 2)),
        )  # fmt: skip
        return float(rows.rdf.g(x.flatten(0, 1), boxes.repeat_interleave(x.shape[1], 0)).mean(0) @ weights)

    step = 1e-5
    numerical = (loss(c + step * direction) - loss(c - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(numerical, rel=1e-6)
    others = [measure(case, other, seed=5, draw=2) for other in MAKERS if other != name]
    assert all(float((gradient - other).norm()) > 1e-4 * float(gradient.norm()) for other in others)


def test_noise_follows_seed_draw_and_state(case):
    """Same seed, same bits; another seed, draw or state, other noise. What has no noise does not see the seed."""
    renamed = dataclasses.replace(case[0].state, name="other")
    first = measure(case, "langevin-middle")
    assert torch.equal(first, measure(case, "langevin-middle"))
    for change in ({"seed": 2}, {"draw": 1}, {"state": renamed}):
        assert not torch.equal(first, measure(case, "langevin-middle", **change))
        assert torch.equal(measure(case, "nose-hoover"), measure(case, "nose-hoover", **change))


def test_noise_of_an_iteration_does_not_depend_on_earlier_ones(case):
    """A fit that goes on at iteration 3 draws what the fit that was never interrupted draws there."""
    rows, c, frames, weights = case
    method = DiscreteAdjoint(3, STEPS, EVERY, timestep=TIMESTEP, integrator=MAKERS["langevin-middle"], seed=3)
    through, resumed = WatchedAdjoint(method), WatchedAdjoint(method)
    found = []
    for number in (1, 2, 3):
        through.begin(number)
        found.append(through(rows, c, GRID, frames, weights))
    resumed.set_numbers(3, STEPS)
    resumed.begin(3)
    assert torch.equal(resumed(rows, c, GRID, frames, weights), found[2])
    assert not torch.equal(found[1], found[2])


@pytest.mark.parametrize("name", ["verlet", "langevin-middle"])
def test_segments_of_an_audit_have_noise_of_their_own(case, name):
    """Segments from one and the same frame scatter by their noise alone."""
    rows, c, frames, _ = case
    starts = Frames(*(np.repeat(part[:1], 3, 0) for part in vars(frames).values()))
    audit = audit_state(
        rows, c.numpy(), GRID, Fluctuation().sums(rows, c, GRID, frames), starts,
        timestep=TIMESTEP, every=EVERY, lengths=[STEPS], integrator=MAKERS[name], seed=3,
    )  # fmt: skip
    assert (audit.lengths[0].scatter > 1e-6 * audit.lengths[0].signal) == (name == "langevin-middle")


def test_degrees_of_freedom_are_the_states(case):
    """Three for each atom; where there is a System, less its constraints and the motion that it removes."""
    rows = case[0]
    make = nose_hoover(1.0, 5)
    assert make(rows.state, 0).settings(rows.inverse_mass)[:2] == [324, 5]
    system = openmm.System()
    for mass in rows.state.masses:
        system.addParticle(mass)
    system.addConstraint(0, 1, 0.1)
    system.addForce(openmm.CMMotionRemover())
    state = dataclasses.replace(rows.state, base_system=system)
    assert make(state, 0).settings(rows.inverse_mass)[:2] == [320, 5]


def test_seed_must_not_be_negative():
    with pytest.raises(DiffPairError, match="seed of adjoint segments must not be negative, but is -1"):
        DiscreteAdjoint(timestep=0.001, seed=-1)
