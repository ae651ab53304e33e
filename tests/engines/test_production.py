"""Production: its averages and its error bars, against the ideal gas and against independent runs."""

import dataclasses
import subprocess
import sys

import numpy as np
import openmm
import pytest

from diffpair.constants import BOLTZMANN
from diffpair.engines import production
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import BAR
from diffpair.targets import RdfTarget


def flat_target(low, high, bins):
    r = low + (high - low) / bins * (np.arange(bins) + 0.5)
    return RdfTarget(("A", "A"), r, np.ones(bins))


def run(state, table, **changes):
    settings = {
        "timestep": 0.05,
        "every": 40,
        "max_steps": 4000,
        "equilibration": 200,
        "melt": 200,
        "noise_target": 0.0,
    }
    settings["platform"] = "Reference"  # few particles: threads would only wait for each other
    return production(state, table, **(settings | changes))


def test_noise_of_the_ideal_gas_has_the_right_size(gas, no_table):
    """g = 1 is the truth, so mean |g - 1| is noise alone: over independent runs it averages `mae_noise`."""
    gas.targets = [flat_target(0.5, 1.9, 20)]
    runs = [run(gas, no_table, seed=seed) for seed in range(6)]
    mae = np.mean([one.rdfs[0].mae for one in runs])
    noise = np.mean([one.rdfs[0].mae_noise for one in runs])
    assert 0.002 < noise < 0.05
    assert mae == pytest.approx(noise, rel=0.2)
    # errors bin by bin: the scatter between the runs is what they claim
    scatter = np.std([one.rdfs[0].g for one in runs], axis=0, ddof=1)
    claimed = np.sqrt(np.mean([one.rdfs[0].error ** 2 for one in runs], axis=0))
    assert np.sqrt(np.mean(scatter**2)) == pytest.approx(np.sqrt(np.mean(claimed**2)), rel=0.25)
    # ideal gas: P = rho kT, without any scatter
    assert runs[0].pressure.value == pytest.approx(BAR * gas.density * BOLTZMANN * gas.temperature, rel=1e-6)
    assert runs[0].pressure.error < 1e-6


def test_it_ends_when_the_noise_is_small_enough(gas, no_table):
    gas.targets = [flat_target(0.5, 1.9, 20)]
    seen = []
    result = run(
        gas, no_table, noise_target=0.02, max_steps=400_000, progress=lambda steps, noise: seen.append((steps, noise))
    )
    assert result.converged and result.rdfs[0].mae_noise <= 0.02 and not result.notes
    assert result.steps == sum(steps for steps, _ in seen) < 100_000
    assert seen[-1][1] == pytest.approx(result.rdfs[0].mae_noise)


def test_steps_that_do_not_suffice_are_told(gas, no_table):
    gas.targets = [flat_target(0.5, 1.9, 20)]
    result = run(gas, no_table, noise_target=1e-5, max_steps=1000)
    assert result.steps == 1000 and not result.converged
    assert "state 'gas' ran its 1000 steps" in result.notes[0] and "wanted: 1e-05" in result.notes[0]
    with pytest.raises(DiffPairError, match="production of 100 steps with a frame every 40 is too short"):
        run(gas, no_table, max_steps=100)


def test_a_run_that_is_too_short_says_so(gas, no_table):
    """Particles that hardly move: all frames are one. A noise that is small but not known ends nothing."""
    gas.targets = [flat_target(0.5, 1.9, 20)]
    result = run(gas, no_table, timestep=0.001, every=1, max_steps=160, noise_target=1.0)
    assert result.steps == 160 and not result.converged and not result.rdfs[0].known and result.independent < 20
    assert "state 'gas' moves slowly: 160 steps are too short to tell the noise of g of A-A" in result.notes[0]
    assert "its 160 frames are worth" in result.notes[0] and len(result.notes) == 1
    quick = run(gas, no_table, max_steps=6400, noise_target=1.0)
    assert quick.converged and quick.steps == 4000 and quick.independent == pytest.approx(100, rel=0.3)


def test_threads_change_nothing(gas, no_table, monkeypatch):
    gas.targets = [flat_target(0.5, 1.9, 20)]
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OPENMM_CPU_THREADS", threads)
        found.append(run(gas, no_table, max_steps=1000).rdfs[0])
    assert np.array_equal(found[0].g, found[1].g) and np.array_equal(found[0].error, found[1].error)


def test_a_low_temperature_pair_correlation_is_found(table_of, gas):
    """Two particles: g(r) = exp(-U(r) / kT) exactly, up to the normalisation in a finite box."""
    step = table_of(lambda r: 0.8 * (1 - r / 1.6) ** 2 * (r < 1.6), 0.2, 1.8)
    gas.targets = [flat_target(0.3, 1.9, 16)]
    # 64 particles at rho = 1 would be dense; 2 in the same box are a dilute gas
    two = _first_particles(gas, 2)
    result = run(two, step, max_steps=100_000, every=20, timestep=0.05, friction=5.0)
    rdf = result.rdfs[0]
    r = np.linspace(0.01, 2.0, 400)
    boltzmann = np.exp(-step.energy(rdf.r) * two.beta)
    shell = 4 * np.pi * r**2 * (np.exp(-step.energy(r) * two.beta) - 1)
    expected = boltzmann / (1 + np.trapezoid(shell, r) / two.volume)
    assert np.all(np.abs(rdf.g - expected) < 5 * rdf.error + 0.01)
    assert np.sqrt(np.mean(((rdf.g - expected) / rdf.error) ** 2)) < 2


def _first_particles(state, count):
    return dataclasses.replace(
        state, types=state.types[:count], masses=state.masses[:count], positions=state.positions[:: 64 // count][:count]
    )


def test_distances_below_the_table_are_told(table_of, gas):
    late = table_of(np.zeros_like, 0.9, 1.8)
    gas.targets = [flat_target(0.5, 1.9, 20)]
    result = run(gas, late, max_steps=2000)
    assert result.shortest < 0.9
    assert any("below the table's first knot at 0.9 nm" in note for note in result.notes)


def test_a_state_without_targets_still_has_a_pressure(gas, no_table):
    result = run(gas, no_table, max_steps=1200)
    assert result.targets == [] and result.steps == 1200 and result.pressure is not None and not result.notes


def test_it_goes_on_from_a_snapshot(liquid, lj_table):
    liquid.targets = [flat_target(0.8, 2.5, 34)]
    first = run(liquid, lj_table, timestep=0.005, max_steps=1000, every=20, melt=1000)
    again = run(liquid, lj_table, timestep=0.005, max_steps=1000, every=20, start=first.last, equilibration=0, seed=5)
    assert np.abs(first.rdfs[0].g - again.targets[0].g).mean() < 0.1
    assert first.rdfs[0].g.max() > 2.3  # a liquid's first peak


def test_no_pressure_comes_with_a_reason(gas, no_table):
    force = openmm.NonbondedForce()
    system = openmm.System()
    for _ in range(64):
        system.addParticle(1.0)
        force.addParticle(0, 0.1, 0)
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(1.9999)  # almost half the box: it cannot be compressed
    system.addForce(force)
    gas.base_system = system
    result = run(gas, no_table, max_steps=400)
    assert result.pressure is None and "cutoff" in result.no_pressure


def test_torch_is_not_imported():
    code = "import sys, diffpair.engines, diffpair.report, diffpair.observables.rdf; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
