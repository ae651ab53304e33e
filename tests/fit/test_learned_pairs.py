"""`potential: {pairs: [[A, B]]}`: one pair of a mixture is learned, the others are 0 whatever is asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from prepared import prepared

from diffpair.config import build_states, load_config, run_fit
from diffpair.errors import DiffPairError
from diffpair.fit.start.inversion import from_file
from diffpair.gradients.rdf_rows import FLOOR
from diffpair.potentials import (
    AllPairs,
    BSpline,
    GaussianMLP,
    LennardJones,
    Sum,
    TableGrid,
    TemperatureDependent,
    tabulate,
    to_table,
)
from diffpair.tables import PairTable, load_uncertainty
from diffpair.tables.document import read_document
from diffpair.updates import (
    FirstOrder,
    GaussNewton,
    InverseMonteCarlo,
    IterativeBoltzmann,
    Memory,
    Observation,
    ParameterSpace,
    RdfView,
    StateView,
    pull_back,
)
from diffpair.updates.basis import spline_basis

TYPES, LEARNED = ("A", "B"), (1,)
GRID = TableGrid(0.8, 2.5, 40)
WIDTH = GRID.knots + 2
R = np.linspace(0.85, 2.4, 60)
OTHERS = np.repeat([True, False, True], WIDTH)

FORMS = {
    "bspline": lambda: BSpline(TYPES, 2.5, 0.8, GRID.knots, LEARNED),
    "lj": lambda: LennardJones(TYPES, 2.5, 0.5, 1.02, learned=LEARNED),
    "mlp": lambda: GaussianMLP(TYPES, 2.5, hidden=(12, 12), seed=1, learned=LEARNED),
    "sum": lambda: Sum([FORMS["bspline"](), FORMS["lj"]()]),
    "u - t s": lambda: TemperatureDependent(FORMS["bspline"](), FORMS["lj"](), 100.0),
}
UPDATES = {
    "gauss-newton": lambda space: GaussNewton(),
    "ibi": lambda space: IterativeBoltzmann(),
    "imc": lambda space: InverseMonteCarlo(),
    "adam": lambda space: FirstOrder(space, "adam", 0.1),
    "plain adam": lambda space: FirstOrder(space, "adam", 0.05, precondition=False),
}


def lennard_jones(epsilon):
    with torch.no_grad():
        return tabulate(LennardJones(("A",), 2.5, epsilon, 1.0), GRID).numpy().ravel()


def view(table, wells=(3.0, 1.0, 0.2)):
    """A thin gas whose targets ask for a change of every pair, those that are not learned for the largest ones."""
    pairs, n = len(wells), len(R)
    basis = np.kron(np.eye(pairs), spline_basis(GRID, R))  # U of all pairs, stacked
    g, target = np.exp(-basis @ table), np.exp(-basis @ np.concatenate([lennard_jones(well) for well in wells]))
    jacobian, sigma = -g[:, None] * basis, np.full(pairs * n, 0.01)
    none = np.zeros((0, pairs * WIDTH))
    memory = Memory([Observation(table, g - target, sigma, jacobian, none, np.diag(sigma**2))])
    weights = np.tile((spline_basis(GRID, R) * (R**2)[:, None]).sum(0), (pairs, 1))
    rdfs = tuple(RdfView(k, slice(k * n, (k + 1) * n), R, target[k * n : (k + 1) * n]) for k in range(pairs))
    made = StateView(memory, 0, basis[target > 0.1], 1.0, weights, rdfs=rdfs, floor=np.full(pairs * n, FLOOR))
    learned = slice(n, 2 * n) if pairs == 3 else slice(0, n)
    return replace(made, gradient=jacobian.T @ (g - target) / n), float(np.abs(g - target)[learned].mean())


@pytest.mark.parametrize("update", ["ibi", "imc"])
def test_the_others_change_nothing_of_a_step(update):
    """The learned pair moves as that of one type does: a thin gas does not couple them."""
    single = ParameterSpace(BSpline(("A",), 2.5, 0.8, GRID.knots), GRID, [()], 1.0, np.ones(1))
    mixture = ParameterSpace(FORMS["bspline"](), GRID, [()], 1.0, np.ones(3))
    pull_back(single, [lennard_jones(0.5)])
    pull_back(mixture, [np.tile(lennard_jones(0.5), 3)])
    steps = UPDATES[update](single), UPDATES[update](mixture)
    for _ in range(2):
        steps[0].step(single, [view(single.tables()[0], (1.0,))[0]])
        steps[1].step(mixture, [view(mixture.tables()[0])[0]])
    np.testing.assert_allclose(mixture.tables()[0][~OTHERS], single.tables()[0], atol=1e-9)


@pytest.mark.parametrize(
    ("form", "update"),
    [
        *((form, "gauss-newton") for form in FORMS),
        *(("bspline", update) for update in UPDATES if update != "gauss-newton"),
        ("lj", "ibi"),
        ("lj", "adam"),
        ("sum", "imc"),
    ],
)
def test_no_update_moves_the_others(form, update):
    variants = [(100.0,)] if form == "u - t s" else [()]
    space = ParameterSpace(FORMS[form](), GRID, variants, 1.0, np.ones(3))
    if form != "lj":
        pull_back(space, [np.tile(lennard_jones(0.5), 3)], steps=20)
    step, losses = UPDATES[update](space), []
    for _ in range(3):
        (table,) = space.tables()
        assert not table[OTHERS].any() and table[~OTHERS].any()
        seen, loss = view(table)
        losses.append(loss)
        step.step(space, [seen])
    assert view(space.tables()[0])[1] < losses[0]  # and the learned one moves toward its target
    assert not space.jacobians()[0][OTHERS].any()


def test_the_others_have_no_parameters():
    """Those of a mixture with one pair learned are those of one type."""
    alone = {
        "bspline": BSpline(("A",), 2.5, 0.8, GRID.knots),
        "lj": LennardJones(("A",), 2.5, 0.5, 1.02),
        "mlp": GaussianMLP(("A",), 2.5, hidden=(12, 12), seed=1),
    }
    for form, single in alone.items():
        potential = FORMS[form]()
        assert [p.shape for p in potential.parameters()] == [p.shape for p in single.parameters()]
        table = to_table(potential, GRID)
        assert table.types == TYPES and not table.coefficients[[0, 2]].any()
        np.testing.assert_array_equal(table.coefficients[1], to_table(single, GRID).coefficients[0])
        prior, bare = (
            ParameterSpace(potential, GRID, [()], 1.0, np.ones(3)),
            ParameterSpace(single, GRID, [()], 1.0, np.ones(1)),
        )
        for one, other in zip(prior.factors(prior.jacobians()), bare.factors(bare.jacobians()), strict=True):
            np.testing.assert_allclose(one.factor, other.factor)


def test_the_module_of_u_and_s_has_rows_for_all_pairs():
    potential = FORMS["u - t s"]()
    scripted = torch.jit.script(AllPairs(potential))
    r, temperature = torch.linspace(0.9, 2.0, 7, dtype=torch.float64), torch.tensor(130.0, dtype=torch.float64)
    rows = scripted(r, temperature).detach()
    assert rows.shape == (3, 7) and not rows[[0, 2]].any()
    assert torch.equal(rows[1], potential(r, temperature)[0].detach())


def test_a_start_file_needs_the_learned_pairs_alone(tmp_path):
    own = PairTable(
        ("B", "C", "A"), 0.8, 2.5, np.random.default_rng(0).normal(size=(6, WIDTH)) * (np.arange(WIDTH) < 39)
    )
    own.save(tmp_path / "abc.json")
    found = from_file(tmp_path / "abc.json", FORMS["bspline"](), GRID, 1.0)
    assert not found[[0, 2]].any()
    np.testing.assert_allclose(spline_basis(GRID, R) @ found[1], own.energy(R, "A", "B"), atol=0.05)


def mixture(tmp_path, pairs, targets=("A-B",), **sections):
    """A config of a thin mixture of A and B, of which g(r) = exp(-U / kT) with the U of Lennard-Jones."""
    g = np.exp(-4 * (R**-12 - R**-6))
    np.savetxt(tmp_path / "g.csv", np.column_stack([R, g]), delimiter=",", header="r,g", comments="")
    document = {
        "potential": {"form": "bspline", "cutoff": "2.4 nm", "knots": 40, "pairs": pairs},
        "states": [
            {
                "name": "gas",
                "system": {
                    "lattice": {"n": 128, "density": "0.3 nm^-3", "types": {"A": 0.5, "B": 0.5}, "mass": "1 amu"}
                },
                "temperature": "120.27 K",
                "targets": [{"rdf": {"pair": pair.split("-"), "file": "g.csv"}} for pair in targets],
            }
        ],
        "sampling": {"timestep": "5 fs", "equilibration": 200, "steps": 1000, "every": 20, "melt": 300},
        "production": {"max_steps": 400, "every": 20},
        "update": {"method": "gauss-newton", "iterations": 2},
        **sections,
    }
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(document))
    return load_config(tmp_path / "fit.yaml")


def test_a_mixture_with_one_pair_learned(tmp_path, recwarn):
    config = mixture(tmp_path, [["B", "A"]])
    run_fit(config, tmp_path / "out")
    table, band = (load(tmp_path / "out/potential.json") for load in (PairTable.load, load_uncertainty))
    assert not table.coefficients[[0, 2]].any() and not band.sigma[[0, 2]].any()
    assert band.sigma[1].max() > 0 and not any("A-A" in note or "B-B" in note for note in band.notes)
    r = np.linspace(1.0, 2.0, 30)
    assert np.abs(table.energy(r, "A", "B") - 4 * (r**-12 - r**-6)).max() < 0.5
    assert read_document(tmp_path / "out/potential.json")["provenance"]["learned_pairs"] == [["A", "B"]]
    assert not [str(w.message) for w in recwarn if "has a target" in str(w.message)]


@pytest.mark.parametrize(
    ("pairs", "targets", "sections", "message"),
    [
        ([["A", "C"]], ["A-B"], {}, r"potential: pairs names the type 'C', which no state has; allowed are A, B"),
        ([["A", "B"], ["B", "A"]], ["A-B"], {}, r"pairs: names the pair B-A twice"),
        ([], ["A-B"], {}, r"pairs: must list pairs of types such as .*, not \[\]; without it all are learned"),
        ([["A"]], ["A-B"], {}, r"pairs: must list pairs of types such as .*, but \['A'\] is none"),
        ([["A", "A"]], ["A-B"], {}, r"pairs has A-A learned, but no state that is fitted has a target for it"),
        (
            [["A", "A"]],
            ["A-A", "A-B"],
            {"update": "ibi"},
            r"ibi corrects .* of a pair that potential: pairs leaves out",
        ),
    ],
)
def test_refusals(tmp_path, pairs, targets, sections, message):
    with pytest.raises(DiffPairError, match=message):
        build_states(mixture(tmp_path, pairs, targets, **sections))


def test_values_are_for_the_learned_pairs(tmp_path):
    lj = {"form": "lj", "cutoff": "2.4 nm", "pairs": [["A", "B"]], "epsilon": "1 kJ/mol"}
    config = mixture(tmp_path, None, potential={**lj, "sigma": {"A-B": "1 nm"}})
    assert prepared(config).space.size == 2
    config = mixture(tmp_path, None, potential={**lj, "sigma": {"A-A": "1 nm"}})
    with pytest.raises(DiffPairError, match=r"sigma: 'A-A' is no pair of types that is learned.* allowed are A-B, B-A"):
        prepared(config)


def test_pairs_that_are_not_given_leave_the_hash_as_it_was(tmp_path):
    assert "pairs" not in mixture(tmp_path, None).model_dump()["potential"]
    assert mixture(tmp_path, [["A", "B"]]).model_dump()["potential"]["pairs"] == (("A", "B"),)
