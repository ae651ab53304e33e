"""pair_style diffpair of LAMMPS against the pair styles that come with it."""

from __future__ import annotations

import dataclasses

import lammps_peer
import numpy as np
from bars import Bar, at_least, missing
from fluid import CUTOFF, EPSILON, MASS, SIGMA, TEMPERATURE, TIMESTEP, Fluid, learned_table
from interleaved import Contender, Rounds
from production_cases import Run

SIZES = (16384, 70304)
LENNARD_JONES = f"pair_coeff 1 1 {EPSILON / 4.184:.12g} {10 * SIGMA:.12g}"
TABLE = "pair_coeff 1 1 {table} Ar_Ar"
# The faster one of a kind is the peer; pip's LAMMPS has no other variants of these two.
PEERS = {
    "table": {
        "table": ["pair_style table spline 2000", TABLE],
        "table/omp": ["pair_style table/omp spline 2000", TABLE],
    },
    "lj/cut": {
        f"lj/cut{variant}": [f"pair_style lj/cut{variant} {10 * CUTOFF:.12g}", LENNARD_JONES]
        for variant in ("", "/opt", "/omp")
    },
}
BARS = {"table": 2.0, "lj/cut": 1.3}
OURS = ["pair_style diffpair", "pair_coeff * * {potential} Ar"]
EFFICIENCY = 0.9
MILLION_ROUNDS = 3  # a turn takes half a minute


def pair_style(run: Run) -> list[Bar]:
    """Steps per second on one and two MPI ranks, and how well two ranks share the work."""
    sizes = [atoms for atoms in run.sizes if atoms in SIZES][: 1 if run.quick else None]
    if not lammps_peer.available():
        return [missing(f"pair_style diffpair at {atoms} atoms", 2.0, "x", lammps_peer.LACKS) for atoms in sizes]
    bars = []
    for atoms in sizes:
        fluid = run.fluid(atoms)
        measured = {ranks: measure(run, fluid, atoms, ranks) for ranks in (1, 2)}
        for ranks, rounds in measured.items():
            for peer, variants in PEERS.items():
                fastest = min(variants, key=rounds.median)
                text = f"pair_style diffpair at {atoms} atoms on {words(ranks)} against {fastest}"
                bars.append(at_least(text, rounds.ratio(fastest, "diffpair"), BARS[peer]))
        efficiency = measured[1].median("diffpair") / measured[2].median("diffpair") / 2
        text = f"parallel efficiency of pair_style diffpair on 2 MPI ranks, {atoms} atoms"
        bars.append(at_least(text, efficiency, EFFICIENCY, ""))
    return bars


def million(run: Run) -> list[Bar]:
    """The same with 64 copies of the 16,384 atoms, on two ranks, against the variants that are fastest there."""
    tiles = 1 if run.quick else 4
    text = "pair_style diffpair at 1048576 atoms on 2 MPI ranks"
    if not lammps_peer.available():
        return [missing(text, 2.0, "x", lammps_peer.LACKS)]
    fluid = run.fluid(16384)
    shifts = np.array(list(np.ndindex(tiles, tiles, tiles))) * fluid.box
    copies = Fluid((fluid.positions + shifts[:, None]).reshape(-1, 3), tiles * fluid.box)
    fast = ("table/omp", "lj/cut/omp")
    rounds = measure(dataclasses.replace(run, rounds=min(run.rounds, MILLION_ROUNDS)), copies, copies.atoms, 2, fast)
    return [
        at_least(f"{text} against {peer}", rounds.ratio(peer, "diffpair"), BARS[peer.removesuffix("/omp")])
        for peer in fast
    ]


def words(ranks: int) -> str:
    return f"{ranks} MPI rank{'s' * (ranks > 1)}"


def measure(run: Run, fluid: Fluid, atoms: int, ranks: int, among: tuple[str, ...] = ()) -> Rounds:
    """All styles, or those among which ours is, in turns; every turn is a LAMMPS of its own, which melts away its start
    before the clock runs."""
    styles = {name: commands for variants in PEERS.values() for name, commands in variants.items()}
    styles = {name: commands for name, commands in styles.items() if not among or name in among}
    steps = 20 if run.quick else max(50, round(250 * run.seconds * 16384 / atoms))

    def block(commands: list[str], steps: int) -> float:
        return lammps_peer.run_lammps(
            learned_table(),
            fluid.positions,
            fluid.box,
            [0] * fluid.atoms,
            ranks=ranks,
            steps=steps,
            mass=MASS,
            temperature=TEMPERATURE,
            timestep=TIMESTEP,
            commands=commands,
        ).seconds

    contenders = [
        Contender(name, lambda steps, commands=commands: block(commands, steps), steps)
        for name, commands in {**styles, "diffpair": OURS}.items()
    ]
    rounds = run.measure(contenders, f"pair styles, {atoms} atoms, {words(ranks)}")
    run.show(f"LAMMPS, {fluid.atoms} atoms, {words(ranks)}", rounds, next(iter(styles)))
    return rounds
