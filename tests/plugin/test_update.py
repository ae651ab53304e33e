"""Live updates: a Context that took over new parameters equals a fresh one, and what cannot change is refused."""

from __future__ import annotations

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairForce, PairTableForce, TorchPairForce


@pytest.fixture
def live(tools, host_platform):
    """A system whose Context is up, and its force."""
    pair_system = tools.PairSystem(exclusions=[(0, 1), (2, 3)])
    system = pair_system.system(pair_system.table_force())
    context = tools.make_context(system, host_platform, pair_system.positions)
    tools.evaluate(context)
    return pair_system, PairTableForce.cast(system.getForce(0)), context


def test_equals_a_fresh_context(tools, host_platform, live):
    pair_system, force, context = live
    before = tools.evaluate(context)
    random = np.random.default_rng(7)
    for _ in range(3):
        pair_system.coefficients[:, :-3] *= random.uniform(0.5, 1.5, pair_system.coefficients[:, :-3].shape)
        pair_system.types = random.integers(0, 2, 100)
        for (a, b), row in zip(pair_system.pair_indices(), pair_system.coefficients, strict=True):
            force.setPairCoefficients(a, b, row)
        for particle, particle_type in enumerate(pair_system.types):
            force.setParticleType(particle, int(particle_type))
        force.updateParametersInContext(context)
        updated = tools.evaluate(context)
        fresh = tools.evaluate(pair_system.context(pair_system.table_force(), host_platform))
        assert updated[0] != before[0]
        tools.assert_repeats(updated, fresh, host_platform)


def test_integrator_notices(tools, platform):
    """Forces that an integrator keeps from the step before must not survive: the update ends with systemChanged."""
    pair_system = tools.PairSystem()
    force = pair_system.table_force()
    velocity_verlet = tools.make_velocity_verlet()
    context = tools.make_context(pair_system.system(force), platform, pair_system.positions, velocity_verlet)
    velocity_verlet.step(1)
    for a, b in pair_system.pair_indices():
        force.setPairCoefficients(a, b, np.zeros(pair_system.knots + 2))
    velocities = context.getState(velocities=True).getVelocities(asNumpy=True)._value
    assert velocities.any()
    force.updateParametersInContext(context)
    velocity_verlet.step(1)
    np.testing.assert_array_equal(context.getState(velocities=True).getVelocities(asNumpy=True)._value, velocities)


# Every setter of both forces, on the System of the test below.
SETTERS = [
    lambda force: force.setParticleType(3, 1 - force.getParticleType(3)),
    lambda force: force.setNonbondedMethod(PairForce.NoCutoff),
    lambda force: force.setCutoffDistance(5.0),  # more than half of the box
    lambda force: force.setExclusionParticles(0, 7, 8),
    lambda force: force.addExclusion(20, 21),
    lambda force: force.createExclusionsFromBonds([(30, 31), (31, 32)], 2),
    lambda force: force.setTypeName(0, "other"),
    lambda force: force.setForceGroup(3),
    lambda force: force.addParticle(0),
]
TABLE_SETTERS = [lambda force: force.setPairCoefficients(0, 0, np.zeros(16))]
TORCH_SETTERS = [
    lambda force: force.setGlobalParameterDefaultValue(0, 7.0),
    lambda force: force.addGlobalParameter("more", 1.0),
    lambda force: force.addEnergyParameterDerivative("scale"),
    lambda force: force.setModule(b"no module"),
]


def change(context: openmm.Context) -> None:
    """Everything that makes an implementation think again: a parameter, the box, positions."""
    if "scale" in dict(context.getParameters()):
        context.setParameter("scale", 1.5)
    context.setPeriodicBoxVectors([2.2, 0, 0], [0, 2.2, 0], [0, 0, 2.2])


