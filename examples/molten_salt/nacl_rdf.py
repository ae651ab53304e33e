"""g(r) of molten NaCl at 1,200 K by Tosi-Fumi pair terms and charges in PME: the targets of fit.yaml.

    python examples/molten_salt/nacl_rdf.py --out examples/molten_salt

512 ions at 1.4878 g/cm^3, LangevinMiddle. Writes nacl.pdb (the melt), charges.xml (its System with the charges in PME
and nothing else), and Na-Na.csv, Na-Cl.csv, Cl-Cl.csv: r (nm, bin centres), g, and the standard error of g from ten
blocks. All forces are OpenMM's own; `tosi_fumi` is the potential that a fit should find.

    U(r) = A exp[(s - r) / rho] - C / r^6 - D / r^8      beside q q' / (4 pi epsilon_0 r)
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import openmm as mm
from numpy.typing import ArrayLike, NDArray
from openmm import app, unit
from rich.progress import track

from diffpair.trajectories.rdf import rdf_of_trajectory, write_rdf

TEMPERATURE = 1200.0  # K; NaCl melts at 1074 K
# 2.1389 - 5.426e-4 T: G. J. Janz, "Thermodynamic and Transport Properties for Molten Salts: Correlation Equations for
# Critically Evaluated Density, ..", J. Phys. Chem. Ref. Data 17, Suppl. 2 (1988)
DENSITY = 1.4878  # g/cm^3
TIMESTEP, EVERY = 0.005, 10  # ps, steps between frames; ions rattle with periods of 0.15 ps and more
# The energy of the whole melt forgets within 1 / FRICTION: with 1 /ps it takes 1 ps, and g(r) of 200 ps is that of a
# melt some K warmer or colder.
FRICTION = 10.0  # 1/ps
PME_CUTOFF = 0.9  # nm
CUTOFF, SWITCH = 0.6, 0.5  # nm, of the pair terms; the dispersion is below 0.05 kT there
R_RANGE, BIN_WIDTH, BLOCKS = (0.18, 1.2), 0.01, 10  # nm
IONS = {"Na": (app.element.sodium, 1.0), "Cl": (app.element.chlorine, -1.0)}
PAIRS = (("Na", "Na"), ("Na", "Cl"), ("Cl", "Cl"))

# M. P. Tosi, F. G. Fumi, J. Phys. Chem. Solids 25, 45 (1964) and F. G. Fumi, M. P. Tosi, ibid. 31, as J. W. E. Lewis,
# K. Singer, L. V. Woodcock, J. Chem. Soc. Faraday Trans. 2, 71, 301 (1975) use them: b = 0.338e-19 J, rho = 0.317
# Angstrom, radii 1.170 and 1.585 Angstrom, factors 1.25, 1, 0.75, C in 1e-79 J m^6 and D in 1e-99 J m^8.
RHO = 0.0317  # nm
_MOLE = 6.02214076e20  # kJ/mol in a joule per pair
_PARAMETERS = {  # factor of b; s in nm; C; D
    PAIRS[0]: (1.25, 0.2340, 1.68, 0.8),
    PAIRS[1]: (1.00, 0.2755, 11.2, 13.9),
    PAIRS[2]: (0.75, 0.3170, 116.0, 233.0),
}


def parameters(a: str, b: str) -> tuple[float, float, float, float]:
    """A in kJ/mol, s in nm, C in kJ/mol nm^6 and D in kJ/mol nm^8 of two ions."""
    factor, reach, c, d = _PARAMETERS[(a, b) if (a, b) in _PARAMETERS else (b, a)]
    return factor * 0.338e-19 * _MOLE, reach, c * 1e-79 * 1e54 * _MOLE, d * 1e-99 * 1e72 * _MOLE


def tosi_fumi(r: ArrayLike, a: str, b: str) -> NDArray[np.float64]:
    """U at distances r in nm, kJ/mol, without the charges, and with the switch of the simulation.

    The dispersion makes U fall to minus infinity below 0.07 nm (Na-Na), 0.09 nm (Na-Cl) and 0.13 nm (Cl-Cl). Ions that
    are apart never get there: with the charges the tops there are 240 to 480 kT high.
    """
    strength, reach, c, d = parameters(a, b)
    r = np.asarray(r, dtype=np.float64)
    x = np.clip((r - SWITCH) / (CUTOFF - SWITCH), 0, 1)
    energy = strength * np.exp((reach - r) / RHO) - c / r**6 - d / r**8
    return np.asarray(energy * (1 - 10 * x**3 + 15 * x**4 - 6 * x**5))


def charges(per_side: int) -> tuple[app.Topology, NDArray[np.float64], mm.System]:
    """Ions on the lattice of rock salt, positions in nm, and a System of their masses and charges alone."""
    count = per_side**3
    mass = sum(element.mass._value for element, _ in IONS.values()) / 2
    edge = (count * mass / (DENSITY * 602.214076)) ** (1 / 3)
    topology, system, force = app.Topology(), mm.System(), mm.NonbondedForce()
    chain = topology.addChain()
    corners = np.array(list(np.ndindex(per_side, per_side, per_side)))
    for corner in corners:
        name = "Na" if corner.sum() % 2 == 0 else "Cl"
        element, charge = IONS[name]
        topology.addAtom(name, element, topology.addResidue(name.upper(), chain))
        system.addParticle(element.mass)
        force.addParticle(charge, 1.0, 0.0)
    topology.setPeriodicBoxVectors(np.eye(3) * edge * unit.nanometer)
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * edge)
    force.setNonbondedMethod(mm.NonbondedForce.PME)
    force.setCutoffDistance(min(PME_CUTOFF, 0.499 * edge))
    system.addForce(force)
    return topology, (corners + 0.5) * edge / per_side, system


def short_range(topology: app.Topology) -> mm.CustomNonbondedForce:
    """The Tosi-Fumi terms, switched off from SWITCH to CUTOFF."""
    force = mm.CustomNonbondedForce(
        f"strength(i, j) * exp((reach(i, j) - r) / {RHO}) - c(i, j) / r^6 - d(i, j) / r^8; i = kind1; j = kind2"
    )
    names = list(IONS)
    numbers = np.array([[parameters(a, b) for b in names] for a in names])
    for index, name in enumerate(("strength", "reach", "c", "d")):
        force.addTabulatedFunction(name, mm.Discrete2DFunction(2, 2, numbers[:, :, index].ravel()))
    force.addPerParticleParameter("kind")
    for atom in topology.atoms():
        force.addParticle([names.index(atom.name)])
    force.setNonbondedMethod(mm.CustomNonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(CUTOFF)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(SWITCH)
    return force


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    parser.add_argument("--per-side", type=int, default=8, help="ions along one edge of the starting lattice, even")
    parser.add_argument("--melting", type=int, default=3_000, help="steps at twice the temperature, and as many after")
    parser.add_argument("--steps", type=int, default=80_000, help="of 5 fs; 0: nacl.pdb and charges.xml alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", default="CPU", help="of OpenMM")
    args = parser.parse_args()

    topology, positions, system = charges(args.per_side)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "charges.xml").write_text(mm.XmlSerializer.serialize(system))
    system.addForce(short_range(topology))
    integrator = mm.LangevinMiddleIntegrator(2 * TEMPERATURE, FRICTION, TIMESTEP)
    integrator.setRandomNumberSeed(args.seed)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName(args.platform))
    simulation.context.setPositions(positions)
    simulation.context.setVelocitiesToTemperature(2 * TEMPERATURE, args.seed)
    simulation.step(args.melting)
    integrator.setTemperature(TEMPERATURE)
    simulation.step(args.melting)
    with (args.out / "nacl.pdb").open("w") as file:
        app.PDBFile.writeFile(topology, simulation.context.getState(positions=True).getPositions(), file)
    if args.steps == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        trajectory = Path(folder) / "nacl.dcd"
        simulation.reporters.append(app.DCDReporter(str(trajectory), EVERY))
        for _ in track(range(100), "molten NaCl"):
            simulation.step(args.steps // 100)
        simulation.reporters.clear()
        half = 0.5 * topology.getUnitCellDimensions()[0]._value
        for a, b in PAIRS:
            rdf = rdf_of_trajectory(
                [trajectory], topology=args.out / "nacl.pdb", first=f"name {a}", second=f"name {b}", r_min=R_RANGE[0],
                r_max=min(R_RANGE[1], half), bin_width=BIN_WIDTH, blocks=BLOCKS,
            )  # fmt: skip
            write_rdf(args.out / f"{a}-{b}.csv", rdf, [f"molten NaCl, {TEMPERATURE:g} K, {DENSITY} g/cm^3", rdf.pairs])
            noise = "" if rdf.error is None else f", mean error {rdf.error.mean():.4f}"
            print(f"{args.out / f'{a}-{b}.csv'}: {rdf.frames} frames, highest g {rdf.g.max():.3f}{noise}")


if __name__ == "__main__":
    main()
