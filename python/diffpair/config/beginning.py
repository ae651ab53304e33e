"""The config that a fit may begin with: from files of g(r) and a few numbers, with comments that say what is what."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
import yaml

from diffpair.atomic_file import write_atomically
from diffpair.config.build import build_states
from diffpair.config.first_values import (
    CONTACTS,
    SHORTEST,
    longest_timestep,
    timestep_below,
    wanted_cutoff,
    within,
)
from diffpair.config.fit_config import load_config
from diffpair.errors import DiffPairError
from diffpair.tables.pairs import type_pairs
from diffpair.targets.rdf_file import read_with_notes
from diffpair.targets.reading import RDF, read_curve
from diffpair.targets.sampled import first_contact_bin
from diffpair.targets.unit_check import unit_in

if TYPE_CHECKING:
    from diffpair.states import State
    from diffpair.targets import RdfTarget

_TEMPLATES = Path(__file__).parent / "templates"
_FEWEST, _MOST = 500, 5000  # particles of a box of our own choice
_ROOM = 1.02  # half the box over the longest distance that is asked for
_REACH = 3.5  # contact distances that g(r) is compared over: beyond, a simple liquid's has little to tell


@dataclass(frozen=True)
class Given:
    """What is known of a fit.

    rdfs: file by pair of types. temperature: a quantity, as text. density: likewise; of a lattice. fractions: mole
    fractions by type, of a lattice. masses: quantities by type; of a topology without xml, where the file states no
    elements. r_unit: of the files; None: what their headers say, or nm. n: particles of the lattice; None: as many as
    g(r) asks for. topology, xml: of a state from files. types: names in the topology to types, see
    `State.from_files`; None: its atom names are the types.
    """

    rdfs: Mapping[tuple[str, str], Path]
    temperature: str
    density: str | None = None
    fractions: Mapping[str, float] = field(default_factory=dict)
    masses: Mapping[str, str] = field(default_factory=dict)
    r_unit: str | None = None
    n: int | None = None
    topology: Path | None = None
    xml: Path | None = None
    types: Mapping[str, str] | None = None


@dataclass(frozen=True)
class _Target:
    """A file as it is written down, and what it holds; end: nm, up to which it is used, or None for all of it."""

    target: RdfTarget
    unit: str
    end: float | None
    file: Path

    @property
    def pair(self) -> tuple[str, str]:
        return self.target.pair

    @property
    def contact(self) -> float:
        """nm"""
        return float(self.target.r[first_contact_bin(self.target.r, self.target.g)])


def write_config(given: Given, out: Path, replace: bool = False) -> None:
    """Write the config, which `diffpair fit` takes as it is.

    Raises
    ------
    DiffPairError: the file exists and is not to be replaced; a file or number is bad, or does not go with the others.
    Nothing is left of the file then.

    Warns
    -----
    UserWarning: as the fit would, of a g(r).
    """
    if out.exists() and not replace:
        raise DiffPairError(f"{out} exists already; --force replaces it")
    before = out.read_bytes() if out.is_file() else None
    write_atomically(out, config_text(given, out))
    try:
        build_states(load_config(out))
    except BaseException:
        out.unlink() if before is None else out.write_bytes(before)
        raise


def config_text(given: Given, out: Path) -> str:
    """The text of the config in the file `out`, from whose folder its paths count. Raises DiffPairError."""
    targets = [_read(pair, file, given.r_unit) for pair, file in given.rdfs.items()]
    state = _trial(given)
    longest = max(targets, key=lambda one: one.contact)
    wanted = wanted_cutoff(longest.contact)
    reach = max(wanted, _REACH * longest.contact)
    n, half_box = _size(given, state, min(reach, max(max(one.target.r_max for one in targets), wanted)))
    cutoff = within(wanted, half_box)
    reason = (
        f"half of the box; {wanted:.3g} nm would suit the contact distance better" if cutoff < wanted - 1e-4
        else f"{SHORTEST:g} nm are the least, for the attraction of small molecules" if wanted <= SHORTEST
        else f"{CONTACTS:g} times the longest contact distance, {longest.contact:.3g} nm of {'-'.join(longest.pair)}"
    )  # fmt: skip
    end = within(max(reach, cutoff), half_box - max(one.target.bin_width for one in targets) / 2)  # of bins' centres
    used = [_Target(one.target, one.unit, end if one.target.r_max > end else None, one.file) for one in targets]
    lightest = float(np.min(state.masses[state.types >= 0]))
    longest_step = longest_timestep(min(one.contact for one in targets), lightest, state.temperature)
    measured = [set(pair) for pair in given.rdfs]
    missing = [pair for pair in type_pairs(state.type_names) if set(pair) not in measured]
    folder = out.resolve().parent
    values: dict[str, Any] = {
        "given": given,
        "name": "liquid" if given.topology is None else given.topology.stem,
        "out": out.name,
        "fit_folder": f"{out.stem}-out",
        "cutoff": f"{cutoff:g} nm",
        "cutoff_reason": reason,
        "pairs": [list(one.pair) for one in targets] if missing else None,
        "missing": ["-".join(pair) for pair in missing],
        "n": n,
        "half_box": half_box,
        "masses": _one_or_each(given.masses),
        "targets": used,
        "timestep": timestep_below(longest_step),
        "lightest": lightest,
        "path": lambda path: os.path.relpath(path.resolve(), folder),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters["yaml"] = flow
    return environment.get_template("fit.yaml.jinja").render(values)


def flow(value: Any) -> str:
    """YAML on one line; names that YAML would take for something else are quoted."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=math.inf, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _read(pair: tuple[str, str], file: Path, r_unit: str | None) -> _Target:
    unit = r_unit or unit_in(read_curve(file, RDF, pair=pair).x_name) or "nm"
    return _Target(read_with_notes(file, pair, unit).target, unit, None, file)


def _trial(given: Given) -> State:
    """The state without targets, in a box that may yet change."""
    from diffpair.states import build_from_files, build_lattice
    from diffpair.targets.units import parse

    kelvin = parse(given.temperature, "K", "300 K")
    masses = {name: parse(mass, "amu", "18.015 amu") for name, mass in given.masses.items()}
    if given.topology is not None:
        return build_from_files(
            given.topology.stem, topology=given.topology, xml=given.xml, types=given.types, temperature=kelvin,
            masses=masses or None,
        )  # fmt: skip
    from diffpair.targets.units import parse_density

    assert given.density is not None
    return build_lattice(
        "liquid", n=given.n or _FEWEST, density=parse_density(given.density), types=given.fractions, masses=masses,
        temperature=kelvin,
    )  # fmt: skip


def _size(given: Given, state: State, reach: float) -> tuple[int, float]:
    """Particles, and half of the smallest box in nm; of a lattice as many as reach asks for, if none are given."""
    if given.topology is not None or given.n is not None:
        return state.num_atoms, state.half_box
    density = state.num_atoms / state.volume
    n = math.ceil(density * (2 * _ROOM * reach) ** 3 / 100) * 100
    n = min(max(n, _FEWEST), _MOST)
    return n, (n / density) ** (1 / 3) / 2


def _one_or_each(masses: Mapping[str, str]) -> str | dict[str, str] | None:
    """As a config has it: one mass, if there is one type."""
    if not masses:
        return None
    return next(iter(masses.values())) if len(masses) == 1 else dict(masses)
