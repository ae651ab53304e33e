"""The pressure as a row of a fit, against OpenMM's energy in a scaled box and finite differences in the table."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
import torch

from diffpair.engines import Frames
from diffpair.gradients import DiscreteAdjoint, Fluctuation, FrameSums, Reweighting, TargetRows
from diffpair.observables.pair_pressure import pair_pressure
from diffpair.observables.pressure import BAR, PressureProbe
from diffpair.potentials import LennardJones, TableGrid, tabulate
from diffpair.segments import run_segment
from diffpair.states import build_lattice
from diffpair.states.system import make_system
from diffpair.tables import PairTable
from diffpair.targets import PressureTarget, RdfTarget
from diffpair.updates import Memory, Observation, StateView
from diffpair.updates.linear_model import target_noise

GRID = TableGrid(0.5, 1.4, 12)


@pytest.fixture(scope="module")
def rows():
    """Two types, two RDFs and a pressure, which is not the last one in the list."""
    r, wide = 0.6 + 0.05 * np.arange(16), 0.7 + 0.07 * np.arange(10)
    targets = [
        RdfTarget(("A", "A"), r, np.ones(16)),
        PressureTarget(40.0, 3.0),
        RdfTarget(("B", "A"), wide, np.ones(10)),
    ]
    return TargetRows(build_lattice("small", 40, 1.2, {"A": 0.5, "B": 0.5}, 1.0, 150.0, targets=targets))


@pytest.fixture(scope="module")
def frames(rows):
    """Frames of a distorted lattice: any frames will do for identities."""
    x = rows.state.positions + np.random.default_rng(0).normal(scale=0.12, size=(20, rows.state.num_atoms, 3))
    return Frames(x, np.zeros_like(x), np.repeat(rows.state.box[None], 20, 0), np.zeros(20))


@pytest.fixture(scope="module")
def tables():
    """The table that made the frames and the present one, [3, knots + 2]."""
    reference, change = np.random.default_rng(1).normal(size=(2, 3, GRID.knots + 2))
    reference[:, -3:] = change[:, -3:] = 0
    return torch.from_numpy(reference), torch.from_numpy(reference + 0.1 * change)


def openmm_says(rows, frames, table):
    """Potential energy in kJ/mol and pressure in bar of every frame, [F] each, by OpenMM's Reference platform."""
    state = rows.state
    system, _ = make_system(state, PairTable(state.type_names, GRID.r_min, GRID.cutoff, table.numpy()))
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), reference)
    energies = []
    for x in frames.positions:
        context.setPositions(x)
        energies.append(context.getState(energy=True).getPotentialEnergy()._value)
    probe = PressureProbe(system, state.temperature, reference, strain=1e-6)
    return np.array(energies), probe.pressures(frames.positions, frames.boxes)


def average(rows, frames, seen, table, reference):
    """<P> / (rho kT) by OpenMM alone: pressures under `seen`, frames of `reference` weighted as those of `table`."""
    kT = 1 / rows.state.beta
    w = np.exp(-(openmm_says(rows, frames, table)[0] - openmm_says(rows, frames, reference)[0]) / kT)
    return float(w @ openmm_says(rows, frames, seen)[1] / w.sum() / (BAR * rows.state.density * kT))


def slopes(f, table, direction, step=1e-4):
    """df/dc along a direction."""
    return (f(table + step * direction) - f(table - step * direction)) / (2 * step)


def test_row_is_the_pressure_of_openmm(rows, frames, tables):
    """In units of rho kT, beside the rows of g, at the table that is given."""
    unit = BAR * rows.state.density / rows.state.beta
    assert len(rows) == len(rows.rdf) + 1
    assert rows.target[-1] == pytest.approx(40.0 / unit) and rows.error[-1] == pytest.approx(3.0 / unit)
    for table in tables:
        sums = Fluctuation().sums(rows, table, GRID, frames)
        np.testing.assert_allclose(sums.observables[:, -1] * unit, openmm_says(rows, frames, table)[1], rtol=1e-6)
    moved = Fluctuation().sums(rows, tables[0], GRID, frames).at((tables[1] - tables[0]).numpy().ravel())
    np.testing.assert_allclose(moved.observables, sums.observables, rtol=1e-9, atol=1e-12)


def test_jacobian_has_both_terms(rows, frames, tables):
    """d<P>/dc: the virial's own change and that of the ensemble, each by finite differences of OpenMM's numbers."""
    table, _ = tables
    sums = Fluctuation().sums(rows, table, GRID, frames)
    jacobian, n = Fluctuation().jacobian(sums, rows.state.beta), len(frames)
    assert set(sums.explicit) == {len(rows) - 1}
    for seed in range(3):
        direction = torch.from_numpy(np.random.default_rng(seed).normal(size=table.shape))
        direction[:, -3:] = 0
        own = slopes(lambda t: average(rows, frames, t, table, table), table, direction)
        ensemble = slopes(lambda t: average(rows, frames, table, t, table), table, direction)
        expected = own + ensemble * n / (n - 1)  # reweighting divides by n
        assert abs(own) > 0.05 * abs(expected) and abs(ensemble) > 0.05 * abs(expected)
        assert jacobian[-1] @ direction.numpy().ravel() == pytest.approx(expected, rel=1e-4)
    weights = np.random.default_rng(4).normal(size=len(rows))
    gradient = Fluctuation()(rows, table, GRID, frames, torch.from_numpy(weights), sums)
    np.testing.assert_allclose(gradient.numpy().ravel(), weights @ jacobian, rtol=1e-9, atol=1e-12)


