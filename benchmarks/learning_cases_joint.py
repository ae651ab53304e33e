"""Cases of the learning benchmark with several states, several types, or a measured g(r)."""

from __future__ import annotations

from typing import Any

import numpy as np
from bars import Bar, at_most
from learning_fits import SPLINE, UNIT, Document, Run, failed, judged, missing
from learning_states import JOINT, JOINT_TESTS, MOLE_FRACTIONS, lennard_jones, mixture
from learning_targets import CUTOFF, Array, Target, Truth, read_columns

from diffpair import DiffPairError

JOINT_SAMPLING = {"timestep": "5 fs", "steps": 4000, "equilibration": 500}  # three states, ten times: 130,000 steps
MIXTURE_SAMPLING = {"timestep": "5 fs", "steps": 5000, "equilibration": 500}
WATER = {
    "file": "water_exp_298K.csv",
    "system": {"lattice": {"n": 512, "density": "0.997 g/cm^3", "types": {"W": 1.0}, "mass": "18.015 amu"}},
    "temperature": "298 K",
    "cutoff": "0.9 nm",
    "range": ["0.2 nm", "1.2 nm"],
    "timestep": "4 fs",
}
ARGON = {
    "file": "argon_exp.csv",
    "system": {"lattice": {"n": 864, "density": "1.417 g/cm^3", "types": {"Ar": 1.0}, "mass": "39.948 amu"}},
    "temperature": "85 K",
    "cutoff": "1.0 nm",
    "range": ["0.25 nm", "1.7 nm"],
    "timestep": "10 fs",
}


def joint_sections(run: Run) -> list[tuple[Document, Target]]:
    """Three states of the Lennard-Jones fluid, and two that are held out."""
    fitted = [run.section(lennard_jones(*state)) for state in JOINT]
    return fitted + [run.section(lennard_jones(*state), held_out=True) for state in JOINT_TESTS]


def joint(run: Run) -> list[Bar]:
    """One potential for three states of the Lennard-Jones fluid, tested on two others."""
    case, bar = "LJ, three states jointly", 0.01
    try:
        update = {"method": "gauss-newton", "stop_at_noise": False}  # 100,000 steps or more are asked for
        result = run.fit(case, joint_sections(run), sampling=JOINT_SAMPLING, update=update)
    except DiffPairError as error:
        return [failed(case, bar, error)]
    r = np.linspace(0.95, 2.0, 200)
    return [
        judged(f"{case}: those fitted", result, bar, held_out=False),
        judged(f"{case}: two held out", result, bar, held_out=True),
        at_most(f"{case}: RMS error of U over 0.95 .. 2.0 sigma", result.energy_error(Truth(), r), 0.05, "epsilon"),
    ]


def binary_sections(run: Run) -> list[tuple[Document, Target]]:
    """Two compositions of a mixture, and one that is held out."""
    return [run.section(mixture(x), held_out=x == MOLE_FRACTIONS[-1]) for x in MOLE_FRACTIONS]


def binary(run: Run) -> list[Bar]:
    """Three potentials from two compositions of a mixture, tested on a third."""
    case, bar, made = "binary mixture", 0.01, binary_sections(run)
    production = {"max_steps": 300_000, "noise_target": 0.0005}  # so small that it takes all its steps
    try:
        result = run.fit(case, made, sampling=MIXTURE_SAMPLING, production=production)
    except DiffPairError as error:
        return [failed(case, bar, error)]
    bars = [
        judged(f"{case}: six g(r) at x = 0.25 and 0.75", result, bar, held_out=False),
        judged(f"{case}: three g(r) at x = 0.5, held out", result, bar, held_out=True),
    ]
    fitted = [target for _, target in made[:2]]
    for index, pair in enumerate(fitted[0].state.pairs):
        r = _where_known([read_columns(target.files[index]) for target in fitted])
        error = result.energy_error(fitted[0].state.truth, r, pair)
        name = f"{case}: RMS error of U of {'AB'[pair[0]]}-{'AB'[pair[1]]} where g > 0.5"
        bars.append(at_most(name, error, 0.1, "epsilon"))
    return bars


def _where_known(columns: list[Array]) -> Array:
    """Distances within the cutoff at which the mean g of all states is above 0.5."""
    r, g = columns[0][0], np.mean([c[1] for c in columns], axis=0)
    return np.asarray(r[(g > 0.5) & (r < CUTOFF)])


def water(run: Run) -> list[Bar]:
    """One bead per molecule of water, from scattering."""
    return [_measured(run, "measured water, 298 K", WATER)]


def argon(run: Run) -> list[Bar]:
    """Liquid argon near its triple point, from scattering; the data end at 1 nm."""
    return [_measured(run, "measured argon, 85 K", ARGON)]


def _measured(run: Run, case: str, what: Document) -> Bar:
    bar = 0.02
    file = run.measured / what["file"] if run.measured else None
    if file is None or not file.is_file():
        return missing(case, bar, UNIT, f"no {what['file']} in the folder of --measured")
    kind = next(iter(what["system"]["lattice"]["types"]))
    rdf = {"pair": [kind, kind], "file": str(file.resolve()), "r_unit": "angstrom", "range": what["range"]}
    section: dict[str, Any] = {
        "name": "measured",
        "system": what["system"],
        "temperature": what["temperature"],
        "targets": [{"rdf": rdf}],
    }
    return run.bar(
        case, [(section, None)], bar,
        potential={**SPLINE, "cutoff": what["cutoff"]},
        sampling={"timestep": what["timestep"], "steps": 4000, "equilibration": 500},
    )  # fmt: skip
