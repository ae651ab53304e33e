"""Who does the tasks of a fit: this process, one after another, or an executor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from diffpair.engines import Exploded
from diffpair.engines.engine import Progress

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """A piece of work. state: its name. here: does it in this process. function, arguments: the same for another one,
    where it returns an Exploded instead of raising it. steps: MD steps that it takes, about."""

    state: str
    here: Callable[[Progress | None], T]
    function: Callable[..., T | Exploded]
    arguments: Callable[[], tuple[Any, ...]]
    steps: int


class Crew(ABC):
    """Does calls. What they return does not depend on who does them, nor on the order in which they end."""

    def __init__(self) -> None:
        self._interrupted = False

    def interrupt(self) -> None:
        """Begin no further call: the next one, or the one that waits, raises KeyboardInterrupt. For signal handlers."""
        self._interrupted = True

    def _between_calls(self) -> None:
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt

    @abstractmethod
    def run(self, calls: Sequence[Call[T]], progress: Progress | None = None) -> list[T | Exploded]:
        """What the calls return, in their order. All of them are done, also after one has exploded: what a fit has paid
        for would otherwise depend on who was first. Raises DiffPairError."""


class Serial(Crew):
    """This process, one call after another."""

    def run(self, calls: Sequence[Call[T]], progress: Progress | None = None) -> list[T | Exploded]:
        """See Crew."""
        found: list[T | Exploded] = []
        for call in calls:
            self._between_calls()
            try:
                found.append(call.here(progress))
            except Exploded as error:
                found.append(error)
        return found
