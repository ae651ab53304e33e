"""What a trajectory of beads shows, read once, piece by piece: g(r), distributions of bonded terms, density."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.mapping.beads import BeadMap
from diffpair.mapping.histogram import LONGEST, BondedHistogram
from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.observables.pair_histogram import count_types
from diffpair.observables.pair_numbers import interacting_pairs
from diffpair.states.exclusions import DEFAULT_BONDS, bonded_pairs
from diffpair.states.state import AMU_PER_NM3, half_of_smallest
from diffpair.systems.bonded_paths import bonded_paths
from diffpair.systems.whole import in_box
from diffpair.tables.pairs import type_pairs
from diffpair.targets.distribution import Distribution
from diffpair.trajectories.files import Frames
from diffpair.trajectories.pieces import Pieces
from diffpair.trajectories.rdf import TrajectoryRdf, ratio

Array = NDArray[np.float64]
Pair = tuple[str, str]

FARTHEST = 2.5  # nm: g(r) goes no further by default; a potential of beads ends before
ROUNDING = 1e-4  # relative: structure files hold boxes to so many digits


@dataclass(frozen=True)
class Range:
    """Bins of g(r), from 0 on.

    Args:
        r_max: upper edge of the last bin, nm; None: half of the smallest box, 2.5 nm at most.
        bin_width: nm.
    """

    r_max: float | None = None
    bin_width: float = 0.01


@dataclass(frozen=True)
class Measured:
    """What was measured, over all frames.

    rdfs: g(r) of interacting pairs by pair of types, those that exist; all_rdfs: of all pairs, if they were asked for.
    distributions: of bonded terms. density, density_error: of the beads, g/cm^3. box: [3, 3] of the mean density, nm.
    positions: [N, 3] of the last frame in it. half_box: of the smallest box, nm. frames: that were read.
    """

    rdfs: dict[Pair, TrajectoryRdf]
    all_rdfs: dict[Pair, TrajectoryRdf]
    distributions: list[Distribution]
    density: float
    density_error: float | None
    box: Array
    positions: Array
    half_box: float
    frames: int


@dataclass
class _Pairs:
    """Pairs of types that are counted, and those of their particles that are not."""

    pairs: list[Pair]
    exclusions: NDArray[np.int64]
    said: str
    pieces: Pieces = field(default_factory=Pieces)


class Measurement:
    """Sums over the frames of beads, for which `result` takes averages.

    Raises DiffPairError where no two beads interact.
    """

    def __init__(self, beads: BeadMap, exclude_bonds: int | None, intramolecular: bool, r: Range) -> None:
        self._beads, self._range = beads, r
        self.type_names = tuple(dict.fromkeys(beads.types))
        self._types = np.array([self.type_names.index(kind) for kind in beads.types])
        reach = DEFAULT_BONDS if exclude_bonds is None else exclude_bonds
        self.exclusions = bonded_pairs(map(tuple, beads.bonds.tolist()), reach)
        none = np.zeros((0, 2), dtype=np.int64)
        self._counted = [self._pairs_of(self.exclusions, f"pairs: more than {reach} bonds apart")]
        if intramolecular:
            self._counted.append(self._pairs_of(none, "pairs: all, those within molecules too"))
        if not self._counted[0].pairs:
            raise DiffPairError("no two beads interact: there is one bead only, or all pairs are within molecules")
        self._edges: Array | None = None
        self._bonded = [BondedHistogram(kind, paths) for kind, paths in bonded_paths(beads.bonds, beads.types).items()]
        self._volume = Pieces()
        self._half = np.inf
        self._last: tuple[Array, Array] | None = None

    def _pairs_of(self, exclusions: NDArray[np.int64], said: str) -> _Pairs:
        numbers = interacting_pairs(self._types, len(self.type_names), exclusions)
        pairs = [
            (a, b)
            for a, b in type_pairs(self.type_names)
            if numbers[self.type_names.index(a), self.type_names.index(b)] > 0
        ]
        return _Pairs(pairs, exclusions, said)

    def add(self, frames: Frames, name: str) -> Array:
        """Further frames of atoms; returns the positions of the beads [F, N, 3]. name: of the file, for messages."""
        x, boxes = self._beads.positions(frames), np.asarray(frames.boxes)
        self._narrow(half_of_smallest(boxes))
        for counted in self._counted:
            self._count_pairs(counted, x, boxes, name)
        for histogram in self._bonded:
            values = bonded_coordinates(x, boxes, histogram.paths)
            if len(histogram.kind) == 2 and values.max() >= min(self._half, LONGEST):
                self._refuse_bond(histogram, values, name)
            histogram.add(values)
        volumes = np.abs(np.linalg.det(boxes))
        self._volume.add(
            len(x),
            {"inverse": np.sum(1 / volumes)[None], "box": boxes.sum(axis=0), "frames": np.array([float(len(x))])},
        )
        self._last = (x[-1], boxes[-1])
        return x

    def _narrow(self, half: float) -> None:
        """Bins that fit into every box so far."""
        self._half = min(self._half, half)
        width, r_max = self._range.bin_width, self._range.r_max
        limit = self._half * (1 - ROUNDING)
        if r_max is not None and r_max > limit:
            raise DiffPairError(f"--r-max = {r_max:g} nm is beyond half the box, {limit:.5g} nm as files round it")
        farthest = min(FARTHEST, limit) if r_max is None else r_max
        bins = int(farthest / width * (1 + 1e-9))
        if bins < 1:
            raise DiffPairError(f"--bin-width = {width:g} nm is wider than the range of g(r), {farthest:.4g} nm")
        self._edges = np.asarray(width * np.arange(bins + 1), dtype=np.float64)

    def _count_pairs(self, counted: _Pairs, x: Array, boxes: Array, name: str) -> None:
        assert self._edges is not None
        numbers = [(self.type_names.index(a), self.type_names.index(b)) for a, b in counted.pairs]
        found = count_types(x, boxes, self._types, counted.exclusions, numbers, self._edges, name=name)
        counted.pieces.add(
            len(x),
            {
                "counts": np.array([pair.counts.sum(axis=0) for pair in found]),
                "ideal": np.array([pair.ideal.sum(axis=0) for pair in found]),
            },
        )

    def _refuse_bond(self, histogram: BondedHistogram, values: Array, name: str) -> None:
        i, j = histogram.paths[int(np.argmax(values.max(axis=0)))]
        raise DiffPairError(
            f"{name}: the bond {self._beads.names[i]}-{self._beads.names[j]} of molecule {self._beads.molecule[i] + 1} "
            f"is {values.max():.3g} nm long, more than half the box or {LONGEST:g} nm: are these beads bonded?"
        )

    def result(self, blocks: int) -> Measured:
        """Averages over all frames, with standard errors from so many blocks; None with fewer pieces than blocks."""
        assert self._last is not None and self._edges is not None
        volume = self._volume.total()
        frames = self._volume.frames
        amount = AMU_PER_NM3 * float(self._beads.masses.sum())
        density_error = self._volume.error(lambda sums: amount * sums["inverse"] / sums["frames"], blocks)
        inverse = float(volume["inverse"][0]) / frames
        box = volume["box"] / frames
        box *= (1 / (inverse * abs(np.linalg.det(box)))) ** (1 / 3)
        tables = [self._rdfs(counted, blocks, inverse) for counted in self._counted]
        return Measured(
            tables[0],
            tables[1] if len(tables) > 1 else {},
            [histogram.distribution(blocks) for histogram in self._bonded],
            amount * inverse,
            None if density_error is None else float(density_error[0]),
            box,
            self._in_box(box),
            self._half,
            frames,
        )

    def _rdfs(self, counted: _Pairs, blocks: int, inverse_volume: float) -> dict[Pair, TrajectoryRdf]:
        g, error = ratio(counted.pieces.total()), counted.pieces.error(ratio, blocks)
        bins = g.shape[-1]
        edges = self._range.bin_width * np.arange(bins + 1)
        density, frames = len(self._types) * inverse_volume, counted.pieces.frames
        return {
            pair: TrajectoryRdf(
                0.5 * (edges[1:] + edges[:-1]), g[row], None if error is None else error[row, :bins], 0.0, frames,
                counted.said, density,
            )
            for row, pair in enumerate(counted.pairs)
        }  # fmt: skip

    def _in_box(self, box: Array) -> Array:
        """The last frame's beads, whole molecules with their centres in the box of the mean density."""
        assert self._last is not None
        x, own = self._last
        return in_box(x, own, self._beads.molecule, self._beads.masses, box)
