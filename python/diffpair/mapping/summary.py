"""What the command says of a mapping: summary.json, and lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffpair.mapping.beads import BeadMap
from diffpair.mapping.fit_file import Choices, contact_of
from diffpair.mapping.measure import Measured
from diffpair.mapping.settings import MapSettings
from diffpair.targets.distribution import Distribution


def summary_of(
    measured: Measured, beads: BeadMap, settings: MapSettings, chosen: Choices, trajectories: Sequence[Path]
) -> dict[str, Any]:
    """The content of summary.json, plain values."""
    pressure = settings.pressure
    return {
        "trajectories": [str(path) for path in trajectories],
        "frames": measured.frames,
        "temperature": {"value": settings.temperature, "unit": "K"},
        "pressure": None if pressure is None else {"value": pressure.value, "error": pressure.error, "unit": "bar"},
        "density": {"value": measured.density, "error": measured.density_error, "unit": "g/cm^3"},
        "box": {"vectors": measured.box.tolist(), "half_of_smallest": measured.half_box, "unit": "nm"},
        "molecules": [
            {
                "name": kind.name,
                "number": len(kind.molecules),
                "mass": round(kind.mass, 6),
                "beads": [
                    {"name": bead.name, "type": bead.type, "atoms": len(bead.atoms), "mass": round(bead.mass, 6)}
                    for bead in kind.beads
                ],
                "bonds": [[kind.beads[i].name, kind.beads[j].name] for i, j in kind.bonds.tolist()],
            }
            for kind in beads.kinds
        ],
        "rdfs": [
            {
                "pair": list(pair), "highest": float(rdf.g.max()), "contact_nm": contact_of(rdf),
                "mean_error": None if rdf.error is None else float(rdf.error.mean()),
            }
            for pair, rdf in measured.rdfs.items()
        ],
        "distributions": [_bonded(one) for one in measured.distributions],
        "fit": {"cutoff_nm": chosen.cutoff, "timestep_fs": chosen.timestep},
    }  # fmt: skip


def _bonded(one: Distribution) -> dict[str, Any]:
    of, weights = one.coordinate, one.p * one.width
    mean = float(weights @ one.centres)
    spread = float(np.sqrt(weights @ (one.centres - mean) ** 2))
    found: dict[str, Any] = {"kind": of.name, "types": list(one.kind), "unit": of.unit_name}
    if len(one.kind) < 4:  # a mean of dihedrals says nothing: they go round
        found |= {"mean": mean / of.unit, "standard_deviation": spread / of.unit}
    return found


def lines_of(document: dict[str, Any]) -> Iterator[str]:
    """For the terminal."""
    density, error = document["density"]["value"], document["density"]["error"]
    yield f"{document['frames']} frames; density of the beads {density:.5g}{_error(error)} g/cm^3"
    for kind in document["molecules"]:
        beads = ", ".join(f"{b['name']} ({b['type']}, {b['atoms']} atoms, {b['mass']:.6g} amu)" for b in kind["beads"])
        yield f"{kind['number']} molecules {kind['name']}, {kind['mass']:.6g} amu: {beads}"
    for rdf in document["rdfs"]:
        noise = "" if rdf["mean_error"] is None else f", mean error {rdf['mean_error']:.2g}"
        shape = f"contact at {rdf['contact_nm']:.3g} nm, highest {rdf['highest']:.4g}"
        yield f"g(r) of {'-'.join(rdf['pair'])}: {shape}{noise}"
    for one in document["distributions"]:
        shape = "" if "mean" not in one else f": {one['mean']:.4g} +- {one['standard_deviation']:.2g} {one['unit']}"
        yield f"{one['kind']} {'-'.join(one['types'])}{shape}"


def _error(error: float | None) -> str:
    return f" +- {error:.2g}" if error else ""  # at constant volume it is 0
