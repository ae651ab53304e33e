"""TorchPairForce: tabulation of TorchScript modules, global parameters, live updates."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairTableForce, TorchPairForce

torch = pytest.importorskip("torch")
from torch import Tensor  # noqa: E402


class Mlp(torch.nn.Module):
    """A small network on Gaussians of r for two types, in single precision, with a buffer of indices; scaled."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.register_buffer("centres", torch.linspace(0.2, 0.9, 12))
        self.register_buffer("order", torch.tensor([2, 0, 1]))
        self.layers = torch.nn.Sequential(torch.nn.Linear(12, 24), torch.nn.Tanh(), torch.nn.Linear(24, 3))

    def forward(self, r: Tensor, scale: Tensor) -> Tensor:
        features = torch.exp(-(((r[:, None] - self.centres) / 0.08) ** 2))
        return scale * (20 * self.layers(features)[:, self.order].T + 2 * (0.3 / r) ** 8)


# Far inside the core: the natural end (U'' = 0) of the spline there is felt over a few knots.
R_MIN = 0.15


@pytest.fixture(scope="module")
def mlp(tools) -> torch.jit.ScriptModule:
    return tools.script(Mlp())


def mlp_force(mlp, pair_system, knots: int = 200, **options) -> TorchPairForce:
    force = TorchPairForce.fromModule(mlp, ["A", "B"], R_MIN, 0.9, knots, globalParameters={"scale": 1.0}, **options)
    pair_system.fill(force)
    return force


def switching(r: Tensor, cutoff: float, width: float) -> Tensor:
    x = torch.clamp((r - (cutoff - width)) / width, 0, 1)
    return 1 - x**3 * (10 - x * (15 - 6 * x))


