"""Is a g(r) that was made one that a fit could take? It is judged as one that is read."""

from __future__ import annotations

import warnings
from pathlib import Path

from diffpair.errors import DiffPairError
from diffpair.targets.sampled import VISITED, onset
from diffpair.targets.tail import far_from_one
from diffpair.trajectories.rdf import TrajectoryRdf

# Diamond, the densest of all common matter, has 176 atoms per nm^3. A Lennard-Jones liquid whose lengths in sigma were
# taken for Angstrom has 700 to 1,000.
_DENSEST = 250.0
_CONTACT = 0.13  # nm; only bonded atoms come nearer to each other
_CORE = 0.05  # nm; no two atoms are as near as that


def check_made(
    path: Path, rdf: TrajectoryRdf, length_unit_given: bool, choice: str = "--exclude-bonds, --pairs"
) -> None:
    """Refuse or warn of a g(r) of a trajectory that looks wrong.

    path: how messages name it. choice: what says which pairs count.

    Raises:
        DiffPairError: there is no pair in its range, or lengths are in another unit: no matter is as dense.

    Warns:
        UserWarning: the core is not empty, neighbours are nearer than atoms without bonds come, g does not approach 1.
    """
    if not rdf.g.max() > 0:
        raise DiffPairError(f"{path}: g is 0 everywhere up to {rdf.r[-1]:.4g} nm: no pair came as near as that")
    if rdf.density > _DENSEST and not length_unit_given:
        raise DiffPairError(
            f"{path}: {rdf.density:.4g} atoms per nm^3 are more than any matter has: say what one unit of length in "
            f"the trajectory is, --length-unit '0.34 nm' for one in Lennard-Jones units"
        )
    begin = onset(rdf.r, rdf.g)
    if rdf.edge < _CORE and rdf.g[rdf.r < _CORE].max(initial=0.0) > VISITED:
        _warn(path, f"there are pairs at r < {_CORE:g} nm: particles lie on top of each other")
    elif begin < _CONTACT and begin > rdf.r[0] and not length_unit_given:
        _warn(
            path,
            f"neighbours begin at r = {begin:.3g} nm, nearer than atoms without a bond come; are these pairs within "
            f"molecules ({choice}), or is the unit of length another (--length-unit)?",
        )
    if (far := far_from_one(rdf.r, rdf.g)) is not None:
        _warn(path, far)


def _warn(path: Path, text: str) -> None:
    warnings.warn(f"{path}: {text}", stacklevel=3)
