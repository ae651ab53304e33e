"""getState(parameterDerivatives=True): dU/d(parameter) of a TorchPairForce, against differences of the energy."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import TorchPairForce

torch = pytest.importorskip("torch")
from torch import Tensor  # noqa: E402


class Powers(torch.nn.Module):
    """Two types; a and b enter nonlinearly, c not at all."""

    def forward(self, r: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        u = a**2 * torch.exp(-b * r)
        return torch.stack([u, 0.5 * u + torch.sin(b * r), -u * b])


VALUES = {"a": 1.3, "b": 2.1, "c": 0.4}


@pytest.fixture(scope="module")
def powers(tools):
    return tools.script(Powers())


def powers_force(powers, pair_system, derivatives=("b", "c", "a"), **options) -> TorchPairForce:
    force = TorchPairForce.fromModule(
        powers, 2, 0.2, 0.8, 60, globalParameters=VALUES, energyParameterDerivatives=derivatives, **options
    )
    pair_system.fill(force)
    return force


def derivatives_of(context: openmm.Context, groups: int = -1) -> dict[str, float]:
    return dict(context.getState(parameterDerivatives=True, groups=groups).getEnergyParameterDerivatives())


def differences(tools, context: openmm.Context, values: dict[str, float], step: float = 1e-4) -> dict[str, float]:
    """Central differences of the energy in each parameter, by a Context in double precision."""
    found = {}
    for name, value in values.items():
        energies = []
        for shifted in (value + step, value - step):
            context.setParameter(name, shifted)
            energies.append(tools.evaluate(context)[0])
        context.setParameter(name, value)
        found[name] = (energies[0] - energies[1]) / (2 * step)
    return found


def test_are_differences_of_the_energy(tools, powers, precise_platform):
    pair_system = tools.PairSystem(exclusions=[(0, 1), (5, 17)])
    reference = pair_system.context(powers_force(powers, pair_system), "Reference")
    context = pair_system.context(powers_force(powers, pair_system), precise_platform)
    tolerance = 1e-8 if precise_platform == "Reference" or precise_platform.endswith("double") else 1e-5
    for values in (VALUES, {**VALUES, "a": 0.7, "b": 3.0}):
        for name, value in values.items():
            reference.setParameter(name, value)
            context.setParameter(name, value)
        expected = differences(tools, reference, values)
        found = derivatives_of(context)
        assert set(found) == {"a", "b", "c"} and found["c"] == 0 == expected["c"]
        for name in ("a", "b"):
            assert abs(expected[name]) > 1
            assert found[name] == pytest.approx(expected[name], rel=tolerance)
        # Forces and energy are those of a force without derivatives.
        plain = tools.evaluate(reference)
        energy, forces = tools.evaluate(context)
        assert energy == pytest.approx(plain[0], rel=1e-5)
        tools.assert_same_forces(forces, plain[1], tools.tolerance(precise_platform))


def test_beside_other_forces_and_groups(tools, powers, platform):
    """Forces of OpenMM and a second TorchPairForce share the parameter b; each group has its own part."""
    pair_system = tools.PairSystem()
    second = powers_force(powers, pair_system, ["b"])
    second.setForceGroup(2)
    custom = openmm.CustomNonbondedForce("b^2*exp(-r)")
    custom.addGlobalParameter("b", VALUES["b"])
    custom.addEnergyParameterDerivative("b")
    for _ in pair_system.types:
        custom.addParticle([])
    custom.setNonbondedMethod(custom.CutoffPeriodic)
    custom.setCutoffDistance(0.8)
    theirs = 2 / VALUES["b"] * tools.evaluate(pair_system.context(openmm.CustomNonbondedForce(custom), "Reference"))[0]
    context = tools.make_context(
        pair_system.system(powers_force(powers, pair_system, ["b"]), second, custom), platform, pair_system.positions
    )
    alone = derivatives_of(context, groups=4)["b"]
    assert derivatives_of(context, groups=1)["b"] == pytest.approx(alone + theirs, rel=1e-5)
    assert derivatives_of(context)["b"] == pytest.approx(2 * alone + theirs, rel=1e-5)
    assert derivatives_of(context)["b"] == pytest.approx(2 * alone + theirs, rel=1e-5)  # not added up between calls


def test_follow_an_update(tools, powers, platform):
    class Other(torch.nn.Module):
        def forward(self, r: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
            return torch.stack([b * torch.exp(-r), c * r, a / r])

    pair_system = tools.PairSystem()
    force = powers_force(powers, pair_system)
    context = tools.make_context(pair_system.system(force), platform, pair_system.positions)
    before = derivatives_of(context)
    force.setModule(tools.script(Other()).save_to_buffer())
    assert derivatives_of(context) == pytest.approx(before)
    force.updateParametersInContext(context)
    reference = pair_system.context(force.__copy__(), "Reference")
    assert derivatives_of(context) == pytest.approx(differences(tools, reference, VALUES), rel=1e-5)
    late = powers_force(powers, pair_system, [])
    context = tools.make_context(pair_system.system(late), "Reference", pair_system.positions)
    late.addEnergyParameterDerivative("a")
    with pytest.raises(openmm.OpenMMException, match="number of energy parameter derivatives has changed"):
        late.updateParametersInContext(context)


def test_an_integrator_can_use_them(tools, powers):
    """A parameter that moves against its derivative, as in lambda dynamics."""
    pair_system = tools.PairSystem()
    integrator = openmm.CustomIntegrator(0.001)
    integrator.addGlobalVariable("slope", 0)
    integrator.addComputeGlobal("slope", "deriv(energy, a)")
    context = openmm.Context(
        pair_system.system(powers_force(powers, pair_system)), integrator, openmm.Platform.getPlatform("CPU")
    )
    context.setPositions(pair_system.positions)
    integrator.step(1)
    assert integrator.getGlobalVariableByName("slope") == pytest.approx(derivatives_of(context)["a"], rel=1e-9)


def test_embedded_ones_run_without_the_module(tools, powers):
    """What XML of a force holds gives energy and derivatives although the module in it is none."""
    pair_system = tools.PairSystem()
    force = powers_force(powers, pair_system)
    expected = derivatives_of(pair_system.context(force, "Reference"))
    force = powers_force(powers, pair_system)
    tables = force.getEmbeddedTable(), force.getEmbeddedParameterValues(), force.getEmbeddedDerivatives()
    assert len(tables[2]) == 3 * len(tables[0])
    force.setModule(b"no module")
    assert not force.hasEmbeddedTable() and force.getEmbeddedDerivatives() == ()
    force.setEmbeddedTable(*tables)
    again = TorchPairForce.cast(openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(force)))
    assert derivatives_of(pair_system.context(again, "Reference")) == expected
    again = powers_force(powers, pair_system, [])
    again.addEnergyParameterDerivative("a")
    assert not again.hasEmbeddedTable()


def test_several_devices_are_refused(tools, powers, device):
    """OpenMM forgets what all devices but the first have added up; so does it for its own forces."""
    pair_system = tools.PairSystem()
    name, precision = device.split()
    with pytest.raises(
        openmm.OpenMMException, match="cannot add up the derivative with respect to 'b'; name one device"
    ):
        openmm.Context(
            pair_system.system(powers_force(powers, pair_system)),
            openmm.VerletIntegrator(0.001),
            openmm.Platform.getPlatformByName(name),
            {"Precision": precision, "DeviceIndex": "0,0"},
        )


def test_derivative_that_is_not_finite_is_named(tools):
    class Root(torch.nn.Module):
        def forward(self, r: Tensor, a: Tensor) -> Tensor:
            return torch.sqrt(a) / r

    force = TorchPairForce.fromModule(tools.script(Root()), ["W"], 0.2, 0.9, 20, globalParameters={"a": 0.0})
    force.addEnergyParameterDerivative("a")
    with pytest.raises(openmm.OpenMMException, match=r"derivative with respect to 'a' is not finite at r = 0\.2 nm"):
        force.embedTable()


def test_table_of_a_derivative_is_that_of_the_energy(powers):
    """To rounding, not to the spacing of knots: the table is linear in the energies at its knots."""
    force = TorchPairForce.fromModule(
        powers, 2, 0.2, 0.8, 12, globalParameters=VALUES, energyParameterDerivatives=["b"]
    )
    step = 1e-4
    tables = [np.array(force.tabulate([1.3, 2.1 + shift, 0.4])) for shift in (step, -step)]
    np.testing.assert_allclose(force.getEmbeddedDerivatives(), (tables[0] - tables[1]) / (2 * step), atol=1e-8)
