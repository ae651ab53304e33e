"""The cases of production.py. Each takes a Run, prints what it measured, and returns its bars."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lammps_peer
import numpy as np
import openmm
from bars import Bar, at_least, at_most, missing
from fluid import (
    CUTOFF,
    FRICTION,
    MASS,
    TEMPERATURE,
    TIMESTEP,
    Cells,
    Fluid,
    learned_table,
    make_context,
    make_force,
    melted,
)
from gpu_platform import find_gpu
from interleaved import Contender, Rounds, measure, timed
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from diffpair import PairTable

CELLS: dict[int, Cells] = {
    256: (4, 4, 4),
    500: (5, 5, 5),
    864: (6, 6, 6),
    2048: (8, 8, 8),
    10976: (14, 14, 14),
    16384: (16, 16, 16),
    32000: (20, 20, 20),
    70304: (26, 26, 26),
    108000: (30, 30, 30),
    250000: (50, 50, 25),
}
# Atoms -> how many times faster than NonbondedForce, than CustomNonbondedForce with a tabulated function.
SPEED_BARS = {2048: (1.3, 5.0), 16384: (2.0, 10.0), 70304: (2.0, 10.0)}
PEERS = ("NonbondedForce", "Custom formula", "Custom tabulated")
LEARNED = ("TorchPairForce", "PairTableForce")


@dataclass(frozen=True)
class Run:
    """How to measure; `quick` replaces every system by a small one."""

    threads: int
    rounds: int
    seconds: float
    quick: bool
    sizes: list[int]
    console: Console
    progress: Progress

    def fluid(self, atoms: int) -> Fluid:
        return melted(CELLS[256 if self.quick else atoms], self.threads, self.melting)

    @property
    def melting(self) -> int:
        """Steps of melting, and again of cooling down."""
        return 100 if self.quick else 1500

    def measure(self, contenders: list[Contender], title: str) -> Rounds:
        return measure(contenders, self.rounds, self.seconds, self.progress, title, 10 if self.quick else 50)

    def contender(
        self,
        fluid: Fluid,
        kind: str,
        name: str | None = None,
        num_types: int = 1,
        integrator: openmm.Integrator | None = None,
    ) -> Contender:
        force = make_force(kind, fluid.atoms, num_types)
        context = make_context(fluid, force, threads=self.threads, integrator=integrator)
        return Contender(name or kind, steps_of(context))

    def show(self, title: str, rounds: Rounds, reference: str) -> None:
        """Print steps per second and how many times faster than the reference each contender is."""
        table = Table("force", "steps/s", "ms/step", f"against {reference}", title=title)
        for name in rounds.seconds:
            median = rounds.median(name)
            times = f"{rounds.ratio(reference, name):.2f} x"
            table.add_row(name, f"{1 / median:.4g}", f"{1000 * median:.3g}", times)
        self.console.print(table)


def steps_of(context: openmm.Context) -> Callable[[int], float]:
    """A block of steps in a Context, which is kept alive."""
    return timed(lambda steps: context.getIntegrator().step(steps))


def slower_ratio(rounds: Rounds, peer: str) -> float:
    """How many times faster than a peer the slower one of the two learned forces is."""
    return min(rounds.ratio(peer, name) for name in LEARNED)


def speed(run: Run) -> list[Bar]:
    """Steps per second against OpenMM's own forces."""
    bars = []
    for atoms in run.sizes:
        fluid = run.fluid(atoms)
        names = ("none", *PEERS, *LEARNED)
        rounds = run.measure([run.contender(fluid, name) for name in names], f"speed, {atoms} atoms")
        run.show(f"{fluid.atoms} atoms, {run.threads} threads", rounds, "NonbondedForce")
        for peer, bar in zip(("NonbondedForce", "Custom tabulated"), SPEED_BARS[atoms], strict=True):
            text = f"speed at {atoms} atoms against {peer.replace('Custom', 'CustomNonbondedForce')}"
            bars.append(at_least(text, slower_ratio(rounds, peer), bar))
    return bars


