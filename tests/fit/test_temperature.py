"""The form U - (T - T0) S in a fit's set-up: its tables, its files and what TorchPairForce makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import openmm
import pytest
import torch
import yaml
from prepared import prepared

from diffpair import PairTableForce, TorchPairForce
from diffpair.errors import DiffPairError
from diffpair.fit.record.folder import save_tables
from diffpair.tables import PairTable

COLD, HOT, BETWEEN = 100.0, 140.0, 125.0


@pytest.fixture
def temperatures(make_config):
    """make(**potential): fitted states at two temperatures, a held-out one between them."""
    state = yaml.safe_load(make_config().text)["states"][0]

    def make(**potential):
        return make_config(
            potential={"form": "energy_entropy", "cutoff": "2.5 nm", **potential},
            states=[
                {**state, "name": "cold", "temperature": f"{COLD} K"},
                {**state, "name": "hot", "temperature": f"{HOT} K"},
                {**state, "name": "between", "temperature": f"{BETWEEN} K", "held_out": True},
            ],
        )

    return make


@pytest.fixture
def saved(temperatures, out):
    """The folder of a fit before its first step, with an entropy that is not zero."""
    setup = prepared(temperatures(knots=40))
    assert setup.potential.reference == pytest.approx(120.0)  # the mean of the fitted ones
    with torch.no_grad():
        setup.potential.entropy.coefficients += torch.linspace(3.0, 0.0, 39, dtype=torch.float64) ** 3
    save_tables(out, setup)
    return out


def in_the_open(force, x):
    """A Context of particles x, without a box."""
    system = openmm.System()
    for _ in x:
        system.addParticle(1.0)
        force.addParticle(0)
    force.setNonbondedMethod(force.NoCutoff)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(x)
    return context


def energy(force, x, **parameters):
    """kJ/mol of particles x in the open."""
    context = in_the_open(force, x)
    values = [context.getState(energy=True).getPotentialEnergy()._value]
    for name, value in parameters.items():
        context.setParameter(name, value)
        values.append(context.getState(energy=True).getPotentialEnergy()._value)
    return values


def test_start_is_the_inversion_at_each_temperature(temperatures):
    """Both states have the same g here, so U ~ -kT ln g is proportional to T: u = (T / T0) U(T0)."""
    setup = prepared(temperatures(knots=40))
    cold, hot = (table[5:-6] for table in setup.space.tables())
    np.testing.assert_allclose(hot, cold * HOT / COLD, rtol=0.05, atol=0.05)
    assert setup.start_misfit < 0.1


def test_one_file_holds_all_temperatures(saved):
    tables = {name: PairTable.load(saved / f"potential{name}.json") for name in ("", "-hot", "-between")}
    assert [t.global_parameters["temperature"] for t in tables.values()] == [COLD, HOT, BETWEEN]
    for name, temperature in (("-hot", HOT), ("-between", BETWEEN)):
        np.testing.assert_allclose(
            tables[""].at_temperature(temperature).coefficients, tables[name].coefficients, atol=1e-9
        )
    assert np.abs(tables["-hot"].coefficients - tables[""].coefficients).max() > 1


def test_the_module_follows_the_temperature_of_the_context(saved):
    """TorchPairForce with the saved module: the energy of the table of that temperature after setParameter.

    It interpolates the module on the same knots, which is not exact next to both ends of a spline.
    """
    table = PairTable.load(saved / "potential.json")
    x = np.random.default_rng(3).permutation(np.indices((3, 3, 3)).reshape(3, -1).T)[:20] * 1.07
    force = TorchPairForce.fromModule(
        str(saved / "potential.pt"), ["A"], table.r_min, table.cutoff, table.knots, switchWidth=0.0,
        globalParameters={"temperature": COLD},
    )  # fmt: skip
    cold, between = energy(force, x, temperature=BETWEEN)
    for found, temperature in ((cold, COLD), (between, BETWEEN)):
        (expected,) = energy(PairTableForce.fromTable(table.at_temperature(temperature)), x)
        assert found == pytest.approx(expected, rel=2e-4)
    assert abs(cold - between) > 1.0


def test_the_script_of_the_page(saved, monkeypatch):
    """docs/guide/targets.md runs as it stands, with a Context where it has dots."""
    text = (Path(__file__).parents[2] / "docs/guide/targets.md").read_text()
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL) if "TorchPairForce" in b)
    before, after = block.split("...\n")
    monkeypatch.chdir(saved.parent)
    names = {"PairTable": PairTable, "TorchPairForce": TorchPairForce}
    exec(before, names)
    names["context"] = in_the_open(names["force"], [[0, 0, 0], [1.1, 0, 0]])
    exec(after, names)
    found = names["context"].getState(energy=True).getPotentialEnergy()._value
    expected = PairTable.load(saved / "potential.json").at_temperature(350.0).energy(1.1)
    assert found == pytest.approx(float(expected), rel=1e-3)


def test_other_forms_as_parts(temperatures):
    lj = {"form": "lj", "sigma": "1 nm", "epsilon": "1 kJ/mol", "trainable": False}
    setup = prepared(temperatures(energy=lj, entropy={"form": "bspline"}, knots=40, reference="110 K"))
    assert setup.potential.reference == 110.0 and setup.space.size == 39
    document = {"form": "lj", "sigma": "1 nm", "epsilon": "1 kJ/mol"}
    assert prepared(temperatures(energy=document, entropy=document)).settings.starting_point.method == "parameters"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": "100 K"}, "needs fitted states of two or more temperatures"),
        (
            {"parameters": {"temperature": 3}},
            "'hot' gives the parameters temperature, but the form energy_entropy",
        ),
    ],
)
def test_refused_states(make_config, change, message):
    state = yaml.safe_load(make_config().text)["states"][0]
    states = [{**state, "name": "cold", "temperature": "100 K"}, {**state, "name": "hot", **change}]
    with pytest.raises(DiffPairError, match=message):
        make_config(potential={"form": "energy_entropy", "cutoff": "2.5 nm"}, states=states)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": "3 nm"}, "potential.reference: 'nm' is not a unit of temperature"),
        ({"entropy": {"form": "sum"}}, "potential.entropy: form: 'sum' is not available here"),
        ({"enthalpy": {"form": "bspline"}}, "potential: unknown key 'enthalpy'"),
        (
            {k: {"form": "bspline", "trainable": False} for k in ("energy", "entropy")},
            "potential: neither energy nor entropy is trainable",
        ),
    ],
)
def test_refused_potentials(temperatures, change, message):
    with pytest.raises(DiffPairError, match=message):
        temperatures(**change)
