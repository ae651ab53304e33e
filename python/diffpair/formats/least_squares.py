"""From curves to a PairTable: least squares on its knots, weighted by U, and what remains off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, solveh_banded

from diffpair.errors import DiffPairError
from diffpair.formats.curve import Curve
from diffpair.formats.names import Grid
from diffpair.tables import PairTable, type_pairs
from diffpair.tables.limits import MIN_KNOTS, check_grid
from diffpair.tables.spline import overlap

Array = NDArray[np.float64]
HIGHEST = 100.0  # kJ/mol, 40 kT at 300 K: particles come no nearer, and r_min is where U is as high
KT = 2.494  # kJ/mol, at 300 K: errors are told where U is lower, and where it is higher
_KNOTS = (50, 100, 200, 400, 800)  # tried in turn, until the next one makes nothing better
_ENOUGH = 1e-5  # of U, or of a typical U where it is smaller
_BENT = 10  # intervals from the cutoff that feel its three zero coefficients, by 1e-5 of the first of them
_ROWS_PER_KNOT = 2  # at least, where the number of knots is chosen, and one in each interval


@dataclass(frozen=True)
class Misfit:
    """How far a table's U is off its rows, kJ/mol: at most where U < kT, and above; there at r (nm) with this U."""

    low: float
    high: float
    r: float
    energy: float
    force: float | None  # kJ/mol/nm, at most where U < kT; None where the file has no forces

    def words(self) -> str:
        text = f"U is off by {self.low:.2g} kJ/mol at most where U < kT at 300 K"
        if self.high:
            text += f", by {self.high:.2g} kJ/mol above (r = {self.r:.4g} nm, U = {self.energy:.4g} kJ/mol)"
        if self.force is not None:
            text += f"; forces by {self.force:.2g} kJ/mol/nm where U < kT"
        return text


@dataclass(frozen=True)
class Imported:
    """A table, how far it is off for each of its pairs, and sentences on what was done to the rows."""

    table: PairTable
    misfits: list[Misfit]
    notes: list[str]


def fit_curves(
    types: tuple[str, ...],
    curves: list[Curve],
    r_min: float | None = None,
    cutoff: float | None = None,
    knots: int | None = None,
) -> Imported:
    """The table whose U is nearest to the curves' rows.

    Below r_min a table goes on linearly, and from its cutoff on it is 0: rows outside do not count. U is 0 at the
    cutoff; a curve that is not is shifted as a whole, which changes no force.

    Args:
        curves: one for each pair of types, in their order.
        r_min: nm; if None, that of the files' own spline, or where the lowest of the curves reaches 100 kJ/mol.
        cutoff: nm; if None, that of the files' own spline, or where the last curve ends or becomes 0.
        knots: if None, those of the files' own spline, or as few of 50, 100, .. 800 as leave 1e-5 of U.

    Raises DiffPairError if there are fewer rows than knots somewhere, or the grid is none.
    """
    grids = {curve.grid for curve in curves}
    own = grids.pop() if len(grids) == 1 and (r_min, cutoff, knots) == (None, None, None) else None
    if own is not None:
        return _fit(types, curves, own)
    ends = [_end(curve) for curve in curves]
    cutoff = max(ends) if cutoff is None else cutoff
    if cutoff > (longest := max(curve.r[-1] for curve in curves)) * (1 + 1e-12):
        raise DiffPairError(f"the cutoff {cutoff:g} nm is beyond the last row, which is at {longest:g} nm")
    r_min = min(_begin(curve) for curve in curves) if r_min is None else r_min
    if knots is not None:
        return _fit(types, curves, Grid(r_min, cutoff, knots))
    most = min(_most_knots(curve, r_min, cutoff) for curve in curves)
    for count in [count for count in _KNOTS if count <= most] or [max(MIN_KNOTS, most)]:
        found = _fit(types, curves, Grid(r_min, cutoff, count))
        if _inner_error(found.table, curves) <= _ENOUGH:
            break
    return found


def _fit(types: tuple[str, ...], curves: list[Curve], grid: Grid) -> Imported:
    check_grid(*grid)
    notes, rows, misfits = [], [], []
    for pair, curve in zip(type_pairs(types), curves, strict=True):
        curve, note = _within(curve, grid)
        notes += [f"{'-'.join(pair)}: {note}"] if note else []
        rows.append((pair, curve))
    coefficients = np.array([_solve("-".join(pair), curve, grid) for pair, curve in rows])
    table = PairTable(types, grid.r_min, grid.cutoff, coefficients)
    for pair, curve in rows:
        misfits.append(_misfit(table, pair, curve))
    return Imported(table, misfits, notes)


