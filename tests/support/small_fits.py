"""Configs of fits of a second or two, and what is in their checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from diffpair.fit.record.checkpoint import KIND, VERSION
from diffpair.fit.record.sealed import read_sealed

R = np.arange(0.82, 2.49, 0.02)
GAS = np.exp(-4 * (R**-12.0 - R**-6.0))  # Lennard-Jones at kT = 1 kJ/mol and low density


def document(folder: Path, **sections: Any) -> dict[str, Any]:
    """The sections of a config; its target lies in `folder`."""
    np.savetxt(folder / "gas.csv", np.column_stack([R, GAS]), delimiter=",", header="r,g", comments="")
    return {
        "potential": {"form": "bspline", "cutoff": "2.4 nm", "knots": 24},
        "states": [
            {
                "name": "gas",
                "system": {"lattice": {"n": 108, "density": "0.3 nm^-3", "types": {"A": 1.0}, "mass": "1 amu"}},
                "temperature": "120.27 K",
                "targets": [{"rdf": {"pair": ["A", "A"], "file": str(folder / "gas.csv"), "r_unit": "nm"}}],
            }
        ],
        "sampling": {"timestep": "5 fs", "equilibration": 20, "steps": 200, "every": 5, "melt": 150, "adaptive": False},
        "production": {"max_steps": 2400, "noise_target": 0.0001},
        "update": {"method": "gauss-newton", "iterations": 3, "stop_at_noise": False},
        "start": "boltzmann-inversion",
        "seed": 3,
    } | sections  # fmt: skip


def written(folder: Path, **sections: Any) -> Path:
    path = folder / "fit.yaml"
    path.write_text(yaml.safe_dump(document(folder, **sections)))
    return path


def kept_in(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint holds."""
    return read_sealed(checkpoint, KIND, VERSION)
