"""Potentials that differ and have the same g(r): one target, learned in several forms from several starts."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from bars import Bar, at_most, figure
from learning_cases import FAST
from learning_fits import MLP, UNIT, Document, Run, failed
from learning_states import paper_state
from learning_targets import CUTOFF, read_columns

from diffpair import DiffPairError

WAYS: dict[str, Document] = {
    "spline from Boltzmann inversion": {},
    "spline from the hypernetted chain": {"start": "hypernetted-chain"},
    "MLP from Boltzmann inversion": {"potential": MLP},
    # far away: the trust radius allows a step of 1 kT
    "MLP of another seed from its soft repulsion": {
        "potential": MLP,
        "start": "parameters",
        "update": {"method": "gauss-newton", "iterations": 25},
    },
}


def degenerate(run: Run) -> list[Bar]:
    """How far apart potentials of one g(r) are, and whether their error bars know."""
    case = "LJ (0.845, 1.0), four forms and starts"
    section, target = run.section(paper_state(0.845, 1.0))
    results = []
    for seed, (name, sections) in enumerate(WAYS.items(), start=run.seed):
        try:
            results.append(replace(run, seed=seed).fit(name, [(section, target)], sampling=FAST, **sections))
        except DiffPairError as error:
            return [failed(f"{case}: {name}", 0.01, error)]
    r, g, _ = read_columns(target.files[0])
    r = r[(g > 0.1) & (r < CUTOFF)]
    energies = np.array([result.table.energy(r) for result in results])
    sigmas = [result.sigma(r) for result in results]
    inside = [
        np.abs(energies[a] - energies[b]) <= 2 * np.hypot(sigmas[a], sigmas[b])
        for a, b in combinations(range(len(results)), 2)
    ]
    apart = float(np.ptp(energies, axis=0).max())
    return [
        at_most(f"{case}: the worst", max(result.mae()[0] for result in results), 0.01, UNIT),
        figure(f"{case}: largest difference between two U where g > 0.1", apart, "epsilon"),
        figure(f"{case}: pairs of U that agree within 2 sigma of both", 100 * float(np.mean(inside)), "%"),
    ]
