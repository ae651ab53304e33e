"""toCustomNonbondedForce: OpenMM's own force gives what PairTableForce gives."""

from __future__ import annotations

import openmm
import pytest

from diffpair import PairTable, PairTableForce, TorchPairForce

TOLERANCE = 1e-10  # of the rms force, on Reference: the same function in double precision


def both(system, platform: str, tools) -> tuple[tuple, tuple]:
    """Energy and forces of the PairTableForce, and of its CustomNonbondedForce after a trip through XML."""
    force = system.table_force()
    custom = openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(force.toCustomNonbondedForce()))
    assert isinstance(custom, openmm.CustomNonbondedForce)
    ours = tools.evaluate(system.context(force, platform))
    return ours, tools.evaluate(system.context(custom, platform))


@pytest.mark.parametrize("num_types", [1, 2, 3])
def test_same_energy_and_forces_for_every_method(tools, method, num_types):
    # A seed without such pairs as OpenMM's own formula for a triclinic box gives an image that is not the nearest.
    system = tools.PairSystem(method=method, num_types=num_types, exclusions=[(0, 1), (5, 17), (98, 99)], seed=1)
    (energy, forces), (custom_energy, custom_forces) = both(system, "Reference", tools)
    assert custom_energy == pytest.approx(energy, rel=1e-12)
    tools.assert_same_forces(custom_forces, forces, TOLERANCE)


def test_same_on_the_cpu_platform(tools):
    system = tools.PairSystem(num_types=2)
    (energy, forces), (custom_energy, custom_forces) = both(system, "CPU", tools)
    assert custom_energy == pytest.approx(energy, rel=1e-5)
    tools.assert_same_forces(custom_forces, forces, 1e-4)


@pytest.mark.parametrize("r", [0.02, 0.2, 0.25, 0.25 + 0.55 / 13, 0.5, 0.7999, 0.8, 0.81, 3.0])
def test_at_special_distances(tools, r):
    """Below r_min, at knots, around the cutoff and far beyond it, where NoCutoff still evaluates the formula."""
    system = tools.PairSystem(num_types=1, num_particles=2, method="NoCutoff")
    system.positions[:] = [[0, 0, 0], [r, 0, 0]]
    (energy, forces), (custom_energy, custom_forces) = both(system, "Reference", tools)
    assert custom_energy == pytest.approx(energy, rel=1e-9, abs=1e-12)
    assert custom_forces == pytest.approx(forces, rel=1e-9, abs=1e-9)


def test_settings_are_taken_over(tools):
    force = tools.PairSystem(exclusions=[(3, 4), (7, 9)]).table_force()
    force.setCutoffDistance(0.9)
    force.setForceGroup(5)
    custom = force.toCustomNonbondedForce()
    assert custom.getNumParticles() == force.getNumParticles()
    assert [custom.getExclusionParticles(i) for i in range(custom.getNumExclusions())] == [[3, 4], [7, 9]]
    assert (custom.getCutoffDistance()._value, custom.getForceGroup()) == (0.9, 5)
    assert custom.getNonbondedMethod() == custom.CutoffPeriodic
    assert custom.getUseLongRangeCorrection() is False and custom.getUseSwitchingFunction() is False


def test_from_a_table_without_a_force(tools):
    system = tools.PairSystem(num_types=2)
    table = PairTable(("A", "B"), system.r_min, system.cutoff, system.coefficients)
    custom = table.to_custom_nonbonded_force()
    for particle_type in system.types:
        custom.addParticle([int(particle_type)])
    custom.setNonbondedMethod(custom.CutoffPeriodic)
    energy, forces = tools.evaluate(system.context(custom, "Reference"))
    expected_energy, expected = tools.evaluate(system.context(system.table_force(), "Reference"))
    assert energy == pytest.approx(expected_energy, rel=1e-12)
    tools.assert_same_forces(forces, expected, TOLERANCE)


def test_of_a_torch_force_at_given_parameters(tools, power):
    system = tools.PairSystem(num_types=1)
    force = TorchPairForce.fromModule(power, 1, 0.2, 0.8, 40, globalParameters={"a": 1.0, "b": 0.0})
    system.fill(force)
    context = system.context(force, "Reference")
    for parameters in ({}, {"a": 2.0}):
        for name, value in parameters.items():
            context.setParameter(name, value)
        expected_energy, expected = tools.evaluate(context)
        custom = force.toCustomNonbondedForce(**parameters)
        energy, forces = tools.evaluate(system.context(custom, "Reference"))
        assert energy == pytest.approx(expected_energy, rel=1e-12)
        tools.assert_same_forces(forces, expected, TOLERANCE)
    with pytest.raises(openmm.OpenMMException, match="no global parameter 'c'"):
        force.toCustomNonbondedForce(c=1.0)


def test_a_force_without_potentials_is_refused():
    with pytest.raises(openmm.OpenMMException, match="coefficients"):
        PairTableForce(2, 0.2, 0.8, 20).toCustomNonbondedForce()


def test_export_of_a_file(tools, tmp_path):
    system = tools.PairSystem(num_types=2)
    PairTable(("A", "B"), system.r_min, system.cutoff, system.coefficients).save(tmp_path / "p.json")
    pytest.importorskip("click")
    from diffpair.cli import main as cli_main

    with pytest.raises(SystemExit, match="0"):
        cli_main(["export", str(tmp_path / "p.json"), "--format", "openmm-custom", "--out", str(tmp_path / "p.xml")])
    custom = openmm.XmlSerializer.deserialize((tmp_path / "p.xml").read_text())
    assert isinstance(custom, openmm.CustomNonbondedForce)
    assert (custom.getNumParticles(), custom.getNumTabulatedFunctions()) == (0, 4)
