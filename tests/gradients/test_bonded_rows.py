"""Distributions of bonds and angles as rows, and dU/dc of their terms: against quadrature, OpenMM and plain counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import openmm as mm
import pytest
import torch

from diffpair.bonded import HarmonicTerm, TabulatedTerm, add_terms
from diffpair.engines import Frames
from diffpair.errors import DiffPairError
from diffpair.gradients import Fluctuation, TargetRows
from diffpair.gradients.bonded_rows import FLOOR, BondedRows, BondedSums
from diffpair.gradients.rows import FrameTensors
from diffpair.potentials import TableGrid
from diffpair.states import build_lattice
from diffpair.targets import Distribution, RdfTarget

GRID = TableGrid(0.2, 1.0, 8)
KELVIN, MOLECULES, BOX = 300.0, 20, 6.0
KT = 0.00831446261815324 * KELVIN
SPRING = HarmonicTerm.of(("A", "B"), 900.0, 0.4)
BEND = TabulatedTerm(("A", "B", "A"), np.array([9.0, 2.0, 0.0, 4.0, 1.0, 6.0]), low=1.0, high=3.0)
EDGES = {"bond": np.linspace(0.25, 0.6, 15), "angle": np.linspace(1.0, 3.0, 13)}


def density(term, x):
    """exp(-U / kT) with the Jacobian, normalised by the trapezoidal rule."""
    p = (x**2 if term.order == "bond" else np.sin(x)) * np.exp(-term.energy(x) / KT)
    return p / np.trapezoid(p, x)


def grid_of(term):
    return np.linspace(0.15, 0.8, 20001) if term.order == "bond" else np.linspace(BEND.low, BEND.high, 20001)


def in_bins(term):
    """Mean p over each bin."""
    x = grid_of(term)
    p = density(term, x)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (p[1:] + p[:-1]) * np.diff(x))])
    return np.diff(np.interp(EDGES[term.order], x, total)) / np.diff(EDGES[term.order])


def sampled(term, rng, shape):
    """Coordinates that obey a term exactly."""
    x = grid_of(term)
    p = density(term, x)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (p[1:] + p[:-1]) * np.diff(x))])
    return np.interp(rng.uniform(size=shape), total / total[-1], x)


def trimers():
    """A state of molecules A-B-A with two distributions as targets, beside an rdf."""
    targets = [RdfTarget(("A", "A"), 0.3 + 0.05 * np.arange(12), np.ones(12))]
    for term in (SPRING, BEND):
        p = in_bins(term)
        width = np.diff(EDGES[term.order])[0]
        targets.append(Distribution(term.kind, EDGES[term.order], p / (p.sum() * width), error=0.01 * p))
    number = 3 * MOLECULES
    state = build_lattice("t", number, number / BOX**3, {"A": 2 / 3, "B": 1 / 3}, 1.0, KELVIN, targets=targets)
    first = 3 * np.arange(MOLECULES)[:, None]
    bonds = np.concatenate([first + np.array(pair) for pair in ([0, 1], [1, 2])])
    return dataclasses.replace(
        state,
        types=np.tile([0, 1, 0], MOLECULES),
        bonds=bonds,
        exclusions=np.concatenate([bonds, first + np.array([0, 2])]),
        bonded=True,
    )


def frames_of(state, count, seed=0):
    """Trimers whose two bonds and one angle are drawn from what the terms make of each; turned, and put anywhere."""
    rng = np.random.default_rng(seed)
    one, other = sampled(SPRING, rng, (2, count, MOLECULES))
    angle = sampled(BEND, rng, (count, MOLECULES))
    turn = np.linalg.qr(rng.normal(size=(count, MOLECULES, 3, 3)))[0]
    places = np.zeros((count, MOLECULES, 3, 3))
    places[:, :, 0, 0] = one
    places[:, :, 2, 0], places[:, :, 2, 1] = other * np.cos(angle), other * np.sin(angle)
    x = (places @ turn + rng.uniform(0, BOX, (count, MOLECULES, 1, 3))).reshape(count, -1, 3) % BOX
    return Frames(x, np.zeros_like(x), np.repeat(state.box[None], count, 0), np.zeros(count))


def no_table():
    return torch.zeros(3, GRID.knots + 2, dtype=torch.float64)


def derivative(term, of):
    """dp/dc over the bins of the target of `of`, per maximum: by differences of p in its term's values."""
    scale, columns = in_bins(of).max(), []
    for k, value in enumerate(term.values):
        step = 1e-4 * max(1.0, abs(value))
        ends = [term.with_values(term.values + sign * step * (np.arange(len(term.values)) == k)) for sign in (1, -1)]
        columns.append((in_bins(ends[0]) - in_bins(ends[1])) / (2 * step) if term is of else 0 * in_bins(of))
    return np.array(columns).T / scale


