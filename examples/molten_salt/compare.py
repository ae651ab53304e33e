"""How near a fit came to the potential that its targets were made with.

    python examples/molten_salt/compare.py salt-out

For each pair of types: mean |g - target| in production, the root mean square error of U where g > 0.5, in kT, and how
often the true U is inside the band of two standard errors where g > 0.1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from nacl_rdf import PAIRS, TEMPERATURE, tosi_fumi

from diffpair.constants import BOLTZMANN
from diffpair.tables import PairTable, load_uncertainty
from diffpair.targets import read_rdf


def main() -> None:
    folder = Path(sys.argv[1])
    targets = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent
    table, band = PairTable.load(folder / "potential.json"), load_uncertainty(folder / "potential.json")
    (state,) = json.loads((folder / "summary.json").read_text())["states"]
    mae = {tuple(target["pair"]): target["mae"] for target in state["targets"]}
    kT = BOLTZMANN * TEMPERATURE
    for a, b in PAIRS:
        target = read_rdf(targets / f"{a}-{b}.csv", (a, b))
        r, g = target.r[target.r < table.cutoff], target.g[target.r < table.cutoff]
        error = table.energy(r, a, b) - tosi_fumi(r, a, b)
        rms = float(np.sqrt(np.mean(error[g > 0.5] ** 2))) / kT
        line = f"{a}-{b}: mean |g - target| {mae[a, b]:.4f}, RMS error of U {rms:.3f} kT where g > 0.5"
        if band is not None:
            inside = np.abs(error) < 2 * band.at(r, a, b)
            line += f", inside the band at {100 * float(np.mean(inside[g > 0.1])):.0f} % of distances where g > 0.1"
        print(line)


if __name__ == "__main__":
    main()
