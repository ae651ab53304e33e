"""The door: from the checked config to the objects that a Python user makes, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffpair.config.fit_config import FitConfig
from diffpair.config.states import StateSection, TargetSection
from diffpair.errors import DiffPairError
from diffpair.join import join_states
from diffpair.targets import Target

if TYPE_CHECKING:
    from diffpair.fit import Fit
    from diffpair.fit.record.progress import FitProgress
    from diffpair.states import State


def make_fit(config: FitConfig, **how: Any) -> Fit:
    """The fit that a config describes. Raises and warns as `make_states` and `diffpair.Fit` do.

    how: `executor` and `task_timeout` of `diffpair.Fit`.
    """
    from diffpair.fit import Fit
    from diffpair.fit.record.provenance import Origin

    given = {name: getattr(config.settings, name) for name in type(config.settings).model_fields}
    return Fit(states=make_states(config), origin=Origin(config.file, config.text), **given, **how)


def run_fit(
    config: FitConfig, out: Path, resume: bool = False, progress: FitProgress | None = None, **how: Any
) -> Path:
    """`diffpair fit`: fit and write everything to the folder `out`, see `diffpair.Fit.run`. how: see `make_fit`.

    Returns: the path of summary.json.
    """
    fit = make_fit(config, **how)
    fit.run(out, resume=resume, progress=progress)
    return out / "summary.json"


def make_states(config: FitConfig) -> list[State]:
    """The states of a config, with targets read.

    Raises:
        DiffPairError: a file is missing or bad, a target reaches beyond half the box, a target's pair is of a type that
            the state does not have, or r appears to be in the wrong unit.
    """
    return [_build(config, section) for section in config.states]


def build_states(config: FitConfig) -> list[State]:
    """Those states as the fit sees them, see `join_states`."""
    return join_states(config.settings, make_states(config))


def _build(config: FitConfig, section: StateSection) -> State:
    from diffpair.states import build_from_files, build_from_lammps, build_lattice

    common: dict[str, Any] = {
        "targets": [_read(section, target) for target in section.targets],
        "held_out": section.held_out,
        "parameters": section.parameters,
        "temperature": section.temperature,
    }
    system = section.system
    if system.lattice is not None:
        lattice = system.lattice
        return build_lattice(
            section.name, n=lattice.n, density=lattice.density, types=lattice.types, masses=lattice.mass,
            pressure=lattice.pressure, seed=config.seed, replicas=section.replicas, **common,
        )  # fmt: skip
    if system.script is not None:
        assert config.sampling.lammps is not None
        return build_from_lammps(
            system.script, system.types, name=section.name, exclude_bonds=system.exclude_bonds,
            pressure=system.pressure, command=config.sampling.lammps, **common,
        ).with_replicas(section.replicas)  # fmt: skip
    assert system.topology is not None
    return build_from_files(
        section.name, topology=system.topology, xml=system.xml, types=system.types, exclude_bonds=system.exclude_bonds,
        masses=system.masses, replicas=section.replicas, **common,
    )  # fmt: skip


def _read(section: StateSection, target: TargetSection) -> Target:
    try:
        return target.chosen.read()
    except DiffPairError as error:
        if target.rdf is None:
            raise
        raise DiffPairError(f"{str(error)[:-1]} of state {section.name!r})") from None
