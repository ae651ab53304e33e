"""What is read: g(r), or another function of one variable in the same kind of file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diffpair.errors import DiffPairError


@dataclass(frozen=True)
class Quantity:
    """A function y(x) as files name it.

    Args:
        x, y: how messages and the key ``columns`` call its columns. what: the function, for messages.
        x_name: pattern of a column's name in a header that says so, in lower case; y_name: as it is written.
        grows: what else stands in such files and grows as the integral of y over shells, if anything does.
    """

    x: str
    y: str
    what: str
    x_name: re.Pattern[str]
    y_name: re.Pattern[str]
    grows: str | None = None


RDF = Quantity(
    x="r",
    y="g",
    what="the target g(r)",
    x_name=re.compile(r"r(?![a-z])|r_?(nm|pm|ang)|(inter\w*)?dist|separation|radius|pair separation|x$|d$"),
    y_name=re.compile(
        r"\W*g(?![A-Za-z])|g_?[({]?[A-Z]|.*[gG]\s?\(r\)|(?i:.*rdf|.*radial dist|.*pair.?(corr|dist)|gofr)"
    ),
    grows="coordination number",
)
VACF = Quantity(
    x="t",
    y="c",
    what="the target vacf",
    x_name=re.compile(r"t(?![a-z])|time|lag|tau|x$"),
    y_name=re.compile(r"c(?![a-z])|.*c\s?\(t\)|.*vacf|.*autocorr|.*acf"),
)


@dataclass(frozen=True)
class Choice:
    """What the user says of a file's columns: numbers from 1, or names of the header; None where nothing is said.

    Args:
        x: column of r or t.
        y: column of g or C.
        error: column of the standard error; False where no column is.
        block: of a file with several curves one after another, which one, from 1; "last", or the "average" of all.

    Raises:
        DiffPairError: one column for two.
    """

    x: int | str | None = None
    y: int | str | None = None
    error: int | str | bool | None = None
    block: int | str | None = None

    def __post_init__(self) -> None:
        given = [place for place in (self.x, self.y, self.error) if place not in (None, False)]
        if len(set(given)) < len(given):
            raise DiffPairError("names the same column twice")
