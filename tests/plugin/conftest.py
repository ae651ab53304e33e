"""Systems and reference potentials for the plugin's tests.

`exact_force` writes a table's B-spline as a formula for OpenMM's own CustomNonbondedForce: the same function, computed
by code that shares nothing with DiffPair.
"""

from __future__ import annotations

import functools
import itertools
import os
import warnings
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import openmm
import pytest

from diffpair._openmm_forces import PairForce, PairTableForce

PRECISIONS = ("single", "mixed", "double")
# `make test-gpu` names the platform that has to work. Otherwise tests run on what OpenMM has registered, which CUDA and
# HIP are only where their drivers are; OpenCL is always asked for, so that a test run says when it is left out.
REQUIRED_DEVICE = os.environ.get("DIFFPAIR_TEST_DEVICE", "")
REGISTERED = {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
DEVICE_PLATFORMS = (REQUIRED_DEVICE,) if REQUIRED_DEVICE else ("OpenCL", *sorted(REGISTERED & {"CUDA", "HIP"}))
# What tests call a platform: of those with a precision, "OpenCL mixed" and so on.
PLATFORMS = ("Reference", "CPU", *(f"{name} mixed" for name in DEVICE_PLATFORMS))
ALL_PRECISIONS = ("Reference", "CPU", *(f"{name} {each}" for name in DEVICE_PLATFORMS for each in PRECISIONS))


def tolerance(platform: str) -> float:
    """Allowed max |dF| in units of the rms force: single-precision pair loops have what OpenMM's own forces have."""
    if platform == "Reference":
        return 1e-10
    return 1e-9 if platform.endswith("double") else 1e-4


def repeats(platform: str) -> bool:
    """Whether the same evaluation gives the same bits: on devices, blocks of particles are reordered at any time."""
    return platform in ("Reference", "CPU")


def choose_platform(platform: str) -> tuple[openmm.Platform, dict[str, str]]:
    """The platform and its properties; skips the test where there is no such device and none is required."""
    name, _, precision = platform.partition(" ")
    if not precision:
        # Two, so that the parallel code runs everywhere.
        return openmm.Platform.getPlatformByName(name), {"Threads": "2"} if name == "CPU" else {}
    problem = find_device(name, precision)
    if problem:
        (pytest.fail if REQUIRED_DEVICE else pytest.skip)(f"no {precision} precision on {name} here: {problem}")
    return openmm.Platform.getPlatformByName(name), {"Precision": precision}


@functools.cache
def find_device(name: str, precision: str) -> str:
    """Why a platform does not work here, empty if it does."""
    system = openmm.System()
    for _ in range(2):
        system.addParticle(1.0)
    try:
        platform = openmm.Platform.getPlatformByName(name)
        openmm.Context(system, openmm.VerletIntegrator(0.001), platform, {"Precision": precision})
    except openmm.OpenMMException as error:
        return str(error)
    return ""


METHODS = {
    "NoCutoff": PairForce.NoCutoff,
    "CutoffNonPeriodic": PairForce.CutoffNonPeriodic,
    "CutoffPeriodic": PairForce.CutoffPeriodic,
    "triclinic": PairForce.CutoffPeriodic,
}


@dataclass
class PairSystem:
    """Particles of two types in a box of about 2 nm, with tables of few knots, so that every piece is met."""

    r_min: float = 0.25
    cutoff: float = 0.8
    knots: int = 14
    num_types: int = 2
    method: str = "CutoffPeriodic"
    num_particles: int = 100
    seed: int = 3
    exclusions: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        pairs = self.num_types * (self.num_types + 1) // 2
        decay = np.exp(-4 * np.linspace(0, 1, self.knots - 1))
        self.coefficients = np.zeros((pairs, self.knots + 2))
        self.coefficients[:, :-3] = decay * (10 + 5 * random.standard_normal((pairs, self.knots - 1)))
        self.types = random.integers(0, self.num_types, self.num_particles)
        self.box = np.diag([2.0, 2.1, 1.9])
        if self.method == "triclinic":
            self.box = np.array([[2.0, 0, 0], [0.6, 2.1, 0], [-0.7, 0.5, 1.9]])
        self.positions = random.random((self.num_particles, 3)) @ self.box

    def pair_indices(self) -> list[tuple[int, int]]:
        return list(itertools.combinations_with_replacement(range(self.num_types), 2))

    def fill(self, force: PairForce) -> None:
        """Add particles, exclusions and method to a force."""
        for particle_type in self.types:
            force.addParticle(int(particle_type))
        for pair in self.exclusions:
            force.addExclusion(*pair)
        force.setNonbondedMethod(METHODS[self.method])

    def table_force(self) -> PairTableForce:
        force = PairTableForce(self.num_types, self.r_min, self.cutoff, self.knots)
        for (a, b), row in zip(self.pair_indices(), self.coefficients, strict=True):
            force.setPairCoefficients(a, b, row)
        self.fill(force)
        return force

    def exact_force(self) -> openmm.CustomNonbondedForce:
        """U = sum_k c[k] B(s - (k - 1)), B(x) = ((2 - |x|)_+^3 - 4 (1 - |x|)_+^3) / 6; linear for s < 0."""
        h = (self.cutoff - self.r_min) / (self.knots - 1)
        terms = []
        for k in range(self.knots - 1):
            x = f"abs(t-({k - 1}))"
            terms.append(f"c{k}(type1,type2)*(max(0,2-{x})^3-4*max(0,1-{x})^3)/6")
        # The clamped argument gives U(r_min) below r_min; the slope there is (c2 - c0) / (2 h).
        expression = (
            f"{'+'.join(terms)}+min(0,s)*(c2(type1,type2)-c0(type1,type2))/2; t=max(0,s); s=(r-{self.r_min!r})/{h!r}"
        )
        force = openmm.CustomNonbondedForce(expression)
        force.addPerParticleParameter("type")
        for k in range(self.knots - 1):
            square = np.zeros((self.num_types, self.num_types))
            for (a, b), row in zip(self.pair_indices(), self.coefficients, strict=True):
                square[a, b] = square[b, a] = row[k]
            function = openmm.Discrete2DFunction(self.num_types, self.num_types, square.ravel())
            force.addTabulatedFunction(f"c{k}", function)
        for particle_type in self.types:
            force.addParticle([float(particle_type)])
        for pair in self.exclusions:
            force.addExclusion(*pair)
        # The method with a cutoff is enough: the function is 0 beyond.
        periodic = METHODS[self.method] == PairForce.CutoffPeriodic
        force.setNonbondedMethod(force.CutoffPeriodic if periodic else force.CutoffNonPeriodic)
        force.setCutoffDistance(self.cutoff)
        return force

    def system(self, *forces: openmm.Force, mass: float = 10.0) -> openmm.System:
        system = openmm.System()
        for _ in range(self.num_particles):
            system.addParticle(mass)
        system.setDefaultPeriodicBoxVectors(*(openmm.Vec3(*row) for row in self.box))
        for force in forces:
            system.addForce(force)
        return system

    def context(self, force: openmm.Force, platform: str) -> openmm.Context:
        return make_context(self.system(force), platform, self.positions)


def make_context(
    system: openmm.System,
    platform: str,
    positions: np.ndarray | None = None,
    integrator: openmm.Integrator | None = None,
) -> openmm.Context:
    context = openmm.Context(system, integrator or openmm.VerletIntegrator(0.001), *choose_platform(platform))
    if positions is not None:
        context.setPositions(positions)
    return context


def evaluate(context: openmm.Context, groups: int = -1) -> tuple[float, np.ndarray]:
    """Energy in kJ/mol and forces [N, 3] in kJ/mol/nm."""
    state = context.getState(energy=True, forces=True, groups=groups)
    return state.getPotentialEnergy()._value, np.array(state.getForces(asNumpy=True)._value)


def assert_same_forces(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    rms = np.sqrt(np.mean(expected**2))
    assert rms > 0
    worst = np.abs(found - expected).max() / rms
    assert worst <= tolerance, f"forces differ by {worst:.2e} of the rms force"


def assert_repeats(found: tuple[float, np.ndarray], expected: tuple[float, np.ndarray], platform: str) -> None:
    """Energy and forces are the same: bit for bit, on devices to rounding."""
    if repeats(platform):
        assert found[0] == expected[0]
        np.testing.assert_array_equal(found[1], expected[1])
    else:
        rounding = tolerance(platform) / 10
        assert found[0] == pytest.approx(expected[0], rel=rounding)
        assert_same_forces(found[1], expected[1], rounding)


def make_velocity_verlet() -> openmm.CustomIntegrator:
    """An integrator whose steps begin with the forces that the step before ended with."""
    integrator = openmm.CustomIntegrator(0.001)
    integrator.addComputePerDof("v", "v+0.5*dt*f/m")
    integrator.addComputePerDof("x", "x+dt*v")
    integrator.addComputePerDof("v", "v+0.5*dt*f/m")
    return integrator


def script(module: Any) -> Any:
    """A torch module as TorchScript."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        return torch.jit.script(module)


@pytest.fixture(scope="session")
def power() -> Any:
    """TorchScript of a (0.3/r)^6 + b: two parameters, to see their order; one type, returned as [n]."""
    torch = pytest.importorskip("torch")

    class Power(torch.nn.Module):
        def forward(self, r, a, b):
            return a * (0.3 / r) ** 6 + b

    return script(Power())


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """What test modules take from here; they are imported one by one, without a common package."""
    return SimpleNamespace(
        PairSystem=PairSystem,
        make_context=make_context,
        script=script,
        make_velocity_verlet=make_velocity_verlet,
        evaluate=evaluate,
        assert_same_forces=assert_same_forces,
        assert_repeats=assert_repeats,
        tolerance=tolerance,
    )


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    return available(request.param)


@pytest.fixture(params=ALL_PRECISIONS)
def precise_platform(request: pytest.FixtureRequest) -> str:
    """As `platform`, for tests of the numbers: in every precision of every device."""
    return available(request.param)


@pytest.fixture(params=["Reference", "CPU"])
def host_platform(request: pytest.FixtureRequest) -> str:
    """As `platform`, for what no kernel takes part in."""
    return request.param


@pytest.fixture(params=[f"{name} mixed" for name in DEVICE_PLATFORMS])
def device(request: pytest.FixtureRequest) -> str:
    return available(request.param)


def available(platform: str) -> str:
    choose_platform(platform)
    return platform


@pytest.fixture(params=tuple(METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param
