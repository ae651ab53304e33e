"""VOTCA's csg_inverse with LAMMPS: iterative inversion of g(r) of a fluid of one bead per molecule, and how it goes.

Both are programs of the system, Debian's packages votca and lammps. What a method asks for (grids, smoothing, length of
a simulation) follows the tutorials of VOTCA 2022.1 for one-site SPC/E water: spce/ibi_lammps and spce/hncgn.
Lengths are in nm, energies in kJ/mol.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from learning_targets import BOLTZMANN, Array
from watched import Watched

LACKS = "needs VOTCA and LAMMPS: apt-get install votca lammps"
KCAL = 0.239006  # kcal per kJ
ANGSTROM = 10.0
PAIR, LAST_WORDS = "W-W", 3


@dataclass(frozen=True)
class Fluid:
    """What is inverted, and where from. target: columns r, g [bins, 2]. positions: [N, 3] in a cube of this edge; mass
    in amu, temperature in K, cutoff of the potential in nm, timestep in ps, friction in 1/ps."""

    target: Array
    positions: Array
    edge: float
    mass: float
    temperature: float
    cutoff: float
    timestep: float
    friction: float


@dataclass(frozen=True)
class Length:
    """Of the simulation of an iteration, in steps; a frame every `every`. go_on: it starts where the last one ended,
    and not from the start of all."""

    equilibration: int
    steps: int
    every: int
    go_on: bool


@dataclass(frozen=True)
class Method:
    """A method of csg_inverse. name: for people. kind: cg.inverse.method. low, high: of its grid of g in nm, whose step
    is 0.01 nm; high 0 stands for the cutoff. settings: further ones of cg.inverse, XML."""

    name: str
    kind: str
    low: float
    high: float = 0.0
    settings: str = ""


IBI = Method("iterative Boltzmann inversion", "ibi", 0.0)
# Without the tutorial's pressure constraint of 1 bar: g alone is the target here.
HNCGN = Method(
    "HNC Gauss-Newton",
    "iie",
    0.0,
    1.0,
    settings="<iie><initial_guess><method>ie</method><closure>hnc</closure></initial_guess><method>gauss-newton</method>"
    "<closure>hnc</closure><g_extrap_factor>2</g_extrap_factor><densities>{density:.6f}</densities><n_intra>1</n_intra>"
    "<cut_off>{cutoff}</cut_off><extrap_near_core>constant</extrap_near_core><fix_near_cut_off>none</fix_near_cut_off>"
    "</iie>",
)


@dataclass(frozen=True)
class Iteration:
    """One that is done. seconds, processor_seconds, md_steps: since the start of csg_inverse, up to its end. frames:
    [F, N, 3] in nm. folder: VOTCA's own, for as long as it is judged."""

    seconds: float
    processor_seconds: float
    md_steps: int
    frames: Array
    folder: Path


def lammps() -> str | None:
    """The system's LAMMPS, not the one of this environment."""
    places = [p for p in os.get_exec_path() if not Path(p).resolve().is_relative_to(Path(sys.prefix).resolve())]
    return shutil.which("lmp", path=os.pathsep.join(places))


def available() -> bool:
    """Whether this machine has both programs."""
    return shutil.which("csg_inverse") is not None and lammps() is not None


def versions() -> str:
    """Of both programs."""
    votca = subprocess.run(["csg_call", "--version"], capture_output=True, text=True).stdout.split()
    program = subprocess.run([lammps() or "", "-h"], capture_output=True, text=True).stdout.strip().splitlines()
    return f"{' '.join(votca)}; {program[0] if program else ''}"


def invert(fluid: Fluid, method: Method, length: Length, judge: Callable[[Iteration], bool], limit: float) -> str:
    """Run csg_inverse on one thread until `judge`, which sees every iteration, says that it is enough, or for `limit`
    seconds. While `judge` thinks csg_inverse stands still, and that time does not count.

    Returns: its own last words, where csg_inverse ended by itself; else "".

    Raises:
        RuntimeError: VOTCA or LAMMPS is missing.
    """
    if not available():
        raise RuntimeError(LACKS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, fluid, method, length)
        # its integral equations are a script that needs a Python with numpy, such as this one
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        command = ["csg_inverse", "--options", "settings.xml", "--nocolor"]
        with Watched(command, folder, PATH=path) as program:
            for number in count(1):
                step = folder / f"step_{number:03d}"
                if not program.wait_for(f"{step.name}/done", limit):
                    return _last_words(program) if program.failed else ""
                seconds, used = program.seconds, program.processor_seconds
                with program.paused():
                    frames = np.stack(list(read_dump(step / "traj.dump"))) * fluid.edge
                    if judge(Iteration(seconds, used, number * (length.equilibration + length.steps), frames, step)):
                        return ""
                    shutil.rmtree(folder / f"step_{number - 1:03d}")  # of which nothing more is needed
    raise AssertionError("not reached")


