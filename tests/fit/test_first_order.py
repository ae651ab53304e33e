"""First-order updates on the thin gas, whose answer is known."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
from thin_gas import BASIS, CONTACT, FORMS, GRID, KT, R, ThinGas, g_of, lennard_jones_table

from diffpair.updates import (
    FirstOrder,
    ParameterSpace,
    RdfView,
    pull_back,
)


def first_order_view(gas, table):
    """With dL/dc of half the mean square residual."""
    view, last = gas.observe(table), gas.memory.observations[-1]
    gradient = last.jacobian.T @ last.residual / len(R)
    return replace(view, gradient=gradient, rdfs=(RdfView(0, slice(0, len(R)), R, gas.target),))


def descend(form, update, count):
    """Losses of a fit from a potential that is too shallow and too wide."""
    space, gas = ParameterSpace(FORMS[form](), GRID, [()], KT, CONTACT), ThinGas(g_of(lennard_jones_table()))
    if form != "lj":
        pull_back(space, [lennard_jones_table(0.5, 1.03)], steps=20)
    update, losses = update(space), []
    for _ in range(count):
        view = first_order_view(gas, space.tables()[0])
        losses.append(0.5 * np.mean(gas.memory.observations[-1].residual ** 2))
        update.step(space, [view])
    return losses


@pytest.mark.parametrize("precondition", [True, False])
@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_first_order_descends(name, precondition):
    losses = descend("lj", lambda space: FirstOrder(space, name, 0.02, precondition=precondition), 60)
    assert losses[-1] < 0.02 * losses[0]


@pytest.mark.parametrize(("form", "left"), [("lj", 1e-12), ("bspline", 1e-3), ("mlp", 5e-3)])
def test_preconditioned_sgd_is_newtons_method_for_the_thin_gas(form, left):
    """Its response is what the preconditioner takes for that of any fluid: the rate is 1. Tables have directions that
    hardly matter to g, which are slower, and a core that is continued."""
    losses = descend(form, lambda space: FirstOrder(space, "sgd", 1.0), 18)
    assert losses[-1] < left * losses[0]


def test_preconditioner_saves_iterations():
    """The same optimizer with the default rate of either, for as long."""
    losses = {
        on: descend("bspline", lambda space, on=on: FirstOrder(space, "adam", precondition=on), 60) for on in (0, 1)
    }
    assert losses[1][-1] < 0.01 * losses[0][-1]


@pytest.mark.parametrize("form", FORMS)
def test_first_order_goes_on_where_it_stopped(form):
    """After three steps another update takes over; both make the same fourth."""
    gas, tables = ThinGas(g_of(lennard_jones_table())), []
    space = ParameterSpace(FORMS[form](), GRID, [()], KT, CONTACT)
    update = FirstOrder(space, "adam")
    for _ in range(3):
        noise = 1e-4 * np.random.default_rng(1).normal(size=(3, GRID.knots + 2))
        update.step(space, [replace(first_order_view(gas, space.tables()[0]), gradient_noise=noise)])
    theta, view = space.get(), first_order_view(gas, space.tables()[0])
    other = FirstOrder(space, "adam")
    other.restore(copy.deepcopy(update.content()))
    for each in (update, other):
        space.set(theta)
        each.step(space, [view])
        tables.append(space.tables()[0])
    assert np.array_equal(*tables) and np.abs(tables[0]).max() > 0


def test_noise_shortens_the_steps():
    """A gradient that is all noise moves the potential less than one that is taken to be exact."""
    rng, moved = np.random.default_rng(3), {}
    for noise in (0.0, 1.0):
        space = ParameterSpace(FORMS["bspline"](), GRID, [()], KT, CONTACT)
        space.set(lennard_jones_table()[: space.size])
        gas, update = ThinGas(g_of(lennard_jones_table())), FirstOrder(space, "adam")
        (table,) = space.tables()
        steps = []
        for _ in range(30):
            view = first_order_view(gas, table)
            draws = rng.normal(size=(8, len(table))) * 1e-3
            known = noise * draws / np.sqrt(8 * 7)
            update.step(space, [replace(view, gradient=draws.mean(0), gradient_noise=known - known.mean(0))])
            steps.append(space.tables()[0])
        moved[noise] = np.sqrt(np.mean((BASIS[gas.target > 0.1] @ np.diff(steps, axis=0).T) ** 2))
    assert moved[1.0] < 0.6 * moved[0.0]


@pytest.mark.parametrize("form", FORMS)
def test_first_order_step_that_is_far_too_long_is_undone(form):
    """And the next one is smaller; the optimizer keeps nothing of it."""
    space = ParameterSpace(FORMS[form](), GRID, [()], KT, CONTACT)
    gas, update, theta = ThinGas(g_of(lennard_jones_table())), FirstOrder(space, "adam", 1e300), space.get()
    view = first_order_view(gas, space.tables()[0])
    step = update.step(space, [replace(view, gradient=np.ones(GRID.knots + 2))])
    assert step.size == 0 and "undone" in step.note
    assert np.array_equal(space.get(), theta)
    assert not update.optimizer.state and update.optimizer.param_groups[0]["lr"] < 1e294
    assert not update.z.detach().numpy().any()
