"""diffpair export"""

from __future__ import annotations

from pathlib import Path

import click

_FORMATS = ["openmm", "openmm-custom", "lammps"]


@click.command("export")
@click.argument("potential", type=click.Path(path_type=Path))
@click.option("--format", "kind", required=True, type=click.Choice(_FORMATS), help="What to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--points", default=2000, show_default=True, type=click.IntRange(min=100), help="Rows of a LAMMPS table.")
def command(potential: Path, kind: str, out: Path, points: int) -> None:
    """Write a learned POTENTIAL for another program.

    openmm: XML of the PairTableForce, without particles, for openmm.XmlSerializer.deserialize.
    openmm-custom: the same as a CustomNonbondedForce, for an OpenMM without DiffPair.
    lammps: file for pair_style table in units real, one section per pair of types.
    """
    from diffpair.tables import PairTable
    from diffpair.tables.document import write_atomically
    from diffpair.tables.lammps import lammps_table

    if kind == "lammps":
        text = lammps_table(PairTable.load(potential), points)
    else:
        text = _openmm_xml(potential, custom=kind == "openmm-custom")
    write_atomically(out, text)
    click.echo(f"{out}: {kind} form of {potential}")


def _openmm_xml(potential: Path, custom: bool) -> str:
    import openmm

    from diffpair import PairTableForce

    force = PairTableForce.fromFile(str(potential))
    return str(openmm.XmlSerializer.serialize(force.toCustomNonbondedForce() if custom else force))
