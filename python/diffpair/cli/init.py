"""diffpair init"""

from __future__ import annotations

from pathlib import Path

import click

from diffpair.cli.answers import Questions, density_in, masses_of, named, pairs_of, parts_of, quantity_in
from diffpair.cli.command import Command

_TYPE = "A"  # of the one kind of particle of a lattice


@click.command(
    "init",
    cls=Command,
    short_help="Write a config with comments, from a g(r).",
    examples=(
        "diffpair init rdf.csv --temperature '120 K' --density '21 nm^-3' --mass '39.95 amu'",
        "diffpair init O-O=oo.csv --temperature '300 K' --density '0.997 g/cm^3' --mass '18 amu'",
        "diffpair init Na-Na=nn.csv Na-Cl=nc.csv Cl-Cl=cc.csv --composition Na=1,Cl=1",
        "diffpair init rdf.csv --topology beads.pdb --system system.xml --temperature '300 K'",
    ),
    groups={
        "What was measured": ("temperature", "density", "masses", "composition", "r_unit", "one_type"),
        "Molecules": ("topology", "system", "renamed"),
        "What is written": ("particles", "out", "force"),
    },
)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[[A-B=]FILE]...")
@click.option("--temperature", metavar="QUANTITY", help="'120 K'.")
@click.option("--density", metavar="QUANTITY", help="'0.845 nm^-3' or '0.997 g/cm^3'; of particles without --topology.")
@click.option("--mass", "masses", multiple=True, metavar="[TYPE=]QUANTITY", help="'39.95 amu', for each type.")
@click.option("--composition", metavar="TYPE=PART,...", help="'Na=1,Cl=1', of a mixture without --topology.")
@click.option("--particles", type=click.IntRange(2, 1_000_000), help="As many as the g(r) asks for if not given.")
@click.option(
    "--topology", type=click.Path(path_type=Path), help="Structure file with a box, .pdb, .cif or .gro: of molecules."
)
@click.option("--system", type=click.Path(path_type=Path), help="XML of an OpenMM System with their other forces.")
@click.option(
    "--types", "renamed", multiple=True, metavar="NAME=TYPE",
    help="Type of the atoms of that name in the structure, or none; their names if not given.",
)  # fmt: skip
@click.option("--type", "one_type", metavar="NAME", help="Type of the particles of a single FILE; A if not given.")
@click.option("--r-unit", metavar="UNIT", help="Unit of r in the files; by default what their headers say, or nm.")
@click.option(
    "--out", default=Path("fit.yaml"), show_default=True, type=click.Path(path_type=Path), help="Config to write."
)
@click.option("--force", is_flag=True, help="Replace a config that exists.")
def command(
    files: tuple[str, ...], temperature: str | None, density: str | None, masses: tuple[str, ...],
    composition: str | None, particles: int | None, topology: Path | None, system: Path | None,
    renamed: tuple[str, ...], one_type: str | None, r_unit: str | None, out: Path, force: bool,
) -> None:  # fmt: skip
    """Write a config with comments, from files of g(r) and what was simulated or measured.

    FILE holds the g(r) of one kind of particles; of a mixture give one for each pair of types, as A-B=FILE. Cutoff,
    range, number of particles and time step follow from the g(r), the mass and the temperature. What is missing is
    asked for on a terminal. The config is checked before it stays.
    """
    from diffpair.config.beginning import Given, write_config
    from diffpair.errors import DiffPairError

    if out.exists() and not force:
        raise DiffPairError(f"{out} exists already; --force replaces it")
    with_topology = {"--system": system, "--types": renamed}
    of_lattice = {"--density": density, "--composition": composition, "--particles": particles}
    for option, value in (with_topology if topology is None else of_lattice).items():
        if value:
            raise DiffPairError(
                f"{option} goes with --topology" if topology is None
                else f"{option} is for particles without --topology, whose file says it"
            )  # fmt: skip
    ask = Questions("diffpair init rdf.csv --temperature '120 K' --density '21 nm^-3' --mass '39.95 amu'")
    if not files:
        files = tuple((ask("File with the g(r)", "FILE", str) or "").split())
        ask.done()
    types = dict(named(text, "--types", "OW=O") for text in renamed) or None
    rdfs = pairs_of(files, lambda: one_type or (_only_type(topology, types) if topology else _TYPE))
    names = list(dict.fromkeys(name for pair in rdfs for name in pair))
    known = masses_of(masses, names)
    temperature = temperature or ask("Temperature, such as 300 K", "--temperature", quantity_in("K", "300 K"))
    if topology is None:
        density = density or ask("Density, such as 0.845 nm^-3 or 0.997 g/cm^3", "--density", density_in)
        if composition is None and len(names) > 1:
            composition = ask("Parts of the types, such as Na=1,Cl=1", "--composition", lambda t: parts_of(t, names))
        check = quantity_in("amu", "18.015 amu")
        known |= {
            name: ask(f"Mass of {name}, such as 18.015 amu", "--mass", check) for name in names if name not in known
        }
    ask.done()
    fractions = {} if topology else parts_of(composition or f"{names[0]}=1", names)
    write_config(
        Given(rdfs, temperature, density, fractions, known, r_unit, particles, topology, system, types),
        out, replace=force,
    )  # fmt: skip
    click.echo(f"{out}: look through it, then")
    click.echo(f"  diffpair validate {out}\n  diffpair fit {out} --out {out.stem}-out")


def _only_type(topology: Path, types: dict[str, str] | None) -> str:
    """The type of all atoms of a structure that have one. Raises DiffPairError where there are several."""
    from diffpair.errors import DiffPairError
    from diffpair.states.structure import read_structure

    found = list(dict.fromkeys((types or {}).values() or (atom.name for atom in read_structure(topology).atoms)))
    found = [name for name in found if name.lower() != "none"]
    if len(found) == 1:
        return found[0]
    raise DiffPairError(
        f"{topology} has the types {', '.join(found[:6])}{', ...' if found[6:] else ''}: say whose g(r) a file holds, "
        f"as in {found[0]}-{found[0]}=FILE, and which atoms have which type by --types"
    )
