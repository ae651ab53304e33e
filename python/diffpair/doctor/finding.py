"""What one check of `diffpair doctor` has found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["ok", "absent", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    status: ok; absent, where something optional is not installed; note, where something could be better; problem, where
    something that matters does not work. text: a version, or a sentence. remedy: what to do, where there is something.
    figures: numbers and names behind the text, for machines.
    """

    topic: str
    name: str
    status: Status
    text: str
    remedy: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Plain values: topic, name, status, text, remedy, and the figures by their own names."""
        values = asdict(self)
        figures: dict[str, Any] = values.pop("figures")
        return values | figures


def one_line(error: BaseException) -> str:
    """What an error says, without line breaks and not too long; its type, where it says nothing."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 400 else f"{text[:400]}..."
