"""Value and gradient of an RDF loss through a trajectory with JAX MD; started by jax_peer.py with .venv-peers' Python.

    python jax_md_gradient.py INPUT.npz

INPUT holds the numbers of an RdfLoss (rdf_loss.py), see jax_peer.py: x0, v0 [N, 3], box [3], coefficients [K + 2],
per_ideal_pair and target [bins], times, lengths, the integrator. Masses are 1, the temperature is in units of energy.

Speaks JSON, one object a line. First {"value", "gradient", "megabytes"}; then for every number of repeats on stdin
{"seconds": [...], "forward": [...]}: of value and gradient, and of the value alone.

JAX MD gives the space, the half neighbour list (OrderedSparse) with its update where the skin is used up, and the
Nose-Hoover chain. The rest is written for speed: one jitted function, float32; a step's backward recomputes it from its
positions, so that memory stays small; tables and bins are gathered and scattered as rows, which XLA does best; one
list serves forces and RDF and is built before the clock starts. With rebuild = 0 it is never built again: then pairs
are missing, but JAX MD is at its fastest.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax_md import partition, simulate, space

given = dict(np.load(sys.argv[1]))
f32 = jnp.float32
atoms, knots = len(given["x0"]), len(given["coefficients"]) - 2
steps, frame_every, bins = int(given["steps"]), int(given["frame_every"]), len(given["target"])
dt, cutoff, r_min = float(given["timestep"]), float(given["cutoff"]), float(given["r_min"])
spacing = (cutoff - r_min) / (knots - 1)
displacement, shift = space.periodic(jnp.asarray(given["box"], f32))
distances = space.map_bond(displacement)
neighbors = partition.neighbor_list(
    displacement,
    given["box"].astype(np.float32),
    cutoff,
    float(given["skin"]),
    capacity_multiplier=1.1,
    format=partition.NeighborListFormat.OrderedSparse,
)


def slopes(coefficients: Array) -> Array:
    """dU/dr of the table between knots as polynomials in 0 <= t < 1, one row each [K - 1, 3]: gathered row by row."""
    a, b, c, d = coefficients[:-3], coefficients[1:-2], coefficients[2:-1], coefficients[3:]
    return jnp.stack([c - a, 2 * (a - 2 * b + c), d - a + 3 * (b - c)], axis=1) / (2 * spacing)


def slope(polynomials: Array, r: Array) -> Array:
    """dU/dr, constant below r_min."""
    s = (r - r_min) / spacing
    interval = jnp.clip(jax.lax.stop_gradient(s).astype(jnp.int32), 0, knots - 2)
    t = jnp.maximum(s - interval, 0)
    row = polynomials[interval]
    return jnp.where(r < cutoff, row[:, 0] + t * (row[:, 1] + t * row[:, 2]), 0)


def kernel(t: Array) -> Array:
    """The four cubic B-splines that overlap at t, 0 <= t < 1 from the second one's centre, [n, 4]."""
    u = 1 - t
    return jnp.stack([u**3, 3 * t**3 - 6 * t**2 + 4, 3 * u**3 - 6 * u**2 + 4, t**3], axis=1) / 6


def pairs(x: Array, index: Array) -> tuple[Array, Array, Array, Array]:
    """Both atoms, displacement and distance of every listed pair; unused places of the list are far apart."""
    i, j = index
    d = distances(x[jnp.minimum(i, atoms - 1)], x[jnp.minimum(j, atoms - 1)])
    listed = i < atoms
    square = jnp.where(listed, jnp.sum(d * d, axis=1), 4 * cutoff**2)
    return i, j, d, jnp.sqrt(square)


def force(polynomials: Array, x: Array, index: Array) -> Array:
    i, j, d, r = pairs(x, index)
    f = (-slope(polynomials, r) / r)[:, None] * d
    return jnp.zeros_like(x).at[i].add(f, mode="drop").at[j].add(-f, mode="drop")


