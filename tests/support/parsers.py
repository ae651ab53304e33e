"""Every parser of what a user may have from others, as one function of bytes; shared by property tests and the fuzzer.

`read` takes in bytes and either returns what it checked to be finite and whole, or raises one of `refusals`. Anything
else is a defect of the parser.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openmm
from hostile import CURVE, POTENTIAL, table_force, torch_force, xml_of
from refused_config import GOOD

from diffpair import PairTableForce, TorchPairForce
from diffpair.config import load_config
from diffpair.errors import DiffPairError
from diffpair.module_files import describe, kind_of
from diffpair.systems.xml_text import check_xml
from diffpair.tables import PairTable
from diffpair.targets import read_rdf

OPENMM = (openmm.OpenMMException, ValueError)  # its Python layer raises ValueError for XML that it does not know


@dataclass(frozen=True)
class Parser:
    """read(content, folder for a file). refusals: what it may raise. seeds: valid contents. words: of its language."""

    read: Callable[[bytes, Path], object]
    refusals: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _sentence(path: Path, call: Callable[[], object]) -> object:
    """What the call returns; a refusal has to be one line that begins with the file's name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except DiffPairError as error:
        said = str(error)
        assert said.startswith((str(path), f"the module file {path}")), said
        assert "\n" not in said and len(said) < 2000, said
        raise


def read_config(content: bytes, folder: Path) -> object:
    """A config; what it means is not followed into files."""
    path = _file(folder, "fit.yaml", content)
    config = _sentence(path, lambda: load_config(path))
    assert np.isfinite(
        [config.potential.cutoff, config.sampling.timestep, *(s.temperature for s in config.states)]
    ).all()
    return config


def read_curve(content: bytes, folder: Path) -> object:
    """A g(r)."""
    path = _file(folder, "g.txt", content)
    target = _sentence(path, lambda: read_rdf(path, ("A", "A")))
    for values in (target.r, target.g, *([] if target.error is None else [target.error])):
        assert np.isfinite(values).all() and (values >= 0).all()
    return target


def read_potential(content: bytes, folder: Path) -> object:
    """A potential file, which has to come back the same when it is written again."""
    path = _file(folder, "p.json", content)
    table = _sentence(path, lambda: PairTable.load(path))
    assert np.isfinite(table.coefficients).all() and np.isfinite(table.columns).all()
    table.save(folder / "again.json")
    assert PairTable.load(folder / "again.json") == table
    return table


def read_force(content: bytes, _: Path) -> object:
    """XML of OpenMM with our forces in it, which has to come back the same.

    OpenMM is given what `check_xml` lets through: its own reader leaves the text's memory for anything else.
    """
    text = content.decode("utf-8", "replace")
    with contextlib.suppress(openmm.OpenMMException):
        PairTableForce._fromXml(text)  # looks at the text itself first
    check_xml(Path("system.xml"), text)
    found = openmm.XmlSerializer.deserialize(text)
    forces = found.getForces() if isinstance(found, openmm.System) else [found]
    for force in forces:
        ours = PairTableForce if isinstance(force, PairTableForce) else TorchPairForce
        if isinstance(force, PairTableForce | TorchPairForce):
            again = openmm.XmlSerializer.serialize(force)
            assert openmm.XmlSerializer.serialize(ours.cast(openmm.XmlSerializer.deserialize(again))) == again
    return found


def read_checkpoint(content: bytes, folder: Path) -> object:
    """A checkpoint, up to the check of what fit it is of."""
    from diffpair.fit.record.checkpoint import CHECKPOINT, load_checkpoint

    path = _file(folder, CHECKPOINT, content)
    return _sentence(path, lambda: load_checkpoint(folder, "hash"))


def read_module(content: bytes, _: Path) -> str:
    """What is said of a file that is given as a module; torch, which runs it, is not asked."""
    said = kind_of(content) or describe(content)
    assert said and "\n" not in said and len(said) < 2000, said
    return said


def _checkpoint() -> bytes:
    import tempfile

    import torch

    from diffpair.fit.record.checkpoint import CHECKPOINT, REQUIRED, save_checkpoint

    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder), {key: torch.zeros(2) for key in REQUIRED} | {"config": "hash"})
        return (Path(folder) / CHECKPOINT).read_bytes()


def _module() -> bytes:
    import torch

    class Twice(torch.nn.Module):
        def forward(self, r: torch.Tensor) -> torch.Tensor:
            return 2 * r

    memory = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(Twice()), memory)
    return memory.getvalue()


WORDS = {
    "config": "!!int|&a|*a|<<:|nm|9**9|kJ/mol|{|[|\\ud800|1e999|form: mlp",
    "curve": "\x1f\x8b|nan|1e308|# r g|@ s0 legend|&|;|,|\t|keywords: [|- [",
    "potential": '"bonded"|"entropy"|1e999|NaN|\\ud800|[|{|"knots"|-0.0|5e-324',
    "force": '<Pairs>|knots="|base64="|nan|1e999|<!--|<?xml|&amp;|EmbeddedTable|/>',
    "checkpoint": "PK\x03\x04|PK\x01\x02|\x80\x02|ctorch._utils\n|data.pkl|q\0",
    "module": "PK\x03\x04|PK\x01\x02|/constants.pkl|/code/|\x80\x02|diffpair-potential",
}  # of the languages, between bars


def parser(name: str) -> Parser:
    """One of NAMES."""
    lammps = "# averages\n1000 3\n" + "".join(f"{k} {0.1 * k} {g} 0\n" for k, g in enumerate((0.0, 1.5, 1.0), 1))
    words = {key: tuple(text.encode("latin-1") for text in line.split("|")) for key, line in WORDS.items()}
    bonded = POTENTIAL[:-1] + ', "bonded": [{"types": ["A", "A"], "form": "harmonic", "k": 1.0, "x0": 0.5}]}'
    if name == "config":
        return Parser(read_config, (DiffPairError,), (GOOD.encode(),), words[name])
    if name == "curve":
        named = "r (nm),g(r),error\n" + CURVE.replace(" ", ",").replace("\n", ",0.01\n")
        return Parser(read_curve, (DiffPairError,), (CURVE.encode(), named.encode(), lammps.encode()), words[name])
    if name == "potential":
        return Parser(read_potential, (DiffPairError,), (POTENTIAL.encode(), bonded.encode()), words[name])
    if name == "force":
        seeds = xml_of(table_force()).encode(), xml_of(torch_force()).encode()
        return Parser(read_force, OPENMM, seeds, words[name])
    if name == "checkpoint":
        return Parser(read_checkpoint, (DiffPairError,), (_checkpoint(),), words[name])
    return Parser(read_module, (), (_module(), POTENTIAL.encode()), words["module"])


NAMES = ("config", "curve", "potential", "force", "checkpoint", "module")
