"""Which column is r, which g, and which, if any, the standard error: said by the user, a header or the layout.

Never guessed: a third column is as often the coordination number n(r), or the g(r) of another pair, as an error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffpair.errors import DiffPairError, shortened
from diffpair.targets.reading.looks import appearance, counts, grows, integrates, runs_on
from diffpair.targets.reading.names import may_be_type, names_pair, role, unnamed_x
from diffpair.targets.reading.numbers import number
from diffpair.targets.reading.quantity import Choice, Quantity
from diffpair.targets.reading.table import Table
from diffpair.targets.unit_check import unit_in

Array = NDArray[np.float64]
_MOST_G = 3.0  # a g that never falls, as of soft particles, ends near 1


@dataclass(frozen=True)
class Columns:
    """Places of the columns, from 0, and in words. ``x_name``: what the header says of x. ``plain``: r, g and perhaps
    an error, as one would expect."""

    x: int
    y: int
    error: int | None
    x_name: str
    words: str
    plain: bool


def choose(table: Table, choice: Choice, quantity: Quantity, pair: Sequence[str] | None) -> Columns:
    """Find the columns of a table.

    Raises:
        DiffPairError: a column that the user names is not there, or nothing says which column is which; the sentence
            shows the readings.
    """
    values = _values(table)
    roles = _roles(table, values, quantity)
    named = any(table.names)
    if named and "x" in roles[1:] and not any(known == "x" and runs_on(values[:, k]) for k, known in enumerate(roles)):
        # Prose above the table, which only seems to name its columns.
        return choose(dataclasses.replace(table, names=[""] * table.width), choice, quantity, pair)
    x = _given(table, choice.x, quantity.x)
    y = _given(table, choice.y, quantity.y)
    error = None if choice.error is False else _given(table, choice.error, "error")
    said = {place for place in (x, y, error) if place is not None}
    if x is None:
        x = _find_x(table, roles, said, quantity)
    free = [place for place in range(table.width) if place not in said | {x}]
    if y is None:
        y = _find_y(table, values, roles, [x, *free], pair, quantity)
    if error is None and choice.error is not False:
        error = _find_error(roles, [place for place in free if place != y], y)
    unused = [place for place in free if place not in (y, error) and roles[place] not in ("index", "no numbers")]
    plain = (x, y) == (0, 1) and error in (None, 2) and not unused
    looks = _looks(values, roles, x, y, unused, quantity)
    if roles[y] not in (None, "y"):
        looks[y] = f"{_article(roles[y])}, by its name"  # the user asks for it
    x_name = table.names[x]
    if unit_in(x_name) is None:
        x_name = unnamed_x(table.header) or x_name
    return Columns(x, y, error, x_name, _words(table, x, y, error, unused, looks, quantity), plain)


def _roles(table: Table, values: Array, quantity: Quantity) -> list[str | None]:
    """What names, layout and numbers say of each column; None where they say nothing."""
    roles, named = [role(name, quantity) for name in table.names], any(table.names)
    if table.layout == "lammps":
        roles[0] = "index"
        if not named:
            roles[1] = "x"
    if table.layout == "votca" and table.width == 4 and not any(table.names):
        roles[2] = "error"  # its own format: x, y, error of y, flag
    for place in range(table.width):
        if table.names[place].lower() == "n" and not grows(values[:, place]):
            roles[place] = None  # the name of a selection, such as that of nitrogen
        if roles[place] == "index" and table.layout != "lammps" and not counts(values[:, place]):
            roles[place] = None  # K, I
        if roles[place] == "a momentum transfer" and place > 0:
            roles[place] = None  # K-K
        if roles[place] is None and not table.names[place] and named and counts(values[:, place]):
            roles[place] = "index"
        if np.isnan(values[:, place]).all():
            roles[place] = "no numbers"
    first = next((k for k in range(table.width) if roles[k] not in ("x", "index", "no numbers")), 0)
    if first > 0 and roles[first] == "error" and may_be_type(table.names[first]):
        # No error stands before what it is the error of: types, all of them.
        return [
            None if may_be_type(name) and known == "error" else known
            for name, known in zip(table.names, roles, strict=True)
        ]
    return roles


def title(table: Table, place: int) -> str:
    """How messages name a column."""
    name = table.names[place]
    return f"column {place + 1}" + (f" {name!r}" if name else "")


def _given(table: Table, given: int | str | bool | None, what: str) -> int | None:
    if given is None or isinstance(given, bool):
        return None
    if isinstance(given, str):
        for same in (str, str.casefold):
            found = [place for place, name in enumerate(table.names) if name and same(name) == same(given.strip())]
            if len(found) == 1:
                return found[0]
            if found:
                raise DiffPairError(f"{table.path}: {len(found)} columns are named {given!r}; give {what} as a number")
        if not given.strip().isdecimal() or len(given) > 9:
            there = ", ".join(repr(name) for name in table.names if name)
            there = f"the columns are {there}" if there else f"they have no names: give a number, 1 to {table.width}"
            raise DiffPairError(f"{table.path}: has no column named {shortened(given)} for {what}; {there}")
    place = int(given)
    if not 1 <= place <= table.width:
        raise DiffPairError(f"{table.path}: has no column {place} for {what}, but {table.width} columns")
    return place - 1


def _find_x(table: Table, roles: list[str | None], said: set[int], quantity: Quantity) -> int:
    open_ = [place for place in range(table.width) if place not in said]
    named = [place for place in open_ if roles[place] == "x"]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        raise DiffPairError(
            f"{table.path}: {' and '.join(title(table, place) for place in named)} may both be {quantity.x}; say which "
            f"with columns: {{{quantity.x}: {named[0] + 1}}}"
        )
    rest = [place for place in open_ if roles[place] not in ("index", "no numbers")]
    if rest and (roles[rest[0]] in (None, "x") or (roles[rest[0]] == "error" and rest[0] == 0)):
        return rest[0]
    if rest and roles[rest[0]] == "an edge of bins":
        raise DiffPairError(
            f"{table.path}: {title(table, rest[0])} is {roles[rest[0]]}, but {quantity.x} is the centre: write a "
            f"column {quantity.x}, half a bin from the edge"
        )
    if rest and roles[rest[0]] == "a momentum transfer":
        raise DiffPairError(
            f"{table.path}: {title(table, rest[0])} is {roles[rest[0]]}, not {quantity.x}; {quantity.what} is needed"
        )
    raise DiffPairError(
        f"{table.path}: nothing says which column is {quantity.x}; name it, for example with columns: "
        f"{{{quantity.x}: 1, {quantity.y}: 2, error: none}}"
    )


def _find_y(
    table: Table,
    values: Array,
    roles: list[str | None],
    places: list[int],
    pair: Sequence[str] | None,
    quantity: Quantity,
) -> int:
    x, *free = places
    open_ = [place for place in free if roles[place] in (None, "y")]
    by_pair = [place for place in free if pair and table.names[place] and names_pair(table.names[place], pair)]
    by_name = [place for place in open_ if roles[place] == "y"]
    for found in (by_pair, by_name, open_):
        if len(found) == 1:
            if roles[found[0]] is None and quantity.grows and grows(values[:, found[0]], _MOST_G):
                raise DiffPairError(
                    f"{table.path}: {title(table, found[0])} grows throughout, to "
                    f"{np.nanmax(values[:, found[0]]):.4g}, as a {quantity.grows} does and no {quantity.y}; if "
                    f"it is {quantity.y}, say so with columns: "
                    f"{{{quantity.y}: {found[0] + 1}}}"
                )
            return found[0]
    if not open_:
        looks = "; ".join(f"{title(table, place)} is {_article(roles[place])}" for place in free)
        raise DiffPairError(
            f"{table.path}: no column is {quantity.y} ({looks or 'there is one column alone'}); if one is, say so with "
            f"columns: {{{quantity.y}: {free[0] + 1 if free else 2}}}"
        )
    first = open_[0]
    if not by_name and all(integrates(values[:, [x, first, place]], quantity) for place in open_[1:]):
        return first
    raise _asks(table, values, [x, *open_], quantity)


def _find_error(roles: list[str | None], free: list[int], y: int) -> int | None:
    named = [place for place in free if roles[place] == "error"]
    named = [place for place in named if place > y]
    if len(named) > 1 or any(roles[place] in (None, "y") for place in free):
        named = [place for place in named if place == y + 1]  # of several curves each has its error beside it
    return named[0] if named else None


def _values(table: Table) -> Array:
    """The first block's cells as numbers, [rows, columns]; NaN where there is none."""
    rows = [[number(cell) for cell in row.cells[: table.width]] for row in table.blocks[0]]
    return np.array(
        [[np.nan if value is None else value for value in row] + [np.nan] * (table.width - len(row)) for row in rows]
    )


