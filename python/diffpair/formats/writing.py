"""A potential in the format of another program: the files, and what to tell of them."""

from __future__ import annotations

from pathlib import Path

from diffpair.atomic_file import write_atomically
from diffpair.formats import gromacs, hoomd, lammps, plain, uf3
from diffpair.formats.resolution import Interpolation, choose_rows
from diffpair.formats.units import Units, units_of_style
from diffpair.tables import PairTable

_ROWS: dict[str, Interpolation] = {
    "lammps": lammps.lammps_force,
    "gromacs": gromacs.gromacs_force,
    "hoomd": hoomd.hoomd_force,
    "csv": plain.plain_force,
}


def write_format(
    table: PairTable, kind: str, out: Path, points: int | None = None, units: Units | None = None
) -> list[str]:
    """Write the pairs of a table, and for lammps its bonded terms; return the error of forces and the commands of use.

    Args:
        kind: lammps, uf3, gromacs, hoomd or csv.
        out: the file, replaced only by the complete new one; of gromacs, the folder, made if it is not there.
        points: rows of a table, chosen if None (`resolution.choose_rows`); uf3 has none.
        units: of LAMMPS, for lammps and uf3; real if None.

    Raises DiffPairError for what cannot be written.
    """
    units = units or units_of_style("real")
    if kind == "uf3":
        text, error = uf3.uf3_file(table, units)
        write_atomically(out, text)
        return [f"forces are off by {error:.2g} at most", "in LAMMPS:", *uf3.uf3_commands(table, str(out))]
    rows, error = choose_rows(table, _ROWS[kind], points)
    said = [f"{rows} rows; forces are off by {error:.2g} at most (docs/guide/formats.md)"]
    if kind == "lammps":
        write_atomically(out, lammps.lammps_table(table, out.name, rows, units))
        return [*said, "in LAMMPS:", *lammps.lammps_commands(table, str(out), rows, units)]
    if kind == "gromacs":
        out.mkdir(exist_ok=True)
        for name, text in gromacs.gromacs_files(table, rows).items():
            write_atomically(out / name, text)
        return [*said, "in GROMACS:", *gromacs.gromacs_commands(table, out)]
    if kind == "hoomd":
        write_atomically(out, hoomd.hoomd_arrays(table, rows))
        return [*said, "in HOOMD-blue:", *hoomd.hoomd_commands(table, str(out))]
    write_atomically(out, plain.plain_table(table, rows))
    return said
