"""What a file is that was given as a potential file and is none: other programs have formats of their own."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_HEAD = 65536  # bytes that are looked at
_BINARY = (
    (b"\x1f\x8b", "compressed by gzip: unpack it first"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    (b"\x80\x02", "a Python pickle, as torch.save once made"),
)
# Members that tell archives apart, most telling first.
_ARCHIVES = (
    (r"/constants\.pkl$", "a TorchScript module: a config's potential: {module: FILE} and TorchPairForce take it"),
    (r"exported_program\.json$|/archive_format$", "a program of torch.export"),
    (r"/data\.pkl$", "a file of torch.save, as weights and a fit's checkpoint.pt are"),
    (r"\.npy$", "NumPy arrays (.npz)"),
)
_TEXTS = (
    (r"\Aversion https://git-lfs", "a pointer of Git LFS: git lfs pull brings the file itself"),
    (r"^#UF3 POT", "a file of LAMMPS's pair_style uf3: diffpair import makes a potential of it"),
    (r"^N\s+\d+\b", "a LAMMPS table (pair_style table): diffpair import makes a potential of it"),
    (r"^@\s*(title|xaxis|s0|TYPE)", "a GROMACS .xvg file: diffpair import makes a potential of a table"),
    (r"^(potential|states)\s*:", "a fit's config: diffpair fit makes a potential of it"),
    (r"\A(\s*[#;].*\n)*\s*[-+.\d][-+.\deE]*[\s,;]+[-+.\d]", "columns of numbers, as of a g(r) or of another table"),
)


def kind_of(path: Path) -> str:
    """What the file is, in words; empty for what starts as JSON does. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip(b"\0 \r\n\t"):
        return "an empty file"
    if head.startswith(b"PK"):
        return _archive(path)
    for magic, words in _BINARY:
        if head.startswith(magic):
            return words
    if b"\0" in head.rstrip(b"\0"):
        return "binary data"
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if not text:  # a mark of byte order, or signs that count as white space
        return "an empty file"
    if text[0] in "{[":
        return ""
    return _xml(text) if text[0] == "<" else _text(text)


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # not BadZipFile alone: names that are no text, numbers that lead out of the file
        return "a damaged zip archive"
    return next((words for end, words in _ARCHIVES if any(re.search(end, n) for n in names)), "a zip archive")


def _xml(text: str) -> str:
    tag = re.search(r"<\s*([A-Za-z][\w.]*)([^>]*)", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    name, attributes = (tag[1], tag[2]) if tag else ("", "")
    if re.search(r"<(!doctype\s+)?html", text[:500], re.IGNORECASE):
        return "a web page"
    if name == "ForceField":
        return "a force field in XML: openmm.app.ForceField reads it"
    if name in ("Force", "System", "State", "Integrator"):
        force = re.search(r'\btype="(\w+)"', attributes)
        return f"OpenMM's XML of a {force[1] if force else name}: openmm.XmlSerializer.deserialize reads it"
    return "XML"


def _text(text: str) -> str:
    return next((words for sign, words in _TEXTS if re.search(sign, text, re.MULTILINE)), "text of another kind")
