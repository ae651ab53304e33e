"""The structure factor of single molecules, which the Ornstein-Zernike relation between their sites needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from diffpair.observables.bonded_coordinates import bonded_coordinates
from diffpair.states import State
from diffpair.states.exclusions import links_of

Array = NDArray[np.float64]
CHUNK = 4096  # pairs at a time: 32 MB of sines


def single_molecules(state: State, types: Sequence[int], k: Array) -> Array:
    """w_ab(k) = 1 / sqrt(N_a N_b) sum over pairs of sites of types a and b in one molecule of sin(k r) / (k r), each
    site with itself included, of the state's own structure: [k, types, types].

    Excluded pairs are those in one molecule, see `whole_molecules_excluded`.

    Args:
        types: of the state, in the order of the result. k: 1/nm, [n].
    """
    result = np.zeros((len(k), len(types), len(types)))
    lengths = bonded_coordinates(state.positions[None], state.box[None], state.exclusions)[0]
    first, second = state.types[state.exclusions].T if len(lengths) else (np.zeros(0), np.zeros(0))
    counts = [np.count_nonzero(state.types == kind) for kind in types]
    for a, one in enumerate(types):
        for b, other in enumerate(types[: a + 1]):
            both = ((first == one) & (second == other)) | ((first == other) & (second == one))
            found, total = lengths[both], np.zeros(len(k))
            for start in range(0, len(found), CHUNK):
                total += np.sinc(np.outer(k, found[start : start + CHUNK]) / np.pi).sum(1)
            total *= 2 if a == b else 1
            result[:, a, b] = result[:, b, a] = total / np.sqrt(counts[a] * counts[b])
        result[:, a, a] += 1
    return result


def whole_molecules_excluded(state: State) -> bool:
    """Whether all pairs of sites in one molecule are excluded, so that g(r) counts pairs of different molecules.

    A molecule is what exclusions and bonds join, those of the structure and of the System.
    """
    links = links_of(state.base_system, [(int(i), int(j)) for i, j in state.bonds])
    joined = np.array([*state.exclusions.tolist(), *links], dtype=np.int64)
    if not len(joined):
        return True
    graph = coo_array((np.ones(len(joined)), tuple(joined.T)), shape=(state.num_atoms, state.num_atoms))
    sizes = np.bincount(connected_components(graph, directed=False)[1])
    return int(np.sum(sizes * (sizes - 1) // 2)) == len(state.exclusions)


def square_root(matrices: Array) -> Array:
    """Symmetric square roots of symmetric matrices [..., n, n] without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrices)
    scaled = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
    return np.asarray(scaled @ np.swapaxes(vectors, -1, -2))
