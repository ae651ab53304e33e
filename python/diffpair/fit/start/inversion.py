"""Where a fit starts: an inversion of the targets, or a potential file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.fit.start.bridge import with_bridge
from diffpair.fit.start.hypernetted_chain import HypernettedChain
from diffpair.fit.start.scales import targets_by_pair
from diffpair.potentials import PairPotential, TableGrid
from diffpair.settings.start import CLOSURES
from diffpair.states import State
from diffpair.tables import PairTable, type_pairs
from diffpair.targets import RdfTarget
from diffpair.targets.sampled import CRYSTAL_GAP, LEAST, invertible
from diffpair.updates.basis import fade, fine_grid, fit_spline
from diffpair.updates.core import INNERMOST, power_law

if TYPE_CHECKING:  # that module imports this one
    from diffpair.fit.start.own_forces import OwnForces

Array = NDArray[np.float64]
SMOOTHING = (5, 2)  # bins, and the degree of a polynomial over them: keeps the curvature, halves a bin's variance
LONG_RANGED = 0.12  # what a crystal has beside its gaps: mean |g - 1| in the last third of r
STIFF = 1 / 57  # of the repulsion that a crystal starts with, see crystal_repulsion
SHORT_RANGED = 0.3  # error of a hypernetted chain's U far beyond contact, over that at contact


def boltzmann_inversion(
    states: list[State], grid: TableGrid, contact: Array, own: dict[str, OwnForces] | None = None
) -> Array:
    """Table [npairs, knots + 2] of U = -kT ln g, mean over the states, in kJ/mol.

    Exact at low density; in a liquid it is the potential of mean force. Below the distance at which g is too small to
    be inverted, U goes on as r^-12 with the same slope; toward the cutoff it is switched to zero. A pair of types
    without a target starts as a soft repulsion; so does a crystal, whose neighbours would hold every particle in a well
    as deep as -kT ln g each, and steps of some kT do not lead out of that.

    Args:
        own: by name, states whose System's own forces are known, see OwnForces: there U is what is missing beyond them.
    """
    return _inversion(states, grid, contact, {}, own or {})


def hypernetted_chain(
    states: list[State], grid: TableGrid, contact: Array, chains: dict[str, HypernettedChain] | None = None
) -> Array:
    """Table [npairs, knots + 2] of U = kT (h - c - ln g), mean over the states, in kJ/mol.

    With the System's charges, U is what is there beside them. See HypernettedChain. Core, cutoff and pairs without a
    target of their own state are treated as in Boltzmann inversion. Raises DiffPairError if a state has targets, but
    not for all pairs of its types.

    Args:
        chains: of the states, by name, where they are known already.
    """
    return _inversion(states, grid, contact, chains or _chains(states, contact), {})


def modified_verlet(
    states: list[State], grid: TableGrid, contact: Array, chains: dict[str, HypernettedChain] | None = None
) -> Array:
    """The same of U = kT (h - c + B - ln g) with the bridge function B of `with_bridge`."""
    return _inversion(states, grid, contact, chains or _chains(states, contact), {}, bridge=True)


def _chains(states: list[State], contact: Array) -> dict[str, HypernettedChain]:
    return {s.name: HypernettedChain(s.of_typed(), float(contact.min())) for s in states}


def beyond_contact(method: str, states: list[State]) -> float:
    """How uncertain a start is far beyond contact, as a part of how uncertain it is at contact.

    What the hypernetted chain leaves out, its bridge functions, is short-ranged, and so is the error of these.
    Boltzmann inversion is off by the order of kT at all distances, and so is the repulsion that a crystal starts with;
    of others nothing is known.
    """
    crystal = any(crystalline(target) for state in states for target in state.rdfs)
    return SHORT_RANGED if method in CLOSURES and not crystal else 1.0


def _inversion(
    states: list[State], grid: TableGrid, contact: Array, chains: dict[str, HypernettedChain],
    own: dict[str, OwnForces], bridge: bool = False,
) -> Array:  # fmt: skip
    r = fine_grid(grid)
    bare = any(s.name not in own for s in states)  # a state that nothing but the potential keeps apart
    rows = []
    for entries, reach in zip(targets_by_pair(states), contact, strict=True):
        kT = np.mean([1 / s.beta for s, _ in entries]) if entries else 1 / states[0].beta
        crystals = [(s, target) for s, target in entries if crystalline(target) and s.name not in own]
        if crystals:
            size = float(reach / contact.mean())
            energies = [crystal_repulsion(s, target, size, r) for s, target in crystals]
            energy = np.mean(energies, axis=0) * fade(r, grid.cutoff)
        elif entries:
            energies = [
                own[s.name].missing(target, r, grid.cutoff)
                if s.name in own
                else _invert(s, target, r, grid.cutoff, chains.get(s.name), bridge)
                for s, target in entries
            ]
            energy = np.mean(energies, axis=0)
        elif not bare:
            energy = np.zeros(len(r))
        else:
            x = np.clip(r / reach, 0.5, None)
            energy = kT * x**-12.0 * fade(r, grid.cutoff)
        rows.append(fit_spline(grid, r, energy, float(kT)))
    return np.array(rows)


def crystalline(target: RdfTarget) -> bool:
    """Whether g is that of a crystal: next to nothing between the first shells, and no decay."""
    g = scipy.ndimage.gaussian_filter1d(target.g, 0.7, mode="nearest")
    peak = int(np.argmax(g))
    return bool(g[peak:].min() < CRYSTAL_GAP and np.mean(np.abs(g[-len(g) // 3 :] - 1)) > LONG_RANGED)


def crystal_repulsion(state: State, target: RdfTarget, size: float, r: Array) -> Array:
    """U(r) = STIFF kT (a / w)^2 (a / r)^12, a = size (V / N)^(1/3): a crystal whose first peak has the width w of g's.

    w is the full width at half maximum over 2.355. In an Einstein crystal of r^-12 on FCC sites, neighbours r_1 apart,
    each particle has the spring constant 528 U(r_1) / r_1^2, and w^2 is 2 kT over that, less what neighbours move
    together: U(r_1) = kT (r_1 / w)^2 / 264 at most. STIFF has 287 in its place: the start's g is then 0.02 to 0.04 from
    that of Lennard-Jones crystals, (1.0, 1.2) near melting and (1.2, 1.2).

    Args:
        size: contact distance of the pair over that of all pairs.
    """
    a = size * (state.target_volume / len(state.typed)) ** (1 / 3)
    return STIFF / state.beta * (a / peak_width(target)) ** 2 * (a / r.clip(0.5 * a)) ** 12


def peak_width(target: RdfTarget) -> float:
    """Full width at half maximum of g's highest peak, over 2.355: its standard deviation, were it a Gaussian."""
    peak, last = int(np.argmax(target.g)), len(target.g) - 1
    above_zero = (target.g[[peak]], np.array([0]), np.array([last]))  # and not above the minima beside it
    width, *_ = scipy.signal.peak_widths(target.g, [peak], 0.5, above_zero)
    return float(width[0]) * target.bin_width / 2.355


