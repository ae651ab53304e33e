"""diffpair export"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffpair.cli.command import Command
from diffpair.cli.quantities import lennard_jones_units

if TYPE_CHECKING:
    from diffpair.formats.units import Units
    from diffpair.tables import PairTable

_TABLES = ("lammps", "gromacs", "hoomd", "csv")  # with rows
_WITH_UNITS = ("lammps", "uf3")
_WITH_BONDED = ("lammps", "potential")
_FORMATS = ["openmm", "openmm-custom", "lammps", "uf3", "gromacs", "hoomd", "csv", "potential"]


@click.command(
    "export",
    cls=Command,
    short_help="Write a potential for another program.",
    examples=(
        "diffpair export potential.json --format openmm --out force.xml",
        "diffpair export potential.json --format lammps --units metal --out potential.table",
        "diffpair export potential.json --format uf3 --out potential.uf3",
        "diffpair export potential.json --format gromacs --out tables",
        "diffpair export potential.json --format hoomd --out potential.npz",
        "diffpair export potential.json --format csv --out potential.csv",
        "diffpair export potential.json --format potential --temperature '350 K' --out hot.json",
    ),
    groups={
        "What is written": ("kind", "out", "points"),
        "Units": ("units", "sigma", "epsilon"),
        "The potential": ("temperature",),
    },
)
@click.argument("potential", type=click.Path(path_type=Path))
@click.option("--format", "kind", required=True, type=click.Choice(_FORMATS), help="What to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write; of gromacs, a folder.")
@click.option(
    "--points",
    type=click.IntRange(100, 1_000_000),
    help="Rows of a table; chosen for forces to 1e-5 if left out.",
)
@click.option("--units", help="LAMMPS's unit style: real, metal, nano or lj; real if left out.")
@lennard_jones_units
@click.option(
    "--temperature", help="Of a potential that depends on it, for example '350 K'; that of the file if left out."
)
def command(
    potential: Path,
    kind: str,
    out: Path,
    points: int | None,
    units: str | None,
    sigma: float | None,
    epsilon: float | None,
    temperature: str | None,
) -> None:
    """Write a learned POTENTIAL for another program.

    \b
    openmm: XML of the PairTableForce, without particles, for XmlSerializer.
    openmm-custom: a CustomNonbondedForce, for an OpenMM without DiffPair.
    lammps: file for pair_style table, and the table styles of bonded terms.
    uf3: file for LAMMPS's pair_style uf3, the same splines.
    gromacs: folder of .xvg tables, for GROMACS 2019 and before.
    hoomd: .npz file for hoomd.md.pair.Table.
    csv: columns r, U and F in nm, kJ/mol and kJ/mol/nm.
    potential: a potential file, to keep one at another temperature.

    The commands that use a file are printed. docs/guide/formats.md says which file to use when.
    """
    from diffpair.errors import DiffPairError
    from diffpair.formats.units import units_of_style
    from diffpair.tables import PairTable
    from diffpair.targets.units import parse

    for option, given, kinds in (
        ("--points", points, _TABLES),
        ("--units", units, _WITH_UNITS),
        ("--sigma", sigma, _WITH_UNITS),
        ("--epsilon", epsilon, _WITH_UNITS),
    ):
        if given is not None and kind not in kinds:
            raise DiffPairError(f"{option} is for the formats {', '.join(kinds)}, not for {kind}")
    table = PairTable.load(potential)
    if temperature is not None:
        try:
            table = table.at_temperature(parse(temperature, "K", "350 K"))
        except DiffPairError as error:
            raise DiffPairError(f"--temperature of {potential}: {error}") from None
    said = _write(table, kind, out, points, units_of_style(units or "real", sigma, epsilon))
    click.echo(f"{out}: {kind} form of {potential}")
    if table.bonded and kind not in _WITH_BONDED:
        click.echo(
            f"it holds the pairs; left out: {', '.join(term.label for term in table.bonded)} (docs/guide/bonded.md: "
            f"bonded terms in an OpenMM System)"
        )
    if said:
        click.echo("\n".join(said))


def _write(table: PairTable, kind: str, out: Path, points: int | None, units: Units) -> list[str]:
    """Write the file or files, and return what to tell of them."""
    from diffpair.atomic_file import write_atomically
    from diffpair.formats.writing import write_format

    if kind == "potential":
        table.save(out)
    elif kind.startswith("openmm"):
        write_atomically(out, _openmm_xml(table, custom=kind == "openmm-custom"))
    else:
        return write_format(table, kind, out, points, units)
    return []


def _openmm_xml(table: PairTable, custom: bool) -> str:
    import openmm

    from diffpair import PairTableForce

    force = PairTableForce.fromTable(table)
    return str(openmm.XmlSerializer.serialize(force.toCustomNonbondedForce() if custom else force))
