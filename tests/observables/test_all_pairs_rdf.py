"""The smooth RDF of all pairs of types, from one pass, against distances and normalisation of mdtraj."""

from __future__ import annotations

import mdtraj
import numpy as np
import pytest
import torch
from argon import trajectory_of
from images import gas
from oracle import bspline
from systems import CUBIC, TRICLINIC

from diffpair.observables.rdf import pair_list
from diffpair.observables.smooth_rdf import SmoothRdf
from diffpair.segments import Topology

PAIRS = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]


@pytest.mark.parametrize("box", [CUBIC, TRICLINIC], ids=["rectangular", "triclinic"])
def test_equals_smeared_distances(box):
    """Three types, exclusions: each row from mdtraj's own distances of that pair of types."""
    x, types = gas(2, 60, box, seed=8).astype(np.float32), np.arange(60) % 7 % 3
    exclusions = np.array([[0, 3], [4, 9], [1, 2], [10, 11]])
    rdf = SmoothRdf(0.4, 0.05, 20, Topology.of(types, 3, exclusions))
    boxes = torch.from_numpy(box).expand(2, 3, 3).contiguous()
    g = rdf.g(torch.from_numpy(x), boxes).numpy()
    assert g.shape == (2, 6, 20)
    for row, pair in enumerate(PAIRS):
        atoms = pair_list(types, exclusions, pair)
        distances = torch.from_numpy(mdtraj.compute_distances(trajectory_of(x, box), atoms)).double()
        counts = bspline((distances[:, :, None] - torch.from_numpy(rdf.centres)) / 0.05).sum(1).numpy()
        shells = 4 * np.pi * 0.05 * (rdf.centres**2 + 0.05**2 / 3)
        expected = counts / (len(atoms) * shells / np.linalg.det(box))
        assert np.abs(g[:, row] - expected).max() < 1e-3 * expected.max()


def test_fine_bins_sum_to_the_histogram_of_mdtraj():
    """Bins ten times finer, averaged with their shells, are mdtraj.compute_rdf but for pairs at the coarse edges."""
    x, types = gas(20, 80, CUBIC, seed=9).astype(np.float32), np.arange(80) % 2
    fine = SmoothRdf(0.4 + 0.0005, 0.001, 1200, Topology.of(types, 2))
    boxes = torch.from_numpy(CUBIC).expand(20, 3, 3).contiguous()
    g = fine.g(torch.from_numpy(x), boxes).mean(0).numpy()
    shells = (fine.centres**2).reshape(12, 100)
    for row, pair in enumerate([(0, 0), (0, 1), (1, 1)]):
        coarse = (g[row].reshape(12, 100) * shells).sum(1) / shells.sum(1)
        expected = mdtraj.compute_rdf(
            trajectory_of(x, CUBIC), pair_list(types, None, pair), r_range=(0.4, 1.6), n_bins=12
        )[1]
        np.testing.assert_allclose(coarse, expected, atol=0.015)
