"""A live LAMMPS that has read a user's input script."""

from __future__ import annotations

from pathlib import Path

from diffpair.errors import DiffPairError
from diffpair.lammps.process import OURS, LammpsFailed, LammpsProcess
from diffpair.lammps.script import MARK, InputScript

IS = f"{OURS}is"  # begins a line with a name and what it is
_STEPS_DONE = "Loop time of"  # begins the line that LAMMPS ends every run and minimisation with
_NOTHING_MOVES = "No fixes with time integration"
# Energy of all atoms and no mean; a temperature, which other thermo_styles may leave out.
_OUTPUT = ["thermo_style custom step temp pe ke", "thermo_modify norm no", "thermo 0"]


def read_script(process: LammpsProcess, script: InputScript, lines: list[str], folder: Path, seed: int) -> None:
    """Have LAMMPS do a script's commands, then no step of it.

    Args:
        lines: as `InputScript` gives them. folder: for the file that they are written to. seed: of the variable `seed`.

    Raises
    ------
    LammpsFailed: LAMMPS does not take a command; its place in the script is told. DiffPairError: the script takes
        steps, or nothing in it would move the atoms.
    """
    file = folder / "script.in"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    here = stepped = -1

    def heard(line: str) -> None:
        nonlocal here, stepped
        if line.startswith(MARK):
            here = int(line.split()[1])
        elif line.startswith(_STEPS_DONE):
            stepped = max(stepped, here)

    begin = [f"variable seed index {seed}"] if script.takes_seed else []
    try:
        process.run([*begin, f'include "{file}"'], heard)
    except LammpsFailed as error:
        if here < 0:
            raise
        line = script.lines[here]
        raise LammpsFailed(f"{line}: LAMMPS stopped at {' '.join(line.words)!r}", error.said) from None
    if stepped >= 0:
        raise DiffPairError(
            f"{script.lines[stepped]}: it has LAMMPS take steps, but these are the fit's: take that out of the script"
        )
    temperature = script.thermo_temperature
    warned: list[str] = []
    process.run(
        [*_OUTPUT, *([f"thermo_modify temp {temperature}"] if temperature else []), "run 0 post no"],
        lambda line: warned.append(line) if _NOTHING_MOVES in line else None,
    )
    if warned:
        raise DiffPairError(
            f"{script.file}: no fix of it moves the atoms: add one with a thermostat, such as fix nvt, or fix nve and "
            f"fix langevin"
        )


def told(process: LammpsProcess, commands: list[str]) -> dict[str, str]:
    """What LAMMPS says in lines that begin with `IS`: values by their names."""
    found: dict[str, str] = {}

    def heard(line: str) -> None:
        if line.startswith(IS):
            _, name, value = line.split(maxsplit=2)
            found[name] = value.strip()

    process.run(commands, heard)
    return found


def asked(**values: str) -> list[str]:
    """Commands that have LAMMPS say what formulas are, see `told`."""
    return [f'print "{IS} {name} $({formula}:%.17g)"' for name, formula in values.items()]
