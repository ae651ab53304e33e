"""Sampling at constant pressure: volumes and pressures against integrals, and what a moving box must not break."""

import numpy as np
import openmm
import pytest
from tests.support.paired_gas import KT, TEMPERATURE, VOLUMES, PairedGas, well

from diffpair.engines import Exploded, Sampler, production
from diffpair.engines.series_error import series_error
from diffpair.errors import DiffPairError
from diffpair.observables.pressure import BAR, PressureProbe
from diffpair.states import build_lattice, make_system
from diffpair.states.state import AMU_PER_NM3
from diffpair.tables import PairTable
from diffpair.targets import DensityTarget, RdfTarget


def live(state, table, **changes):
    return Sampler(state, table, **({"timestep": 0.02, "seed": 1, "platform": "Reference"} | changes))


def flat_target(low, high, bins):
    r = low + (high - low) / bins * (np.arange(bins) + 0.5)
    return RdfTarget(("A", "A"), r, np.ones(bins))


def test_volume_and_pressure_of_interacting_pairs():
    """<V>, its fluctuation and <1/V> are integrals; the mean virial pressure is the barostat's."""
    gas = PairedGas(well())
    state = gas.state(3.5)
    sampler = live(state, gas.table)
    sampler.equilibrate(2000)
    frames = sampler.sample(120_000, 20)
    volumes = np.abs(np.linalg.det(frames.boxes))
    mean = gas.mean(VOLUMES)
    square = (volumes - mean) ** 2
    for found, expected in (
        (volumes, mean),
        (1 / volumes, gas.mean(1 / VOLUMES)),
        (square, gas.mean((VOLUMES - mean) ** 2)),
    ):
        error = float(series_error(found).error)
        assert abs(found.mean() - expected) < 4 * error
        assert error < 0.1 * expected
    no_well = PairedGas(well(0.0)).mean(VOLUMES)
    assert float(series_error(volumes).error) < 0.1 * abs(mean - no_well), "the well has to show"
    system, _ = make_system(state, gas.table)
    probe = PressureProbe(system, TEMPERATURE, openmm.Platform.getPlatformByName("Reference"))
    pressures = probe.pressures(frames.positions[::2], frames.boxes[::2])
    error = float(series_error(pressures).error)
    assert abs(pressures.mean() - BAR * gas.pressure) < 4 * error and error < 0.03 * BAR * gas.pressure


