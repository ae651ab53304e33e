"""What a config or a potential file holds, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from diffpair.bonded import BondedTerm
    from diffpair.config import FitConfig


def describe(file: Path) -> None:
    """Check a config with the files it names, or a potential file, and print what it holds. Raises DiffPairError."""
    if is_potential(file):
        _describe_potential(file)
    else:
        from diffpair.config import load_config

        _describe_config(load_config(file))


def is_potential(file: Path) -> bool:
    """A potential file is JSON, so it starts with a brace; a fit config is YAML that nobody writes in one brace."""
    if file.suffix.lower() in (".yaml", ".yml"):
        return False
    if file.suffix.lower() == ".json":
        return True
    try:
        with file.open("rb") as stream:
            return stream.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def _describe_potential(file: Path) -> None:
    from diffpair.tables import VERSION, PairTable, read_document

    table = PairTable.load(file)
    document = read_document(file)
    click.echo(f"{file}: a potential, format version {VERSION}")
    click.echo(f"types: {', '.join(table.types)}")
    click.echo(f"range: r_min {table.r_min:g} nm, cutoff {table.cutoff:g} nm, {table.knots} knots")
    for row, (a, b) in enumerate(table.pairs):
        if not table.coefficients[row].any():
            click.echo(f"pair {table.pair_name(row)}: 0 at all distances")
            continue
        energy = table.energy(table.nodes, a, b)
        lowest = int(energy.argmin())
        click.echo(f"pair {table.pair_name(row)}: minimum {energy[lowest]:.6g} kJ/mol at {table.nodes[lowest]:.4g} nm")
    for term in table.bonded:
        click.echo(describe_term(term))
    for name, value in table.global_parameters.items():
        click.echo(f"tabulated at {name} = {value:g}")
    for key, title in (("fit", "fit errors"), ("provenance", "provenance")):
        if document[key]:
            click.echo(f"{title}: {', '.join(document[key])}")


def describe_term(term: BondedTerm) -> str:
    """In a line; angles in degrees."""
    from diffpair.bonded import HarmonicTerm, TabulatedTerm
    from diffpair.targets.distribution import COORDINATES

    of = COORDINATES[len(term.kind)]
    if isinstance(term, HarmonicTerm):
        square = "nm^2" if term.order == "bond" else "rad^2"
        return f"{term.label}: harmonic, k {term.k:.6g} kJ/mol/{square}, x0 {term.x0 / of.unit:.5g} {of.unit_name}"
    assert isinstance(term, TabulatedTerm)
    lowest = term.nodes[int(term.values.argmin())]
    return (
        f"{term.label}: tabulated at {len(term.values)} nodes from {term.low / of.unit:.4g} to "
        f"{term.high / of.unit:.4g} {of.unit_name}, lowest at {lowest / of.unit:.4g} {of.unit_name}"
    )


def _check_files(config: FitConfig) -> None:
    """The files that a config names beside those of its states. A module is not opened: that takes torch."""
    from diffpair.errors import DiffPairError
    from diffpair.settings.forms import Module
    from diffpair.tables import PairTable

    for part in config.potential.parts:
        if isinstance(part, Module) and not part.module.is_file():
            raise DiffPairError(f"{part.module}: no such file; it should hold the potential's TorchScript module")
    for file in (config.starting_point.file, *(term.start for term in config.bonded)):
        if file is not None:
            PairTable.load(file)


def _describe_config(config: FitConfig) -> None:
    from diffpair.config import build_states

    states = build_states(config)
    _check_files(config)
    click.echo(f"{config.file}: a fit config")
    click.echo(f"potential: {config.potential.form}, cutoff {config.potential.cutoff:g} nm")
    for term in config.bonded:
        fixed = ", not learned" if term.fixed else ""
        click.echo(f"bonded: {term.label}, {term.form}{fixed}")
    for state in states:
        click.echo(str(state))
        for target in state.rdfs:
            click.echo(
                f"  g(r) of {'-'.join(target.pair)}: {len(target.r)} bins of {target.bin_width:.4g} nm, "
                f"{target.edges[0]:.4g} to {target.r_max:.4g} nm ({target.file})"
            )
        for pressure in state.pressures:
            error = "" if pressure.error is None else f" +- {pressure.error:g}"
            click.echo(f"  pressure: {pressure.value:g}{error} bar")
        for density in state.densities:
            error = "" if density.error is None else f" +- {density.error:g}"
            click.echo(f"  density: {density.value:g}{error} {density.unit}")
        for found in state.distributions:
            of = found.coordinate
            width, low, high = (value / of.unit for value in (found.width, found.edges[0], found.edges[-1]))
            click.echo(
                f"  {of.name} {'-'.join(found.kind)}: {len(found.p)} bins of {width:.4g} {of.unit_name}, {low:.4g} to "
                f"{high:.4g} {of.unit_name} ({found.file})"
            )
        for vacf in state.vacfs:
            click.echo(
                f"  C(t)/C(0) of the velocities: {len(vacf.t)} lags of {vacf.t[1] - vacf.t[0]:.4g} ps, "
                f"to {vacf.t[-1]:.4g} ps ({vacf.file})"
            )
    click.echo(
        f"gradient: {config.gradient.method}; update: {config.method.method}, {config.method.iterations} iterations"
    )
