"""diffpair import"""

from __future__ import annotations

from pathlib import Path

import click

from diffpair.cli.command import Command
from diffpair.cli.quantities import energy_unit, length_unit, lennard_jones_units, positive_length

_FORMATS = ["lammps", "uf3", "gromacs", "csv"]


@click.command(
    "import",
    cls=Command,
    short_help="Make a potential file of tables of other programs.",
    examples=(
        "diffpair import lj.table --units real --pair Ar Ar LJ_ARGON --out argon.json",
        "diffpair import potential.uf3 --out potential.json",
        "diffpair import tables --out water.json",
        "diffpair import u.csv --length-unit angstrom --energy-unit kcal/mol --out cg.json",
    ),
    groups={
        "The files": ("kind", "pairs", "one_type", "c6", "c12"),
        "Units": ("units", "sigma", "epsilon", "length_unit", "energy_unit"),
        "The potential": ("knots", "r_min", "cutoff", "out"),
    },
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Potential file to write.")
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="Of the files; as they look if left out.")
@click.option(
    "--pair", "pairs", nargs=3, multiple=True, metavar="TYPE TYPE NAME", help="Whose potential NAME is; for each pair."
)
@click.option("--type", "one_type", metavar="NAME", help="The type of a file with one potential; A if left out.")
@click.option("--units", help="LAMMPS's unit style, where the file does not say it: real, metal, nano or lj.")
@lennard_jones_units
@click.option(
    "--length-unit", metavar="UNIT", callback=length_unit, help="Unit of r in a csv file, for example angstrom; nm."
)
@click.option(
    "--energy-unit", metavar="UNIT", callback=energy_unit, help="Unit of U in a csv file, for example kcal/mol; kJ/mol."
)
@click.option("--c6", type=float, help="Factor of the column g of a table of GROMACS.")
@click.option("--c12", type=float, help="Factor of the column h of a table of GROMACS.")
@click.option("--knots", type=click.IntRange(min=5), help="Number of knots; chosen for 1e-5 of U if left out.")
@click.option(
    "--r-min", metavar="QUANTITY", callback=positive_length, help="First knot; where U is 100 kJ/mol if left out."
)
@click.option(
    "--cutoff", metavar="QUANTITY", callback=positive_length, help="Last knot; where the rows end if left out."
)
def command(
    files: tuple[Path, ...],
    out: Path,
    kind: str | None,
    pairs: tuple[tuple[str, str, str], ...],
    one_type: str | None,
    units: str | None,
    sigma: float | None,
    epsilon: float | None,
    length_unit: float | None,
    energy_unit: float | None,
    c6: float | None,
    c12: float | None,
    knots: int | None,
    r_min: float | None,
    cutoff: float | None,
) -> None:
    """Make a potential file of tables of other programs, by least squares, and tell how far it is off.

    FILES: a table of LAMMPS's pair_style table, a file of its pair_style uf3, columns of r and U, or tables of GROMACS
    (.xvg), of which a folder takes all table_*.xvg. docs/guide/formats.md says what is expected of each.
    """
    from diffpair.errors import DiffPairError
    from diffpair.formats.least_squares import fit_curves
    from diffpair.formats.reading import Options, assign, read_curves

    if one_type is not None and not one_type.strip():
        raise DiffPairError("--type must be the name of a type, not empty")
    options = Options(kind, units, sigma, epsilon, length_unit, energy_unit, c6, c12)
    types, curves = assign(read_curves(files, options), pairs, one_type)
    found = fit_curves(types, curves, r_min, cutoff, knots)
    table = found.table
    words = [misfit.words() for misfit in found.misfits]
    errors = [{"types": list(pair), "misfit": text} for pair, text in zip(table.pairs, words, strict=True)]
    table.save(out, provenance={"imported": [str(path) for path in files], "misfits": errors, "notes": found.notes})
    click.echo(f"{out}: types {', '.join(types)}; {table.knots} knots from {table.r_min:.4g} to {table.cutoff:.4g} nm")
    for pair, text in zip(table.pairs, words, strict=True):
        click.echo(f"{'-'.join(pair)}: {text}")
    click.echo("\n".join(found.notes), nl=bool(found.notes))
