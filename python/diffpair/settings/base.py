"""What all settings have in common: strict names, values with units, one sentence for what is wrong.

The same classes are the sections of the fit config and what Python users make themselves. In a file a quantity is text
with its unit; in Python it is an OpenMM Quantity, such a text, or a plain number in nm, ps, K, amu, kJ/mol or bar.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Real  # numpy's scalars too
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic._internal._model_construction import ModelMetaclass  # the type of BaseModel, which has no public name
from pydantic_core import PydanticCustomError

from diffpair.errors import DiffPairError, shortened
from diffpair.settings.messages import describe
from diffpair.settings.word import Word
from diffpair.tables.pairs import type_pairs
from diffpair.targets.units import parse


class _Refusing(ModelMetaclass):
    """Says in one sentence what is wrong with settings that are made in Python."""

    positional: tuple[str, ...]
    title: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        names = cls.positional
        if len(args) > len(names) or set(names[: len(args)]) & kwargs.keys():
            raise TypeError(f"{cls.__name__} takes {', '.join(names)}{' and ' if names else ''}keyword arguments")
        try:
            return super().__call__(**dict(zip(names, args, strict=False)), **kwargs)
        except ValidationError as error:
            raise DiffPairError(f"{cls.title or cls.__name__}: {describe(error)}") from None


class Settings(BaseModel, metaclass=_Refusing):
    """What a user may choose: a mapping of the config file, keyword arguments in Python. Unknown names are refused with
    what is allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    title: ClassVar[str] = ""  # of messages, where that is not the name of the class
    positional: ClassVar[tuple[str, ...]] = ()  # what may be given without its name

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            shown = "nothing" if data is None else repr(data)
            raise DiffPairError(f"must hold the keys {', '.join(cls.model_fields)}, not {shown}")
        check_keys(data, cls.model_fields)
        return data

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What was chosen, so not what is as by default."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.is_required() or value != field.default:
                yield name, _shown(value)

    def __str__(self) -> str:
        return repr(self)


def _shown(value: Any) -> Any:
    """For people: a length that was given in another unit has no digits of rounding."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return str(value) if isinstance(value, Path) else value


def check_keys(data: dict[Any, Any], allowed: Iterable[str]) -> None:
    """Refuse keys that are not allowed; the error carries the key, so that its line can be found."""
    names = list(allowed)
    for key in data:
        if key not in names:
            text = f"unknown key {str(key)!r}{choices(str(key), names)}"
            raise PydanticCustomError("unknown_key", "{text}", {"text": text, "key": key})


def choices(given: str, allowed: Iterable[str], verb: str = "allowed are") -> str:
    """ "; did you mean ...? allowed are ..." for a message about a wrong name."""
    names = list(allowed)
    close = difflib.get_close_matches(given.lower(), names, n=1, cutoff=0.6)
    guess = f", did you mean {close[0]!r}?" if close else ";"
    return f"{guess} {verb} {', '.join(names)}"


def in_unit(value: object, unit: str, example: str, info: ValidationInfo) -> float:
    """The value in that unit. A number without unit counts in it, but not in a file, which has a context."""
    if info.context is None and isinstance(value, Real) and not isinstance(value, bool):
        return _number(value)
    return parse(value, unit, example)


def _quantity(unit: str, example: str, minimum: str) -> Any:
    def check(value: object, info: ValidationInfo) -> float:
        number = in_unit(value, unit, example, info)
        if minimum == "positive" and not number > 0:
            raise DiffPairError(f"must be positive, not {value}")
        if minimum == "non-negative" and number < 0:
            raise DiffPairError(f"must not be negative, but is {value}")
        return number

    return BeforeValidator(check)


Length = Annotated[float, _quantity("nm", "2.5 nm", "positive")]
Distance = Annotated[float, _quantity("nm", "0.2 nm", "non-negative")]
Temperature = Annotated[float, _quantity("K", "300 K", "positive")]
Time = Annotated[float, _quantity("ps", "5 fs", "positive")]
Rate = Annotated[float, _quantity("ps^-1", "1 ps^-1", "positive")]
Energy = Annotated[float, _quantity("kJ/mol", "2.5 kJ/mol", "positive")]
AnyPressure = Annotated[float, _quantity("bar", "1 bar", "any")]
PressureError = Annotated[float, _quantity("bar", "5 bar", "non-negative")]


def _number(value: object) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | Real):
            raise ValueError
        number = float(value)
    except ValueError:
        raise DiffPairError(f"must be a number, not {value!r}") from None
    except OverflowError:  # a whole number of Python has any size
        number = math.inf
    if not math.isfinite(number):
        raise DiffPairError(f"must be a finite number, not {shortened(value)}")
    return number


_LARGEST_COUNT = 2**53  # above it a double does not hold every whole number, and no run is as long


def _whole(minimum: int, auto: bool = False) -> Any:
    def check(value: object) -> int | str:
        if auto and value == "auto":
            return "auto"
        # YAML 1.1 reads 1e5 as text, so a number may arrive as a string.
        try:
            number = _number(value)
        except DiffPairError:
            number = math.nan
        if not number.is_integer():
            raise DiffPairError(f"must be a whole number{' or auto' if auto else ''}, not {shortened(value)}")
        if number < minimum:
            raise DiffPairError(f"must be {minimum} or more, not {value}")
        if number > _LARGEST_COUNT or (isinstance(value, int) and value > _LARGEST_COUNT):
            raise DiffPairError(f"must be {_LARGEST_COUNT} or less, not {shortened(value)}")
        return int(number)

    return BeforeValidator(check)


def _bounded(low: float, name: str, high: float = math.inf, auto: bool = False) -> Any:
    def check(value: object) -> float | str:
        if auto and value == "auto":
            return "auto"
        try:
            number = _number(value)
        except DiffPairError:
            if auto and not isinstance(value, float):
                raise DiffPairError(f"must be a number or auto, not {value!r}") from None
            raise
        if number < low or (name.startswith("positive") and number == low) or number > high:
            raise DiffPairError(f"must be {name}, not {value}")
        return number

    return BeforeValidator(check)


Number = Annotated[float, BeforeValidator(_number)]
PositiveNumber = Annotated[float, _bounded(0.0, "positive")]
NonNegativeNumber = Annotated[float, _bounded(0.0, "zero or more")]
NonNegativeNumberOrAuto = Annotated[float | Literal["auto"], _bounded(0.0, "zero or more", auto=True)]
Fraction = Annotated[float, _bounded(0.0, "positive and 1 or less", high=1.0)]
FractionOrZero = Annotated[float, _bounded(0.0, "between 0 and 1", high=1.0)]
Count = Annotated[int, _whole(1)]
CountOrAuto = Annotated[int | Literal["auto"], _whole(1, auto=True)]
CountOrZero = Annotated[int, _whole(0)]


def _flag(value: object) -> bool:
    if isinstance(value, Word):
        value = value.meaning
    if not isinstance(value, bool):
        raise DiffPairError(f"must be true or false, not {value!r}")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]


def _name(value: object) -> str:
    """Names may look like numbers: YAML reads the type 1 as an integer. Other words that YAML takes for something are
    to be quoted, since they may be meant so."""
    if value is None or isinstance(value, bool | Word):
        text, meaning = (value, value.meaning) if isinstance(value, Word) else (str(value).lower(), value)
        text, shown = ("null", "nothing") if value is None else (text, str(meaning).lower())
        raise DiffPairError(f"must be a name, but YAML reads {text} as {shown}; quote it: '{text}'")
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise DiffPairError(f"must be a name, not {value!r}")
    return str(value).strip()


Name = Annotated[str, BeforeValidator(_name)]


def _file(value: object, info: ValidationInfo) -> Path:
    """A path; a relative one counts from the config file's folder, which the validation context gives."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value).strip():
        raise DiffPairError(f"must be the path of a file, not {value!r}")
    if "\0" in os.fspath(value):
        raise DiffPairError(f"must be the path of a file, but {value!r} holds a zero byte")
    folder = (info.context or {}).get("folder", Path())
    return Path(folder) / Path(value).expanduser()


