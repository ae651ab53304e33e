"""From positions of atoms to those of beads, whole molecule by whole molecule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.mapping.kinds import Kind
from diffpair.systems.nearest_image import nearest_image
from diffpair.systems.whole import Tree
from diffpair.trajectories.files import Frames

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_HALF = 0.5  # of a box vector: what is wider has no image that is the nearest


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