def _invert(
    state: State, target: RdfTarget, r: Array, cutoff: float, chain: HypernettedChain | None, bridge: bool
) -> Array:
    kT = 1 / state.beta
    g = scipy.ndimage.gaussian_filter1d(target.g, 0.7, mode="nearest")
    known = int(np.argmax(g > invertible(g)))
    if len(g) - known < SMOOTHING[0]:
        raise DiffPairError(f"{target.label}: g is zero nearly everywhere, so it cannot be inverted")
    radii = target.r[known:]
    # smoothed in ln g: g itself grows tenfold within a bin or two, where a mean over bins makes the core too soft
    values = scipy.signal.savgol_filter(-np.log(np.maximum(target.g[known:], LEAST)), *SMOOTHING)
    if chain is not None:
        gamma = chain.indirect(target.pair, radii)
        values = with_bridge(values + gamma, gamma) if bridge else values + gamma
        values -= chain.beside(target.pair, radii)
    return _joined(radii, kT * values, r, cutoff, kT)


def continued(radii: Array, values: Array, r: Array, cutoff: float, kT: float) -> Array:
    """U at distances r [n] in nm from noisy values at radii [m]: smoothed, switched to zero at the end, and continued
    toward r = 0 as r^-12 with the slope that it has there, kT / r at least; as a constant where kT is 0."""
    window = min(SMOOTHING[0], len(values))
    return _joined(radii, scipy.signal.savgol_filter(values, window, min(SMOOTHING[1], window - 1)), r, cutoff, kT)


def _joined(radii: Array, values: Array, r: Array, cutoff: float, kT: float) -> Array:
    spline = scipy.interpolate.CubicSpline(radii, values)
    end = min(cutoff, float(radii[-1]))
    r0 = float(radii[1])  # one bin inside: the first one is the noisiest
    energy = np.where(r < end, spline(np.clip(r, r0, end)), 0.0) * fade(r, end)
    if kT:
        force = max(-float(spline(r0, 1)), kT / r0)
        core = r < r0
        energy[core] = power_law(np.maximum(r[core], INNERMOST * r0), r0, float(spline(r0)), force)
    return np.asarray(energy)


def from_file(
    path: Path, potential: PairPotential, grid: TableGrid, kT: float, temperature: float | None = None
) -> Array:
    """Table [npairs, knots + 2] of a potential file on this grid, at a temperature in K where it has an entropy.

    Only pairs that the potential learns are taken. Raises DiffPairError if a type of them is missing.
    """
    table = PairTable.load(path)
    if table.entropy is not None and temperature is not None:
        table = table.at_temperature(temperature)
    pairs = type_pairs(potential.types)
    learned = [pairs[row] for row in potential.learned]
    missing = [name for pair in learned for name in pair if name not in table.types]
    if missing:
        raise DiffPairError(f"start: {path} has no type {missing[0]!r}, only {', '.join(table.types)}")
    r = fine_grid(grid)
    result = np.zeros((len(pairs), grid.knots + 2))
    for row, (a, b) in zip(potential.learned, learned, strict=True):
        result[row] = fit_spline(grid, r, table.energy(r, a, b), kT)
    return result
