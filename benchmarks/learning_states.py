"""The states of the learning benchmark: those of the DiffSim paper where it names them."""

from __future__ import annotations

from learning_targets import Simulated, Truth

# (rho, T) under the binodal of the Lennard-Jones fluid, or so thin that the noise of g hides everything: without a bar.
WITHOUT_BAR = ((0.7, 0.4), (0.7, 0.6), (0.1, 1.2))
PAPER_STATES = (
    *((0.845, t) for t in (0.75, 1.0, 1.5)),
    *((0.7, t) for t in (0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)),
    *((rho, 1.2) for rho in (0.1, 0.3, 0.5, 0.9, 1.0, 1.2)),
)
JOINT = ((0.8183, 0.8), (0.6393, 1.4), (0.4412, 2.0))
JOINT_TESTS = ((0.73, 1.1), (0.54, 1.7))
CRYSTAL = 0.99  # T* = 1.2: from this density on the lattice stays
FAMILIES = {
    "generalised LJ (14, 7)": Simulated("generalised LJ", 0.7, 1.0, Truth("4*(r^-14-r^-7)"), steps=20_000),
    "Yukawa": Simulated("Yukawa", 0.7, 1.0, Truth("5*exp(-3*(r-1))/r"), r_range=(0.45, 3.3), steps=20_000),
    "soft sphere": Simulated("soft sphere", 0.7, 1.0, Truth("r^-10"), r_range=(0.6, 3.3), steps=20_000),
    "modified Morse": Simulated(
        "modified Morse", 0.9, 1.2, Truth("exp(2*y)-2*exp(y); y=6*(1-r^0.5)/0.5"), r_range=(0.6, 3.3), steps=20_000
    ),
}
MOLE_FRACTIONS = (0.25, 0.75, 0.5)  # of type A; the last one is held out
ENTROPIC_TEMPERATURES = (0.9, 1.2, 1.5, 1.35)  # the last one is held out


def lennard_jones(density: float, temperature: float, steps: int = 20_000, seed: int = 1) -> Simulated:
    """The Lennard-Jones fluid, from rho 1 on its crystal."""
    return Simulated(
        f"LJ {density:g} {temperature:g}", density, temperature, steps=steps, seed=seed, melt=density < CRYSTAL
    )


def paper_state(density: float, temperature: float) -> Simulated:
    """One of PAPER_STATES, simulated as long as its noise asks."""
    if (density, temperature) == (0.845, 1.0):
        return lennard_jones(density, temperature, 40_000)
    return lennard_jones(density, temperature, 100_000 if density < 0.4 else 50_000 if density < 0.6 else 20_000)


def mixture(fraction: float, steps: int = 400_000) -> Simulated:
    """The binary Lennard-Jones fluid of the paper: epsilon 1, sigma 0.9, 1.0, 1.1 of the pairs 11, 12, 22."""
    return Simulated(
        f"mixture {fraction:g}", 0.8, 1.2, Truth(sigmas=(0.9, 1.1)), (fraction, 1 - fraction), steps,
        r_range=(0.6, 3.3),
    )  # fmt: skip


def entropic_state(temperature: float) -> Simulated:
    """Lennard-Jones minus T S(r), with an S(r) that is a bump: another potential at each temperature."""
    formula = f"4*(r^-12-r^-6)-{temperature:g}*0.3*exp(-((r-1.5)/0.25)^2)"
    return Simulated(f"entropic {temperature:g}", 0.8, temperature, Truth(formula), steps=20_000)
