"""From the bytes of a file to plain text: compression, encoding, and signs that only look like ASCII."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from pathlib import Path

from diffpair.errors import DiffPairError

_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Of every second byte, so many are 0 in UTF-16 of numbers; in other text files none is.
_ZEROS = 0.5
# Minus signs, spaces and the two micro signs that word processors and journals put in place of the keyboard's.
_LOOK_ALIKE = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000", " ")
    | dict.fromkeys("\u200b\u2060\ufeff", None)
    | {"\u03bc": "\u00b5", "\u201c": '"', "\u201d": '"'}
)
# Reading takes some 540 bytes per line, and up to 13 per byte of long lines. So files of up to 32 MB are read, with as
# many lines as fit into 100 MB and ten times the file. What gzip packs may be anything.
_LARGEST, _LARGEST_UNPACKED = 32_000_000, 10_000_000  # bytes
_MOST_LINES, _BYTES_PER_LINE = 180_000, 54
_SHORTER = "is it a trajectory or a log? of averages in blocks, keep the last ones"
_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # of str.splitlines
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b]")


def read_text(path: Path, what: str) -> tuple[str, list[str]]:
    """The text of a file, and what had to be done to read it beyond opening it.

    Args:
        path: the file; packed by gzip or not, in UTF-8, UTF-16 or Latin-1 (Windows' form of it included).
        what: what it should hold, for messages.

    Raises:
        DiffPairError: no such file, a folder, not readable, no text, or too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise DiffPairError(f"{path}: no such file; it should hold {what}") from None
    except IsADirectoryError:
        raise DiffPairError(f"{path}: is a folder, but should be a file with {what}") from None
    except OSError as error:
        raise DiffPairError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a zero byte in the name
        raise DiffPairError(f"{str(path)!r} is no name of a file: {error}") from None
    size, done = len(data), list[str]()
    if size > _LARGEST:
        raise DiffPairError(f"{path}: has more than {_LARGEST // 10**6} MB, too much for {what}; {_SHORTER}")
    if data.startswith(_GZIP):
        try:
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(_LARGEST_UNPACKED + 1)
        except (OSError, EOFError, zlib.error):
            raise DiffPairError(f"{path}: is packed by gzip, but broken or cut short") from None
        if len(data) > _LARGEST_UNPACKED:
            raise DiffPairError(
                f"{path}: holds more than {_LARGEST_UNPACKED // 10**6} MB when gzip unpacks it, too much for {what}; "
                f"{_SHORTER}"
            )
        done.append("unpacked by gzip")
    text, encoding = _decode(data)
    if text is None or _CONTROL.search(text):
        raise DiffPairError(f"{path}: is not a text file, but should hold {what}")
    if (lines := sum(map(text.count, _LINE_ENDS))) > _MOST_LINES + size // _BYTES_PER_LINE:
        raise DiffPairError(f"{path}: has {lines} lines, too many for {what}; {_SHORTER}")
    if encoding != "UTF-8":
        done.append(f"text in {encoding}")
    return text.translate(_LOOK_ALIKE), done


def _decode(data: bytes) -> tuple[str | None, str]:
    if data.startswith(_UTF16):
        return _try(data, "utf-16"), "UTF-16"
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = data[first::2]
        if half and half.count(0) > _ZEROS * len(half):
            return _try(data, name), "UTF-16"
    text = _try(data, "utf-8-sig")
    if text is not None:
        return text, "UTF-8"
    return _try(data, "cp1252") or _try(data, "latin-1"), "Latin-1"


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
