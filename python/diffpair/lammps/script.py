"""A user's own input script of LAMMPS: what its lines are, and what a fit may not leave to them.

Syntax of LAMMPS (https://docs.lammps.org/Commands_parse.html): `&` at a line's end goes on in the next one, and so does
text in triple quotes; `#` begins a comment outside quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from diffpair.errors import DiffPairError

STYLE = "diffpair"
_TRIPLE = '"""'
# What takes steps, which are the fit's.
_STEPS = (
    "run", "minimize", "rerun", "temper", "temper/grem", "temper/npt", "neb", "neb/spin", "prd", "tad", "hyper",
    "dynamical_matrix", "third_order", "fitpod", "mdi",
)  # fmt: skip
_OURS = ("clear", "quit", "partition")  # and what would end or forget the simulation
# What only writes files: a script is read whenever LAMMPS is started, and would write them anew.
_WRITERS = ("dump", "dump_modify", "undump", "restart", "log", "write_data", "write_dump", "write_restart")
_BOXES = ("read_data", "read_restart", "create_box")
_QUOTED = re.compile(r'"""(.*?)"""|"([^"]*)"|\'([^\']*)\'|(\S+)', re.DOTALL)


class Line(NamedTuple):
    """A command, as a whole. number: of its first line in the file, from 1. words: of it, quotes taken off."""

    file: Path
    number: int
    text: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        return self.words[0]

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}"


class InputScript:
    """An input script, with the files that it includes by a plain name.

    Attributes
    ----------
    file: absolute. lines: all commands, but those that only write files. named: what its own `pair_coeff` of style
    diffpair names, a type of the potential or NULL for each type of LAMMPS; None where it has no such style.

    Raises
    ------
    DiffPairError: a file that is missing, a command that takes steps or forgets the simulation, a pair style that
        nothing can be put on top of.
    """

    def __init__(self, file: Path) -> None:
        self.file = file.resolve()
        found = list(_lines(self.file, self.file.parent))
        for line in found:
            _check(line)
        self.lines = [line for line in found if line.command not in _WRITERS]
        self._styles = [line for line in self._of("pair_style") if line.words[1:2] != ("none",)]
        self._check_hidden()
        self.named = self._named()
        if self.named is None:
            for line in self._styles:
                _check_style(line)

    def _check_hidden(self) -> None:
        """Refuse what would bring a pair style, or change its pairs, unseen (DiffPairError)."""
        for line in self.lines:
            why = ""
            if line.command in ("include", "jump") and (len(line.words) < 2 or line.words[1] != "SELF"):
                why = "what is in that file has to be seen: write it out, or include it by a plain name"
            elif line.command == "read_restart" and self.alone:
                why = "it may bring a pair style, which has to be seen: give pair_style and pair_coeff in the script"
            elif line.command == "pair_modify" and {STYLE, "special"} <= set(line.words):
                why = "which pairs the learned pair leaves out is said by special_bonds or exclude_bonds"
            if why:
                raise DiffPairError(f"{line}: {line.command}: {why}")

    @property
    def alone(self) -> bool:
        """Whether it has no pair style, so that the learned pair is the only one."""
        return not self._styles

    @property
    def _hybrid(self) -> bool:
        return any(line.words[1].startswith("hybrid") for line in self._styles)

    @property
    def thermo_temperature(self) -> str:
        """The compute that it has thermodynamic output take for the temperature; empty where it has none."""
        given = [line.words for line in self._of("thermo_modify") if "temp" in line.words]
        return given[-1][given[-1].index("temp") + 1] if given else ""

    @property
    def takes_seed(self) -> bool:
        """Whether a variable `seed` of style index may be given to it: the first definition of one counts."""
        return all(line.words[2:3] == ("index",) for line in self._of("variable") if line.words[1:2] == ("seed",))

    def as_it_is(self) -> list[str]:
        """Its commands, each after one that prints its place in `lines`. Where it has no pair style it gets one that
        does nothing, with which LAMMPS sees as far as with the learned pair."""
        texts = [line.text for line in self.lines]
        if self.alone:
            texts[self._place()] += f"\n{_NOTHING}"
        return self._marked(texts)

    def with_pair(self, coefficients: str, names: list[str], factors: tuple[float, ...] | None) -> list[str]:
        """Its commands with the learned pair.

        Args:
            coefficients: file of the potential. names: of it, or NULL, for each type of LAMMPS. factors: of pairs one,
                two and three bonds apart, where they are not those of `special_bonds`.
        """
        texts = [line.text for line in self.lines]
        hybrid = not self.alone if self.named is None else self._hybrid
        begin = []
        if self.named is None and self.alone:
            hybrid = "NULL" in names  # a style of its own for the types without one
            begin = (
                ["pair_style hybrid/overlay zero 1.0 diffpair", "pair_coeff * * zero"]
                if hybrid
                else ["pair_style diffpair"]
            )
        ours = [*begin, pair_command(hybrid, coefficients, names)]
        if factors is not None:
            numbers = " ".join(f"{factor:g}" for factor in factors)
            ours.append(f"pair_modify pair {STYLE} special lj {numbers}" if hybrid else f"special_bonds lj {numbers}")
        place = self._place()
        if self.named is not None:
            texts[place] = ""
        else:
            for at, line in enumerate(self.lines):
                texts[at] = _on_top(line, self._styles)
        texts[place] = "\n".join(filter(None, [texts[place], *ours]))
        return self._marked(texts)

    def is_hybrid(self, names: list[str]) -> bool:
        """Whether the learned pair is one of several styles then."""
        if self.named is not None:
            return self._hybrid
        return not self.alone or "NULL" in names

    def _marked(self, texts: list[str]) -> list[str]:
        marks = [f'print "{MARK} {at}"' for at in range(len(texts))]
        return [text for pair in zip(marks, texts, strict=True) for text in pair if text]

    def _place(self) -> int:
        """Of the command after which, or in whose place, ours are: later ones may have LAMMPS need all coefficients."""
        if self.named is not None:
            return next(at for at, line in enumerate(self.lines) if self._is_ours(line))
        wanted = _BOXES if self.alone else (*_BOXES, "pair_style", "pair_coeff")
        return max((at for at, line in enumerate(self.lines) if line.command in wanted), default=len(self.lines) - 1)

    def _named(self) -> tuple[str, ...] | None:
        if not any(STYLE in line.words for line in self._styles):
            return None
        found = [line for line in self._of("pair_coeff") if self._is_ours(line)]
        if len(found) != 1:
            raise DiffPairError(
                f"{self._styles[-1]}: it has pair_style diffpair, which needs one pair_coeff * * "
                f"{'diffpair ' if self._hybrid else ''}FILE and a type for each atom type, but there are {len(found)}"
            )
        return found[0].words[5 if self._hybrid else 4 :]

    def _is_ours(self, line: Line) -> bool:
        return line.command == "pair_coeff" and (not self._hybrid or line.words[3:4] == (STYLE,))

    def _of(self, command: str) -> list[Line]:
        return [line for line in self.lines if line.command == command]


