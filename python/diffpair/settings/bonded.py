"""The ``bonded`` section: which bonds, angles and dihedrals have a term of the potential, and in which form."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, model_validator

from diffpair.bonded.tabulated import LEAST_NODES, MOST_NODES
from diffpair.bonded.term import ORDERS
from diffpair.errors import DiffPairError
from diffpair.settings.base import Count, File, Flag, Name, Settings, in_unit
from diffpair.systems.bonded_paths import canonical

# of force constants and minima: unit and example
EXAMPLES = {
    2: (("kJ/mol/nm^2", "5000 kJ/mol/nm^2"), ("nm", "0.26 nm")),
    3: (("kJ/mol/rad^2", "50 kJ/mol/rad^2"), ("rad", "120 degree")),
}


def _nodes(value: int) -> int:
    if not LEAST_NODES <= value <= MOST_NODES:
        raise DiffPairError(f"must lie between {LEAST_NODES} and {MOST_NODES}, not {value}")
    return value


def split_types(value: Any) -> Any:
    """`A-B-A` is short for a list."""
    return value.split("-") if isinstance(value, str) else value


def chain_of(*lengths: int) -> AfterValidator:
    """A list of types along a chain that has one of these lengths."""

    def check(types: list[str]) -> list[str]:
        if len(types) not in lengths:
            wanted = [f"{n} types of {'an' if ORDERS[n] == 'angle' else 'a'} {ORDERS[n]}" for n in lengths]
            raise DiffPairError(f"must name the {' or the '.join(wanted)}, not {len(types)}")
        return types

    return AfterValidator(check)


class Bonded(Settings):
    """One bonded term that is learned: of all bonds, angles or dihedrals between particles of certain types.

    It starts from the Boltzmann inversion of its target, unless `start`, or `k` and `x0`, say otherwise.

    Args:
        types: 2, 3 or 4 types along the chain, in either direction: a bond, an angle, a dihedral. "A-B-A" is short for
            a list.
        form: "tabulated", a cubic spline, or "harmonic", k (x - x0)^2 / 2, for bonds and angles.
        nodes: of a tabulated term, 4 to 400; by default one per three bins of the target (an angle: two), 12 to 40 (a
            dihedral: 18 to 60).
        fixed: the fit leaves the term as it starts.
        start: a potential file that holds the term, in the same form.
        k (quantity | None): force constant of a harmonic term, kJ/mol/nm^2 or kJ/mol/rad^2; goes with `x0`.
        x0 (quantity | None): its minimum, nm or rad.

    Raises:
        DiffPairError: another number of types, a value out of range, or keys that do not go together.

    Examples:
        >>> diffpair.Bonded("A-B-A", form="harmonic", k=50.0, x0="120 degree")
        Bonded(types=['A', 'B', 'A'], form='harmonic', k=50.0, x0=2.09439510239)
    """

    types: Annotated[list[Name], BeforeValidator(split_types), chain_of(2, 3, 4)]
    form: Literal["tabulated", "harmonic"] = "tabulated"
    nodes: Annotated[Count, AfterValidator(_nodes)] | None = None
    fixed: Flag = False
    start: File | None = None
    k: Any = None
    x0: Any = None

    positional: ClassVar[tuple[str, ...]] = ("types",)

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Bonded:
        if self.form == "harmonic" and len(self.types) == 4:
            raise DiffPairError("form: a dihedral has no harmonic form; use tabulated")
        if self.nodes is not None and self.form != "tabulated":
            raise DiffPairError("nodes go with form: tabulated")
        if (self.k is None) != (self.x0 is None):
            raise DiffPairError("k and x0 go together")
        if self.k is not None:
            if self.form != "harmonic" or self.start is not None:
                raise DiffPairError("k and x0 go with form: harmonic, without start")
            for name, (unit, example) in zip(("k", "x0"), EXAMPLES[len(self.types)], strict=True):
                try:
                    value = in_unit(getattr(self, name), unit, example, info)
                except DiffPairError as error:
                    raise DiffPairError(f"{name}: {error}") from None
                if not value > 0:
                    raise DiffPairError(f"{name}: must be positive, not {getattr(self, name)}")
                object.__setattr__(self, name, value)
        if self.fixed and self.start is None and self.k is None:
            raise DiffPairError("fixed: a term that is not learned needs start: FILE, or k and x0")
        return self

    @property
    def kind(self) -> tuple[str, ...]:
        """The types in canonical order."""
        return canonical(self.types)

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{ORDERS[len(self.types)]} {'-'.join(self.kind)}"