def read_dump(file: Path) -> Iterator[Array]:
    """Scaled positions [N, 3] of every frame of a LAMMPS dump of style atom."""
    with file.open() as lines:
        while lines.readline():
            for _ in range(2):
                next(lines)
            atoms = int(next(lines))
            for _ in range(5):
                next(lines)
            yield np.loadtxt(lines, max_rows=atoms, usecols=(2, 3, 4), ndmin=2)


def _last_words(program: Watched) -> str:
    lines = [line.strip(" #") for line in program.words()]
    said = [line for line in lines if line and "Details can be found" not in line]
    return f"csg_inverse ended: {' '.join(said[-LAST_WORDS:])}"


def _write(folder: Path, fluid: Fluid, method: Method, length: Length) -> None:
    """All that csg_inverse reads."""
    atoms = len(fluid.positions)
    r, g = fluid.target.T * [[1], [(atoms - 1) / atoms]]  # csg_stat's g is that of N^2 / 2 pairs, not N (N - 1) / 2
    (folder / f"{PAIR}.dist.tgt").write_text("".join(f"{a:.6g} {b:.8g} i\n" for a, b in zip(r, g, strict=True)))
    data = _data(fluid)
    (folder / "topol.data").write_text(data)
    (folder / "start.data").write_text(data)
    (folder / "fluid.in").write_text(_input(fluid, length))
    (folder / "settings.xml").write_text(_settings(fluid, method, length))
    if method.kind == "iie":
        # 2022.1 runs LAMMPS for ibi, imc, optimizer and re only, and says so. A script of the user's own may run it.
        own = folder / "scripts"
        own.mkdir()
        (own / "csg_table").write_text("run lammps run_fluid.sh\n")
        (own / "run_fluid.sh").write_text(f"#! /bin/bash\ncritical {lammps()} -in fluid.in\n")
        (own / "run_fluid.sh").chmod(0o755)


def _data(fluid: Fluid) -> str:
    """The start as LAMMPS reads it, and csg_stat."""
    edge = f"0.0 {fluid.edge * ANGSTROM:.9f}"
    head = ["one bead per molecule", "", f"{len(fluid.positions)} atoms", "", "1 atom types", ""]
    box = [f"{edge} {axis}lo {axis}hi" for axis in "xyz"]
    rows = [f"{i} 1 {x:.6f} {y:.6f} {z:.6f}" for i, (x, y, z) in enumerate(fluid.positions * ANGSTROM, 1)]
    return "\n".join([*head, *box, "", "Masses", "", f"1 {fluid.mass}", "", "Atoms", "", *rows, ""])


def _input(fluid: Fluid, length: Length) -> str:
    """LAMMPS's script: the tutorial's, with our time step and thermostat."""
    kelvin, damping = fluid.temperature, 1000 / fluid.friction
    return f"""units real
atom_style atomic
read_data start.data
velocity all create {kelvin} 87287
pair_style table linear 1000
pair_coeff 1 1 pair.pot VOTCA {fluid.cutoff * ANGSTROM}
timestep {fluid.timestep * 1000}
fix 1 all nve
fix 2 all langevin {kelvin} {kelvin} {damping} 545454
thermo {length.every}
run {length.equilibration}
dump 1 all atom {length.every} traj.dump
run {length.steps}
write_data end.data nocoeff
"""


def _settings(fluid: Fluid, method: Method, length: Length) -> str:
    density = len(fluid.positions) / fluid.edge**3
    further = method.settings.format(density=density, cutoff=fluid.cutoff)
    own = "<scriptpath>$PWD/scripts</scriptpath>" if method.kind == "iie" else ""
    return f"""<cg>
 <non-bonded>
  <name>{PAIR}</name><type1>Bead1</type1><type2>Bead1</type2>
  <min>{method.low}</min><max>{method.high or fluid.cutoff}</max><step>0.01</step>
  <inverse>
   <target>{PAIR}.dist.tgt</target>
   <lammps><table>pair.pot</table><scale>{ANGSTROM}</scale><y_scale>{KCAL}</y_scale>
    <table_begin>0.20</table_begin><table_bins>0.002</table_bins></lammps>
  </inverse>
 </non-bonded>
 <inverse>
  <kBT>{BOLTZMANN * fluid.temperature:.6f}</kBT>
  <program>lammps</program>
  <lammps><command>{lammps()}</command><script>fluid.in</script><topol>topol.data</topol><traj>traj.dump</traj>
   <conf>start.data</conf><conf_out>end.data</conf_out></lammps>
  <initial_configuration>{"laststep" if length.go_on else "maindir"}</initial_configuration>
  <filelist>topol.data fluid.in</filelist>
  <iterations_max>999</iterations_max>
  <method>{method.kind}</method>{further}{own}
  <simulation><tasks>1</tasks></simulation>
 </inverse>
</cg>
"""