@pytest.mark.parametrize(
    "barostat",
    [
        lambda p: openmm.MonteCarloAnisotropicBarostat(openmm.Vec3(p, p, p), TEMPERATURE, False, False, True, 4),
        lambda p: openmm.MonteCarloMembraneBarostat(p + 10, 36.0, TEMPERATURE, 0, 1, 4),
    ],
)
def test_relatives(barostat):
    """An ideal gas in a box of which one axis moves, or two under 36 bar nm of tension at 3.6 nm: V is the gas's."""
    gas = PairedGas(well(0.0), 60, 2.6)
    state = gas.state(3.6, barostat=barostat(BAR * gas.pressure))
    frames = live(state, gas.table).sample(40_000, 20)
    moving = np.ptp(np.diagonal(frames.boxes, axis1=1, axis2=2), axis=0) > 0
    assert moving.tolist() == ([False, False, True] if moving[2] else [True, True, False])
    volumes = np.linalg.det(frames.boxes)[100:]
    error = float(series_error(volumes).error)
    assert abs(volumes.mean() - (2 * gas.pairs + 1) * KT / gas.pressure) < 4 * error and error < 0.5


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_the_same_seed_gives_the_same_run(platform):
    gas = PairedGas(well())

    def run(seed):
        sampler = live(gas.state(3.5), gas.table, seed=seed, platform=platform)
        sampler.equilibrate(100)
        return sampler.sample(400, 40)

    first, again, other = run(3), run(3), run(4)
    for name in ("positions", "velocities", "boxes", "potential_energy"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    assert not np.array_equal(first.boxes, other.boxes)
    assert len(np.unique(first.boxes[:, 0, 0])) > 5


def test_a_snapshot_keeps_the_box():
    gas = PairedGas(well())
    sampler = live(gas.state(3.5), gas.table)
    sampler.equilibrate(200)
    kept = sampler.snapshot()
    sampler.equilibrate(400)
    assert not np.array_equal(sampler.snapshot().box, kept.box)
    sampler.restore(kept)
    other = live(gas.state(3.5), gas.table, seed=5)
    other.restore(kept)
    for one in (sampler, other):
        now = one.snapshot()
        assert np.array_equal(now.box, kept.box) and np.array_equal(now.positions, kept.positions)


def test_melting_keeps_the_box_while_it_is_hot(liquid, lj_table):
    """A liquid at 2.5 T has another volume; the last third of melting has the barostat again."""
    liquid.base_system, _ = make_system(liquid, lj_table)
    liquid.base_system.removeForce(0)
    liquid.base_system.addForce(openmm.MonteCarloBarostat(50.0, liquid.temperature, 5))
    sampler = live(liquid, lj_table, timestep=0.005)
    boxes = []
    sampler.melt(600, lambda steps: boxes.append(sampler.snapshot().box[0, 0]))
    assert len(set(boxes[:6])) == 1 and boxes[0] == liquid.box[0, 0] and len(set(boxes[-2:])) == 2


def test_a_box_that_shrinks_below_the_cutoff():
    gas = PairedGas(well(), pressure=9.0)
    sampler = live(gas.state(2.4), gas.table)
    with pytest.raises(
        Exploded,
        match=r"the box of state 'paired' shrank under its barostat \(149\.\d* bar\) by step \d+ until half of it, "
        r"0\.9\d* nm, was shorter than the cutoff of 1 nm: use more particles or a shorter cutoff",
    ):
        sampler.equilibrate(20_000)


def test_production_reports_density_and_cuts_g():
    """g in the volume of each frame; bins beyond half of the smallest box are left out, which is told once."""
    gas = PairedGas(well())
    targets = [flat_target(0.5, 1.8, 26), DensityTarget(0.9, 0.1, "nm^-3")]
    state = gas.state(3.6, targets)
    result = production(
        state, gas.table, timestep=0.02, max_steps=60_000, every=20, noise_target=0.0, platform="Reference"
    )
    density, expected = result.densities[0], 2 * gas.pairs * gas.mean(1 / VOLUMES)
    assert density.target == 0.9 and density.unit == "nm^-3" and 0 < density.error < 0.03
    assert abs(density.value - expected) < 4 * density.error
    assert result.density.value == pytest.approx(density.value * AMU_PER_NM3)
    assert result.density.error == pytest.approx(density.error * AMU_PER_NM3)
    (rdf,) = result.rdfs
    assert 12 < len(rdf.r) < 26 and len(rdf.g) == len(rdf.g_target) == len(rdf.error) == len(rdf.r)
    note = "state 'paired': half of the smallest box that its barostat reached is "
    assert sum(note in said for said in result.notes) == 1
    smallest = float(next(said for said in result.notes if note in said)[len(note) :].split(" nm")[0])
    assert rdf.r[-1] + 0.025 <= smallest < rdf.r[-1] + 0.08
    # <n> / (pairs <1/V> shell): of the pairs at V the part exp(-beta u) / (V + B)
    boltzmann = np.exp(-gas.table.energy(rdf.r) / KT)
    g = boltzmann * gas.mean(1 / (VOLUMES + gas.excess)) / gas.mean(1 / VOLUMES)
    assert np.abs((rdf.g - g) / rdf.error).max() < 4.5 and rdf.error.max() < 0.4


def test_too_few_bins_are_left():
    gas = PairedGas(well())
    state = gas.state(3.6, [flat_target(1.2, 1.8, 12)])
    with pytest.raises(DiffPairError, match=r"target A-A: half of the box that the barostat of state 'paired' reached"):
        production(state, gas.table, timestep=0.02, max_steps=20_000, every=20, platform="Reference")


def test_density_at_constant_volume(gas, no_table):
    result = production(gas, no_table, timestep=0.05, max_steps=800, every=40, platform="Reference", melt=60)
    assert result.density.value == pytest.approx(64 * AMU_PER_NM3 / 64) and result.density.error == 0


def test_a_barostat_of_another_temperature():
    state = build_lattice("gas", 64, 1.0, {"A": 1.0}, 1.0, 120.0)
    state.base_system = openmm.System()
    for _ in range(64):
        state.base_system.addParticle(1.0)
    state.base_system.addForce(openmm.MonteCarloBarostat(1.0, 300.0))
    with pytest.raises(DiffPairError, match=r"state 'gas': its MonteCarloBarostat has a temperature of 300 K, but"):
        live(state, PairTable(("A",), 0.0, 1.0, np.zeros((1, 22))))