@pytest.mark.parametrize("kind", ["table", "torch"])
def test_setters_change_nothing_in_a_live_context(tools, platform, kind):
    """OpenMM's rule: a Context keeps what a Force said until updateParametersInContext, whatever else happens to it."""
    pair_system = tools.PairSystem(exclusions=[(0, 1), (2, 3)])

    def context():
        if kind == "table":
            force = pair_system.table_force()
        else:
            module = pytest.importorskip("torch").jit.script(scaled_powers())
            force = TorchPairForce.fromModule(module, 2, 0.25, 0.8, 14, globalParameters={"scale": 1.0})
            pair_system.fill(force)
        return pair_system.context(force, platform)

    untouched = context()
    change(untouched)
    expected = tools.evaluate(untouched)
    live = context()
    tools.evaluate(live)
    force = (PairTableForce if kind == "table" else TorchPairForce).cast(live.getSystem().getForce(0))
    for setter in SETTERS + (TABLE_SETTERS if kind == "table" else TORCH_SETTERS):
        setter(force)
    change(live)
    tools.assert_repeats(tools.evaluate(live), expected, platform)
    with pytest.raises(openmm.OpenMMException, match="the number of particles has changed"):
        force.updateParametersInContext(live)
    tools.assert_repeats(tools.evaluate(live), expected, platform)


def scaled_powers():
    import torch
    from torch import Tensor

    class ScaledPowers(torch.nn.Module):
        def forward(self, r: Tensor, scale: Tensor) -> Tensor:
            return scale * torch.stack([(0.3 / r) ** 4, (0.3 / r) ** 5, (0.3 / r) ** 6])

    return ScaledPowers()


def test_an_update_that_fails_changes_nothing(tools, host_platform):
    """A module that cannot be tabulated is refused, and the Context goes on with the one that it has."""
    module = pytest.importorskip("torch").jit.script(scaled_powers())
    pair_system = tools.PairSystem()
    force = TorchPairForce.fromModule(module, 2, 0.25, 0.8, 14, globalParameters={"scale": 1.0})
    pair_system.fill(force)
    context = tools.make_context(pair_system.system(force), host_platform, pair_system.positions)
    before = tools.evaluate(context)[0]
    force.setModule(b"no module")
    force.setParticleType(3, 1 - force.getParticleType(3))
    with pytest.raises(openmm.OpenMMException, match="not a TorchScript module"):
        force.updateParametersInContext(context)
    assert tools.evaluate(context)[0] == before
    context.setParameter("scale", 2.0)
    assert tools.evaluate(context)[0] == pytest.approx(2 * before, rel=1e-6)
    assert force.cast(force).getTabulationError(context)._value > 0  # of the module in use


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda force: force.addParticle(0), "the number of particles has changed from 100 to 101"),
        (lambda force: force.addExclusion(5, 6), "the number of exclusions has changed from 2 to 3"),
        (lambda force: force.setExclusionParticles(0, 7, 8), "the exclusions have changed"),
        (lambda force: force.setNonbondedMethod(PairForce.NoCutoff), "the nonbonded method has changed"),
        (lambda force: force.setCutoffDistance(0.9), "the cutoff distance has changed"),
    ],
)
def test_what_a_live_context_cannot_take_over(live, change, problem):
    _, force, context = live
    change(force)
    with pytest.raises(openmm.OpenMMException, match=problem):
        force.updateParametersInContext(context)


def test_a_force_that_is_not_in_the_context(tools, live):
    pair_system, _, context = live
    with pytest.raises(openmm.OpenMMException, match="not present in the Context"):
        pair_system.table_force().updateParametersInContext(context)


def test_a_type_without_potential_is_noticed(tools, host_platform):
    pair_system = tools.PairSystem()
    force = pair_system.table_force()
    partial = PairTableForce(2, 0.25, 0.8, 14)
    partial.setPairCoefficients(0, 0, force.getPairCoefficients(0, 0))
    for _ in range(100):
        partial.addParticle(0)
    system = pair_system.system(partial)
    context = tools.make_context(system, host_platform, pair_system.positions)
    partial.setParticleType(4, 1)
    with pytest.raises(openmm.OpenMMException, match="types '0' and '1' have no potential"):
        partial.updateParametersInContext(context)
