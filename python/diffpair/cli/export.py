"""diffpair export"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from diffpair.tables import PairTable

_FORMATS = ["openmm", "openmm-custom", "lammps", "potential"]


@click.command("export")
@click.argument("potential", type=click.Path(path_type=Path))
@click.option("--format", "kind", required=True, type=click.Choice(_FORMATS), help="What to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--points", default=2000, show_default=True, type=click.IntRange(min=100), help="Rows of a LAMMPS table.")
@click.option(
    "--temperature", help="Of a potential that depends on it, for example '350 K'; that of the file if left out."
)
def command(potential: Path, kind: str, out: Path, points: int, temperature: str | None) -> None:
    """Write a learned POTENTIAL for another program.

    openmm: XML of the PairTableForce, without particles, for openmm.XmlSerializer.deserialize.
    openmm-custom: the same as a CustomNonbondedForce, for an OpenMM without DiffPair.
    lammps: file for pair_style table in units real, one section per pair of types, and for the table styles of bonds,
    angles and dihedrals; and the commands that use it.
    potential: a potential file again, to keep one at another temperature.
    """
    from diffpair.errors import DiffPairError
    from diffpair.tables import PairTable
    from diffpair.tables.document import write_atomically
    from diffpair.tables.lammps import lammps_commands, lammps_table
    from diffpair.targets.units import parse

    table = PairTable.load(potential)
    if temperature is not None:
        try:
            table = table.at_temperature(parse(temperature, "K", "350 K"))
        except DiffPairError as error:
            raise DiffPairError(f"--temperature of {potential}: {error}") from None
    if kind == "potential":
        table.save(out)
    elif kind == "lammps":
        write_atomically(out, lammps_table(table, out.name, points))
    else:
        write_atomically(out, _openmm_xml(table, custom=kind == "openmm-custom"))
    click.echo(f"{out}: {kind} form of {potential}")
    if table.bonded and kind.startswith("openmm"):
        click.echo(
            f"it holds the pairs; left out: {', '.join(term.label for term in table.bonded)} (docs/bonded.md: bonded "
            f"terms in an OpenMM System)"
        )
    if kind == "lammps":
        click.echo("\n".join(["in LAMMPS:", *lammps_commands(table, str(out), points)]))


def _openmm_xml(table: PairTable, custom: bool) -> str:
    import openmm

    from diffpair import PairTableForce

    force = PairTableForce.fromTable(table)
    return str(openmm.XmlSerializer.serialize(force.toCustomNonbondedForce() if custom else force))