File = Annotated[Path, BeforeValidator(_file)]


def _per_pair(one: Callable[[object, ValidationInfo], float], positive: bool = True) -> Any:
    """Validator of a value that is one for all pairs of types or a mapping such as {A-A: .., A-B: ..}."""

    def single(value: object, info: ValidationInfo, label: str = "") -> float:
        try:
            number = one(value, info)
            if positive and not number > 0:
                raise DiffPairError(f"must be positive, not {value}")
        except DiffPairError as error:
            raise DiffPairError(f"{label}{error}") from None
        return number

    def check(value: object, info: ValidationInfo) -> float | dict[str, float]:
        if isinstance(value, dict):
            return {_name(key): single(entry, info, f"{key}: ") for key, entry in value.items()}
        return single(value, info)

    return BeforeValidator(check)


PairValue = float | dict[str, float]
PairLength = Annotated[PairValue, _per_pair(lambda value, info: in_unit(value, "nm", "0.34 nm", info))]
PairEnergy = Annotated[PairValue, _per_pair(lambda value, info: in_unit(value, "kJ/mol", "1 kJ/mol", info))]
PairSignedEnergy = Annotated[
    PairValue, _per_pair(lambda value, info: in_unit(value, "kJ/mol", "1 kJ/mol", info), positive=False)
]
PairInverseLength = Annotated[PairValue, _per_pair(lambda value, info: in_unit(value, "nm^-1", "3 nm^-1", info))]
PairNumber = Annotated[PairValue, _per_pair(lambda value, info: _number(value))]
PairSignedNumber = Annotated[PairValue, _per_pair(lambda value, info: _number(value), positive=False)]


def resolve_pairs(
    value: PairValue, types: tuple[str, ...], what: str, learned: Sequence[int] | None = None
) -> list[float]:
    """One value per pair of types in table order: (0,0), (0,1) .. (1,1) .. A pair may be written A-B or B-A.

    learned: rows of the pairs that are wanted; all by default. Raises DiffPairError if a pair is missing or a key names
    none of these pairs.
    """
    pairs = type_pairs(types)
    if learned is not None:
        pairs = [pairs[row] for row in learned]
    if not isinstance(value, dict):
        return [value] * len(pairs)
    names: dict[str, tuple[str, str]] = {}
    for pair in pairs:
        for name in dict.fromkeys(("-".join(pair), "-".join(pair[::-1]))):  # a set would have no order
            if name in names:
                raise DiffPairError(f"{what}: {name} is {names[name]} as well as {pair}: rename a type")
            names[name] = pair
    found: dict[tuple[str, str], float] = {}
    for key, entry in value.items():
        if key not in names:
            known = "is no pair of types" if learned is None else "is no pair of types that is learned"
            raise DiffPairError(f"{what}: {key!r} {known}{choices(key, names)}")
        if names[key] in found:
            raise DiffPairError(f"{what}: the pair {key} is given twice")
        found[names[key]] = entry
    for pair in pairs:
        if pair not in found:
            raise DiffPairError(f"{what}: the pair {'-'.join(pair)} has no value")
    return [found[pair] for pair in pairs]
