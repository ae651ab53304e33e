"""What was measured in a state: settings that tell which file or number a target is.

A g(r) or VACF that is an array already needs none of these: see `diffpair.targets.RdfTarget` and `VacfTarget`.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from diffpair.errors import DiffPairError
from diffpair.settings.base import AnyPressure, Distance, FractionOrZero, Length, Name, PressureError, Settings
from diffpair.settings.curve_file import CurveFile, RdfColumns, VacfColumns
from diffpair.targets import DensityTarget, PressureTarget, RdfTarget, VacfTarget, read_rdf, read_vacf
from diffpair.targets.density_target import MASS, NUMBER
from diffpair.targets.unit_check import length_in_nm
from diffpair.targets.units import convert, parse, parse_density


def _length_unit(value: object) -> str:
    if type(value).__module__.startswith("openmm.unit"):
        quantity = hasattr(value, "value_in_unit")  # such as 3.4 * unit.angstrom, or just unit.angstrom
        value = f"{parse(value, 'nm', '0.34 nm'):.12g} nm" if quantity else str(value)
    if not isinstance(value, str):
        raise DiffPairError(f"must be a unit of length such as nm or angstrom, not {value!r}")
    length_in_nm(value)
    return value


def _time_unit(value: object) -> str:
    if type(value).__module__.startswith("openmm.unit"):
        value = str(value)
    if not isinstance(value, str):
        raise DiffPairError(f"must be a unit of time such as ps or fs, not {value!r}")
    convert(1.0, value, "ps")
    return value


class Rdf(CurveFile):
    """A target g(r) in a file: columns r, g and perhaps its standard error.

    Args:
        a: name of one type; a and b may be given as `pair=[a, b]`.
        b: name of the other type.
        file: as many programs write it, see docs/guide/targets.md.
        columns: which column is `r`, `g` and `error`: numbers from 1, or names in the file's header, or `error="none"`;
            by default as the file tells.
        column: short for `columns={"g": column}`, of a file with several pairs.
        block: of a file with several curves one after another: a number from 1, "last" or "average"; by default
            "average" for files of LAMMPS.
        r_unit: unit of r in the file; a length such as "0.34 nm" where r is in units of a sigma.
        range: [low, high], nm; bins outside it are not used. By default the whole file.
        bin_width: g is interpolated to bins of this width, nm; by default that of the file.
        scale_error: relative standard error of a factor that is common to all of g, between 0 and 1; with
            `GaussNewton` only.

    Raises:
        DiffPairError: a value out of range, or keys that do not go together. The file is read by `read`.

    Examples:
        >>> diffpair.Rdf("Na", "Cl", "nacl.csv", range=["0.2 nm", "0.9 nm"])
        Rdf(file='nacl.csv', pair=['Na', 'Cl'], range=[0.2, 0.9])
    """

    columns: RdfColumns | None = None
    pair: Annotated[list[Name], Field(min_length=2, max_length=2)]
    r_unit: Annotated[str, BeforeValidator(_length_unit)] = "nm"
    range: Annotated[list[Distance], Field(min_length=2, max_length=2)] | None = None
    bin_width: Length | None = None
    scale_error: FractionOrZero = 0.0

    positional: ClassVar[tuple[str, ...]] = ("a", "b", "file")

    @model_validator(mode="before")
    @classmethod
    def _two_types(cls, data: Any) -> Any:
        """`Rdf("Na", "Cl", "nacl.csv")` in Python: a and b are the pair."""
        if isinstance(data, dict) and {"a", "b"} <= data.keys():
            return {**{key: value for key, value in data.items() if key not in "ab"}, "pair": [data["a"], data["b"]]}
        return data

    @model_validator(mode="after")
    def _ordered(self) -> Rdf:
        if self.range is not None and self.range[0] >= self.range[1]:
            raise DiffPairError(f"range must be [low, high], not [{self.range[0]:g} nm, {self.range[1]:g} nm]")
        return self

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A scale_error of 0 is no part of a config, as CurveFile has it of its own keys."""
        return {key: value for key, value in self.given(serialize).items() if key != "scale_error" or value}

    def read(self) -> RdfTarget:
        """Read the file, see `diffpair.targets.read_rdf`.

        Raises:
            DiffPairError: the file cannot be used.

        Warns:
            UserWarning: what had to be decided to read it, in one line.
        """
        pair = (self.pair[0], self.pair[1])
        r_range = None if self.range is None else (self.range[0], self.range[1])
        try:
            read = read_rdf(self.file, pair, self.r_unit, r_range, self.bin_width, self.choice)
        except DiffPairError as error:
            raise DiffPairError(f"{error} (target {'-'.join(pair)})") from None
        return dataclasses.replace(read, scale_error=self.scale_error)


class Pressure(Settings):
    """A target pressure; one for a state.

    Args:
        value: bar.
        error: its standard error, bar; None where it is not known.

    Raises:
        DiffPairError: another unit, or a negative error.

    Examples:
        >>> diffpair.Pressure("1 atm").value
        1.01325
    """

    value: AnyPressure
    error: PressureError | None = None

    positional: ClassVar[tuple[str, ...]] = ("value", "error")

    def read(self) -> PressureTarget:
        """The target."""
        return PressureTarget(self.value, self.error)


class Density(Settings):
    """A target density of all particles of a state with a barostat; one for a state.

    Args:
        value (quantity): with its unit, of mass or of number, "0.997 g/cm^3" or "33.3 nm^-3"; kept as ("mass", g/cm^3)
            or ("number", nm^-3).
        error (quantity | None): its standard error, of the same kind; None where it is not known.

    Raises:
        DiffPairError: no unit, another one, or a value that is not positive.

    Examples:
        >>> diffpair.Density("0.997 g/cm^3").value
        ('mass', 0.997)
    """

    value: Annotated[tuple[str, float], BeforeValidator(parse_density)]
    error: Annotated[tuple[str, float], BeforeValidator(parse_density)] | None = None

    positional: ClassVar[tuple[str, ...]] = ("value", "error")

    @model_validator(mode="after")
    def _alike(self) -> Density:
        if self.error is not None and self.error[0] != self.value[0]:
            raise DiffPairError(f"value is a {self.value[0]} density, error a {self.error[0]} density: give them alike")
        return self

    def read(self) -> DensityTarget:
        """The target."""
        kind, value = self.value
        return DensityTarget(value, self.error and self.error[1], MASS if kind == "mass" else NUMBER)


class Vacf(CurveFile):
    """A target velocity autocorrelation in a file: columns t, C(t) / C(0) and perhaps its standard error.

    It is that of all atoms, at even lags from 0 on.

    Args:
        file: of the same kinds as a g(r), see docs/guide/targets.md.
        columns: which column is `t`, `c` and `error`: numbers from 1, or names in the file's header, or `error="none"`;
            by default as the file tells.
        column: short for `columns={"c": column}`.
        block: of a file with several curves one after another: a number from 1, "last" or "average".
        t_unit: unit of t in the file.

    Raises:
        DiffPairError: a value out of range, or keys that do not go together. The file is read by `read`.
    """

    columns: VacfColumns | None = None
    t_unit: Annotated[str, BeforeValidator(_time_unit)] = "ps"

    @model_serializer(mode="wrap")
    def _used_keys(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return self.given(serialize)

    positional: ClassVar[tuple[str, ...]] = ("file",)

    def read(self) -> VacfTarget:
        """Read the file, see `diffpair.targets.read_vacf`.

        Raises:
            DiffPairError: the file cannot be used.

        Warns:
            UserWarning: what had to be decided to read it, in one line.
        """
        return read_vacf(self.file, self.t_unit, self.choice)
