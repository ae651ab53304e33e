"""Trajectories by MDTraj, piece by piece, as what they hold is meant: lengths, scaled coordinates, boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError
from diffpair.states.structure import check_pdb_bonds

Array = NDArray[np.float64]

_WITH_TOPOLOGY = (".pdb", ".pdb.gz", ".gro", ".h5", ".cif", ".pdbx", ".mmcif")
# MDTraj takes lengths in these for nm, in all others for Angstrom.
_IN_NANOMETRES = (".xtc", ".trr", ".gro", ".h5", ".hdf5", ".lh5", ".gsd", ".hoomdxml")
ANY_UNITS = (".lammpstrj", ".gsd", ".hoomdxml")  # of programs whose lengths may be in any unit, Lennard-Jones' too
# Columns of LAMMPS dumps in the order in which MDTraj looks for them; s: scaled.
_COORDINATES = (("x", "y", "z"), ("xs", "ys", "zs"), ("xu", "yu", "zu"), ("xsu", "ysu", "zsu"))


class Frames(NamedTuple):
    """positions: [F, N, 3] nm. boxes: [F, 3, 3] rows in nm, in OpenMM's reduced form."""

    positions: NDArray[np.float32]
    boxes: Array


def assumed_length(path: Path) -> float:
    """What MDTraj takes one unit of length in this file for, nm."""
    return 1.0 if path.name.lower().endswith(_IN_NANOMETRES) else 0.1


def load_topology(trajectory: Path, topology: Path | None) -> Any:
    """MDTraj's topology of a trajectory. Raises DiffPairError if a file is missing or holds none."""
    import mdtraj

    if not trajectory.is_file():
        raise DiffPairError(f"{trajectory}: no such trajectory")
    if topology is not None and not topology.is_file():
        raise DiffPairError(f"{topology}: no such topology")
    own = holds_topology(trajectory)
    if topology is None and not own:
        raise DiffPairError(f"{trajectory}: holds no topology; give a structure file with --topology")
    file = trajectory if own or topology is None else topology
    if file.suffix.lower() == ".pdb":
        check_pdb_bonds(file)
    try:
        return mdtraj.load_topology(str(file))
    except Exception as error:  # MDTraj's readers raise whatever a broken file makes them raise
        raise DiffPairError(f"{file}: cannot be read as a topology: {_reason(error)}") from None


def read_frames(path: Path, topology: Any, size: int, length_unit: float | None) -> Iterator[Frames]:
    """The frames of a trajectory, `size` at a time.

    Args:
        topology: of MDTraj.
        length_unit: one unit of length in the file, nm; None: what MDTraj takes it for.

    Raises:
        DiffPairError: it cannot be read, or has no periodic box.
    """
    import mdtraj

    options = {} if holds_topology(path) else {"top": topology}
    factor = 1.0 if length_unit is None else length_unit / assumed_length(path)
    scaled = path.suffix.lower() == ".lammpstrj" and _has_scaled_coordinates(path)
    pieces = mdtraj.iterload(str(path), chunk=size, **options)
    while True:
        try:
            piece = next(pieces, None)
        except Exception as error:
            raise DiffPairError(f"{path}: cannot be read as a trajectory: {_reason(error)}") from None
        if piece is None:
            return
        if piece.unitcell_vectors is None or not np.all(piece.unitcell_volumes > 0):
            raise DiffPairError(f"{path}: the trajectory has no periodic box, which g(r) needs for its normalisation")
        boxes = piece.unitcell_vectors.astype(np.float64)
        # MDTraj divides scaled coordinates, parts of the box vectors, by ten as if they were Angstrom
        xyz = np.matmul(10 * piece.xyz, boxes) if scaled else piece.xyz
        for start in range(0, len(piece), size):  # some readers know no pieces
            part = slice(start, start + size)
            yield Frames(np.asarray(xyz[part] * factor, dtype=np.float32), _reduced(boxes[part] * factor))


def select_pairs(topology: Any, selections: Sequence[str]) -> NDArray[np.int64]:
    """All pairs of atoms of two selections in MDTraj's language, each once, [P, 2].

    Raises DiffPairError for a selection that is wrong or empty.
    """
    pairs = topology.select_pairs(*(select_atoms(topology, text) for text in selections))
    if len(pairs) == 0:
        raise DiffPairError(f"the selection {selections[0]!r} matches one atom only, which has no pairs")
    return np.asarray(pairs, dtype=np.int64)


def select_atoms(topology: Any, text: str) -> NDArray[np.int64]:
    """Indices of the atoms of a selection in mdtraj's language. Raises DiffPairError if it is wrong or empty."""
    try:
        atoms = topology.select(text)
    except Exception:  # the parser of selections raises its own and Python's errors
        raise DiffPairError(f"{text!r} is not a selection that mdtraj understands") from None
    if len(atoms) == 0:
        raise DiffPairError(
            f"the selection {text!r} matches none of the {topology.n_atoms} atoms; mdtraj reads "
            f"{names_read(topology)}, with its own names for atoms of water, amino acids and nucleotides"
        )
    return np.asarray(atoms, dtype=np.int64)


def names_read(topology: Any, most: int = 6) -> str:
    """ "residue-name" of the first atoms of a topology, for messages."""
    names = list(dict.fromkeys(f"{atom.residue.name}-{atom.name}" for atom in topology.atoms))
    return ", ".join(names[:most]) + (", .." if len(names) > most else "")


def holds_topology(path: Path) -> bool:
    """Whether files of this format hold a topology."""
    return path.name.lower().endswith(_WITH_TOPOLOGY)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _has_scaled_coordinates(path: Path) -> bool:
    """From the head of a LAMMPS dump. Raises DiffPairError for what MDTraj would not read as it is meant."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            words = line.split()
            if words[:2] in (["ITEM:", "UNITS"], ["ITEM:", "TIME"]):
                raise DiffPairError(f"{path}: mdtraj reads no dumps with units or times: write it without dump_modify")
            if words[:3] == ["ITEM:", "BOX", "BOUNDS"] and any(word[0] in "fsm" for word in words[3:]):
                raise DiffPairError(f"{path}: its box is not periodic ({' '.join(words[3:])}), which g(r) needs")
            if words[:2] == ["ITEM:", "ATOMS"]:
                kind = next((names for names in _COORDINATES if set(names) <= set(words)), ("",))
                return "s" in kind[0]
    return False


def _reduced(boxes: Array) -> Array:
    """Box vectors [F, 3, 3] in OpenMM's reduced form: b and c less whole a, c less whole b."""
    a, b, c = (boxes[:, row].copy() for row in range(3))
    c -= b * np.round(c[:, [1]] / b[:, [1]])
    c -= a * np.round(c[:, [0]] / a[:, [0]])
    b -= a * np.round(b[:, [0]] / a[:, [0]])
    return np.stack([a, b, c], axis=1)