def forces_of_module(module, pair_system, scale: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces, and number of neighbours of each particle, by autograd over all pairs with minimum images."""
    positions = torch.tensor(pair_system.positions, requires_grad=True)
    i, j = torch.triu_indices(len(positions), len(positions), 1)
    delta = positions[i] - positions[j]
    box = torch.tensor(np.diag(pair_system.box))
    r = torch.linalg.norm(delta - box * torch.round(delta / box), dim=1)
    close = r < 0.9
    types = torch.tensor(pair_system.types)
    pair = (types[i] + types[j])[close]  # (0,0) -> 0, (0,1) -> 1, (1,1) -> 2
    energies = module.double()(r[close], torch.tensor(scale, dtype=torch.float64)) * switching(r[close], 0.9, 0.09)
    energy = energies.gather(0, pair[None, :]).sum()
    energy.backward()
    neighbours = np.bincount(np.concatenate([i[close], j[close]]), minlength=len(positions))
    return energy.item(), -positions.grad.numpy(), neighbours


def separated(tools):
    """Particles none of which is below r_min."""
    pair_system = tools.PairSystem(num_particles=64, cutoff=0.9)
    grid = np.stack(np.meshgrid(*[np.arange(4) * 0.5] * 3), axis=-1).reshape(-1, 3)
    pair_system.box = np.eye(3) * 2.0
    pair_system.positions = grid + np.random.default_rng(0).uniform(-0.12, 0.12, grid.shape)
    return pair_system


def test_equals_the_modules_own_gradient(tools, mlp, platform):
    pair_system = separated(tools)
    force = mlp_force(mlp, pair_system)
    error = force.computeTabulationError([1.0], 60.0)._value
    assert 0 < error < 0.3
    context = pair_system.context(force, platform)
    for scale in (1.0, 0.6):
        context.setParameter("scale", scale)
        energy, forces = tools.evaluate(context)
        expected_energy, expected, neighbours = forces_of_module(Mlp(), pair_system, scale)
        rounding = tools.tolerance(platform) * np.sqrt(np.mean(expected**2))
        allowed = 1.1 * scale * error * neighbours + rounding
        assert (np.linalg.norm(forces - expected, axis=1) < allowed).all()
        assert energy == pytest.approx(expected_energy, abs=1e-4 * 64)


def test_error_falls_with_the_cube_of_the_spacing(mlp):
    errors = []
    for knots in (101, 201, 401):
        force = TorchPairForce.fromModule(mlp, 2, R_MIN, 0.9, knots, globalParameters={"scale": 1.0})
        errors.append(force.computeTabulationError([1.0], 40.0)._value)
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.35)
    assert errors[1] / errors[2] == pytest.approx(8, rel=0.35)


def test_parameters_are_passed_in_order_and_the_switch_is_applied(power):
    force = TorchPairForce.fromModule(
        power, ["A"], 0.2, 0.9, 150, switchWidth=0.3, globalParameters={"a": 1.0, "b": 0.0}
    )
    table = force.createPairTableForce([2.0, 3.0])
    assert isinstance(table, PairTableForce)
    assert table.thisown
    for r in (0.25, 0.4, 0.59):
        assert table.getPairEnergy(0, 0, r)._value == pytest.approx(2 * (0.3 / r) ** 6 + 3, rel=1e-5)
    assert table.getPairEnergy(0, 0, 0.75)._value == pytest.approx(0.5 * (2 * (0.3 / 0.75) ** 6 + 3), rel=1e-5)
    assert table.getTypeName(0) == "A"


def energy_with_default(tools, mlp, pair_system, platform, scale):
    force = TorchPairForce.fromModule(mlp, ["A", "B"], R_MIN, 0.9, 200, globalParameters={"scale": scale})
    pair_system.fill(force)
    return tools.evaluate(pair_system.context(force, platform))


def test_every_way_of_changing_a_parameter(tools, mlp, platform):
    """setParameter, setState, checkpoint and reinitialize: OpenMM announces none of them to a force."""
    pair_system = separated(tools)
    expected = {scale: energy_with_default(tools, mlp, pair_system, platform, scale) for scale in (1.0, 0.5)}
    assert expected[1.0][0] != expected[0.5][0]

    def check(context, scale):
        energy, forces = tools.evaluate(context)
        assert energy == pytest.approx(expected[scale][0], rel=1e-5)
        tools.assert_same_forces(forces, expected[scale][1], 1e-4)

    context = pair_system.context(mlp_force(mlp, pair_system), platform)
    assert context.getParameter("scale") == 1.0
    check(context, 1.0)
    context.setParameter("scale", 0.5)
    check(context, 0.5)
    state, checkpoint = context.getState(positions=True, parameters=True), context.createCheckpoint()
    context.setParameter("scale", 1.0)
    check(context, 1.0)
    context.setState(state)
    check(context, 0.5)
    context.setParameter("scale", 1.0)
    check(context, 1.0)
    context.loadCheckpoint(checkpoint)
    check(context, 0.5)
    context.reinitialize(preserveState=True)
    check(context, 0.5)


def test_an_integrator_that_changes_a_parameter(tools, mlp):
    pair_system = separated(tools)
    integrator = openmm.CustomIntegrator(0.001)
    integrator.addGlobalVariable("first", 0)
    integrator.addGlobalVariable("second", 0)
    integrator.addComputeGlobal("first", "energy")
    integrator.addComputeGlobal("scale", "0.5")
    integrator.addComputeGlobal("second", "energy")
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(pair_system.system(mlp_force(mlp, pair_system)), integrator, reference)
    context.setPositions(pair_system.positions)
    integrator.step(1)
    first, second = (integrator.getGlobalVariableByName(name) for name in ("first", "second"))
    assert second == pytest.approx(first / 2, rel=1e-9)
    assert first != 0


class Fragile(torch.nn.Module):
    def forward(self, r: Tensor, scale: Tensor) -> Tensor:
        return torch.sqrt(scale) * (0.3 / r) ** 6


def test_other_force_groups_do_not_tabulate(tools, platform):
    pair_system = tools.PairSystem(num_types=1, r_min=0.2)
    force = TorchPairForce.fromModule(tools.script(Fragile()), 1, 0.2, 0.8, 30, globalParameters={"scale": 1.0})
    pair_system.fill(force)
    force.setForceGroup(3)
    context = pair_system.context(force, platform)
    context.setParameter("scale", -1.0)
    assert tools.evaluate(context, groups=1)[0] == 0
    with pytest.raises(openmm.OpenMMException, match=r"energy is not finite at r = 0\.2 nm for the types '0' and '0'"):
        tools.evaluate(context)
    context.setParameter("scale", 4.0)
    table = force.createPairTableForce([4.0])
    expected = tools.evaluate(pair_system.context(table, platform))
    tools.assert_repeats(tools.evaluate(context), expected, platform)


def test_update_in_context_equals_a_fresh_one(tools, mlp, platform):
    pair_system = separated(tools)
    force = mlp_force(mlp, pair_system)
    system = pair_system.system(force)
    context = tools.make_context(system, platform, pair_system.positions)
    before = tools.evaluate(context)[0]
    other = Mlp()
    torch.nn.init.normal_(other.layers[2].weight, std=0.3)
    force.setModule(tools.script(other).save_to_buffer())
    assert not force.hasEmbeddedTable()
    force.setParticleType(3, 1 - force.getParticleType(3))
    force.updateParametersInContext(context)
    updated = tools.evaluate(context)
    assert updated[0] != before
    fresh = tools.evaluate(tools.make_context(system, platform, pair_system.positions))
    tools.assert_repeats(updated, fresh, platform)
    force.addGlobalParameter("more", 0.0)
    with pytest.raises(openmm.OpenMMException, match="number of global parameters has changed"):
        force.updateParametersInContext(context)


def test_integrator_notices_an_update(tools, mlp):
    """As in the test of the same name for PairTableForce; here the embedded table is what changes."""
    pair_system = separated(tools)
    force = mlp_force(mlp, pair_system)
    integrator = tools.make_velocity_verlet()
    context = openmm.Context(pair_system.system(force), integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(pair_system.positions)
    integrator.step(1)
    velocities = context.getState(velocities=True).getVelocities(asNumpy=True)._value
    assert velocities.any()
    force.setEmbeddedTable(np.zeros(3 * 202), [1.0])
    force.updateParametersInContext(context)
    integrator.step(1)
    np.testing.assert_array_equal(context.getState(velocities=True).getVelocities(asNumpy=True)._value, velocities)


def test_table_force_and_hosted_module_are_the_same(tools, mlp, platform):
    pair_system = separated(tools)
    pair_system.exclusions = [(0, 1), (4, 9)]
    force = mlp_force(mlp, pair_system)
    results = [
        tools.evaluate(pair_system.context(each, platform)) for each in (force.createPairTableForce([1.0]), force)
    ]
    tools.assert_repeats(*results, platform)


def test_embedded_table_is_what_tabulate_gives(mlp):
    force = TorchPairForce.fromModule(mlp, 2, 0.2, 0.9, 50, globalParameters={"scale": 0.7})
    assert force.getEmbeddedTable() == force.tabulate([0.7])
    assert force.getEmbeddedParameterValues() == (0.7,)
    force.addGlobalParameter("more", 1.0)
    assert not force.hasEmbeddedTable()
