"""LAMMPS as an engine: a program that stays alive, gets commands through its standard input and gives binary frames."""

from diffpair.engines.lammps.engine import LammpsEngine
from diffpair.engines.lammps.script_engine import ScriptEngine
from diffpair.lammps.process import LammpsFailed, check_command

__all__ = ["LammpsEngine", "LammpsFailed", "ScriptEngine", "check_command"]