def lammps(run: Run) -> list[Bar]:
    """The same table in LAMMPS, pair_style table spline, at 16,384 atoms."""
    case = f"speed at 16384 atoms against LAMMPS pair_style table on {run.threads} MPI ranks"
    if not lammps_peer.available():
        return [missing(case, 1.2, "x", lammps_peer.LACKS)]
    fluid, table = run.fluid(16384), learned_table()

    def block(ranks: int, steps: int) -> float:
        return lammps_peer.run_lammps(
            table,
            fluid.positions,
            fluid.box,
            [0] * fluid.atoms,
            ranks=ranks,
            steps=steps,
            mass=MASS,
            temperature=TEMPERATURE,
            timestep=TIMESTEP,
        ).seconds

    steps = 20 if run.quick else max(50, round(250 * run.seconds))
    peers = [
        Contender(f"LAMMPS table, {ranks} MPI rank{'s' * (ranks > 1)}", lambda steps, n=ranks: block(n, steps), steps)
        for ranks in sorted({1, run.threads})
    ]
    rounds = run.measure([*peers, *(run.contender(fluid, name) for name in LEARNED)], "LAMMPS")
    run.show(f"LAMMPS, {fluid.atoms} atoms", rounds, peers[-1].name)
    return [at_least(case, slower_ratio(rounds, peers[-1].name), 1.2)]


def types(run: Run) -> list[Bar]:
    """Four types of particles against one."""
    fluid = run.fluid(16384)
    contenders = [
        run.contender(fluid, "none"),
        run.contender(fluid, "PairTableForce", "one type"),
        run.contender(fluid, "PairTableForce", "four types", num_types=4),
    ]
    rounds = run.measure(contenders, "types")
    run.show(f"types, {fluid.atoms} atoms", rounds, "one type")
    figure = rounds.excess_ratio("four types", "one type", "none")
    return [at_most("cost of the force with four types against one, 16384 atoms", figure, 1.2, "x")]


def scaling(run: Run) -> list[Bar]:
    """Cost of the force per atom as the system grows.

    It is the difference of two timings. So the integrator is the cheapest one: with LangevinMiddle, which takes as long
    as the force, the noise of the integrator would be most of the figure's.
    """
    sizes = [256, 500, 864] if run.quick else [10976, 32000, 108000, 250000]
    fluids = [melted(CELLS[atoms], run.threads, run.melting) for atoms in sizes]
    contenders = [
        run.contender(fluid, kind, f"{kind}, {fluid.atoms}", integrator=openmm.VerletIntegrator(TIMESTEP))
        for fluid in fluids
        for kind in ("none", "PairTableForce")
    ]
    rounds = run.measure(contenders, "scaling")
    table = Table("atoms", "ns/step/atom of the force", "steps/s", title="Cost per atom")
    costs = []
    for atoms in sizes:
        name = f"PairTableForce, {atoms}"
        costs.append(1e9 * rounds.excess(name, f"none, {atoms}") / atoms)
        table.add_row(str(atoms), f"{costs[-1]:.1f}", f"{1 / rounds.median(name):.4g}")
    run.console.print(table)
    case = f"largest cost of the force per atom over the smallest, {sizes[0]} to {sizes[-1]} atoms"
    return [at_most(case, max(costs) / min(costs), 1.2, "x")]


def memory(run: Run) -> list[Bar]:
    """Memory of the force: what a Context takes with it minus what it takes without."""
    atoms = 864 if run.quick else 250000
    fluid = melted(CELLS[atoms], run.threads, run.melting)
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/fluid.npz", positions=fluid.positions, box=fluid.box)
        learned_table().save(f"{folder}/potential.json")
        for potential in ("none", f"{folder}/potential.json"):
            probe = Path(__file__).with_name("memory_probe.py")
            command = [sys.executable, str(probe), f"{folder}/fluid.npz", potential, str(run.threads), "50"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"memory_probe.py failed: {done.stderr.strip()}")
            peaks.append(float(done.stdout))
    run.console.print(f"Context of {atoms} atoms: {peaks[1]:.1f} MB with the force, {peaks[0]:.1f} MB without")
    return [at_most("memory of the force at 250000 atoms", peaks[1] - peaks[0], 500.0, "MB")]


