"""YAML text to plain values, remembering the line of every key.

PyYAML's own loader forgets where things stood and lets the second of two equal keys win; both matter in a config file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from diffpair.errors import DiffPairError, shortened
from diffpair.settings.word import Word

Key = str | int


# PyYAML takes some 300 bytes for every byte of a file, and copies what an alias stands for; the longest configs have a
# few thousand values in some ten kilobytes.
_LARGEST = 250_000  # bytes
_MOST_VALUES = 100_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Source:
    """A config file: ``data`` is its plain content, ``line`` finds keys in it.

    Args:
        path: the file. what: it should be, keys: two that it has, for messages.

    Raises:
        DiffPairError: no such file, not YAML, a key given twice, or not a mapping.
    """

    def __init__(self, path: Path, what: str = "fit config", keys: tuple[str, str] = ("potential", "states")) -> None:
        self.path = path
        self._lines: dict[tuple[Key, ...], int] = {}
        self._values = 0
        try:
            if path.is_file() and (size := path.stat().st_size) > _LARGEST:
                raise DiffPairError(
                    f"{path}: has {size} bytes, but a {what} has at most {_LARGEST}: is it another file?"
                )
            self.text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DiffPairError(f"{path}: no such {what.split()[-1]} file") from None
        except OSError as error:
            raise DiffPairError(f"{path}: cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise DiffPairError(f"{path}: is not a text file in UTF-8, but should be a {what} in YAML") from None
        except DiffPairError:
            raise
        except ValueError as error:  # a zero byte in the name
            raise DiffPairError(f"{str(path)!r} is no name of a file: {error}") from None
        loader: Any = None
        try:
            loader = yaml.SafeLoader(self.text)
            node = loader.get_single_node()
            data = None if node is None else self._plain(loader, node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f", line {mark.line + 1}" if mark else ""
            raise DiffPairError(f"{path}{where}: is not valid YAML: {error.problem or error.context}") from None
        except DiffPairError:
            raise
        except (yaml.YAMLError, ValueError) as error:
            raise DiffPairError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
        except RecursionError:
            raise DiffPairError(f"{path}: is nested too deeply") from None
        finally:
            if loader is not None:
                loader.dispose()
        if data is None:
            raise DiffPairError(f"{path}: is empty")
        if not isinstance(data, dict):
            raise DiffPairError(
                f"{path}: is no {what.split()[-1]}: it has no keys such as '{keys[0]}:' and '{keys[1]}:'"
            )
        self.data: dict[str, Any] = data

    def line(self, path: Sequence[Key]) -> int:
        """Line of the key at ``path``, or of the nearest enclosing one that exists."""
        keys = tuple(path)
        while keys and keys not in self._lines:
            keys = keys[:-1]
        return self._lines.get(keys, 1)

    def existing(self, path: Sequence[Key]) -> tuple[Key, ...]:
        """``path`` without the parts that are not in the file: a validator's own labels for the choices of a union."""
        here: tuple[Key, ...] = ()
        for key in path:
            if (*here, key) in self._lines:
                here = (*here, key)
        return here

    def _plain(self, loader: Any, node: yaml.Node, at: tuple[Key, ...]) -> Any:
        self._lines.setdefault(at, node.start_mark.line + 1)
        self._values += 1
        if self._values > _MOST_VALUES:
            raise DiffPairError(f"{self.path}: its aliases (*name) make more than {_MOST_VALUES} values of it")
        if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and node.tag not in _PLAIN_TAGS:
            raise DiffPairError(
                f"{self.path}, line {node.start_mark.line + 1}: the YAML tag {node.tag} is not accepted"
            )
        if isinstance(node, yaml.MappingNode):
            own = {id(key_node) for key_node, _ in node.value}
            loader.flatten_mapping(node)  # puts what << brings first, so that own keys replace it
            result: dict[Any, Any] = {}
            given: set[Any] = set()
            for key_node, value_node in node.value:
                line = key_node.start_mark.line + 1
                key = self._scalar(loader, key_node)
                if not isinstance(key, (str, int)) or isinstance(key, bool):
                    quote = f"; if {key_node.value} is one, quote it: '{key_node.value}'"
                    quote = quote if isinstance(key_node, yaml.ScalarNode) else ""
                    raise DiffPairError(f"{self.path}, line {line}: the key {key!r} is not a name{quote}")
                if key in given:
                    raise DiffPairError(f"{self.path}, line {line}: the key {key!r} is given twice")
                if id(key_node) in own:
                    given.add(key)
                self._lines[(*at, key)] = line
                result[key] = self._plain(loader, value_node, (*at, key))
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(loader, child, (*at, index)) for index, child in enumerate(node.value)]
        return self._scalar(loader, node)

    def _scalar(self, loader: Any, node: yaml.Node) -> Any:
        """Of a node that a tag may call what it is not. Raises DiffPairError that names its line."""
        try:
            value = _scalar(loader, node)
        except yaml.MarkedYAMLError:
            raise
        except Exception:  # PyYAML's constructors raise whatever a wrong text makes them raise
            shown = shortened(getattr(node, "value", ""))
            raise DiffPairError(
                f"{self.path}, line {node.start_mark.line + 1}: {shown} is not what its YAML tag {node.tag} says"
            ) from None
        if isinstance(value, str) and _SURROGATE.search(value):
            raise DiffPairError(f"{self.path}, line {node.start_mark.line + 1}: {value!r} holds half of a character")
        return value


def _scalar(loader: Any, node: yaml.Node) -> Any:
    """The value of a scalar, with what YAML 1.1 makes of names and newer YAML does not undone.

    A number that is not written as Python writes it stays text, so that a name may be 012, 1_000 or 1e5; where a number
    is wanted, text that holds one is as good.
    """
    try:
        value = loader.construct_object(node, deep=True)
    except ValueError:  # looks like a date or a whole number, but there is no such date, or no number of so many digits
        if not isinstance(node, yaml.ScalarNode) or node.start_mark.buffer is None or _tagged(node):
            raise
        return str(node.value)
    if not isinstance(node, yaml.ScalarNode) or isinstance(value, str) or value is None:
        return value
    text = str(node.value)
    if isinstance(value, bool):
        return value if text.lower() in ("true", "false") else Word(text, value)
    if isinstance(value, int | float):
        return value if str(value) == text else text
    return Word(text, value)


def _tagged(node: yaml.Node) -> bool:
    """Whether the file itself says what the scalar is."""
    mark = node.start_mark
    return bool(mark.buffer[mark.pointer : mark.pointer + 1] == "!")
