"""From positions of atoms to those of beads, whole molecule by whole molecule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from diffpair.errors import DiffPairError
from diffpair.mapping.kinds import Kind
from diffpair.systems.nearest_image import nearest_image
from diffpair.trajectories.files import Frames

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_HALF = 0.5  # of a box vector: what is wider has no image that is the nearest


class Tree:
    """A molecule's bonds from the first particle outwards, for making it whole across the box.

    Every particle is put at the nearest image to the one that it is bonded to. Where no bond leads to a particle, the
    first of its part is put near the molecule's first one.

    Attributes:
        part: [n] number of the connected part of each particle.
    """

    def __init__(self, bonds: ArrayLike, count: int) -> None:
        i, j = np.asarray(bonds, dtype=np.int64).reshape(-1, 2).T
        graph = coo_array((np.ones(len(i)), (i, j)), shape=(count, count)).tocsr()
        self.part: Integers = np.full(count, -1)
        near, depth = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        for root in range(count):
            if self.part[root] < 0:
                reached, before = breadth_first_order(graph, root, directed=False)
                self.part[reached] = root
                depth[root] = 1 if root else 0
                for particle in reached[1:]:
                    near[particle], depth[particle] = before[particle], depth[before[particle]] + 1
        shells = [np.flatnonzero(depth == step) for step in range(1, depth.max(initial=0) + 1)]
        self._shells = [(particles, near[particles]) for particles in shells]

    def whole(self, positions: Array, boxes: Array) -> Array:
        """Molecules [F, M, n, 3] without breaks, the first particle of each where it was. boxes: [F, 3, 3], nm."""
        x = positions.copy()
        for particles, near in self._shells:
            x[:, :, particles] = x[:, :, near] + nearest_image(
                positions[:, :, particles] - positions[:, :, near], boxes
            )
        return x


class BeadMap:
    """The beads of all molecules that a map names, kind after kind, molecule after molecule.

    Attributes:
        kinds: of the molecules.
        names, types: of every bead. masses: [N] amu. molecule: [N] number of its molecule. bonds: [B, 2] between beads.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = list(kinds)
        self.names, self.types = list[str](), list[str]()
        masses, molecule, bonds = list[float](), list[int](), list[Integers]()
        for kind in kinds:
            for _ in range(len(kind.molecules)):
                bonds.append(kind.bonds + len(self.names))
                molecule += [molecule[-1] + 1 if molecule else 0] * len(kind.beads)
                self.names += [bead.name for bead in kind.beads]
                self.types += [bead.type for bead in kind.beads]
                masses += [bead.mass for bead in kind.beads]
        self.masses, self.molecule = np.array(masses), np.array(molecule)
        self.bonds = np.concatenate(bonds) if bonds else np.zeros((0, 2), dtype=np.int64)
        self._trees = [Tree(kind.atom_bonds, kind.molecules.shape[1]) for kind in kinds]
        self._bead_trees = [Tree(kind.bonds, len(kind.beads)) for kind in kinds]

    def positions(self, frames: Frames) -> Array:
        """Centres of the beads in every frame, [F, N, 3] nm, molecules whole.

        Raises DiffPairError for a bead that reaches over half of the box or more, where images of its atoms are not
        told apart.
        """
        boxes = np.asarray(frames.boxes, dtype=np.float64)
        count = len(boxes)
        made = []
        for kind, tree, bead_tree in zip(self.kinds, self._trees, self._bead_trees, strict=True):
            atoms = frames.positions[:, kind.molecules].astype(np.float64)  # [F, M, n, 3]
            atoms = tree.whole(atoms, boxes)
            centres = np.empty((count, len(kind.molecules), len(kind.beads), 3))
            for place, bead in enumerate(kind.beads):
                first = atoms[:, :, bead.atoms[:1]]
                apart = atoms[:, :, bead.atoms] - first
                loose = tree.part[bead.atoms] != tree.part[bead.atoms[0]]
                if loose.any():  # no bond says which image is meant
                    apart[:, :, loose] = nearest_image(apart[:, :, loose], boxes)
                self._check_width(kind, place, apart, boxes)
                centres[:, :, place] = first[:, :, 0] + np.einsum("k,fmkd->fmd", bead.weights, apart)
            made.append(bead_tree.whole(centres, boxes).reshape(count, -1, 3))
        return np.concatenate(made, axis=1)

    def _check_width(self, kind: Kind, place: int, apart: Array, boxes: Array) -> None:
        if apart.shape[2] == 1:
            return
        parts = np.einsum("fmkd,fde->fmke", apart, np.linalg.inv(boxes))  # along each box vector
        width = np.ptp(parts, axis=2)
        if width.max() >= _HALF:
            frame, molecule, axis = np.unravel_index(int(np.argmax(width)), width.shape)
            raise DiffPairError(
                f"the bead {kind.beads[place].name} of molecule {molecule + 1} of {kind.name} reaches over "
                f"{100 * width[frame, molecule, axis]:.0f} % of the box in a frame: its atoms' nearest images are not "
                f"told apart beyond half of it; are these the atoms of one bead, and does the topology have all bonds?"
            )
