"""What a fit does where production contradicts it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from diffpair.engines import Exploded, ProductionResult, Snapshot
from diffpair.engines.production import RdfResult
from diffpair.fit.judge.fallback import produce_or_go_back
from diffpair.fit.record.iteration import Iteration
from diffpair.potentials import LennardJones, TableGrid
from diffpair.updates import ParameterSpace

NOISE = 0.002
SNAPSHOT = Snapshot(np.zeros((1, 3)), np.zeros((1, 3)), np.eye(3), 0)
# epsilon in units of 0.1 that iterations 1 to 5 sampled, with the fit's mean |g - target|; then the last one
FIT = [0.10, 0.05, 0.008, 0.007, 0.006]
MODEST = 0.014  # of iteration 2, where its production counts


def result_of(mae, held_out=False):
    one, r = np.ones(10), np.linspace(1, 2, 10)
    rdf = RdfResult(("A", "A"), r, one + mae, one, NOISE * one, mae, NOISE)
    return ProductionResult("a", held_out, [rdf], None, 100, True, 0.9, SNAPSHOT)


@pytest.mark.parametrize(
    ("production", "kept", "runs", "said"),
    [
        ({6: 0.007}, 6, [6], ""),
        ({6: 0.017}, 6, [6], ""),  # within twice the fit's best and three times the noise
        ({6: 0.05, 3: 0.009}, 3, [6, 3], r"far worse.*0\.0500 after 0\.0060.*iteration 3 sampled is kept"),
        ({6: None, 3: 0.009}, 3, [6, 3], r"unstable.*exploded.*iteration 3 sampled is kept"),
        ({6: 0.05, 3: None, 5: 0.04}, 5, [6, 3, 5], "iteration 5 sampled is kept"),
        ({6: 0.05, 3: 0.03, 5: 0.04}, 3, [6, 3, 5], "iteration 3 sampled is kept"),
        ({6: 0.05, 3: 0.06, 5: None}, 6, [6, 3, 5], "earlier iterations are no better"),
        ({6: None, 3: None, 5: None}, 6, [6, 3, 5], "so were those of earlier iterations"),
        ({6: 0.05, 3: None, 5: 0.04, 2: 0.015}, 2, [6, 3, 5, 2], "iteration 2 sampled is kept"),
        ({6: 0.05, 3: 0.03, 5: 0.04, 2: None}, 3, [6, 3, 5, 2], "iteration 3 sampled is kept"),
        ({6: 0.05, 3: 0.06, 5: None, 2: 0.07}, 6, [6, 3, 5, 2], "earlier iterations are no better"),
        ({6: None, 3: None, 5: None, 2: None}, 6, [6, 3, 5, 2], "so were those of earlier iterations"),
    ],
)
def test_production_that_is_far_worse_leads_back(production, kept, runs, said):
    """Potentials by their number, what production makes of each (None: an explosion), and which one is kept."""
    space = ParameterSpace(LennardJones(("A",), 2.5), TableGrid(0.8, 2.5, 40), [()], 1.0, np.array([1.0]))
    thetas = {number: space.get() + 0.1 * number for number in range(1, 7)}
    fit = [FIT[0], MODEST if 2 in production else FIT[1], *FIT[2:]]
    tried = [Iteration(number, mae, accepted=True, theta=thetas[number]) for number, mae in enumerate(fit, 1)]
    space.set(thetas[6])
    seen, told = [], []

    def produce(anew):
        number = next(k for k, theta in thetas.items() if np.allclose(theta, space.get()))
        seen.append(number)
        assert anew == (len(seen) > 1)
        if production[number] is None:
            raise Exploded("it exploded")
        return [result_of(production[number]), result_of(9.0, held_out=True)]

    if production[6] is None and kept == 6:
        with pytest.raises(Exploded):
            produce_or_go_back(space, tried, produce, told.extend)
        notes = told
    else:
        outcome = produce_or_go_back(space, tried, produce, told.extend)
        notes = outcome.notes
        assert outcome.results[0].rdfs[0].mae == production[kept]
        assert told == (notes if kept != 6 else [])
    assert seen == runs and np.allclose(space.get(), thetas[kept])
    assert len(notes) == bool(said)
    if said:
        assert re.search(said, notes[0])
