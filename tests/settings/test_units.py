"""Settings made in Python: OpenMM Quantities, text with a unit and plain numbers; what is refused; what they print."""

from __future__ import annotations

import numpy as np
import pytest
from openmm import unit

from diffpair import (
    Adjoint,
    Bonded,
    Density,
    DiffPairError,
    Fluctuation,
    GaussNewton,
    InverseMonteCarlo,
    IterativeBoltzmann,
    Potential,
    Pressure,
    Production,
    Rdf,
    Reweighting,
    Sampling,
    Start,
    State,
    TorchOptimizer,
    Vacf,
)

PER_MOL = unit.kilojoule_per_mole


def mlp(**options):
    return Potential("mlp", cutoff=1.0, **options)


def spline(**options):
    return Potential("bspline", **({"cutoff": 1.0} | options))


def lj(**options):
    return Potential("lj", **({"cutoff": 1.0, "sigma": 0.3, "epsilon": 1.0} | options)).term


def rdf(**options):
    return Rdf("A", "B", "rdf.csv", **options)


def spring(types, **options):
    return Bonded(types, form="harmonic", **options)


def lattice(**options):
    given = {"density": 0.8, "types": {"A": 0.5, "B": 0.5}, "masses": 1.0, "temperature": 100.0}
    return State.from_lattice("s", n=108, **(given | options))


# (what is made, the option, plain number, text, Quantity, Quantity of another dimension)
CASES = [
    (spline, "cutoff", 2.5, "25 angstrom", 25 * unit.angstrom, 3 * unit.kelvin),
    (spline, "r_min", 0.2, "0.2 nm", 200 * unit.picometer, 3 * unit.picosecond),
    (mlp, "switch_width", 0.2, "2 angstrom", 2 * unit.angstrom, 1 * PER_MOL),
    (lambda **o: mlp(**o).term, "width", 0.02, "0.2 angstrom", 0.2 * unit.angstrom, 1 * PER_MOL),
    (lambda **o: mlp(**o).term, "length", 0.3, "3 angstrom", 3 * unit.angstrom, 1 * PER_MOL),
    (lambda **o: mlp(**o).term, "energy", 4.184, "1 kcal/mol", 1 * unit.kilocalorie_per_mole,
     1 * unit.nanometer),
    (lambda **o: Potential("energy_entropy", cutoff=1.0, **o).term, "reference", 300.0, "300 K", 300 * unit.kelvin,
     1 * unit.nanometer),
    (lj, "sigma", 0.34, "3.4 angstrom", 3.4 * unit.angstrom, 1 * PER_MOL),
    (lj, "epsilon", 4.184, "1 kcal/mol", 1 * unit.kilocalorie_per_mole, 1 * unit.nanometer),
    (lambda **o: Potential("yukawa", cutoff=1.0, sigma=0.3, epsilon=1.0, **o).term, "kappa", 3.0, "0.3 /angstrom",
     0.3 / unit.angstrom, 1 * unit.nanometer),
    (Sampling, "timestep", 0.002, "2 fs", 2 * unit.femtosecond, 2 * unit.nanometer),
    (Sampling, "friction", 2.0, "2 /ps", 2 / unit.picosecond, 2 * unit.picosecond),
    (Adjoint, "learn_friction", 5.0, "5 /ps", 0.005 / unit.femtosecond, 2 * unit.picosecond),
    (lambda **o: Adjoint(integrator="langevin-middle", **o), "friction", 5.0, "5 /ps", 5 / unit.picosecond,
     1 * PER_MOL),
    (lambda **o: Adjoint(integrator="nose-hoover", **o), "collision_frequency", 5.0, "5 /ps", 5 / unit.picosecond,
     1 * PER_MOL),
    (rdf, "bin_width", 0.02, "0.2 angstrom", 0.2 * unit.angstrom, 1 * unit.kelvin),
    (Pressure, "value", 1.01325, "1 atm", 1 * unit.atmosphere, 1 * unit.kelvin),
    (lambda **o: Pressure(1.0, **o), "error", 10.0, "1 MPa", 1e6 * unit.pascal, 1 * unit.kelvin),
    (lambda **o: spring("A-B", **({"x0": 0.26} | o)), "k", 4184.0, "1000 kcal/mol/nm^2",
     4184 * PER_MOL / unit.nanometer**2, 1 * PER_MOL),
    (lambda **o: spring("A-B", **({"k": 1e4} | o)), "x0", 0.26, "2.6 angstrom", 2.6 * unit.angstrom, 1 * PER_MOL),
    (lambda **o: spring("A-B-A", **({"x0": 2.0} | o)), "k", 50.0, "50 kJ/mol/rad^2", 50 * PER_MOL / unit.radian**2,
     1 * PER_MOL / unit.nanometer**2),
    (lambda **o: spring("A-B-A", **({"k": 50.0} | o)), "x0", np.pi / 2, "90 degree", 90 * unit.degree,
     1 * unit.nanometer),
    (lattice, "temperature", 120.0, "120 K", 120 * unit.kelvin, 1 * unit.nanometer),
    (lambda **o: lattice(pressure=None, **o), "density", 0.7, "0.7 nm^-3", 0.7 / unit.nanometer**3, 1 * unit.kelvin),
]  # fmt: skip


