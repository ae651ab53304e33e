"""What a target's section says of its file: the file, and which of its columns and blocks are meant."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializerFunctionWrapHandler, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import File, Settings
from diffpair.targets.reading import Choice


def _column(value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise DiffPairError(f"must be the number of a column, from 1, or its name in the file's header, not {value!r}")
    if isinstance(value, int) and value < 1:
        raise DiffPairError(f"must be the number of a column, from 1, not {value}")
    return value


def _error_column(value: object) -> int | str | bool:
    if value is None or value is False or (isinstance(value, str) and value.strip().lower() in ("none", "no", "off")):
        return False
    return _column(value)


def _block(value: object) -> int | str:
    if isinstance(value, str) and value in ("last", "average"):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise DiffPairError(f"must be a number from 1, last or average, not {value!r}")


Column = Annotated[int | str, BeforeValidator(_column)]
ErrorColumn = Annotated[int | str | bool | None, BeforeValidator(_error_column)]
Block = Annotated[int | str, BeforeValidator(_block)]


class _Columns(Settings):
    """Which column of a file is what: a number from 1, or a name of its header. ``error: none``: no column is."""

    @model_validator(mode="after")
    def _different(self) -> _Columns:
        self.choice(None)
        return self

    def choice(self, block: int | str | None) -> Choice:
        """What the file's reader is told."""
        x, y, error = (value for _, value in self)
        return Choice(x, y, error, block)


class RdfColumns(_Columns):
    """Which column of a file of g(r) is what: a number from 1, or a name of its header; a mapping does the same.

    Args:
        r: distances.
        g: g(r).
        error: its standard error, or "none" where no column is.

    Raises:
        DiffPairError: a number below 1, or one column for two.
    """

    r: Column | None = None
    g: Column | None = None
    error: ErrorColumn = None


class VacfColumns(_Columns):
    """Which column of a file of a VACF is what: a number from 1, or a name of its header; a mapping does the same.

    Args:
        t: lags.
        c: C(t) / C(0).
        error: its standard error, or "none" where no column is.

    Raises:
        DiffPairError: a number below 1, or one column for two.
    """

    t: Column | None = None
    c: Column | None = None
    error: ErrorColumn = None


class CurveFile(Settings):
    """A file with a curve, and which of its columns and blocks are meant."""

    file: File
    columns: RdfColumns | VacfColumns | None = None
    column: Column | None = None
    block: Block | None = None

    @model_validator(mode="after")
    def _one_way(self) -> CurveFile:
        if self.column is not None and self.columns is not None:
            raise DiffPairError("'column' is short for 'columns' with the curve's own column alone; give one of them")
        return self

    @property
    def choice(self) -> Choice:
        """What the file's reader is told."""
        return Choice(y=self.column, block=self.block) if self.columns is None else self.columns.choice(self.block)

    def given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without columns and block where nothing is said of them: they are then no part of a config, neither of its
        hash nor of provenance."""
        reading = ("columns", "column", "block")
        return {key: value for key, value in serialize(self).items() if key not in reading or value is not None}
