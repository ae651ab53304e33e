"""Nearest images against the shortest of all images, in boxes of every shape."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from diffpair.systems.nearest_image import nearest_image

BOXES = {
    "cubic": np.diag([2.0, 2.0, 2.0]),
    "orthorhombic": np.diag([1.6, 2.4, 3.0]),
    "triclinic": np.array([[2.0, 0, 0], [0.9, 2.1, 0], [-0.8, 0.7, 1.9]]),
    "truncated octahedron": 2.0 * np.array([[1, 0, 0], [1 / 3, 2 * 2**0.5 / 3, 0], [-1 / 3, 2**0.5 / 3, 6**0.5 / 3]]),
}


def brute_force(vector, box):
    """The shortest of 11^3 images."""
    shifts = np.array(list(itertools.product(range(-5, 6), repeat=3))) @ box
    images = vector + shifts
    return images[np.argmin((images**2).sum(1))]


@pytest.mark.parametrize("kind", BOXES)
def test_is_the_shortest_image_up_to_half_the_width(kind):
    """Separations that are shorter than half of the width somewhere come out so, however many boxes were between."""
    box, generator = BOXES[kind], np.random.default_rng(3)
    vectors = generator.uniform(-4, 4, (400, 3))
    expected = np.array([brute_force(v, box) for v in vectors])
    near = np.linalg.norm(expected, axis=1) < 0.5 * np.diag(box).min()
    assert near.sum() > 50
    found = nearest_image(vectors, box)
    np.testing.assert_allclose(found[near], expected[near], atol=1e-12)
    whole = (vectors - found) @ np.linalg.inv(box)
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-12)


def test_every_frame_has_its_own_box():
    generator = np.random.default_rng(4)
    boxes = np.stack(list(BOXES.values()))
    vectors = generator.uniform(-4, 4, (len(boxes), 5, 7, 3))
    found = nearest_image(vectors, boxes)
    assert found.shape == vectors.shape
    for frame, box, expected in zip(vectors, boxes, found, strict=True):
        np.testing.assert_array_equal(nearest_image(frame, box), expected)
    np.testing.assert_array_equal(nearest_image(vectors[:, 0, 0], boxes), found[:, 0, 0])


def test_without_a_box():
    vectors = np.random.default_rng(5).uniform(-9, 9, (6, 3))
    np.testing.assert_array_equal(nearest_image(vectors, np.zeros((3, 3))), vectors)


def test_gradient_goes_through_the_torch_form():
    torch = pytest.importorskip("torch")
    from diffpair.pair_geometry import minimum_image

    box = torch.tensor(BOXES["triclinic"], dtype=torch.float32)
    x = torch.tensor(np.random.default_rng(6).uniform(-4, 4, (5, 3)), requires_grad=True)
    apart = minimum_image(x, box)
    np.testing.assert_allclose(apart.detach(), nearest_image(x.detach().numpy(), box.double().numpy()), atol=1e-15)
    assert torch.autograd.gradcheck(lambda x: minimum_image(x, box).norm(dim=-1), x)
