"""The fit config that goes with what was measured, with the cutoff and time step that it begins with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from diffpair.config.first_values import (
    CONTACTS,
    SHORTEST,
    longest_timestep,
    timestep_below,
    wanted_cutoff,
    within,
)
from diffpair.constants import BOLTZMANN
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.measure import ROUNDING, Measured, Pair
from diffpair.mapping.settings import MapSettings
from diffpair.settings.targets import Pressure
from diffpair.systems.bonded_paths import Kind
from diffpair.tables.pairs import type_pairs
from diffpair.targets.distribution import Distribution
from diffpair.targets.sampled import first_contact_bin
from diffpair.trajectories.rdf import TrajectoryRdf

# Time steps in the period of the fastest bond, and the friction that goes with them. A harmonic bond needs half as
# many; hexane's, of two peaks, heated its beads to 460 K with 20 and 1 /ps, and to 305 K with 25 and 5 /ps.
_PER_PERIOD, _FRICTION = 25, "5 /ps"
_BONDED = f"friction: {_FRICTION}, equilibration: 1000, steps: 5000, every: 20"  # molecules turn slowly


@dataclass(frozen=True)
class Choices:
    """cutoff: nm, cutoff_reason. timestep: fs, timestep_reason."""

    cutoff: float
    cutoff_reason: str
    timestep: int
    timestep_reason: str


def choose(measured: Measured, beads: BeadMap, temperature: float) -> Choices:
    """Cutoff and time step that a fit may begin with. temperature: K."""
    contacts = {pair: contact_of(rdf) for pair, rdf in measured.rdfs.items()}
    widest = max(contacts, key=lambda pair: contacts[pair])
    wanted = wanted_cutoff(contacts[widest])
    cutoff = within(wanted, measured.half_box * (1 - ROUNDING))
    if cutoff >= wanted - 1e-4:
        reason = (
            f"{CONTACTS:g} times the longest contact distance, {contacts[widest]:.3g} nm of {'-'.join(widest)}"
            f"{_below_one(measured.rdfs[widest])}"
            if wanted > SHORTEST
            else f"{SHORTEST:g} nm are the least, for the attraction of small molecules"
        )
    else:
        reason = f"half of the smallest box; {wanted:.3g} nm would suit the contact distances better"
    step, fastest = _timestep(measured, beads, temperature, min(contacts.values()))
    return Choices(cutoff, reason, step, fastest)


def contact_of(rdf: TrajectoryRdf) -> float:
    """Where g first reaches 1, or nearly the top of its first peak if that is lower, nm."""
    return float(rdf.r[first_contact_bin(rdf.r, rdf.g)])


def _below_one(rdf: TrajectoryRdf) -> str:
    """What is to be said of a contact distance at which g is below 1."""
    g = float(rdf.g[first_contact_bin(rdf.r, rdf.g)])
    return f"; g is {g:.2g} there and reaches 1 far out only, as between chains" if g < 1 <= rdf.g.max() else ""


def _timestep(measured: Measured, beads: BeadMap, temperature: float, contact: float) -> tuple[int, str]:
    """fs, and what it follows from."""
    kt = BOLTZMANN * temperature
    mass: dict[str, float] = {}
    for kind, amu in zip(beads.types, beads.masses.tolist(), strict=True):
        mass[kind] = min(amu, mass.get(kind, np.inf))
    longest = longest_timestep(contact, min(mass.values()), temperature)
    reason = f"the lightest bead, {min(mass.values()):.4g} amu"
    for bond in (found for found in measured.distributions if len(found.kind) == 2):
        a, b = (mass[kind] for kind in bond.kind)
        period = 1000 * 2 * math.pi * narrowest(bond) * math.sqrt(a * b / (a + b) / kt)
        if period / _PER_PERIOD < longest:
            longest = period / _PER_PERIOD
            reason = f"the bond {'-'.join(bond.kind)}, whose period is about {period:.3g} fs"
    return timestep_below(longest), reason


def narrowest(distribution: Distribution) -> float:
    """The standard deviation of a normal distribution as high as this one is: of its narrowest peak, nm or radians."""
    return float(1 / (math.sqrt(2 * math.pi) * distribution.p.max()))


def fit_text(
    measured: Measured, beads: BeadMap, settings: MapSettings, chosen: Choices, structure: str,
    rdf_files: Mapping[Pair, str], bonded_files: Mapping[Kind, str], heading: Sequence[str],
) -> str:  # fmt: skip
    """fit.yaml.

    Args:
        structure: name of the structure file. rdf_files, bonded_files: of the g(r) by pair of types, and of the
            distributions by kind.
        heading: lines of comment at the top.
    """
    names = tuple(dict.fromkeys(beads.types))
    missing = [pair for pair in type_pairs(names) if pair not in measured.rdfs]
    lines = [f"# {line}" for line in heading]
    lines += ["", f"# cutoff: {chosen.cutoff_reason}"]
    learned = f", pairs: {_flow([list(pair) for pair in measured.rdfs])}" if missing else ""
    if missing:
        lines.append(f"# pairs: there are none of {', '.join('-'.join(pair) for pair in missing)} that interact")
    lines.append(f"potential: {{form: bspline, cutoff: {chosen.cutoff:g} nm{learned}}}")
    if measured.distributions:
        lines.append("bonded:")
        lines += [f"  - {{types: {_flow(list(one.kind))}}}" for one in measured.distributions]
    lines += [
        "states:",
        "  - name: mapped",
        f"    system: {_system(settings, structure)}",
        f"    temperature: {settings.temperature:.12g} K",
        "    targets:",
    ]
    lines += [f"      - rdf: {{pair: {_flow(list(pair))}, file: {_flow(rdf_files[pair])}}}" for pair in measured.rdfs]
    for one in measured.distributions:
        what, file = one.coordinate.name, _flow(bonded_files[one.kind])
        lines.append(f"      - {what}: {{types: {_flow(list(one.kind))}, file: {file}}}")
    if settings.pressure is not None:
        lines.append(f"      - pressure: {_pressure(settings.pressure)}")
    lines.append(f"# timestep: by {chosen.timestep_reason}")
    further = f", {_BONDED}" if measured.distributions else ""
    lines += [f"sampling: {{timestep: {chosen.timestep} fs{further}}}", "seed: 1"]
    return "\n".join(lines) + "\n"


def _system(settings: MapSettings, structure: str) -> str:
    types = settings.bead_types
    named = "" if all(name == kind for name, kind in types.items()) else f", types: {_flow(types)}"
    # with charges the System's own exclusions count
    by_hand = settings.exclude_bonds is not None and not any(settings.charges.values())
    bonds = f", exclude_bonds: {settings.exclude_bonds}" if by_hand else ""
    return f"{{topology: {structure}, xml: system.xml{named}{bonds}}}"


def _pressure(pressure: Pressure) -> str:
    error = "" if pressure.error is None else f", error: {pressure.error:.12g} bar"
    return f"{{value: {pressure.value:.12g} bar{error}}}"


def _flow(value: Any) -> str:
    """YAML on one line; names that YAML would take for something else are quoted."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=math.inf, allow_unicode=True)
    return text.removesuffix("...\n").strip()