def histogram(run: Run) -> list[Bar]:
    """Production's g(r): time a frame and memory."""
    fluid = run.fluid(108000)
    reach = min(CUTOFF, 0.45 * float(fluid.box.min()))
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/fluid.npz", positions=fluid.positions, box=fluid.box)
        probe = Path(__file__).with_name("histogram_probe.py")
        command = [sys.executable, str(probe), f"{folder}/fluid.npz", str(reach), str(run.threads)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"histogram_probe.py failed: {done.stderr.strip()}")
    seconds, megabytes = map(float, done.stdout.split())
    return [
        at_most("histogram of a frame of 108000 atoms", 1e3 * seconds, 50.0, "ms"),
        at_most("memory of the histogram at 108000 atoms", megabytes, 100.0, "MB"),
    ]


def update(run: Run) -> list[Bar]:
    """A new table into a live Context."""
    fluid, table = run.fluid(16384), learned_table()
    other = PairTable(table.types, table.r_min, table.cutoff, 1.01 * table.coefficients)
    force = make_force("PairTableForce", fluid.atoms)
    context = make_context(fluid, force, threads=run.threads)
    context.getIntegrator().step(10)
    seconds = []
    for turn in range(30):
        start = time.perf_counter()
        force.setTable(other if turn % 2 else table)
        force.updateParametersInContext(context)
        seconds.append(time.perf_counter() - start)
        context.getIntegrator().step(1)
    milliseconds = 1000 * statistics.median(seconds)
    run.console.print(f"update at {fluid.atoms} atoms: {milliseconds:.3g} ms, largest {1000 * max(seconds):.3g} ms")
    return [at_most("setTable and updateParametersInContext at 16384 atoms", milliseconds, 5.0, "ms")]


def profile(run: Run) -> list[Bar]:
    """Where a step's time goes, from differences: with and without the force, moving and standing still."""
    fluid = run.fluid(16384)

    def still(kind: str) -> Contender:
        # Nothing moves far enough for a new neighbour list.
        integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, 1e-9)
        context = make_context(fluid, make_force(kind, fluid.atoms), threads=run.threads, integrator=integrator)
        return Contender(f"{kind}, still", steps_of(context))

    contenders = [run.contender(fluid, kind) for kind in ("none", "PairTableForce", "NonbondedForce")]
    rounds = run.measure([*contenders, still("none"), still("PairTableForce")], "profile")
    total, integrator = rounds.median("PairTableForce"), rounds.median("none")
    force = rounds.excess("PairTableForce", "none")
    loop = rounds.excess("PairTableForce, still", "none, still")
    table = Table("part of a step", "ms", "share", title=f"Where the time goes, {fluid.atoms} atoms")
    for name, value in (
        (f"OpenMM's LangevinMiddle integrator, friction {FRICTION:g}/ps", integrator),
        ("pair loop (a list at hand)", loop),
        ("list rebuild, per step", force - loop),
        ("PairTableForce, whole step", total),
        ("NonbondedForce, whole step", rounds.median("NonbondedForce")),
    ):
        table.add_row(name, f"{1000 * value:.3f}", f"{100 * value / total:.0f} %")
    run.console.print(table)
    return []


def gpu(run: Run) -> list[Bar]:
    """Against NonbondedForce on a GPU."""
    case = "speed on a GPU at 70304 atoms against NonbondedForce"
    found = find_gpu()
    if isinstance(found, str):
        return [missing(case, 0.9, "x", found)]
    platform, properties = found
    fluid = run.fluid(70304)

    def contender(kind: str) -> Contender:
        force = make_force(kind, fluid.atoms)
        context = make_context(fluid, force, platform=platform, properties=properties)

        def step(steps: int) -> None:
            context.getIntegrator().step(steps)
            context.getState(energy=True)  # waits for the device

        return Contender(kind, timed(step))

    rounds = run.measure([contender(name) for name in ("none", "NonbondedForce", *LEARNED)], "GPU")
    run.show(f"{platform} {properties}, {fluid.atoms} atoms", rounds, "NonbondedForce")
    return [at_least(case, slower_ratio(rounds, "NonbondedForce"), 0.9)]
