"""From a table's columns to a curve: one y for every x, in the order of x."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError, shortened
from diffpair.targets.rdf_target import MIN_POINTS
from diffpair.targets.reading.columns import Columns
from diffpair.targets.reading.layouts import VOTCA_FLAGS
from diffpair.targets.reading.names import names_pair
from diffpair.targets.reading.numbers import number
from diffpair.targets.reading.order import in_order, rounded, without_doubles
from diffpair.targets.reading.points import Curve, Problem
from diffpair.targets.reading.quantity import Choice, Quantity
from diffpair.targets.reading.table import Row, Table

Array = NDArray[np.float64]
_SETTLED = 0.7  # of the logarithm of squared steps between blocks: noise alone does not change them so much
_SAME_X = 1e-6  # of the range: blocks whose x differ by less share their grid


def curve_of(table: Table, columns: Columns, choice: Choice, quantity: Quantity) -> Curve:
    """The points of a table's columns.

    Raises:
        DiffPairError: an x that is no number, or several curves of which none is chosen.
    """
    curves = [_points(table, block, columns, quantity) for block in table.blocks]
    if len(curves) == 1:
        curves = _runs(curves[0])
    done = [*table.done, *([] if columns.plain else [columns.words])]
    curve = _one(table, curves, choice, done)
    own = {int(line) for line in curve.line}
    rows = [row for block in table.blocks for row in block]
    curve = rounded(
        curve, [row.cells[columns.x] for row in rows if row.line in own and columns.x < len(row.cells)], quantity, done
    )
    curve = in_order(curve, quantity, done)
    return dataclasses.replace(without_doubles(curve, quantity, done), done=done)


def of_pair(table: Table, pair: Sequence[str]) -> Table:
    """The block whose title names a pair of types; the whole table where none does, or several do."""
    own = [place for place, title in enumerate(table.titles) if names_pair(title, pair)]
    if len(own) != 1 or len(table.blocks) == 1:
        return table
    done = [*table.done, f"block {own[0] + 1} of {len(table.blocks)}, {table.titles[own[0]]!r}"]
    return dataclasses.replace(table, blocks=[table.blocks[own[0]]], titles=[table.titles[own[0]]], done=done)


def _points(table: Table, rows: Sequence[Row], columns: Columns, quantity: Quantity) -> Curve:
    names = {columns.x: quantity.x, columns.y: quantity.y}
    if columns.error is not None:
        names[columns.error] = "error"
    kept: list[Row] = []
    values: list[list[float]] = []
    problems: dict[int, Problem] = {}
    for row in rows:
        numbers, problem = _numbers(row, names)
        if len(row.cells) != table.width:
            problem = Problem(_wrong_length(row, [*reversed(kept), *rows], table))
        elif np.isnan(numbers).all() and problem and problem.missing:
            continue  # nothing stands here
        if problem:
            sentence = f"{table.path}, line {row.line}: {problem.sentence}"
            if np.isnan(numbers[0]):
                raise DiffPairError(sentence)
            problems[row.line] = Problem(sentence, problem.missing)
            numbers[1:] = [np.nan] * len(numbers[1:])
        kept.append(row)
        values.append(numbers)
    if not kept:
        raise DiffPairError(f"{table.path}: holds no columns of numbers")
    data = np.array(values)
    flags = [row.cells[-1].lower() if table.layout == "votca" else "" for row in kept]
    return Curve(
        table.path,
        data[:, 0],
        data[:, 1],
        data[:, 2] if columns.error is not None else None,
        np.array([row.line for row in kept]),
        [flag if flag in VOTCA_FLAGS else "" for flag in flags],
        columns.x_name,
        columns.words,
        problems,
    )


def _numbers(row: Row, names: dict[int, str]) -> tuple[list[float], Problem | None]:
    """The cells that are needed, NaN where they are no finite numbers, and what is wrong with the first such."""
    numbers, problem = [], None
    for place, name in names.items():
        cell = row.cells[place] if place < len(row.cells) else ""
        value = number(cell)
        if value is None or not np.isfinite(value):
            finite = "" if value is None or not cell else "finite "
            found = Problem(
                f"{name} = {_shown(cell) if finite else shortened(cell)} is not a {finite}number", value is not None
            )
            problem = problem if problem and not problem.missing else found if value is None else problem or found
            value = np.nan
        numbers.append(value)
    return numbers, problem


def _shown(cell: str) -> str:
    return cell if len(cell) <= 40 else f"{cell[:40]}..."


def _wrong_length(row: Row, others: Sequence[Row], table: Table) -> str:
    if any(";" in cell for cell in row.cells):
        return f"{shortened(','.join(row.cells))} has both , and ; (decimals need a point)"
    other = next((other for other in others if len(other.cells) == table.width), None)
    like = f", but line {other.line} has {table.width}" if other else ""
    return f"has {len(row.cells)} column{'s' if len(row.cells) != 1 else ''}{like}"


def _runs(curve: Curve) -> list[Curve]:
    """Curves that stand one after another: long stretches of growing x over the same range."""
    x = curve.x
    if len(x) > 1 and (np.diff(x) < 0).sum() > (np.diff(x) > 0).sum():
        x = -x
    bounds = [0, *(np.flatnonzero(np.diff(x) < 0) + 1), len(x)]
    runs = [slice(a, b) for a, b in zip(bounds, bounds[1:], strict=False)]
    if len(runs) == 1 or any(run.stop - run.start < MIN_POINTS for run in runs):
        return [curve]
    low = max(x[run].min() for run in runs)
    high = min(x[run].max() for run in runs)
    if high - low < 0.5 * max(np.ptp(x[run]) for run in runs):
        return [curve]
    places = np.arange(len(x))
    return [curve.at(places[run]) for run in runs]


def _one(table: Table, curves: list[Curve], choice: Choice, done: list[str]) -> Curve:
    """The curve that the user or the layout chooses of those in a file."""
    count = len(curves)
    block = choice.block
    if block is None and count > 1:
        if not table.layout.startswith("lammps"):
            titles = [f" ({title!r})" if title else "" for title in table.titles] or [""] * count
            begin = ", ".join(f"{c.line[0]}{title}" for c, title in zip(curves, titles, strict=False))
            raise DiffPairError(
                f"{table.path}: holds {count} curves one after another, from lines {begin} on; choose with block: 1"
                + ("" if any(table.titles) else ", or block: average")
            )
        block = "average"
    if isinstance(block, int):
        if not 1 <= block <= count:
            raise DiffPairError(f"{table.path}: has no block {block}, but {count}")
        if count > 1:
            done.append(f"block {block} of {count}")
        return curves[block - 1]
    if count == 1:
        return curves[0]
    if block == "last":
        done.append(f"the last of {count} blocks")
        return curves[-1]
    first = curves[0]
    slack = _SAME_X * np.ptp(first.x)
    if any(len(c.x) != len(first.x) or np.abs(c.x - first.x).max() > slack for c in curves):
        raise DiffPairError(
            f"{table.path}: its {count} blocks have different grids and cannot be averaged; "
            f"choose with block: last, or a number"
        )
    settling = _settles(curves)
    done.append(
        f"average of {count} blocks"
        + (
            ", which change less and less, as running averages (ave running) do: for these, take block: last"
            if settling
            else ""
        )
    )
    errors = [c.error for c in curves if c.error is not None]
    problems = {
        int(line): c.problems[int(own)]
        for c in curves
        for line, own in zip(first.line, c.line, strict=True)
        if int(own) in c.problems
    }
    return dataclasses.replace(
        first,
        y=np.mean([c.y for c in curves], axis=0),
        error=None if first.error is None else np.sqrt(np.sum(np.square(errors), axis=0)) / count,
        problems=problems,
    )


def _settles(curves: list[Curve]) -> bool:
    """Whether each block is an average of all before it (``ave running``), by steps that shrink as 1/n."""
    steps = np.array([np.nanmean(np.square(b.y - a.y)) for a, b in itertools.pairwise(curves)])
    if len(steps) < 2 or not (steps > 0).all():
        return False
    n = np.arange(1, len(steps) + 1)
    growth = np.log(steps * n * (n + 1))  # level for running averages, growing as 2 log(n) for averages of their own
    own = np.log(steps)
    return bool(np.ptp(own) > _SETTLED and growth.std() < own.std())
