"""A fluid that its potential does not hold together goes to a gas under a barostat, and a fit learns nothing there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffpair.states import State
from diffpair.targets.density_target import NUMBER

EXPANDED = 1.5  # times the volume: a liquid's own fluctuates by some per cent, and a fit's first steps move it by ten


def expansion(state: State, box: NDArray[np.float64]) -> str:
    """Whether a state has left its density for that of a gas, as a sentence; empty where it has not.

    box: that of the end of a sampling, rows in nm, [3, 3]. Compared is with the target density, or with the density
    that the state began with.
    """
    volume = float(abs(np.linalg.det(box)))
    if state.barostat is None or volume < EXPANDED * state.target_volume:
        return ""
    unit = state.densities[0].unit if state.densities else NUMBER
    reached, wanted = (state.amount(unit) / v for v in (volume, state.target_volume))
    where = "its target is" if state.densities else "it began with"
    return (
        f"state {state.name!r} expands towards a gas under its barostat ({state.barostat_pressure:g} bar): its density "
        f"is {reached:.3g} {unit}, and {where} {wanted:.3g}; the potential does not hold it together, so learn it at "
        f"constant volume first and start from that potential file"
    )
