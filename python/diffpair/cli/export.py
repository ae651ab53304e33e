"""diffpair export"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffpair.cli.quantities import positive_energy, positive_length

if TYPE_CHECKING:
    from diffpair.formats.resolution import Interpolation
    from diffpair.formats.units import Units
    from diffpair.tables import PairTable

_TABLES = ("lammps", "gromacs", "hoomd", "csv")  # with rows
_WITH_UNITS = ("lammps", "uf3")
_WITH_BONDED = ("lammps", "potential")
_FORMATS = ["openmm", "openmm-custom", "lammps", "uf3", "gromacs", "hoomd", "csv", "potential"]


@click.command("export")
@click.argument("potential", type=click.Path(path_type=Path))
@click.option("--format", "kind", required=True, type=click.Choice(_FORMATS), help="What to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write; of gromacs, a folder.")
@click.option(
    "--points",
    type=click.IntRange(min=100),
    help="Rows of a table; chosen for forces to 1e-5 if left out.",
)
@click.option("--units", help="LAMMPS's unit style: real, metal, nano or lj; real if left out.")
@click.option("--sigma", callback=positive_length, help="One unit of length of units lj, for example '0.34 nm'.")
@click.option("--epsilon", callback=positive_energy, help="One unit of energy of units lj, for example '0.996 kJ/mol'.")
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
    openmm: XML of the PairTableForce, without particles, for openmm.XmlSerializer.deserialize.
    openmm-custom: the same as a CustomNonbondedForce, for an OpenMM without DiffPair.
    lammps: file for pair_style table, and for the table styles of bonds, angles and dihedrals.
    uf3: file for LAMMPS's pair_style uf3, the same splines.
    gromacs: folder of .xvg tables, for user potentials of GROMACS 2019 and before.
    hoomd: .npz file for hoomd.md.pair.Table.
    csv: columns r, U and F in nm, kJ/mol and kJ/mol/nm.
    potential: a potential file again, to keep one at another temperature.

    The commands that use a file are printed. docs/formats.md says which file to use when.

    \b
    Examples:
      diffpair export potential.json --format openmm --out force.xml
      diffpair export potential.json --format openmm-custom --out force.xml
      diffpair export potential.json --format lammps --units metal --out potential.table
      diffpair export potential.json --format uf3 --out potential.uf3
      diffpair export potential.json --format gromacs --out tables
      diffpair export potential.json --format hoomd --out potential.npz
      diffpair export potential.json --format csv --out potential.csv
      diffpair export potential.json --format potential --temperature '350 K' --out hot.json
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
    said = write_format(table, kind, out, points, units_of_style(units or "real", sigma, epsilon))
    click.echo(f"{out}: {kind} form of {potential}")
    if table.bonded and kind not in _WITH_BONDED:
        click.echo(
            f"it holds the pairs; left out: {', '.join(term.label for term in table.bonded)} (docs/bonded.md: bonded "
            f"terms in an OpenMM System)"
        )
    if said:
        click.echo("\n".join(said))


def write_format(table: PairTable, kind: str, out: Path, points: int | None, units: Units) -> list[str]:
    """Write the file or files, and return what to tell of them."""
    from diffpair.formats import gromacs, hoomd, lammps, plain, uf3
    from diffpair.formats.resolution import choose_rows
    from diffpair.tables.document import write_atomically

    def rows(interpolation: Interpolation) -> tuple[int, list[str]]:
        found = choose_rows(table, interpolation, points)
        return found.rows, [f"{found.rows} rows; forces are off by {found.error:.2g} at most (docs/formats.md)"]

    said: list[str] = []
    if kind == "potential":
        table.save(out)
    elif kind == "lammps":
        number, said = rows(lammps.lammps_force)
        write_atomically(out, lammps.lammps_table(table, out.name, number, units))
        said += ["in LAMMPS:", *lammps.lammps_commands(table, str(out), number, units)]
    elif kind == "uf3":
        text, error = uf3.uf3_file(table, units)
        write_atomically(out, text)
        said = [f"forces are off by {error:.2g} at most", "in LAMMPS:", *uf3.uf3_commands(table, str(out))]
    elif kind == "gromacs":
        number, said = rows(gromacs.gromacs_force)
        out.mkdir(exist_ok=True)
        for name, text in gromacs.gromacs_files(table, number).items():
            write_atomically(out / name, text)
        said += ["in GROMACS:", *gromacs.gromacs_commands(table, out)]
    elif kind == "hoomd":
        number, said = rows(hoomd.hoomd_force)
        write_atomically(out, hoomd.hoomd_arrays(table, number))
        said += ["in HOOMD-blue:", *hoomd.hoomd_commands(table, str(out))]
    elif kind == "csv":
        number, said = rows(plain.plain_force)
        write_atomically(out, plain.plain_table(table, number))
    else:
        write_atomically(out, _openmm_xml(table, custom=kind == "openmm-custom"))
    return said


def _openmm_xml(table: PairTable, custom: bool) -> str:
    import openmm

    from diffpair import PairTableForce

    force = PairTableForce.fromTable(table)
    return str(openmm.XmlSerializer.serialize(force.toCustomNonbondedForce() if custom else force))
