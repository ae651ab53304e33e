"""Error bars of U, on a gas so thin that g(r) = exp(-beta U(r)): everything can be checked on paper."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.gradients.rdf_rows import FLOOR
from diffpair.potentials import BSpline, TableGrid
from diffpair.tables import PairTable, TableUncertainty, load_uncertainty
from diffpair.updates import GaussNewton, Memory, Observation, ParameterSpace, StateView
from diffpair.updates.basis import spline_basis
from diffpair.updates.linear_model import LinearModel, Start

GRID = TableGrid(0.8, 2.5, 40)
R = np.linspace(0.85, 2.6, 90)
BASIS = spline_basis(GRID, R)
NOISE = 0.01
# neighbouring bins share pairs: noise that is correlated over two of them
CORRELATED = NOISE**2 * np.exp(-0.5 * ((np.arange(90)[:, None] - np.arange(90)) / 2.0) ** 2) + 1e-8 * np.eye(90)


def wanted_table():
    r = np.maximum(GRID.centres().numpy(), 0.8)
    table = 4 * (r**-12.0 - r**-6.0) * np.clip((2.5 - r) / 0.6, 0, 1)
    table[-3:] = 0
    return table


def new_space():
    return ParameterSpace(BSpline(("A",), GRID.cutoff, GRID.r_min, GRID.knots), GRID, [()], 1.0, np.array([1.0]))


def view_of(observations, target, error=None):
    weights = (BASIS * (R**2 * target)[:, None]).sum(0)[None]
    return StateView(
        Memory(observations), 0, BASIS[target > 0.1], 1.0, weights, target_error=error, floor=np.full(90, FLOOR)
    )


def observe(table, target, noise=0.0, covariance=CORRELATED):
    g = np.exp(-BASIS @ table)
    sigma = np.sqrt(np.diag(covariance) + 0.003**2)
    none = np.zeros((0, len(table)))
    return Observation(table, g + noise - target, sigma, -g[:, None] * BASIS, none, covariance)


def test_posterior_is_the_textbook_formula():
    """a Sigma - a Sigma J^T (a J Sigma J^T + C)^-1 J a Sigma, with full matrices."""
    space, target = new_space(), np.exp(-BASIS @ wanted_table())
    start = Start.of(space)
    observation = observe(space.tables()[0], target)
    model = LinearModel(space, [view_of([observation], target, np.full(90, 1e-9))], start)
    after, before, _ = model.posterior()
    jacobian, c = space.jacobians()[0], CORRELATED * (1 + (1e-9 / NOISE) ** 2) + FLOOR**2 * np.eye(90)
    prior = before[0] @ before[0].T
    j = observation.jacobian
    # the columns of `before` that no data reach are left out of both
    expected = prior - prior @ j.T @ np.linalg.solve(j @ prior @ j.T + model.inflation() * c, j @ prior)
    assert after[0] @ after[0].T == pytest.approx(expected, abs=1e-8 * np.abs(prior).max())
    factor = space.factors([jacobian])[0].factor
    sigma = model.data.amplitude * jacobian @ factor @ factor.T @ jacobian.T
    assert BASIS @ prior @ BASIS.T == pytest.approx(BASIS @ sigma @ BASIS.T, abs=1e-3 * np.abs(sigma).max())


def test_band_holds_the_truth():
    """Over 12 fits with noise of their own, in target and samplings: 9 of 10 distances, and no band too wide."""
    rng = np.random.default_rng(3)
    factor = np.linalg.cholesky(CORRELATED)
    truth = wanted_table()
    exact = np.exp(-BASIS @ truth)
    inside, ratios = [], []
    for _ in range(12):
        space = new_space()
        space.set(0.7 * truth[: space.size])
        start, update = Start.of(space), GaussNewton()
        target = exact + np.sqrt(0.5) * factor @ rng.normal(size=90)
        observations: list[Observation] = []
        for _ in range(6):
            observations.append(observe(space.tables()[0], target, factor @ rng.normal(size=90)))
            view = view_of(observations, target)
            update.step(space, [view])
        after, _, _ = LinearModel(space, [view], start).posterior()
        seen = BASIS[(exact > 0.1) & (R < 2.4)]
        sigma = np.sqrt(((seen @ after[0]) ** 2).sum(1))
        error = seen @ (space.tables()[0] - truth)
        inside.append(np.abs(error) < 2 * sigma)
        ratios.append(error / sigma)
    assert np.mean(inside) > 0.9
    assert 0.5 < np.sqrt(np.mean(np.square(ratios))) < 1.3


def test_prior_ends_at_ten_kT():
    """However many standard errors long a first residual is. With 300 kT the noise of a first J once moved a core by
    12 kT the wrong way, where the trust radius does not look, and the fit stayed there."""
    space, target = new_space(), np.exp(-BASIS @ wanted_table())
    start, (table,) = Start.of(space), space.tables()
    seen = observe(table, target)
    change = 100 * np.exp(-(((GRID.centres().numpy() - 1.3) / 0.3) ** 2))
    change[-3:] = 0
    far = replace(seen, residual=-seen.jacobian @ change)
    model = LinearModel(space, [view_of([far], target, np.full(90, NOISE))], start)
    _, (prior,), _ = model.posterior()
    outside = BASIS[(R >= 1.0) & (R < 2.4)]
    deviation = np.sqrt(((outside @ prior) ** 2).sum(1))
    assert 9 < deviation.max() < 11


@pytest.mark.parametrize("beyond", [1.0, 0.3])
def test_prior_of_a_start_that_is_good_beyond_contact(beyond):
    """kT at contact, more in the core, and the given part of it at 1.5 and 2 times the contact distance."""
    potential = new_space().potential
    space = ParameterSpace(potential, GRID, [()], 1.0, np.array([1.0]), beyond)
    (block,) = space.factors(space.jacobians())
    deviation = np.sqrt(((space.jacobians()[0] @ block.factor) ** 2).sum(1))
    at = {r: float(np.interp(r, GRID.centres().numpy(), deviation)) for r in (0.9, 1.0, 1.5, 2.0)}
    edge = {r: 1 - (r / GRID.cutoff) ** 4 for r in at}
    assert at[1.0] == pytest.approx(edge[1.0], rel=0.2)
    assert at[0.9] > 3 * at[1.0]
    assert at[1.5] == pytest.approx(beyond * edge[1.5], rel=0.05)
    assert at[2.0] == pytest.approx(beyond * edge[2.0], rel=0.05)


def test_noise_of_the_jacobian_is_no_knowledge():
    """g does not answer to U at all; the Jacobian is nothing but its noise, along three combinations of knots."""
    rng = np.random.default_rng(5)
    space, target = new_space(), np.ones(90)
    start, (table,) = Start.of(space), space.tables()
    factor = np.linalg.cholesky(CORRELATED)
    centres = GRID.centres().numpy()
    directions = np.array([np.exp(-(((centres - r) / 0.2) ** 2)) for r in (1.2, 1.6, 2.0)])
    by_c = 0.5 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    sigma, open_part, seen_part = np.sqrt(np.diag(CORRELATED)), [], []
    for _ in range(10):
        jacobian = factor @ rng.normal(size=(90, 3)) @ by_c
        residual = factor @ rng.normal(size=90)
        observation = Observation(table, residual, sigma, jacobian, np.sqrt(90) * by_c, CORRELATED)
        model = LinearModel(space, [view_of([observation], target, np.full(90, 1e-9))], start, smoothness=1.0)
        after, before, _ = model.posterior()
        known = model.data.matrix
        seen_part.append(np.mean(1 / (1 + np.linalg.eigvalsh(known.T @ known))))
        r = BASIS[(R > 1.1) & (R < 2.1)]
        open_part.append(np.sum((r @ after[0]) ** 2) / np.sum((r @ before[0]) ** 2))
    assert np.mean(open_part) > 0.5 > 4 * np.mean(seen_part)


def test_scatter_between_iterations_widens_the_band():
    """Slow motion that blocks within a sampling do not see."""
    rng = np.random.default_rng(1)
    space, target = new_space(), np.exp(-BASIS @ wanted_table())
    space.set(wanted_table()[: space.size])
    start = Start.of(space)
    slow = -3 * (CORRELATED @ BASIS)[:, 10] / NOISE

    def inflation(size):
        factor = np.linalg.cholesky(CORRELATED)
        noises = [factor @ rng.normal(size=90) + size * rng.normal() * slow for _ in range(6)]
        observations = [observe(space.tables()[0], target, noise) for noise in noises]
        space.set(0.8 * wanted_table()[: space.size])
        model = LinearModel(space, [view_of(observations, target)], start)
        space.set(wanted_table()[: space.size])
        return model.inflation()

    assert inflation(5.0) > 2 * inflation(0.0)


def test_band_survives_the_file(tmp_path):
    table = PairTable(("A", "B"), 0.3, 1.0, np.zeros((3, 12)))
    band = TableUncertainty(("A", "B"), np.linspace(0.3, 1.0, 5), np.arange(15.0).reshape(3, 5), ("a note",))
    path = tmp_path / "p.json"
    table.save(path, fit={"uncertainty": band.document()})
    again = load_uncertainty(path)
    assert again.types == band.types and again.notes == band.notes and again.bootstrap is None
    table.save(path, fit={"uncertainty": replace(band, bootstrap=2 * band.sigma).document()})
    assert (load_uncertainty(path).bootstrap == 2 * band.sigma).all()
    assert (again.sigma == band.sigma).all() and (again.r == band.r).all()
    assert again.at(0.475, "B", "A") == pytest.approx(6.0) and again.at([0.1, 1.2], "A") == pytest.approx([0.0, 0.0])
    assert again.at(0.65, "B") == pytest.approx(12.0)
    with pytest.raises(DiffPairError, match="type 'C' is not in the error band"):
        again.at(0.5, "C")
    table.save(path)
    assert load_uncertainty(path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"r": [0.3, 0.2]},
        {"pairs": [{"types": ["A", "A"], "sigma": [1, 1], "bootstrap": [1]}]},
        {"pairs": []},
        {"r": "x"},
        {"pairs": [{"types": ["A", "A"]}]},
    ],
)
def test_damaged_band_is_refused(change, tmp_path):
    path = tmp_path / "p.json"
    band = TableUncertainty(("A",), np.array([0.3, 1.0]), np.ones((1, 2)))
    PairTable(("A",), 0.3, 1.0, np.zeros((1, 12))).save(path, fit={"uncertainty": {**band.document(), **change}})
    with pytest.raises(DiffPairError, match=r'p\.json: "fit\.uncertainty" is not an error band'):
        load_uncertainty(path)
    assert json.loads(path.read_text())["fit"]["uncertainty"]
