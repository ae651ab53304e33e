"""The cases of gradient.py. Each takes a Run, prints what it measured, and returns its bars."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jax_peer
import numpy as np
import torch
from bars import Bar, at_least, at_most, missing
from fluid import Cells, Fluid
from interleaved import Contender, Rounds, measure
from jax_peer import JaxPeer
from rdf_loss import STEPS, RdfLoss, Timing, liquid, spline
from rdf_loss import network as mlp
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from diffpair.potentials import PairPotential

CELLS: dict[int, Cells] = {
    256: (4, 4, 4),
    500: (5, 5, 5),
    864: (6, 6, 6),
    4000: (10, 10, 10),
    16384: (16, 16, 16),
    32000: (20, 20, 20),
    110592: (32, 32, 27),
}


@dataclass(frozen=True)
class Run:
    """How to measure; `quick` replaces every system by a small one and every trajectory by a short one."""

    integrator: str
    threads: int
    rounds: int
    quick: bool
    console: Console
    progress: Progress
    parts: dict[str, list[Timing]] = field(default_factory=dict)  # of the latest rounds, by contender

    def fluid(self, atoms: int) -> Fluid:
        return liquid(CELLS[256 if self.quick else atoms], self.threads, 100 if self.quick else 1500)

    def steps(self, steps: int) -> int:
        return steps // 5 if self.quick else steps

    def loss(self, fluid: Fluid, replicas: int = 1) -> RdfLoss:
        return RdfLoss(fluid, self.integrator, replicas, self.steps(STEPS))

    def measure(self, contenders: dict[str, Callable[[], Timing]], title: str, repeats: int = 5) -> Rounds:
        """Every contender has that many values and gradients in a turn; prints their medians."""
        self.parts.clear()
        for evaluate in contenders.values():
            evaluate()  # buffers, just-in-time compilation

        def block(name: str, count: int) -> float:
            timings = [contenders[name]() for _ in range(count)]
            self.parts.setdefault(name, []).extend(timings)
            return statistics.mean(timing.total for timing in timings)

        list_ = [
            Contender(name, lambda n, name=name: block(name, n), 1 if self.quick else repeats) for name in contenders
        ]
        rounds = measure(list_, self.rounds, 0.0, self.progress, title)
        table = Table("", "value ms", "gradient ms", "both ms", title=f"{title}, {self.integrator}")
        for name, timings in self.parts.items():
            forward, backward = (
                statistics.median(getattr(t, part) for t in timings) for part in ("forward", "backward")
            )
            table.add_row(name, *(f"{1000 * s:.4g}" for s in (forward, backward, rounds.median(name))))
        self.console.print(table)
        return rounds

    def probe(
        self, fluid: Fluid, steps: list[int], *, replicas: int = 1, checkpoints: str = "default"
    ) -> list[dict[str, float]]:
        """See gradient_probe.py."""
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/fluid.npz", positions=fluid.positions, box=fluid.box)
            program = [sys.executable, str(Path(__file__).with_name("gradient_probe.py")), f"{folder}/fluid.npz"]
            numbers = map(str, (self.threads, replicas, checkpoints, *map(self.steps, steps)))
            environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
            done = subprocess.run(
                [*program, self.integrator, *numbers], capture_output=True, text=True, env=environment
            )
        if done.returncode != 0:
            raise RuntimeError(f"gradient_probe.py failed: {done.stderr.strip()}")
        return list(json.loads(done.stdout))

    def sampled(self, atoms: int, every: int, steps: int) -> dict[str, float]:
        """See sampling_probe.py."""
        program = [sys.executable, str(Path(__file__).with_name("sampling_probe.py"))]
        numbers = map(str, (atoms, every, self.threads, steps))
        done = subprocess.run([*program, *numbers], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"sampling_probe.py failed: {done.stderr.strip()}")
        return dict(json.loads(done.stdout))


def evaluation(loss: RdfLoss, potential: PairPotential | None = None) -> Callable[[], Timing]:
    """Value and gradient of a spline, unless another potential is given."""
    chosen = potential or spline()
    return lambda: loss.value_and_gradient(chosen)


def speed(run: Run) -> list[Bar]:
    """Against JAX MD, once as it should be run and once with a neighbour list that is never built again."""
    case = "value and gradient at 4000 atoms"
    loss = run.loss(run.fluid(4000))
    contenders, peers = {"DiffPair": evaluation(loss)}, {"JAX MD": True, "JAX MD, one list": False}
    with contextlib.ExitStack() as stack:
        if jax_peer.available():
            for name, rebuild in list(peers.items())[: 1 if run.quick else None]:
                peer = stack.enter_context(JaxPeer(loss, run.threads, rebuild=rebuild))
                check_direction(run, loss, name, peer, least_cosine=0.9999 if rebuild else 0.99)
                contenders[name] = lambda peer=peer: peer.timings(1)[0]
        rounds = run.measure(contenders, f"{loss.x0.shape[1]} atoms, {run.threads} threads")
    milliseconds = 1000 * rounds.median("DiffPair")
    backward = statistics.median(timing.backward / timing.forward for timing in run.parts["DiffPair"])
    bars = [
        at_most(case, milliseconds, 85.0, "ms"),
        at_most("gradient against value at 4000 atoms", backward, 2.5, "x"),
    ]
    for name in peers:
        against = f"{case} against {name}"
        if name in contenders:
            bars.append(at_least(against, rounds.ratio(name, "DiffPair"), 10.0))
        else:
            why = "left out of a quick run" if jax_peer.available() else jax_peer.LACKS
            bars.append(missing(against, 10.0, "x", why))
    return bars


def check_direction(run: Run, loss: RdfLoss, name: str, peer: JaxPeer, least_cosine: float) -> None:
    """The peer differentiates the same, nearly so with a list that lacks pairs: raises RuntimeError if not."""
    value, gradient = loss.gradient()
    norm, peers_norm = np.linalg.norm(gradient), np.linalg.norm(peer.gradient)
    cosine = gradient @ peer.gradient / (norm * peers_norm)
    run.console.print(
        f"{name}: value {peer.value:.7g}, ours {value:.7g}; gradients' cosine 1 - {1 - cosine:.1e}, ratio of norms "
        f"{peers_norm / norm:.6f}; its process takes {peer.megabytes:.0f} MB"
    )
    if not cosine >= least_cosine:
        raise RuntimeError(f"{name} computes another gradient: cosine {cosine:g}")


def network(run: Run) -> list[Bar]:
    """An update, from a potential's parameters to new ones, with a neural network and with a spline."""
    loss = run.loss(run.fluid(864))

    def update(potential: PairPotential) -> Callable[[], Timing]:
        # A learning rate that leaves the fluid as it is: every update is to cost the same.
        optimizer = torch.optim.Adam(potential.parameters(), lr=1e-9)

        def evaluate() -> Timing:
            optimizer.zero_grad()
            timing = loss.value_and_gradient(potential)
            start = time.perf_counter()
            optimizer.step()
            return Timing(timing.forward, timing.backward + time.perf_counter() - start)

        return evaluate

    contenders = {"spline": update(spline()), "network": update(mlp())}
    rounds = run.measure(contenders, f"an update, {loss.x0.shape[1]} atoms", repeats=10)
    return [
        at_most("an update of a neural potential at 864 atoms", 1000 * rounds.median("network"), 41.0, "ms"),
        at_most("an update of it more than of a spline", 1000 * rounds.excess("network", "spline"), 10.0, "ms"),
    ]