_NOTHING = "pair_style zero 10.0\npair_coeff * *"
MARK = "diffpair-line"  # begins a line with the number of the command that comes next


def pair_command(hybrid: bool, file: str, names: list[str]) -> str:
    """The coefficients of the learned pair."""
    return f'pair_coeff * * {f"{STYLE} " if hybrid else ""}"{file}" {" ".join(names)}'


def _on_top(line: Line, styles: list[Line]) -> str:
    """The command with the learned pair beside the script's own."""
    if line in styles:
        given = line.words[1:] if line.words[1] == "hybrid/overlay" else ("hybrid/overlay", *line.words[1:])
        return _joined("pair_style", *given, STYLE)
    if line.command == "pair_style":
        return ""  # none
    if line.command == "pair_coeff" and styles and styles[-1].words[1] != "hybrid/overlay":
        return _joined(*line.words[:3], styles[-1].words[1], *line.words[3:])
    return line.text


def _joined(*words: str) -> str:
    return " ".join(f'"{word}"' if len(word.split()) != 1 else word for word in words)


def _check_style(line: Line) -> None:
    name = line.words[1] if len(line.words) > 1 else ""
    if "$" in name:
        raise DiffPairError(
            f"{line}: write out the name of the pair_style, {name}, so that the learned pair can be added to it"
        )
    if name.startswith("hybrid") and name != "hybrid/overlay":
        raise DiffPairError(
            f"{line}: the learned pair cannot be put on top of pair_style {name}: use hybrid/overlay, and "
            f"name {STYLE} there where it is to act"
        )


def _check(line: Line) -> None:
    if line.command in _STEPS:
        raise DiffPairError(
            f"{line}: {line.command}: the fit itself takes the steps, so take this command out; a structure from a run "
            f"before it comes by write_data and read_data"
        )
    if line.command in _OURS:
        raise DiffPairError(
            f"{line}: {line.command}: a fit goes on with what the script has made; take this command out"
        )


def _lines(file: Path, folder: Path, seen: tuple[Path, ...] = ()) -> Iterator[Line]:
    """All commands of a file; those of files that it includes in their place. Raises DiffPairError."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DiffPairError(f"{file}: no such LAMMPS input script") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DiffPairError(f"{file}: cannot be read as a LAMMPS input script: {error}") from None
    pending, first = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        first = first if pending else number
        pending += raw
        if pending.rstrip().endswith("&"):
            pending = pending.rstrip()[:-1]
            continue
        if pending.count(_TRIPLE) % 2:
            pending += "\n"
            continue
        words = _words(pending)
        if words and words[0] == "include" and len(words) == 2 and "$" not in words[1]:
            inner = (folder / words[1]).resolve()
            if inner in (*seen, file):
                raise DiffPairError(f"{file}, line {first}: it includes itself by {words[1]}")
            yield from _lines(inner, folder, (*seen, file))
        elif words:
            yield Line(file, first, pending, words)
        pending = ""
    if _words(pending):
        yield Line(file, first, pending, _words(pending))


def _words(text: str) -> tuple[str, ...]:
    """Of a command, without its comment."""
    found = []
    for match in _QUOTED.finditer(text):
        if match[4] is not None and match[4].startswith("#"):
            break
        found.append(next(part for part in match.groups() if part is not None))
        if match[4] is not None and "#" in match[4]:
            found[-1] = match[4].partition("#")[0]
            break
    return tuple(found)