@pytest.mark.parametrize(("make", "option", "number", "text", "quantity", "wrong"), CASES, ids=[c[1] for c in CASES])
def test_number_text_and_quantity_are_the_same(make, option, number, text, quantity, wrong):
    def value(given):
        return getattr(make(**{option: given}), option)

    assert [value(text), value(quantity), value(number)] == [pytest.approx(number, rel=1e-12)] * 3
    with pytest.raises(DiffPairError, match=rf"^[^\n]*{option}: [^\n]* is not a unit of [^\n]*$"):
        value(wrong)
    with pytest.raises(DiffPairError, match="is not a unit of "):
        value("1 candela")
    with pytest.raises(DiffPairError):
        value(float("nan"))
    with pytest.raises(DiffPairError):
        value([1.0])


def test_scalars_of_numpy_are_numbers():
    made = Sampling(timestep=np.float32(0.5), steps=np.int64(100), friction=np.float64(2.0))
    assert made == Sampling(timestep=0.5, steps=100, friction=2.0) and type(made.steps) is int
    assert Potential("bspline", cutoff=np.float32(1.0)).cutoff == 1.0
    assert lj(sigma=np.float32(0.5)) == lj(sigma=0.5)
    lattice = {"n": np.int64(108), "types": {"A": 1}, "masses": 1}
    state = State.from_lattice("a", density=np.float32(0.5), temperature=np.int64(300), **lattice)
    assert state.temperature == 300.0 and state.volume == pytest.approx(216)
    for wrong in (np.bool_(True), np.array([1, 2])):
        with pytest.raises(DiffPairError, match="must be a whole number"):
            Sampling(timestep=0.5, steps=wrong)
        with pytest.raises(DiffPairError, match="must be a number with a unit"):
            State.from_lattice("a", density=0.5, temperature=wrong, **lattice)


def test_values_that_are_several():
    assert rdf(range=[3 * unit.angstrom, "12 angstrom"]).range == pytest.approx([0.3, 1.2])
    assert lj(sigma={"A-A": 3 * unit.angstrom, "A-B": "0.34 nm"}).sigma == pytest.approx({"A-A": 0.3, "A-B": 0.34})
    assert lattice(masses=[40, 20] * unit.dalton).masses.max() == lattice(masses=40 * unit.dalton).masses.max() == 40
    assert lattice(masses={"A": 40 * unit.dalton, "B": "20 amu"}).masses.max() == 40
    assert Density(0.9 * unit.gram / unit.milliliter).value == ("mass", pytest.approx(0.9))
    assert Density("900 kg/m^3").value == ("mass", pytest.approx(0.9))
    assert Density(33.0 / unit.nanometer**3).value == ("number", pytest.approx(33))
    with pytest.raises(DiffPairError, match=r"Density: value: needs a unit, for example '0.845 nm\^-3', not just 0.9"):
        Density(0.9)  # of which density?
    with pytest.raises(DiffPairError, match=r"Rdf: range\[1\]: 'kelvin' is not a unit of length"):
        rdf(range=[0.3, 1.2 * unit.kelvin])


