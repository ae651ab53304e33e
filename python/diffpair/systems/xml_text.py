"""Whether XML may be given to OpenMM's reader, which takes files cut short and overflows the stack on deep ones."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from diffpair.errors import DiffPairError

_DEEPEST = 100  # elements within elements; a System has five


def check_xml(path: Path, text: str) -> None:
    """Raise DiffPairError that names the file unless the text is well-formed XML of few levels. Builds nothing."""
    depth = 0

    def begin(_: str, __: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise DiffPairError(f"{path}: is no XML of OpenMM: its elements are nested more than {_DEEPEST} deep")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise DiffPairError(
            f"{path}, line {error.lineno}: is no XML, or cut short: {expat.ErrorString(error.code)}"
        ) from None
    except UnicodeEncodeError:
        raise DiffPairError(f"{path}: is no XML: it holds half of a character") from None
