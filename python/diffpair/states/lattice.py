"""States that start on a lattice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import openmm
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.states.state import State
from diffpair.states.validate import check_targets
from diffpair.targets import Readable, Target, read_targets
from diffpair.targets.units import convert, parse_density, value_in

_EVERY = 10  # steps between trials of a barostat: a liquid's volume then forgets within some hundred steps
_BASES = {
    "fcc": np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]),
    "bcc": np.array([[0, 0, 0], [0.5, 0.5, 0.5]]),
    "cubic": np.array([[0.0, 0, 0]]),
}
_NEAREST = {"fcc": np.sqrt(0.5), "bcc": np.sqrt(0.75), "cubic": 1.0}  # nearest distance in units of the cell


def lattice_sites(n: int) -> NDArray[np.float64]:
    """Sites of a cubic lattice with room for n particles in the unit cube, [sites >= n, 3].

    Face-centred where n = 4 m^3; otherwise whichever of the cubic lattices keeps its sites furthest apart, which then
    may have more than n sites.
    """

    def cells(kind: str) -> int:
        per_side = max(1, round((n / len(_BASES[kind])) ** (1 / 3)))
        return per_side if len(_BASES[kind]) * per_side**3 >= n else per_side + 1

    exact = len(_BASES["fcc"]) * cells("fcc") ** 3 == n
    kind = "fcc" if exact else max(_BASES, key=lambda name: _NEAREST[name] / cells(name))
    m = cells(kind)
    corners = np.stack(np.meshgrid(*[np.arange(m)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return (corners + _BASES[kind] + 0.25).reshape(-1, 3) / m


def type_counts(name: str, n: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers of particles that add up to n: the fractions' shares rounded by largest remainder."""
    values = np.array([float(value) for value in fractions.values()])
    if len(values) == 0:
        raise DiffPairError(f"state {name!r} names no particle types")
    if not np.all(values > 0) or abs(values.sum() - 1) > 1e-6:
        shown = ", ".join(f"{kind}: {value:g}" for kind, value in fractions.items())
        raise DiffPairError(f"the type fractions of state {name!r} ({shown}) must be positive and add up to 1")
    shares = n * values
    counts = np.floor(shares + 1e-9).astype(int)
    order = np.argsort(-(shares - counts), kind="stable")
    counts[order[: n - counts.sum()]] += 1
    for kind, count in zip(fractions, counts, strict=True):
        if count == 0:
            raise DiffPairError(f"state {name!r} has no particle of type {kind!r}: its fraction of {n} rounds to 0")
    return dict(zip(fractions, counts.tolist(), strict=True))


def type_masses(name: str, types: Sequence[str], masses: Any) -> NDArray[np.float64]:
    """Mass of each type, amu: one for all, one per type by name, or one per type in order."""
    if isinstance(masses, Mapping):
        missing = [kind for kind in types if kind not in masses]
        if missing:
            raise DiffPairError(f"state {name!r} gives no mass for type {missing[0]!r}")
        unknown = [kind for kind in masses if kind not in types]
        if unknown:
            raise DiffPairError(f"state {name!r} gives a mass for type {unknown[0]!r}, which it does not have")
        masses = [masses[kind] for kind in types]
    elif np.ndim(getattr(masses, "_value", masses)) == 0:  # OpenMM's Quantities of one number look iterable, too
        masses = [masses]
    masses = [value_in(mass, "amu", "18.015 amu", f"state {name!r}: masses") for mass in masses]
    values = np.atleast_1d(np.asarray(masses, dtype=np.float64))
    if len(values) == 1:
        values = np.repeat(values, len(types))
    if len(values) != len(types):
        raise DiffPairError(f"state {name!r} has {len(types)} types but {len(values)} masses")
    if not np.all(np.isfinite(values) & (values > 0)):
        raise DiffPairError(f"state {name!r} has a mass of {values[~(values > 0)][:1]} amu: masses must be positive")
    return values


def _number_density(name: str, density: Any, fractions: Mapping[str, float], masses: NDArray[np.float64]) -> float:
    """Particles per nm^3. masses: of each type, amu."""
    if isinstance(density, Real):
        return float(density)
    try:
        kind, value = density if isinstance(density, tuple) else parse_density(density)
    except DiffPairError as error:
        raise DiffPairError(f"state {name!r}: density: {error}") from None
    if kind == "number":
        return float(value)
    mean = float(np.dot(list(fractions.values()), masses) / sum(fractions.values()))
    return float(value * convert(1.0, "g/cm^3", "amu/nm^3") / mean)


def _with_barostat(name: str, masses: NDArray[np.float64], temperature: float, pressure: Any) -> openmm.System:
    """Particles without forces at constant pressure."""
    system = openmm.System()
    for mass in masses:
        system.addParticle(float(mass))
    bar = value_in(pressure, "bar", "1 bar", f"state {name!r}: pressure")
    system.addForce(openmm.MonteCarloBarostat(bar, temperature, _EVERY))
    return system


def build_lattice(
    name: str,
    n: int,
    density: Any,
    types: Mapping[str, float],
    masses: Any,
    temperature: Any,
    targets: Sequence[Target | Readable] = (),
    held_out: bool = False,
    seed: int = 1,
    parameters: Mapping[str, float] | None = None,
    pressure: Any = None,
    replicas: int = 1,
) -> State:
    """See `State.from_lattice`; the sites are those of `lattice_sites`."""
    temperature = value_in(temperature, "K", "300 K", f"state {name!r}: temperature")
    if int(n) != n or n < 1:
        raise DiffPairError(f"state {name!r} needs a whole, positive number of particles, not {n}")
    counts = type_counts(name, n, types)
    per_type = type_masses(name, list(counts), masses)
    density = _number_density(name, density, types, per_type)
    for what, value, unit in (("density", density, "nm^-3"), ("temperature", temperature, "K")):
        if not (np.isfinite(value) and value > 0):
            raise DiffPairError(f"state {name!r} has a {what} of {value:g} {unit}: it must be positive")
    edge = (n / density) ** (1 / 3)
    rng = np.random.default_rng(seed)
    sites = lattice_sites(n)
    if len(sites) > n:
        sites = sites[np.sort(rng.choice(len(sites), n, replace=False))]
    kinds = np.repeat(np.arange(len(counts)), list(counts.values()))
    rng.shuffle(kinds)
    state = State(
        name=name,
        type_names=tuple(counts),
        types=kinds.astype(np.int64),
        masses=per_type[kinds],
        positions=sites * edge,
        box=np.eye(3) * edge,
        exclusions=np.zeros((0, 2), dtype=np.int64),
        temperature=float(temperature),
        targets=read_targets(targets),
        held_out=held_out,
        parameters=tuple(float(value) for value in (parameters or {}).values()),
        parameter_names=tuple(parameters or {}),
        base_system=None if pressure is None else _with_barostat(name, per_type[kinds], float(temperature), pressure),
        on_lattice=True,
    )
    check_targets(state)
    return state.with_replicas(replicas)