def test_the_jacobian_is_that_of_the_distributions():
    """Of bonds with respect to a harmonic term, of angles to a table, and nothing across: they are independent here."""
    state = trimers()
    rows = TargetRows(state, bonded=[SPRING, BEND])
    pairs = no_table().numel()
    blocks = []
    for seed in range(12):
        sums = Fluctuation().sums(rows, no_table(), GRID, frames_of(state, 400, seed))
        assert sums.splines.shape[1] == pairs + 8
        blocks.append(Fluctuation().jacobian(sums, state.beta)[len(rows.rdf) :, pairs:])
    found, error = np.mean(blocks, axis=0), np.std(blocks, axis=0, ddof=1) / np.sqrt(len(blocks))
    wanted = np.block([[derivative(SPRING, SPRING), derivative(BEND, SPRING)],
                       [derivative(SPRING, BEND), derivative(BEND, BEND)]])  # fmt: skip
    off = (found - wanted) / np.maximum(error, 1e-12 * np.abs(wanted).max())
    assert np.sqrt(np.mean(off**2)) < 1.4  # 1.1 by the error of the error
    assert np.abs(off).max() < 8  # Student's t of 11 degrees of freedom, in 208 numbers
    told = np.abs(wanted) > 10 * error
    assert told.sum() > 50 and (np.sign(found) == np.sign(wanted))[told].all()


def test_rows_are_the_distributions():
    state = trimers()
    rows, frames = BondedRows(state), frames_of(state, 500)
    found = rows.of_frames(tensors(frames), no_table(), GRID).numpy()
    assert [s.stop - s.start for s in rows.slices] == [14, 12] and len(rows) == 26
    for where, scale, term in zip(rows.slices, rows.scales, (SPRING, BEND), strict=True):
        wanted, width = in_bins(term), np.diff(EDGES[term.order])[0]
        np.testing.assert_allclose(rows.target[where], wanted / wanted.max(), rtol=1e-3)
        np.testing.assert_allclose(rows.error[where], 0.01 * rows.target[where], rtol=2e-3)
        samples = 500 * MOLECULES * (2 if term is SPRING else 1)
        noise = np.sqrt(np.maximum(wanted, 1e-3) / (width * samples)) / scale
        assert (np.abs(found.mean(0)[where] - rows.target[where]) < 5 * noise).all()
    assert rows.sigma(np.zeros(26)) == pytest.approx(np.hypot(rows.error, FLOOR))


def test_sums_are_those_of_openmm():
    """dU/dc . c is the energy of the terms in a System, but for a spring's constant."""
    state, frames = trimers(), frames_of(trimers(), 5)
    sums = BondedSums(state, [SPRING, BEND]).of_frames(tensors(frames))
    system = mm.System()
    for _ in range(state.num_atoms):
        system.addParticle(1.0)
    system.setDefaultPeriodicBoxVectors(*state.box)
    add_terms(system, [SPRING, BEND], state.paths)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    for x, row in zip(frames.positions, sums, strict=True):
        context.setPositions(x)
        energy = context.getState(energy=True).getPotentialEnergy()._value
        constant = 2 * MOLECULES * 0.5 * SPRING.k * SPRING.x0**2
        assert row @ np.concatenate([SPRING.values, BEND.values]) + constant == pytest.approx(energy, rel=1e-9)


def test_a_term_that_does_not_occur_has_columns_of_zeros():
    state = trimers()
    nowhere = HarmonicTerm.of(("B", "B"), 100.0, 0.3)
    sums = BondedSums(state, [nowhere, SPRING])
    found = sums.of_frames(tensors(frames_of(state, 3)))
    assert sums.width == 4 and not found[:, :2].any() and found[:, 2:].all()


def test_counts_have_no_derivative_along_a_segment():
    state = trimers()
    frames = tensors(frames_of(state, 2))
    with pytest.raises(DiffPairError, match="need gradient: fluctuation; they have no derivative"):
        BondedRows(state).values(frames.x, frames.boxes, no_table(), GRID)


def tensors(frames):
    x, boxes = map(torch.from_numpy, (frames.positions, frames.boxes))
    return FrameTensors(x, boxes, x[:, :0], torch.zeros(len(x), dtype=torch.float64))
