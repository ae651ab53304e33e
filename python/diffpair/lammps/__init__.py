"""LAMMPS, another program: started and kept alive, its dumps, its units, a user's input scripts."""

from diffpair.lammps.process import LammpsFailed, LammpsProcess, check_command

__all__ = ["LammpsFailed", "LammpsProcess", "check_command"]