def test_reweighting_by_finite_differences(rows, frames, tables):
    """At a table other than the one that made the frames, where the pressure of the present one counts."""
    reference, present = tables
    weights = torch.zeros(len(rows), dtype=torch.float64)
    weights[-1] = 1.0
    seen = Reweighting(0.01).reweight(
        rows, Fluctuation().sums(rows, reference, GRID, frames), present.numpy(), reference.numpy()
    )
    assert seen.mean[-1] == pytest.approx(average(rows, frames, present, present, reference), rel=1e-6)
    gradient = Reweighting(0.01)(rows, present, GRID, frames, weights, reference=reference)
    direction = torch.from_numpy(np.random.default_rng(7).normal(size=present.shape))
    direction[:, -3:] = 0
    expected = slopes(lambda t: average(rows, frames, t, t, reference), present, direction)
    assert float((gradient * direction).sum()) == pytest.approx(expected, rel=1e-4)


def test_joined_sums_are_those_of_all_frames(rows, frames, tables):
    parts = [Frames(*(a[part] for a in vars(frames).values())) for part in (slice(0, 7), slice(7, None))]
    joined = FrameSums.joined([Fluctuation().sums(rows, tables[0], GRID, part) for part in parts])
    whole = Fluctuation().sums(rows, tables[0], GRID, frames)
    np.testing.assert_array_equal(joined.observables, whole.observables)
    np.testing.assert_array_equal(joined.explicit[len(rows) - 1], whole.explicit[len(rows) - 1])


def test_adjoint_by_finite_differences():
    """The mean pressure of a segment's frames: the table moves the atoms and makes their virial."""
    grid = TableGrid(0.8, 2.0, 40)
    r = 0.8 + 0.05 * (np.arange(24) + 0.5)
    targets = [RdfTarget(("A", "A"), r, np.ones(24)), PressureTarget(10.0)]
    state = build_lattice("lj", 108, 0.8, {"A": 1.0}, 1.0, 120.27, targets=targets)
    rows = TargetRows(state)
    rng = np.random.default_rng(0)
    c = tabulate(LennardJones(("A",), 2.0), grid).detach()
    x = state.positions + rng.normal(scale=0.05, size=(2, 108, 3))
    frames = Frames(x, rng.normal(size=x.shape), np.repeat(state.box[None], 2, 0), np.zeros(2))
    weights = torch.zeros(len(rows), dtype=torch.float64)
    weights[-1] = 1.0
    gradient = DiscreteAdjoint(2, 60, 15, timestep=0.005)(rows, c, grid, frames, weights)
    direction = torch.from_numpy(rng.normal(size=c.shape))
    direction[:, -3:] = 0
    boxes = torch.from_numpy(frames.boxes)

    def mean(moving, seen):
        x, _ = run_segment(
            torch.from_numpy(frames.positions), torch.from_numpy(frames.velocities), moving, topology=rows.topology,
            boxes=boxes, inverse_mass=rows.inverse_mass, r_min=grid.r_min, cutoff=grid.cutoff, timestep=0.005, steps=60,
            frame_every=15,
        )  # fmt: skip
        p = pair_pressure(
            x.flatten(0, 1), boxes.repeat_interleave(4, 0), rows.topology, seen, r_min=grid.r_min, cutoff=grid.cutoff,
            temperature=state.temperature,
        )  # fmt: skip
        return float(p.mean()) / (BAR * state.density / state.beta)

    path = slopes(lambda t: mean(t, c), c, direction, 1e-5)
    own = slopes(lambda t: mean(c, t), c, direction, 1e-5)
    assert min(abs(path), abs(own)) > 0.02 * abs(path + own)
    assert float((gradient * direction).sum()) == pytest.approx(path + own, rel=1e-6)


def test_weight_of_the_residual(rows):
    """The target's own error and the noise; a floor only where the target has no error; rows of g as without it."""
    unit = BAR * rows.state.density / rows.state.beta
    noise = np.full(len(rows), 0.02)
    sigma = rows.sigma(noise)
    assert sigma[-1] == pytest.approx(np.hypot(0.02, 3.0 / unit))
    bare = build_lattice("x", 40, 1.2, {"A": 1.0}, 1.0, 150.0, targets=[PressureTarget(40.0)])
    assert TargetRows(bare).sigma(np.zeros(1)) == pytest.approx([0.01])
    np.testing.assert_array_equal(sigma[:-1], rows.rdf.sigma(noise[:-1]))


@pytest.mark.parametrize(("error", "expected"), [(3.0, None), (None, 0.01), (0.0, 0.01)])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_noise_of_the_target_in_gauss_newton(error, expected, noise):
    """A pressure is known to its error or, without one, to 1 % of rho kT; g to 0.001, as well as one run tells it."""
    r = np.arange(0.205, 1.0, 0.02)
    targets = [RdfTarget(("A", "A"), r, np.ones_like(r)), PressureTarget(40.0, error)]
    rows = TargetRows(build_lattice("x", 40, 1.2, {"A": 1.0}, 1.0, 150.0, targets=targets))
    n, table = len(rows), np.zeros(3)
    one = Observation(table, np.zeros(n), np.ones(n), np.zeros((n, 3)), np.zeros((0, 3)), noise**2 * np.eye(n))
    view = StateView(
        Memory([one]), 0, np.zeros((0, 3)), 1.0, np.zeros((1, 3)), target_error=rows.error, floor=rows.floor
    )
    fixed, free, _ = target_noise(view, table, 1.0)
    wanted = expected if expected is not None else 3.0 / rows.pressure.ideal
    assert fixed[-1, -1] == pytest.approx(noise**2 + wanted**2)
    assert np.diag(fixed)[:-1] == pytest.approx(noise**2 + 0.001**2)
    assert np.diag(free) == pytest.approx([*[noise**2] * (n - 1), 0.0 if error else noise**2])
