"""Three gradient methods, one gradient: a small liquid whose g(r) is to become another one's."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diffpair.audit import audit_state, recommend
from diffpair.engines import Frames, Sampler
from diffpair.gradients import CHAOS, Chaos, DiscreteAdjoint, Fluctuation, Reweighting, TargetRows
from diffpair.potentials import LennardJones, TableGrid, to_table
from diffpair.states import build_lattice
from diffpair.tables import PairTable
from diffpair.targets import RdfTarget

GRID = TableGrid(0.8, 2.4, 50)
TIMESTEP = 0.005


@pytest.fixture(autouse=True)
def one_thread():
    """So few atoms do not feed two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def liquid():
    """Lennard-Jones (0.845, 1.0): frames of the present table, and others of one next to it, for reweighting.

    The target is such that the residual of g oscillates along r, as that of a fit does.
    """
    r = 0.8 + 0.04 * (np.arange(40) + 0.5)
    state = build_lattice("lj", 108, 0.845, {"A": 1.0}, 1.0, 120.27, targets=[RdfTarget(("A", "A"), r, np.ones(40))])
    rows = TargetRows(state)
    present = to_table(LennardJones(("A",), 2.4), GRID)
    change = np.zeros_like(present.coefficients)
    change[0, :-3] = 0.02 * np.sin(np.arange(GRID.knots - 1) / 3)
    reference = PairTable(("A",), GRID.r_min, GRID.cutoff, present.coefficients + change)
    frames = {}
    for name, table in (("present", present), ("reference", reference)):
        sampler = Sampler(state, table, timestep=TIMESTEP, seed=5)
        sampler.melt(1000)
        sampler.equilibrate(500)
        frames[name] = sampler.sample(12000, 10)
    residual = 0.1 * np.sin(4 * np.pi * rows.rdf.radii)
    now = rows.of_frames(frames["present"], torch.from_numpy(present.coefficients), GRID)[0].mean(0)
    rows.target = now - residual
    return SimpleNamespace(
        rows=rows, weights=torch.from_numpy(residual / len(rows)), frames=frames,
        present=torch.from_numpy(present.coefficients.copy()),
        reference=torch.from_numpy(reference.coefficients.copy()),
    )  # fmt: skip


def cosine(a, b):
    return float(torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0))


def test_three_methods_point_the_same_way(liquid):
    """Fluctuation and adjoint on frames of the present table, reweighting on frames of another one."""
    s = liquid
    at_present = (s.rows, s.present, GRID)
    fluctuation = Fluctuation()(*at_present, s.frames["present"], s.weights)
    adjoint = DiscreteAdjoint(32, 50, 5, timestep=TIMESTEP)(*at_present, s.frames["present"], s.weights)
    reweighted = Reweighting()(*at_present, s.frames["reference"], s.weights, reference=s.reference)
    assert cosine(fluctuation, adjoint) >= 0.9
    assert cosine(fluctuation, reweighted) >= 0.9
    assert cosine(adjoint, reweighted) >= 0.9
    assert float(reweighted.norm() / fluctuation.norm()) == pytest.approx(1, abs=0.25)
    assert 0.3 < float(adjoint.norm() / fluctuation.norm()) < 1.1  # what relaxes within the segment


def test_long_segments_degrade(liquid):
    """As the table of docs/method/audit.md: noise and growth rise with the length until the cosine is lost."""
    s = liquid
    frames = s.frames["present"]
    starts = Frames(*(part[::150] for part in vars(frames).values()))
    audit = audit_state(
        s.rows, s.present.numpy(), GRID, Fluctuation().sums(s.rows, s.present, GRID, frames), starts,
        timestep=TIMESTEP, every=5, lengths=(10, 50, 400),
    )  # fmt: skip
    short, middle, long = audit.lengths
    assert [entry.chaotic for entry in audit.lengths] == [False, False, True]
    assert short.ratio < middle.ratio < 1.2 and long.ratio > 3
    assert short.noise < middle.noise < long.noise
    assert middle.cosine > 0.85 and abs(long.cosine) < 0.6
    assert long.growth > 10 * CHAOS
    choice = recommend(audit, budget=1600, most_segments=100)
    assert choice.steps == 50
    assert "segments of 400 steps are chaos" in choice.sentence
    with pytest.raises(Chaos, match=r"state 'lj' has become chaos: .* segments of 400 steps it grows by a factor of"):
        DiscreteAdjoint(2, 400, 5, timestep=TIMESTEP)(s.rows, s.present, GRID, frames, s.weights)