def scaling(run: Run) -> list[Bar]:
    """Time and memory per atom as the system grows."""
    sizes = [256, 500] if run.quick else [4000, 16384, 32000, 110592]
    fluids = {atoms: liquid(CELLS[atoms], run.threads, 100 if run.quick else 1500) for atoms in sizes}
    contenders = {f"{atoms} atoms": evaluation(run.loss(fluid)) for atoms, fluid in fluids.items()}
    rounds = run.measure(contenders, "scaling", repeats=1)
    seconds = [rounds.median(name) / atoms for name, atoms in zip(contenders, sizes, strict=True)]
    memory = [run.probe(fluid, [STEPS])[0]["megabytes"] for fluid in fluids.values()]
    table = Table("atoms", "us per atom", "MB", "kB per atom", title=f"{run.steps(STEPS)} steps")
    for atoms, second, megabytes in zip(sizes, seconds, memory, strict=True):
        table.add_row(str(atoms), f"{1e6 * second:.2f}", f"{megabytes:.1f}", f"{1000 * megabytes / atoms:.2f}")
    run.console.print(table)
    # What the smallest system takes is partly fixed: growth is judged between the others.
    growth = (memory[-1] - memory[0]) / (sizes[-1] - sizes[0]) * sizes[1] / memory[1]
    return [
        at_most(f"largest time per atom over the smallest, {sizes[0]} to {sizes[-1]} atoms",
                max(seconds) / min(seconds), 1.2, "x"),
        at_most(f"memory per further atom up to {sizes[-1]} over that per atom at {sizes[1]}", growth, 1.2, "x"),
    ]  # fmt: skip