def test_units_of_files():
    assert rdf(r_unit=unit.angstrom).r_unit == "angstrom" and rdf(r_unit="angstrom").r_unit == "angstrom"
    assert rdf(r_unit=0.34 * unit.nanometer).r_unit == "0.34 nm" == rdf(r_unit=3.4 * unit.angstrom).r_unit
    assert Vacf("c.csv", t_unit=unit.femtosecond).t_unit == "femtosecond"
    with pytest.raises(DiffPairError, match="Rdf: r_unit: 'kelvin' is not a unit of length"):
        rdf(r_unit=unit.kelvin)
    with pytest.raises(DiffPairError, match="Vacf: t_unit: 'angstrom' is not a unit of time"):
        Vacf("c.csv", t_unit=unit.angstrom)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Sampling(timestep=unit.femtosecond), "timestep: must be a quantity, not the unit femtosecond"),
        (lambda: Sampling(timestep=0), "timestep: must be positive, not 0"),
        (lambda: Sampling(step=3), "Sampling: unknown key 'step', did you mean 'steps'?"),
        (lambda: Sampling(steps=5), "Sampling: every = 10 must not be above steps = 5"),
        (lambda: spline(tolerance=0.1), "Potential: unknown key 'tolerance'"),
        (lambda: Potential(cutoff=1), "Potential: the key 'form' is missing"),
        (lambda: Potential("bsplin", cutoff=1), "'bsplin' is not available, did you mean 'bspline'?"),
        (lambda: spline(r_min=2), "r_min = 2 nm must be below the cutoff = 1 nm"),
        (lambda: rdf(range=[1.0, 0.5]), "range must be [low, high]"),
        (lambda: rdf(scale_error=2), "scale_error: must be between 0 and 1"),
        (lambda: TorchOptimizer("adm"), "method: must be 'adam'"),
        (lambda: GaussNewton(iterations=0), "iterations: must be 1 or more, not 0"),
        (lambda: Adjoint(friction=1.0), "friction is an option of langevin-middle, not of verlet"),
        (lambda: Density(0.9 * unit.kelvin), "'kelvin' is not a unit of density such as nm^-3 or g/cm^3"),
    ],
)  # fmt: skip
def test_bad_settings_are_one_sentence(make, said):
    with pytest.raises(DiffPairError, match="^[^\n]*$") as caught:
        make()
    assert said in str(caught.value)


def test_too_many_positions():
    with pytest.raises(TypeError, match="Sampling takes keyword arguments"):
        Sampling(0.005)
    with pytest.raises(TypeError, match="Rdf takes a, b, file and keyword arguments"):
        Rdf("A", "B", "rdf.csv", "nm")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (Sampling(), "Sampling()"),
        (Sampling(timestep=2 * unit.femtosecond, steps=3000), "Sampling(timestep=0.002, steps=3000)"),
        (Production(max_steps=1000), "Production(max_steps=1000)"),
        (spline(cutoff="3.4 angstrom", knots=40), "Potential('bspline', cutoff=0.34, knots=40)"),
        (Potential("lj", sigma="3.4 angstrom", epsilon=1, cutoff=1),
         "Potential('lj', sigma=0.34, epsilon=1.0, cutoff=1.0)"),
        (rdf(r_unit="angstrom"), "Rdf(file='rdf.csv', pair=['A', 'B'], r_unit='angstrom')"),
        (Pressure(3.0, 0.5), "Pressure(value=3.0, error=0.5)"),
        (Vacf("c.csv"), "Vacf(file='c.csv')"),
        (TorchOptimizer("adam"), "TorchOptimizer(method='adam')"),
        (Start("hnc"), "Start(method='hypernetted-chain')"),
        (Start("start.json"), "Start(method='file', file='start.json')"),
        (Adjoint(steps="auto"), "Adjoint(steps='auto')"),
        (GaussNewton(), "GaussNewton()"),
        (IterativeBoltzmann(smoothing=1), "IterativeBoltzmann(smoothing=1)"),
        (InverseMonteCarlo(), "InverseMonteCarlo()"),
        (Fluctuation(), "Fluctuation()"),
        (Reweighting(updates=5), "Reweighting(updates=5)"),
    ],
)  # fmt: skip
def test_settings_print_what_was_chosen(made, text):
    assert repr(made) == str(made) == text
