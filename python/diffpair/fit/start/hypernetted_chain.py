"""Hypernetted-chain inversion: from g(r) to a potential through the Ornstein-Zernike relation."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.fit.start.single_molecule import single_molecules, square_root
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.states import State, type_charges
from diffpair.tables import type_pairs
from diffpair.targets import RdfTarget

Array = NDArray[np.float64]
PER_CONTACT = 32  # points per smallest contact distance: finer than the bins of usual data
POINTS = 1024  # so the grid ends at 32 contact distances, where h has decayed; a power of 2 for the transforms
LONGEST = 6.0  # contact distances: data beyond them are not used
STAGES = 12  # densities from 0 to the state's: one Newton step each, from a solution that is nearly the next one
LEAST = 0.01  # S(k): less is noise
SETTLED = 1e-6  # change of c: far below what the error of any g makes of it
NORMALISED = 0.8  # part of the density from which on g is normalised: U at lower ones does not end in 0 yet
TAIL = 0.15  # the last part of the data, over which U is 0 on average
DOUBT = 0.02  # of the normalisation of g, at most
COULOMB = 138.935456  # e^2 / (4 pi epsilon_0) in kJ/mol nm, as OpenMM has it
ENDS = 3.5  # kappa times the end of the data, where erfc is 7e-7
STEPS, BEFORE_SCALE = 100, 12  # of Newton's method with charges; before the normalisation of g is an unknown, too
FARTHEST = 0.6  # part of the way to where S(k) is no longer positive


class HypernettedChain:
    """gamma = h - c of all pairs of types of one state; U = kT (gamma - ln g) in the hypernetted-chain closure.

    The direct correlation functions c belong to the measured h = g - 1 by the Ornstein-Zernike relation, for several
    types H = C (1 - C)^-1 with H_ab(k) = rho sqrt(x_a x_b) h_ab(k); Hansen and McDonald, Theory of Simple Liquids, the
    chapters on distribution-function theories and mixtures. The closure leaves out the bridge functions; Levesque, Weis
    and Reatto, Phys. Rev. Lett. 54, 451 (1985), start from the same formula and put them in by simulation.

    h is known up to the end of the data only. Beyond, the closure with U = 0 holds: c = exp(gamma) - 1 - gamma. So the
    unknowns are c where h is known, and h elsewhere, found by Newton's method at densities that grow from 0, where
    c = h, to the state's. S(k) >= 0.01 is kept on the way: where the data do not allow the full density, the highest
    one that they allow is used, which lies between Boltzmann inversion and this one.

    At small k a liquid's S is small, and c(k) takes up a wrong normalisation of g as (1 - 1 / S)' = 1 / S^2; g of N
    particles is off by about 1 / N. Therefore each g is multiplied by a number near 1 such that U is 0 on average over
    the last part of its data.

    Args:
        state: with a target for every pair of its types that it has pairs of.
        contact: the smallest contact distance in nm, the unit of the grid.

    Attributes:
        reached: part of the state's density that the data allowed. names: pairs of types. distances: per pair, where h
        is known, nm.

    Raises DiffPairError if a pair has no target.
    """

    def __init__(self, state: State, contact: float) -> None:
        counts = np.bincount(state.types, minlength=len(state.type_names))
        present = [name for name, count in zip(state.type_names, counts, strict=True) if count]
        fractions = counts[counts > 0] / state.num_atoms
        self.types, self.density, self.reached = len(present), state.num_atoms / state.target_volume, 0.0
        self.pairs = [(present.index(a), present.index(b)) for a, b in type_pairs(tuple(present))]
        self._root = np.sqrt(np.outer(fractions, fractions))
        spacing = contact / PER_CONTACT
        self.r: Array = spacing * np.arange(1, POINTS, dtype=np.float64)
        self._dr, self._dk = spacing, np.pi / (POINTS * spacing)
        self._k = self._dk * np.arange(1, POINTS, dtype=np.float64)
        pairs = [(present[a], present[b]) for a, b in self.pairs]
        numbers = interacting_pairs(state.types, len(state.type_names), state.exclusions)
        # a single particle has no pair with itself, and so no g: U = 0 serves, which the others hardly notice
        targets = [_target(state, pair) if numbers[state.pair_types(pair)] else None for pair in pairs]
        reach = [0.0 if t is None else min(float(t.r[-1]), LONGEST * contact) for t in targets]
        self._known = [int(np.searchsorted(self.r, end)) for end in reach]
        self._g = [_resample(t, self.r[:n]) for t, n in zip(targets, self._known, strict=True)]
        self._scale = np.ones(len(self.pairs))
        charges = type_charges(state.base_system, state.types, len(state.type_names))
        lengths = (
            np.zeros(len(self.pairs)) if charges is None else _bjerrum_lengths(charges[counts > 0], self.pairs, state)
        )
        ends = [end for end in reach if end]
        self._coulomb = dict(zip(pairs, lengths, strict=True)) if lengths.any() else {}
        self._kappa = ENDS / min(ends, default=1.0)
        self._own = self._long_ranged(lengths)
        self._single = single_molecules(state, [state.type_names.index(name) for name in present], self._k)
        self._root_single = square_root(self._single)
        self._largest = np.linalg.eigvalsh(self._single).max(axis=1)
        self._stages = STAGES if not len(state.exclusions) else 2 * STAGES  # molecules answer more steeply
        self.names, self.distances = pairs, [self.r[:n] for n in self._known]
        self._gamma: dict[tuple[str, str], Array] = {}
        solution = self._solve_charged() if self._coulomb else self._solve()
        for (a, b), row in zip(self.pairs, solution, strict=True):
            self._gamma[present[a], present[b]] = self._gamma[present[b], present[a]] = row

    @property
    def charged(self) -> bool:
        """Whether the System's own charges are in the relation."""
        return bool(self._coulomb)

    def beside(self, pair: tuple[str, str], r: Array) -> Array:
        """Energy over kT at distances r [n] in nm that is to be taken off gamma - ln g: charges, without L."""
        length = self._coulomb.get(pair, self._coulomb.get(pair[::-1], 0.0))
        return np.asarray(length * scipy.special.erfc(self._kappa * r) / r)

    def indirect(self, pair: tuple[str, str], r: Array) -> Array:
        """gamma (with charges gamma_s) at distances r [n] in nm, 0 beyond the data."""
        gamma = scipy.interpolate.CubicSpline(self.r, self._gamma[pair])
        return np.asarray(np.where(r <= self.r[-1], gamma(np.minimum(r, self.r[-1])), 0))

    def answer(self) -> Array:
        """dg / d(U / kT) at the known distances of all pairs, [n, n] for n = all `distances` one after another.

        From the closure at fixed bridge functions, d ln g = -dU / kT + dh - dc, where the Ornstein-Zernike relation
        makes dh of dc. It is that of the density that was reached.
        """
        structure = self._structure(self._direct, self.reached * self.density)
        g = np.concatenate([scale * g for scale, g in zip(self._scale, self._g, strict=True)])
        if structure is None:  # not even the lowest density
            return np.diag(-g)
        matrix = np.diag(1 - g) + g[:, None] * np.linalg.inv(self._response(structure))
        return np.asarray(-np.linalg.solve(matrix, np.diag(g)))

    def _forward(self, f: Array) -> Array:
        """Fourier transform in space of rows of f(r)."""
        return np.asarray(2 * np.pi * self._dr / self._k * scipy.fft.dst(self.r * f, type=1))

    def _backward(self, f: Array) -> Array:
        return np.asarray(self._dk / (4 * np.pi**2 * self.r) * scipy.fft.dst(self._k * f, type=1))

    def _structure(self, c: Array, density: float) -> Array | None:
        """S(k) = (1 - C)^-1, [k, types, types], or None where it is not positive or below LEAST."""
        matrix = np.empty((len(self._k), self.types, self.types))
        for (a, b), row in zip(self.pairs, self._forward(c), strict=True):
            matrix[:, a, b] = matrix[:, b, a] = density * self._root[a, b] * row
        # W^-1 of molecules is infinite at k = 0: so W^1/2 S^-1 W^1/2, which is 1 without any correlation
        root = self._root_single
        inverse = np.eye(self.types) - root @ matrix @ root
        if not np.isfinite(inverse).all():
            return None
        alone = np.ones(len(self._k))  # the largest 1 / S(k) of the charges, were there nothing else
        if self._coulomb:
            own = density * root @ self._own @ root
            inverse += own
            alone = np.linalg.eigvalsh(np.eye(self.types) + own).max(axis=1)
        values = np.linalg.eigvalsh(inverse)
        if values.min() <= 0 or (values.max(axis=1) > alone * self._largest / LEAST).any():
            return None
        return np.asarray(root @ np.linalg.inv(inverse) @ root)

    def _correlation(self, structure: Array, density: float) -> Array:
        """h(r) of all pairs."""
        rows = [(structure[:, a, b] - self._single[:, a, b]) / (density * self._root[a, b]) for a, b in self.pairs]
        return self._backward(np.array(rows))

    def _response(self, structure: Array) -> Array:
        """dh / dc over the known points of all pairs: the cosine transforms of the products of two S(k)."""
        blocks = []
        for (a, b), n in zip(self.pairs, self._known, strict=True):
            row = []
            for (c, d), m in zip(self.pairs, self._known, strict=True):
                weight = structure[:, a, c] * structure[:, d, b]
                if c != d:
                    weight = weight + structure[:, a, d] * structure[:, c, b]
                cosines = scipy.fft.dct(np.pad(weight, 1), type=1) / 2
                i, j = np.arange(1, n + 1)[:, None], np.arange(1, m + 1)[None]
                factor = self._dr * self._dk / np.pi * self._root[c, d] / self._root[a, b]
                row.append(factor * j / i * (cosines[np.abs(i - j)] - cosines[i + j]))
            blocks.append(row)
        return np.block(blocks)

    def _solve(self) -> Array:
        c = np.zeros((len(self.pairs), len(self.r)))
        for row, g, n in zip(c, self._g, self._known, strict=True):
            row[:n] = g - 1
        gamma = np.zeros_like(c)
        stages = [*np.linspace(0, 1, self._stages + 1)[1:], *[1.0] * self._stages]
        for part in stages:
            after = self._newton(c, part * self.density, part > NORMALISED)
            if after is None:
                break
            change = float(np.abs(after[0] - c).max())
            c, gamma, self.reached = *after, float(part)
            if part == 1 and change < SETTLED:
                break
        self._direct = c
        return gamma

    def _solve_charged(self) -> Array:
        """gamma_s. `reached` is 1 if the data have been met, else 0."""
        c = np.zeros((len(self.pairs), len(self.r)))
        for number in range(STEPS):
            structure = self._structure(c, self.density)
            if structure is None:
                break
            step = self._step(c, structure, self.density, number > BEFORE_SCALE)
            change = self._forward(step)
            matrix = np.empty_like(structure)
            for (a, b), row in zip(self.pairs, change, strict=True):
                matrix[:, a, b] = matrix[:, b, a] = self.density * self._root[a, b] * row
            fastest = float(np.linalg.eigvals(structure @ matrix).real.max())  # 1 / fastest: where S(k) is infinite
            c = c + min(1.0, FARTHEST / max(fastest, FARTHEST)) * step
            if number > BEFORE_SCALE and float(np.abs(step).max()) < SETTLED:
                self.reached = 1.0
                break
        self._direct = c
        structure = self._structure(c, self.density)
        return np.zeros_like(c) if structure is None else self._correlation(structure, self.density) - c

    def _long_ranged(self, lengths: Array) -> Array:
        """-C(k) of L over the density, [k, types, types]. lengths: q_a q_b l_B per pair, nm."""
        own = np.empty((len(self._k), self.types, self.types))
        for (a, b), length in zip(self.pairs, lengths, strict=True):
            row = 4 * np.pi * length / self._k**2 * np.exp(-((self._k / self._kappa) ** 2) / 4)
            own[:, a, b] = own[:, b, a] = self._root[a, b] * row
        return own

    def _newton(self, c: Array, density: float, normalise: bool) -> tuple[Array, Array] | None:
        """One step: c and gamma, or None where S(k) is out of bounds. normalise: g too."""
        structure = self._structure(c, density)
        if structure is None:
            return None
        new = c + self._step(c, structure, density, normalise)
        structure = self._structure(new, density)
        return None if structure is None else (new, self._correlation(structure, density) - new)

    def _step(self, c: Array, structure: Array, density: float, normalise: bool) -> Array:
        """Of c, by Newton's method where h is known; it moves the normalisation of g as well."""
        h = self._correlation(structure, density)
        count, size = len(self.pairs), sum(self._known)
        system, wanted = np.zeros((size + count, size + count)), np.zeros(size + count)
        system[:size, :size] = self._response(structure)
        start = 0
        for pair, (g, n) in enumerate(zip(self._g, self._known, strict=True)):
            data, rows = self._scale[pair] * g, slice(start, start + n)
            wanted[rows] = data - 1 - h[pair, :n]
            start += n
            if not normalise or n == 0:
                system[size + pair, size + pair] = 1
                continue
            system[rows, size + pair] = -data  # the normalisation is an unknown of its own
            tail = np.arange(n)[self.r[:n] > (1 - TAIL) * self.r[n - 1]]
            system[size + pair, rows.start + tail] = 1 / len(tail)
            wanted[size + pair] = np.mean(data[tail] - 1 - c[pair, tail] - np.log(np.maximum(data[tail], 0.1)))
        step = np.linalg.solve(system, wanted)
        self._scale = np.clip(self._scale * (1 + np.clip(step[size:], -DOUBT, DOUBT)), 1 - DOUBT, 1 + DOUBT)
        change, start = np.zeros_like(c), 0
        for pair, n in enumerate(self._known):
            change[pair, :n] = step[start : start + n]
            beyond = np.clip(h[pair, n:] - c[pair, n:], -1, 1)
            change[pair, n:] = np.expm1(beyond) - beyond - c[pair, n:]
            start += n
        return change


def _bjerrum_lengths(charges: Array, pairs: list[tuple[int, int]], state: State) -> Array:
    """q_a q_b l_B per pair of types, nm. charges: e, per type."""
    length = COULOMB * state.beta
    return np.array([charges[a] * charges[b] * length for a, b in pairs])


def _target(state: State, pair: tuple[str, str]) -> RdfTarget:
    for target in state.rdfs:
        if sorted(target.pair) == sorted(pair):
            return target
    raise DiffPairError(
        f"start: hypernetted-chain needs g(r) of every pair of types, but state {state.name!r} has no target for "
        f"{'-'.join(pair)}; boltzmann-inversion does without"
    )


def _resample(target: RdfTarget | None, r: Array) -> Array:
    """g at distances r [n] in nm, 0 where the data begin with 0; no target is known at no distance."""
    if target is None:
        return np.zeros(0)
    return np.asarray(
        np.where(r < target.r[0], 0.0, np.maximum(scipy.interpolate.CubicSpline(target.r, target.g)(r), 0.0))
    )
