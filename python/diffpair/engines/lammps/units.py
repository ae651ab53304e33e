"""LAMMPS' units `real` in nm, ps and kJ/mol. Masses are g/mol and temperatures K in both."""

LENGTH = 0.1  # nm in an Angstrom
TIME = 1e-3  # ps in a fs
VELOCITY = LENGTH / TIME  # nm/ps in Angstrom/fs
ENERGY = 4.184  # kJ in a kcal