def rdf(x: Array, index: Array) -> Array:
    """g(r): every pair smeared by the kernel of one bin's width; two padding bins on each side."""
    _, _, _, r = pairs(x, index)
    s = (r - float(given["first_centre"])) / float(given["bin_width"])
    interval = jnp.floor(jax.lax.stop_gradient(s)).astype(jnp.int32)
    reached = (interval >= -2) & (interval <= bins)
    # Row m: what goes to the bins m - 3 .. m, scattered row by row.
    rows = jnp.zeros((bins + 3, 4), f32)
    rows = rows.at[jnp.where(reached, interval + 2, 0)].add(jnp.where(reached[:, None], kernel(s - interval), 0))
    counts = sum(rows[3 - k : bins + 3 - k, k] for k in range(4))
    volume = float(np.prod(given["box"]))
    return counts * jnp.asarray(given["per_ideal_pair"] * volume, f32)


kT = f32(given["temperature"])
# The middle scheme scales velocities once for a whole step; JAX MD's half_step is half of the step it is made for.
chain_functions = simulate.nose_hoover_chain(
    f32(2 * dt),
    int(given["chain_length"]),
    int(given["chain_steps"]),
    int(given["sy_steps"]),
    f32(given["time_constant"]),
)


def start_chain() -> Any:
    if str(given["integrator"]) != "nose-hoover":
        return None
    return chain_functions.initialize(int(given["degrees_of_freedom"]), f32(0), kT)


def advance(polynomials: Array, x: Array, v: Array, chain: Any, index: Array) -> tuple[Array, Array, Any]:
    """One leapfrog step: OpenMM's VerletIntegrator, or its NoseHooverIntegrator's middle scheme."""
    v = v + f32(dt) * force(polynomials, x, index)
    if chain is None:
        return shift(x, f32(dt) * v), v, None
    x = shift(x, f32(dt / 2) * v)
    v, chain = chain_functions.half_step(v, chain.set(kinetic_energy=0.5 * jnp.sum(v * v)), kT)
    return shift(x, f32(dt / 2) * v), v, chain


def loss(coefficients: Array, x: Array, v: Array, list_: Any) -> tuple[Array, Array]:
    advance_checkpointed, rdf_checkpointed = jax.checkpoint(advance), jax.checkpoint(rdf)

    polynomials = slopes(coefficients)

    def step(state: Any, _: None) -> tuple[Any, None]:
        x, v, chain, list_ = state
        if given["rebuild"]:
            list_ = list_.update(jax.lax.stop_gradient(x))
        return (*advance_checkpointed(polynomials, x, v, chain, list_.idx), list_), None

    def to_frame(state: Any, _: None) -> tuple[Any, Array]:
        state, _ = jax.lax.scan(step, state, None, length=frame_every)
        return state, rdf_checkpointed(state[0], state[3].idx)

    state, g = jax.lax.scan(to_frame, (x, v, start_chain(), list_), None, length=steps // frame_every)
    residual = jnp.mean(g, axis=0) - jnp.asarray(given["target"], f32)
    return jnp.mean(residual**2), state[3].did_buffer_overflow


def seconds_of(function: Any, *arguments: Any) -> float:
    start = time.perf_counter()
    jax.block_until_ready(function(*arguments))
    return time.perf_counter() - start


def answer(**what: Any) -> None:
    print(json.dumps(what), flush=True)


inputs = [jnp.asarray(given[name], f32) for name in ("coefficients", "x0", "v0")]
inputs[1] = jnp.mod(inputs[1], jnp.asarray(given["box"], f32))
inputs.append(neighbors.allocate(inputs[1]))
forward, both = jax.jit(loss), jax.jit(jax.value_and_grad(loss, has_aux=True))
(value, overflow), gradient = both(*inputs)
if bool(overflow):
    sys.exit("JAX MD's neighbour list overflowed")
jax.block_until_ready(forward(*inputs))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
answer(value=float(value), gradient=np.asarray(gradient, dtype=float).tolist(), megabytes=peak)
for line in sys.stdin:
    repeats = range(int(line))
    answer(
        seconds=[seconds_of(both, *inputs) for _ in repeats], forward=[seconds_of(forward, *inputs) for _ in repeats]
    )