def memory(run: Run) -> list[Bar]:
    """Memory beyond torch itself."""
    (result,) = run.probe(run.fluid(16384), [STEPS])
    return [at_most("memory beyond torch at 16384 atoms", result["megabytes"], 200.0, "MB")]


def long(run: Run) -> list[Bar]:
    """1,000 steps with checkpoints, against the same with the whole path in memory, so that nothing is recomputed."""
    fluid, lengths = run.fluid(110592), [STEPS, 20 * STEPS]
    checked = run.probe(fluid, lengths, checkpoints="17" if run.quick else "default")[-1]
    whole = run.probe(fluid, lengths, checkpoints="0")[-1]
    table = Table("", "s", "MB", title=f"{run.steps(20 * STEPS)} steps, {fluid.atoms} atoms")
    totals = []
    for name, result in (("with checkpoints", checked), ("the whole path kept", whole)):
        totals.append(result["forward"] + result["backward"])
        table.add_row(name, f"{totals[-1]:.2f}", f"{result['megabytes']:.0f}")
    run.console.print(table)
    case = "1000 steps at 110592 atoms with checkpoints"
    return [
        at_most(f"memory beyond torch, {case}", checked["megabytes"], 2000.0, "MB"),
        at_most(f"time of {case} against the whole path kept", totals[0] / totals[1], 1.5, "x"),
    ]


def sampling(run: Run) -> list[Bar]:
    """Memory of an iteration's sampling of 100,000 atoms, however long.

    100,000 steps of 100,000 atoms take hours here. So what grows with the number of frames (sums of a few hundred
    numbers each) is measured with 256 atoms and 100,000 steps, and all else with 100,000 atoms at two lengths: frames
    that were all kept would take 5 MB each.
    """
    atoms, lengths, longest = (256, (40, 160), 40) if run.quick else (100_000, (200, 800), 100_000)
    short, long_ = (run.sampled(atoms, 2, steps) for steps in lengths)
    sums = short if run.quick else run.sampled(256, 10, longest)
    table = Table("atoms", "steps", "frames", "MB", "s", title="An iteration's sampling")
    for count, found in ((atoms, short), (atoms, long_), (256, sums)):
        table.add_row(str(count), *(f"{found[key]:.0f}" for key in ("steps", "frames", "megabytes", "seconds")))
    run.console.print(table)
    case = f"{long_['frames']} instead of {short['frames']} frames of 100000 atoms"
    together = max(short["megabytes"], long_["megabytes"]) + sums["megabytes"]
    return [
        at_most(f"memory that {case} take", long_["megabytes"] - short["megabytes"], 100.0, "MB"),
        at_most("memory of sampling 100000 atoms plus that of 100000 steps of 256", together, 1000.0, "MB"),
    ]


def replicas(run: Run) -> list[Bar]:
    """All replicas in one call against as many calls, and how many processors that call keeps busy."""
    bars = []
    for count, atoms in ((8, 864), (64, 256)):
        run_count = 4 if run.quick else count
        loss, potential = run.loss(run.fluid(atoms), run_count), spline()

        def singly(loss: RdfLoss = loss, potential: PairPotential = potential, count: int = run_count) -> Timing:
            timings = [loss.value_and_gradient(potential, slice(i, i + 1)) for i in range(count)]
            return Timing(sum(t.forward for t in timings), sum(t.backward for t in timings))

        contenders = {"one call": evaluation(loss, potential), "single calls": singly}
        rounds = run.measure(contenders, f"{run_count} replicas of {loss.x0.shape[1]} atoms", repeats=1)
        case = f"{count} replicas of {atoms} atoms in one call against single calls"
        bars.append(at_most(case, rounds.ratio("one call", "single calls"), 1.0, "x"))
    busy = run.probe(run.fluid(256), [STEPS, STEPS], replicas=4 if run.quick else 64)[-1]["processors"]
    return [*bars, at_least("processors kept busy by 64 replicas of 256 atoms", busy, 1.8, "of 2")]
