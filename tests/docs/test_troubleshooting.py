"""docs/troubleshooting.md: every message that it quotes is one of the sources, so that the page cannot grow stale."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
QUOTED = re.findall(r"^(`{1,2})(.+)\1\n: ", PAGE, flags=re.MULTILINE)
HOLE = "\0"  # what a message fills in


def text_of(node: ast.AST) -> str:
    """A string of Python with holes for what it fills in; "" for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    return text_of(node.left) + text_of(node.right) if isinstance(node, ast.BinOp) else ""


def messages_of_python() -> list[str]:
    files = [path for path in (ROOT / "python").rglob("*.py") if not path.name.startswith("_openmm")]
    return [text for path in files for node in ast.walk(ast.parse(path.read_text())) if (text := text_of(node))]


def messages_of_cpp() -> list[str]:
    """The literals of each statement, joined, with a hole where something stands between them."""
    found = []
    for path in (path for path in (ROOT / "plugin").rglob("*") if path.suffix in (".cpp", ".h")):
        statement = ""
        code = re.sub(r"^\s*(//|\*|/\*).*$", "", path.read_text(), flags=re.MULTILINE)
        for literal, end, other in re.findall(r'"((?:[^"\\]|\\.)*)"|(;)|([^\s";]+)', code):
            if end:
                found.append(statement)
                statement = ""
            else:
                statement += HOLE if other else literal.replace("{}", HOLE)
        found.append(statement)
    return found


MESSAGES = {text.replace("...", HOLE) for text in messages_of_python() + messages_of_cpp() if text.count(" ") > 1}


def stands_in(quoted: str, message: str) -> bool:
    """Whether a message has the pieces between the dots in their order, with something filled in at each."""
    first, *pieces = [piece for piece in re.split(r"\s*\.\.\.\s*", quoted) if piece]
    position = message.find(first)
    for piece in pieces:
        hole = message.find(HOLE, position) if position >= 0 else -1
        position = message.find(piece, hole) if hole >= 0 else -1
    return position >= 0


def stands_in_the_sources(quoted: str) -> bool:
    return any(stands_in(quoted, message) for message in MESSAGES)


@pytest.mark.parametrize("quoted", [message for _, message in QUOTED])
def test_a_quoted_message_is_one_of_the_sources(quoted: str) -> None:
    assert stands_in_the_sources(quoted)


def test_the_page_quotes_many_and_the_check_can_fail() -> None:
    assert len(QUOTED) > 80
    assert len({message for _, message in QUOTED}) == len(QUOTED), "a message stands twice"
    assert not stands_in_the_sources("the cutoff of ... nm is beyond the moon")
    assert not stands_in_the_sources("the cutoff of 3 nm is beyond half the box of state ... (... nm)")
