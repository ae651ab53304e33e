"""The Jacobian of segments under way: gain, adjoint Broyden update, noise."""

from __future__ import annotations

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.updates import Observation, SegmentMemory

ROWS, WIDTH = 30, 12
NONE = np.zeros((0, WIDTH))


def memory_of(rng, noise=0.0, batches=4, jacobian=None):
    """With a Jacobian [ROWS, WIDTH] and independent noise of the batches."""
    memory = SegmentMemory(48)
    true = rng.normal(size=(ROWS, WIDTH)) if jacobian is None else jacobian
    products = true + noise * rng.normal(size=(batches, ROWS, WIDTH))
    memory.begin(np.eye(ROWS), products, steps=60)
    return memory, true


def observation(c, residual, sigma=0.01):
    return Observation(c, residual, np.full(ROWS, sigma), NONE, NONE, sigma**2 * np.eye(ROWS))


def test_products_of_smooth_vectors_make_a_projection():
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(rng.normal(size=(ROWS, 7)))[0].T
    true = rng.normal(size=(ROWS, WIDTH))
    memory = SegmentMemory(7)
    with pytest.raises(DiffPairError, match="has not been measured"):
        memory.jacobian()
    memory.begin(vectors, np.repeat((vectors @ true)[None], 4, 0), steps=60)
    np.testing.assert_allclose(memory.jacobian(), vectors.T @ vectors @ true)


def test_gain_is_learned():
    """Segments that see 0.45 of the response: steps that were seen to do more than predicted tell how much."""
    rng = np.random.default_rng(1)
    memory, seen = memory_of(rng)
    c, true = np.zeros(WIDTH), seen / 0.45
    memory.add(observation(c, np.zeros(ROWS)))
    assert memory.gain == 1.0
    for _ in range(4):
        c = c + 0.1 * rng.normal(size=WIDTH)
        memory.add(observation(c, true @ c + 0.01 * rng.normal(size=ROWS)))
    assert memory.gain == pytest.approx(1 / 0.45, rel=0.01)
    np.testing.assert_allclose(memory.jacobian(), memory.gain * seen, atol=0.03)  # moves add some of their noise
    before = len(memory.observations)
    memory.learn(observation(c + 0.1, true @ (c + 0.1)))  # the fit went back from there
    assert len(memory.observations) == before and memory.gain == pytest.approx(1 / 0.45, rel=0.01)
    # steps within the noise say little: the gain stays near 1
    memory, seen = memory_of(rng)
    memory.add(observation(np.zeros(WIDTH), np.zeros(ROWS), 1.0))
    memory.add(observation(np.full(WIDTH, 1e-3), rng.normal(size=ROWS), 1.0))
    assert memory.gain == pytest.approx(1.0, abs=0.1)


def test_steps_correct_what_the_segments_missed():
    """J dc of a step is what it did to the averages; directions that no step has tried stay; noise teaches nothing."""
    rng = np.random.default_rng(5)
    memory, seen = memory_of(rng)
    true = seen.copy()
    true[:, 0] += 3.0
    step = np.zeros(WIDTH)
    step[:2] = 0.5
    memory.add(observation(np.zeros(WIDTH), np.zeros(ROWS)))
    memory.add(observation(step, true @ step))
    jacobian = memory.jacobian()
    np.testing.assert_allclose(jacobian @ step, true @ step, rtol=1e-2)
    np.testing.assert_allclose(jacobian[:, 2:], memory.gain * seen[:, 2:])
    noisy, seen = memory_of(rng)
    noisy.add(observation(np.zeros(WIDTH), np.zeros(ROWS), 1.0))
    noisy.add(observation(step, seen @ step + rng.normal(size=ROWS), 1.0))
    np.testing.assert_allclose(noisy.jacobian(), noisy.gain * seen)


def test_adjoint_broyden():
    """J^T w becomes right, what is orthogonal to w in units of the errors stays, and no other change is smaller."""
    rng = np.random.default_rng(2)
    memory, old = memory_of(rng)
    sigma, vector = rng.uniform(0.5, 2.0, ROWS), rng.normal(size=ROWS)
    wanted = old.T @ vector + rng.normal(size=WIDTH)
    assert memory.correct(vector, np.repeat(wanted[None], 4, 0), sigma) == pytest.approx(1.0)
    new = memory.jacobian()
    np.testing.assert_allclose(new.T @ vector, wanted)
    other = rng.normal(size=ROWS)
    other -= (other @ (sigma**2 * vector)) / (vector @ (sigma**2 * vector)) * vector
    np.testing.assert_allclose(new.T @ other, old.T @ other, atol=1e-12)
    scaled, w = (new - old) / sigma[:, None], sigma * vector
    least = np.outer(w, wanted - old.T @ vector) / (w @ w)  # the least-norm solution of X^T w = difference
    np.testing.assert_allclose(scaled, least)


def test_corrections_respect_their_noise():
    """A fresh product that is far noisier than what is known hardly counts, and the errors shrink as for a mean."""
    rng = np.random.default_rng(3)
    vector = np.zeros(ROWS)
    vector[3] = 1.0
    memory, true = memory_of(rng, noise=0.1)
    fresh = true[3] + 10.0 * rng.normal(size=(4, WIDTH))
    assert memory.correct(vector, fresh, np.ones(ROWS)) < 0.3
    memory, true = memory_of(rng, noise=1.0, batches=400)
    errors = [np.abs(memory.jacobian()[3] - true[3]).mean()]
    for _ in range(20):
        memory.correct(vector, true[3] + rng.normal(size=(400, WIDTH)), np.ones(ROWS))
        errors.append(np.abs(memory.jacobian()[3] - true[3]).mean())
    assert np.mean(errors[10:]) < errors[0]


@pytest.mark.parametrize("batches", [4, 64])
def test_doubt_is_the_noise_of_the_prediction(batches):
    """|doubt dc|^2 against the scatter of J dc over many memories, in units of sigma."""
    rng = np.random.default_rng(4)
    move, squares, doubts = rng.normal(size=WIDTH), [], []
    for _ in range(200):
        memory, true = memory_of(rng, noise=0.5, batches=batches, jacobian=np.ones((ROWS, WIDTH)))
        memory.add(observation(np.zeros(WIDTH), np.zeros(ROWS), 0.2))
        squares.append(np.sum((((memory.jacobian() - true) @ move) / 0.2) ** 2))
        doubts.append(np.sum((memory.doubt() @ move) ** 2))
    assert np.mean(doubts) == pytest.approx(np.mean(squares), rel=0.1)
    assert np.mean(doubts) == pytest.approx(ROWS * 0.25 * (move @ move) / batches / 0.04, rel=0.1)


def test_goes_on_where_it_was_left():
    rng = np.random.default_rng(5)
    memory, true = memory_of(rng, noise=0.1)
    for _ in range(3):
        c = rng.normal(size=WIDTH)
        memory.add(observation(c, true @ c))
    other = SegmentMemory(48)
    other.observations = memory.observations
    other.restore(memory.content())
    assert other.gain == memory.gain and other.known
    np.testing.assert_array_equal(other.jacobian(), memory.jacobian())
