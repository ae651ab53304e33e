"""What the name of a column says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diffpair.targets.reading.quantity import Quantity

_INDEX = re.compile(r"(row|index|idx|bin|no|nr|i|k|#)\.?$")
# Short words count alone or beside g only: Se-Se, K-Cl and Na+-Cl- are pairs of types, H and K selections.
_ERROR = re.compile(
    r"(.*[^a-z])?(g|gr|rdf|std|y|c|d)?_?err(or)?s?(bars?)?([^a-z]|$)"
    r"|.*(uncert|standard.?dev|std[ ._-]*dev|deviation|±|\+/-)|(.*[^a-z])?sigma([^a-z]|$)|(g\s?)?\+-$"
    r"|((g|gr|rdf|c|g\(r\))[ _.-]*)?(std|sem|sd|s\.d\.|se|s\.e\.|unc|esd|σ)"
    r"([ _.]*(of|in|\().*|[ _]*(g|rdf|g\(r\)))?\.?$"
    r"|[dδ∆]\s?[gcy](\(r\))?([ (\[].*)?$|u\(g\)"
)
_ATOM = re.compile(r"[A-Z][A-Za-z]$")  # SD, SE, Se: an error, or the selection of a sulfur or selenium
_OTHER = {
    "an edge of bins": re.compile(
        r"(bins?|r|dist(ance)?)[ _.-]*(left|right|lo|low|lower|hi|high|upper|min|max|start|begin|end|from|to|edges?)"
        r"([^a-z]|$)"
        r"|(left|right|lower|upper|low|high|start|begin|end)[ _.-]*(bins?|edges?|r|dist(ance)?)([^a-z]|$)"
        r"|(left|right|(bin )?edges?)$"
    ),
    "a relative error": re.compile(r".*(%|percent|relative|\brel\b|rel_|\bratio\b)"),
    "a multiple of sigma": re.compile(r".*(?<![\d.])([2-9]|1\.96)[\s*x]*(sigma|σ|sd|se|std|sem)([^a-z]|$)"),
    "a variance or bound": re.compile(
        r".*(variance|(?<![a-z])(var|min|max)(?![a-z])|lower|upper|ci\s?\d|confid|quantile)"
    ),
    "a coordination number": re.compile(
        r".*(coord|integra|cumul|running [nci]|∫|neighbo)|(.*\W)?n\s?\(r\)|n$|n_?r$|(cn|int)($|[ _(])|number"
        r"|counts?$"
    ),
    "a structure factor": re.compile(r".*\b[sf]\s?\([qk]\)|structure factor"),
    "an energy": re.compile(r".*(pmf|potential|energy|kj|kcal)|[uvw]\(r\)"),
    "a radial density": re.compile(r"(t|d|rho|ρ)\s?\(r\)|.*4\s?\*?\s?(pi|π)(?![a-z])"),
    "shifted": re.compile(r"(g|rdf)\s?(\(r\))?\s?\+\s?\d"),
    "g(r) - 1": re.compile(r"(g|rdf)\s?(\(r\))?\s?-\s?1$|h\(r\)"),
}
_MOMENTUM = re.compile(r"[qk]([^a-z]|$)|momentum")
_LAMMPS = re.compile(r"[cfv]_\w+\[(\d+)\]$", re.IGNORECASE)  # a column of compute rdf's array: r, then g and coord
_GROUPED = re.compile(r"\s+(?=[(\[])")  # "r (nm)" is one name
_QUOTED = re.compile(r"\"([^\"]*)\"")
_PAIR = re.compile(r"\W*[A-Z][\w+]{0,3}\s?[-–:]\s?[A-Z][\w+]{0,3}\W*$")
_SAYS_UNIT = re.compile(r"(?<![a-z(])(r|distances?)\s*((is|are|given)\s+)*(in\s|\[|\(|/).*", re.IGNORECASE)
_PROSE = re.compile(r"(?<![A-Za-z(])(?:r(?![A-Za-z)])|distances?)[^,;\t]{1,15}", re.IGNORECASE)
_SPLITS = (r",", r";", r"\t+", r"\s{2,}", r"\s+")


def role(name: str, quantity: Quantity) -> str | None:
    """ "x", "y", "error", "index", what else the name says in words, or None where it says nothing."""
    text = name.strip().lower()
    if not text:
        return None
    if quantity.grows and (match := _LAMMPS.match(text)):
        place = int(match[1])
        return "x" if place == 1 else "y" if place % 2 == 0 else "a coordination number"
    if _INDEX.match(text):
        return "index"
    for said, pattern in _OTHER.items():
        if pattern.match(text):
            return said
    if _ERROR.match(text):
        return "error"
    if quantity.x_name.match(text):
        return "x"
    if _MOMENTUM.match(text):
        return "a momentum transfer"
    return "y" if quantity.y_name.match(name.strip()) else None


def unnamed_x(header: str) -> str:
    """The few words in which a header of prose speaks of r: "r in Angstrom"; "" if it does not."""
    match = _PROSE.search(header)
    return match[0].strip() if match else ""


def told_unit(comment: str) -> str:
    """What a comment says of the unit of r: "r in nm", "distances / pm"; "" if it does not."""
    match = _SAYS_UNIT.search(comment)
    return match[0] if match else ""


def is_pair(name: str) -> bool:
    """Whether a name looks like that of a pair of types: Na-Cl, O:O."""
    return _PAIR.match(name) is not None


def may_be_type(name: str) -> bool:
    """Whether a name that says "error" may as well be that of a type."""
    return _ATOM.match(name.strip()) is not None


def names_pair(name: str, pair: Sequence[str]) -> bool:
    """Whether a column's name is that of a pair of types, in either order: O-H, g_OH(r), rdf(H, O)."""
    for first, second in (pair, pair[::-1]):
        inner = rf"{re.escape(first)}[-_ –:.,/]*{re.escape(second)}"
        if re.fullmatch(rf"\s*(?:(?:[gG]|rdf|RDF)[\s_({{\[-]*)?{inner}[)}}\]]*(?:\s*\(r\))?\s*", name):
            return True
    return False


def split_names(text: str, width: int) -> list[str] | None:
    """A header line cut into ``width`` names, by whichever sign does so; None if none does."""
    whole = _GROUPED.sub("\0", _QUOTED.sub(lambda match: match[1].replace(" ", "\0"), text.strip().strip("|")))
    for sign in _SPLITS:
        names = [part.replace("\0", " ").strip().strip("\"'").strip() for part in re.split(sign, whole)]
        if len(names) > width and not any(names[width:]):
            names = names[:width]
        if len(names) == width and sum(bool(name) for name in names) >= max(1, width - 1):
            return names
    return None