def _within(curve: Curve, grid: Grid) -> tuple[Curve, str]:
    """The rows between r_min and the cutoff, ending in 0, and what had to be done for it."""
    note = ""
    end = (
        float(np.interp(grid.cutoff, curve.r, curve.energy)) if grid.cutoff <= curve.r[-1] else float(curve.energy[-1])
    )
    # a shift that would be lost in the digits of a row is none
    if abs(end) > 1e-9 * np.max(np.abs(curve.energy[curve.r >= grid.r_min]), initial=0.0):
        last = min(grid.cutoff, float(curve.r[-1]))
        note = f"U was {end:.4g} kJ/mol at {last:.4g} nm, where it has to end in 0: shifted, which changes no force"
    else:
        end = 0.0
    tolerance = 1e-9 * grid.cutoff  # rows at the ends stand there to the digits of a file only
    near = (curve.r >= grid.r_min - tolerance) & (curve.r <= grid.cutoff + tolerance)
    r, energy = np.clip(curve.r[near], grid.r_min, grid.cutoff), curve.energy[near] - end
    force = None if curve.force is None else curve.force[near]
    if len(r) > 1 and curve.r[-1] < grid.cutoff - tolerance:  # another pair's cutoff is longer: 0 up to there
        count = int(np.ceil((grid.cutoff - r[-1]) / np.median(np.diff(r))))
        beyond = np.linspace(r[-1], grid.cutoff, count + 1)[1:]
        r, energy = np.append(r, beyond), np.append(energy, 0 * beyond)
        force = None if force is None else np.append(force, 0 * beyond)
    return replace(curve, r=r, energy=energy, force=force), note


def _solve(name: str, curve: Curve, grid: Grid) -> Array:
    """Coefficients [knots + 2] of least squares; the error of each row counts relative to its U, see `_scale`."""
    unknown = grid.knots - 1  # the last three coefficients are 0
    if not _determined(curve.r, grid, unknown):
        raise _too_few(name, curve, grid)
    near = overlap(curve.r, grid.r_min, grid.cutoff, grid.knots)
    weights = 1 / _scale(curve.energy) ** 2
    normal, right = np.zeros((4, grid.knots + 2)), np.zeros(grid.knots + 2)
    for i in range(4):
        right += np.bincount(near.first + i, weights * near.values[i] * curve.energy, grid.knots + 2)
        for j in range(i, 4):
            normal[j - i] += np.bincount(near.first + i, weights * near.values[i] * near.values[j], grid.knots + 2)
    coefficients = np.zeros(grid.knots + 2)
    try:
        coefficients[:unknown] = solveh_banded(normal[:, :unknown], right[:unknown], lower=True)
    except LinAlgError:
        raise _too_few(name, curve, grid) from None
    return coefficients


def _determined(r: Array, grid: Grid, unknown: int) -> bool:
    """Whether rows determine the spline: each B-spline has one of its own in its support (Schoenberg and Whitney)."""
    places = (r - grid.r_min) / (grid.cutoff - grid.r_min) * (grid.knots - 1)
    row = 0
    for k in range(unknown):
        row = max(row, int(np.searchsorted(places, k - 3, side="right")))
        if row == len(places) or places[row] >= k + 1:
            return False
        row += 1
    return True


def _too_few(name: str, curve: Curve, grid: Grid) -> DiffPairError:
    return DiffPairError(
        f"{name}: {len(curve.r)} rows from {grid.r_min:.4g} to {grid.cutoff:.4g} nm do not say what U is at "
        f"{grid.knots} knots: choose fewer by --knots, or another range by --r-min and --cutoff"
    )


def _most_knots(curve: Curve, r_min: float, cutoff: float) -> int:
    """As many as leave each of them two rows, and each interval between them one."""
    r = curve.r[(curve.r >= r_min) & (curve.r <= cutoff)]
    if len(r) < 2:
        return 0
    return int(min(len(r) / _ROWS_PER_KNOT, (r[-1] - r[0]) / np.max(np.diff(r)) + 1))


def _scale(energy: Array) -> Array:
    """|U|, or the median of all that are not 0 where it is smaller."""
    size = np.abs(energy)
    return np.maximum(size, np.median(size[size > 0])) if np.any(size) else np.ones_like(size)


def _begin(curve: Curve) -> float:
    """Where U comes down to 100 kJ/mol for the first time, or the first row."""
    high = np.flatnonzero(curve.energy > HIGHEST)
    return float(curve.r[min(high[-1] + 1, len(curve.r) - 1)] if len(high) else curve.r[0])


def _end(curve: Curve) -> float:
    """The last row, or the first of the rows from which on U is 0."""
    there = np.flatnonzero(curve.energy)
    return float(curve.r[min(there[-1] + 1, len(curve.r) - 1)] if len(there) else curve.r[-1])


def _inner_error(table: PairTable, curves: list[Curve]) -> float:
    """The largest error of U but near the cutoff, where it is bent to 0 and no number of knots helps."""
    worst = 0.0
    for pair, curve in zip(table.pairs, curves, strict=True):
        rows, _ = _within(curve, Grid(table.r_min, table.cutoff, table.knots))
        inner = rows.r < table.cutoff - _BENT * table.spacing
        off = np.abs(table.energy(rows.r, *pair) - rows.energy) / _scale(rows.energy)
        worst = max(worst, float(np.max(off[inner], initial=0.0)))
    return worst


def _misfit(table: PairTable, pair: tuple[str, str], rows: Curve) -> Misfit:
    off = np.abs(table.energy(rows.r, *pair) - rows.energy)
    low = rows.energy < KT
    force = None
    if rows.force is not None:
        force = float(np.max(np.abs(table.force(rows.r, *pair) - rows.force)[low], initial=0.0))
    worst = int(np.argmax(np.where(low, 0, off)))
    high = float(off[worst]) if not np.all(low) else 0.0
    return Misfit(float(np.max(off[low], initial=0.0)), high, float(rows.r[worst]), float(rows.energy[worst]), force)
