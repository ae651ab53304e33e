"""Audits of a state whose System has a force that segments take from OpenMM, on the platform that "auto" finds."""

from __future__ import annotations

import dataclasses

import openmm as mm
import pytest
from own_simulations import LIQUID, TEMPERATURE

from diffpair import Adjoint, Fit, GaussNewton, Potential, Production, Rdf, Sampling, State
from diffpair.fit.audit import run_audit

SHORT = Sampling(timestep=0.005, equilibration=20, steps=300, every=10, melt=300, adaptive=False)


def fit_of(steps: int | str) -> Fit:
    system, force = mm.System(), mm.CustomExternalForce("0.01*(x-1)^2")
    for index in range(108):
        system.addParticle(1.0)
        force.addParticle(index)
    system.addForce(force)
    target = Rdf("A", "A", LIQUID, range=[0.75, 2.5])
    lattice = {"n": 108, "density": 0.845, "types": {"A": 1.0}, "masses": 1.0, "temperature": TEMPERATURE}
    state = dataclasses.replace(State.from_lattice("held", **lattice, targets=[target]), base_system=system)
    return Fit(
        Potential("bspline", cutoff=2.4, knots=30), [state], sampling=SHORT,
        update=GaussNewton(iterations=1, stop_at_noise=False), progress=False,
        production=Production(max_steps=400, noise_target=0.5),
        gradient=Adjoint(segments=4, steps=steps, every=5),
    )  # fmt: skip


@pytest.mark.parametrize("command", [True, False])
def test_audits_run_on_the_platform_that_auto_finds(command, tmp_path):
    """`diffpair audit`, and the audit at the start of a fit, beside a force that OpenMM evaluates."""
    if command:
        run_audit(fit_of(20), tmp_path / "audit", lengths=[10], segments=4, frames=30)
    else:
        fit = fit_of("auto")
        fit.step()
        assert fit.history
