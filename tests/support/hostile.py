"""Valid inputs of every parser, and the one sentence that a broken one gets."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable

import numpy as np
import openmm
import pytest

from diffpair import PairTableForce, TorchPairForce
from diffpair.errors import DiffPairError

R = 0.02 * np.arange(1, 60)
G = np.where(R < 0.3, 0.0, 1 + 0.5 * np.exp(-5 * R) * np.cos(20 * R))
CURVE = "".join(f"{r:.3f} {g:.4f}\n" for r, g in zip(R, G, strict=True))
DOCUMENT = {
    "format": "diffpair-potential",
    "version": 1,
    "units": {"length": "nm", "energy": "kJ/mol"},
    "types": ["A", "B"],
    "r_min": 0.5,
    "cutoff": 0.9,
    "knots": 5,
    "pairs": [
        {"types": pair, "coefficients": [8.0, 2.0, -1.0, -0.25, 0, 0, 0]}
        for pair in (["A", "A"], ["A", "B"], ["B", "B"])
    ],
}
POTENTIAL = json.dumps(DOCUMENT)


def sentence(call: Callable[[], object], kind: type[Exception] = DiffPairError) -> str:
    """What a call is refused with: one line of reasonable length, whatever was given."""
    with warnings.catch_warnings(), pytest.raises(kind) as error:
        warnings.simplefilter("ignore")
        call()
    said = str(error.value)
    assert "\n" not in said and 0 < len(said) < 700, said
    return said


def table_force(types: int = 1) -> PairTableForce:
    """Two particles of type 0, which have a potential."""
    force = PairTableForce(types, 0.2, 0.9, 12)
    for _ in range(2):
        force.addParticle(0)
    force.addExclusion(0, 1)
    force.setPairCoefficients(0, 0, [8.0, 4.0, 2.0, 1.0, 0.5, 0.25, -1.0, -0.5, -0.25, 0.125, 0.0, 0.0, 0.0, 0.0])
    return force


def torch_force() -> TorchPairForce:
    """With a parameter, a derivative and a table, but bytes that are no module: XML does not look at them."""
    force = TorchPairForce(b"no module", 1, 0.2, 0.9, 12)
    force.addParticle(0)
    force.addGlobalParameter("a", 1.5)
    force.addEnergyParameterDerivative("a")
    row = [1.0] * 11 + [0.0] * 3
    force.setEmbeddedTable(row, [1.5], row)
    return force


def xml_of(force: openmm.Force) -> str:
    """The XML of a System that holds the force."""
    system = openmm.System()
    for _ in range(force.getNumParticles()):
        system.addParticle(1.0)
    system.addForce(force)
    return str(openmm.XmlSerializer.serialize(system))


def changed(text: str, pattern: str, replacement: str) -> str:
    """With the first match replaced; there has to be one."""
    found, count = re.subn(pattern, lambda _: replacement, text, count=1)
    assert count == 1, pattern
    return found


def archive(*members: tuple[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", packed) as file:
        for name, content in members:
            file.writestr(name, content)
    return memory.getvalue()
