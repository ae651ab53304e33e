"""The adjoint gradient of states whose Systems have forces of their own."""

from __future__ import annotations

import chains
import numpy as np
import openmm
import pytest
import torch

from diffpair.audit import audit_state
from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import (
    DiscreteAdjoint,
    Fluctuation,
    TargetRows,
    langevin_middle,
    segment_products,
    smooth_vectors,
)
from diffpair.gradients.friction_response import friction_response
from diffpair.potentials import TableGrid
from diffpair.segments import SystemForces
from diffpair.states import NO_TYPE, State
from diffpair.targets import RdfTarget

COUNT = 27
GRID = TableGrid(0.1, 1.0, 24)


def make_state(*forces: openmm.Force, **more) -> State:
    r = 0.3 + 0.05 * (np.arange(14) + 0.5)
    system = chains.system_of(COUNT, *forces)
    masses = [system.getParticleMass(i)._value for i in range(4 * COUNT)]
    defaults = {
        "name": "chains", "type_names": ("A",), "types": np.zeros(4 * COUNT, dtype=int), "masses": np.array(masses),
        "positions": chains.positions_of(COUNT), "box": chains.BOX, "exclusions": chains.exclusions_of(COUNT),
        "temperature": 300.0, "targets": [RdfTarget(("A", "A"), r, np.ones(14))], "base_system": system,
    }  # fmt: skip
    return State(**(defaults | more))


def liquid() -> State:
    return make_state(*chains.bonded_forces(COUNT, True), chains.charges(COUNT))


def frames_of(state: State, count: int, spread: float = 0.0) -> Frames:
    rng = np.random.default_rng(4)
    x = np.stack([chains.positions_of(COUNT, seed) for seed in range(count)])
    v = rng.normal(size=x.shape) * np.sqrt(0.00831 * 300 / state.masses)[:, None]
    return Frames(x + spread * rng.normal(size=x.shape), v, np.repeat(state.box[None], count, 0), np.zeros(count))


def test_gradient_by_finite_differences():
    """L(c) = w . g of the segments' frames, along a random direction in c; without the System's forces it differs."""
    rows = TargetRows(liquid())
    frames, rng = frames_of(rows.state, 3), np.random.default_rng(0)
    weights = torch.from_numpy(rng.normal(size=len(rows)))
    method = DiscreteAdjoint(3, 20, 5, timestep=0.002, integrator=langevin_middle(2.0), platform="Reference")
    c = chains.table()
    gradient = method(rows, c, GRID, frames, weights)
    direction = torch.from_numpy(rng.normal(size=c.shape))
    direction[:, -3:] = 0

    def loss(coefficients):
        _, (x, v), table, boxes = method.record(rows, coefficients, GRID, frames, np.arange(3), 0)
        return float((rows.of_segment(x, v, boxes, table, GRID) @ weights).mean().detach())

    step = 1e-5
    numerical = (loss(c + step * direction) - loss(c - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(numerical, rel=1e-4)
    assert method.describe_forces(rows).startswith("HarmonicBondForce, HarmonicAngleForce, PeriodicTorsionForce nat")
    assert "NonbondedForce by OpenMM (Reference, double precision" in method.describe_forces(rows)
    bare = DiscreteAdjoint(3, 20, 5, timestep=0.002, integrator=langevin_middle(2.0))
    alone = bare(TargetRows(make_state(base_system=None)), c, GRID, frames, weights)
    assert (alone - gradient).norm() > 0.1 * gradient.norm()
    assert bare.describe_forces(TargetRows(make_state(base_system=None))) == ""


def test_products_and_friction_know_the_forces():
    """What else runs segments: every product is the gradient of its vector; and they use the same forces."""
    rows = TargetRows(liquid())
    frames = frames_of(rows.state, 4)
    method = DiscreteAdjoint(4, 10, 5, timestep=0.002, platform="Reference", max_growth=np.inf)
    vectors = smooth_vectors(rows, 2)
    products = segment_products(method, rows, chains.table(), GRID, frames, vectors).products
    for k, vector in enumerate(vectors):
        gradient = method(rows, chains.table(), GRID, frames, torch.from_numpy(vector))
        np.testing.assert_allclose(products[:, k].mean(0), gradient.flatten(), rtol=1e-6, atol=1e-9)
    settings = {"lags": 4, "stride": 3, "timestep": 0.002, "segments": 4, "seed": 1, "modes": 4}
    stiff, free = (
        friction_response(TargetRows(state), chains.table(), GRID, frames, 2.0, **settings)[0]
        for state in (liquid(), make_state(base_system=None))
    )
    assert np.abs(stiff - free).max() > 0.05 * np.abs(free).max()


def test_audit():
    """All of an audit in such a state: the equilibrium gradient beside that of segments."""
    rows = TargetRows(liquid())
    frames, c = frames_of(rows.state, 24, 0.005), chains.table()
    sums = Fluctuation().sums(rows, c, GRID, frames)
    starts = Frames(*(part[:3] for part in vars(frames).values()))
    audit = audit_state(rows, c.numpy(), GRID, sums, starts, timestep=0.002, every=5, lengths=(5, 10))
    assert [entry.steps for entry in audit.lengths] == [5, 10]
    assert all(np.isfinite(entry.cosine) and entry.segments == 3 for entry in audit.lengths)


def test_contexts_live_as_long_as_the_rows():
    """A fit makes a gradient in every iteration: they must not be built anew."""
    from diffpair.gradients import dynamics

    rows = TargetRows(liquid())
    first = dynamics.segment_forces(rows, "Reference")
    assert dynamics.segment_forces(rows, "Reference") is first and isinstance(first, SystemForces)
    assert dynamics.segment_forces(rows, "CPU") is not first
    held = len(dynamics._forces)
    del rows
    assert len(dynamics._forces) == held - 1


def with_constraint() -> State:
    state = liquid()
    state.base_system.addConstraint(0, 1, 0.15)
    state.base_system.addConstraint(4, 5, 0.15)
    return state


def with_virtual_site() -> State:
    state = liquid()
    state.base_system.setParticleMass(3, 0.0)
    state.base_system.setVirtualSite(3, openmm.TwoParticleAverageSite(1, 2, 0.5, 0.5))
    return state


def with_untyped() -> State:
    state = liquid()
    state.types[:4] = NO_TYPE
    return state


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (with_constraint, r"2 constraints \(the first holds particles 0 and 1 at their distance\)"),
        (with_virtual_site, r"virtual sites \(the first is particle 3\)"),
        (with_untyped, "particles without a type"),
        (lambda: make_state(openmm.AndersenThermostat(300.0, 1.0)), "an AndersenThermostat"),
    ],
)
def test_refusals_name_what_it_is_and_the_way_out(make, found):
    rows = TargetRows(make())
    words = f"state 'chains' has {found}, which the segments .* do not know; use gradient: {{method: fluctuation}}"
    frames = frames_of(liquid(), 1)
    with pytest.raises(DiffPairError, match=words):
        DiscreteAdjoint(1, 5, 5, timestep=0.002)(rows, chains.table(), GRID, frames, torch.ones(len(rows)))
    with pytest.raises(DiffPairError, match=f"has {found}, .* leave out its vacf, or have it held_out"):
        friction_response(rows, chains.table(), GRID, frames, 1.0, lags=2, stride=1, timestep=0.002, segments=1, seed=1)