def _article(known: str | None) -> str:
    return {"error": "an error", "index": "a count of rows", "x": "a distance", None: "unknown"}.get(known, str(known))


def _looks(
    values: Array, roles: list[str | None], x: int, y: int, places: list[int], quantity: Quantity
) -> dict[int, str]:
    """What unused columns are by name or by their numbers."""
    looks = {}
    for place in places:
        if roles[place] not in (None, "y"):
            looks[place] = _article(roles[place])
        elif integrates(values[:, [x, y, place]], quantity):
            looks[place] = f"grows as a {quantity.grows} does"
    return looks


def _words(
    table: Table, x: int, y: int, error: int | None, unused: list[int], looks: dict[int, str], quantity: Quantity
) -> str:
    text = f"{quantity.x} is {title(table, x)}, {quantity.y} {title(table, y)}"
    if y in looks:
        text += f" ({looks[y]})"
    if error is not None:
        text += f", its error {title(table, error)}"
    if unused:
        shown = [f"{title(table, place)}" + (f" ({looks[place]})" if place in looks else "") for place in unused]
        text += f"; not used: {', '.join(shown)}"
    return text


def _asks(table: Table, values: Array, places: list[int], quantity: Quantity) -> DiffPairError:
    """The refusal where several columns may be y: what is there, what it looks like, and the key that decides."""
    x, *open_ = places
    first = open_[0]
    row = table.blocks[0][int(np.argmax(np.nan_to_num(values[:, first])))]
    shown = ", ".join(f"{title(table, place)} = {row.cells[place]}" for place in places if place < len(row.cells))
    looks = [f"{title(table, place)} {appearance(values[:, [x, first, place]], quantity)}" for place in open_[1:]]
    if all(table.names[place] for place in open_):
        shown = "; ".join([f"{title(table, first)}", *looks[:2], *([".."] if len(looks) > 2 else [])])
        return DiffPairError(
            f"{table.path}: more than one column may be {quantity.y} ({shown}); say which, with column: "
            f"{table.names[first]}"
        )
    count = len(open_)
    falling = [place for place in open_ if not grows(values[:, place], _MOST_G)]
    if falling and falling[0] != first:
        first = falling[0]
        open_ = [first, *(place for place in open_ if place != first)]
    if counts(values[:, x]):
        x, first, open_ = x + 1, first + 1, open_[1:]  # r is more likely what follows a count of the rows
    keys = [
        f"columns: {{{quantity.x}: {x + 1}, {quantity.y}: {first + 1}, error: {other}}}"
        for other in (*[place + 1 for place in open_[1:2]], "none")
    ]
    return DiffPairError(
        f"{table.path}: nothing says which of the {count} columns beside {quantity.x} is {quantity.y}, or an "
        f"error (line {row.line}: {shown}; {'; '.join(looks[:3])}); say so with {' or '.join(keys)}"
    )
