"""How near a fit of the chains came to the potential that its targets were made with.

    python examples/polymer/compare.py polymer-out

For pairs, bonds, angles and dihedrals: how far production is from the target, and the root mean square error of U, in
kT, where the target is at least a tenth of its highest value. U of a bonded term has no zero of its own: the mean
difference there is taken off.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from chains import TEMPERATURE, angle_energy, bond_energy, dihedral_energy, pair_energy
from numpy.typing import NDArray

from diffpair.constants import BOLTZMANN
from diffpair.tables import PairTable
from diffpair.targets import read_rdf
from diffpair.targets.distribution import Distribution

TRUTH = {2: bond_energy, 3: angle_energy, 4: dihedral_energy}
FILES = {2: "bond-B-B.csv", 3: "angle-B-B-B.csv", 4: "dihedral-B-B-B-B.csv"}


def rms(error: NDArray[np.float64], weight: NDArray[np.float64], shift: bool) -> float:
    """In kT, where the weight is a tenth of its highest value or more."""
    kept = error[weight >= 0.1 * weight.max()]
    return float(np.sqrt(np.mean((kept - shift * kept.mean()) ** 2))) / (BOLTZMANN * TEMPERATURE)


def main() -> None:
    folder = Path(sys.argv[1])
    targets = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "cg"
    table = PairTable.load(folder / "potential.json")
    (state,) = json.loads((folder / "summary.json").read_text())["states"]
    found = {target["kind"]: target for target in state["targets"]}
    g = read_rdf(targets / "rdf-B-B.csv", ("B", "B"))
    r, weight = g.r[g.r < table.cutoff], g.g[g.r < table.cutoff]
    print(
        f"pairs: mean |g - target| {found['rdf']['mae']:.4f}, RMS error of U "
        f"{rms(table.energy(r) - pair_energy(r), weight, shift=False):.3f} kT"
    )
    for term in table.bonded:
        order = len(term.kind)
        target = Distribution.read(targets / FILES[order], term.kind)
        error = term.energy(target.centres) - TRUTH[order](target.centres)
        print(
            f"{term.order}: integral |p - target| {found[term.order]['l1']:.4f}, RMS error of U "
            f"{rms(error, target.p, shift=True):.3f} kT"
        )


if __name__ == "__main__":
    main()
