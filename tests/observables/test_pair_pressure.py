"""The differentiable pressure against OpenMM's energy in a scaled box, NumPy and finite differences."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
import torch
from images import excluded_pairs, separation
from oracle import basis
from systems import CUBIC, TRICLINIC, make_system

from diffpair import PairTable, PairTableForce
from diffpair.constants import BOLTZMANN
from diffpair.errors import DiffPairError
from diffpair.observables.pair_pressure import pair_pressure, pair_virial
from diffpair.observables.pressure import BAR, PressureProbe

KINDS = [
    pytest.param({"num_types": 1}, id="one type"),
    pytest.param({"num_types": 2, "exclusions": 30, "box": TRICLINIC}, id="two types, exclusions, triclinic"),
    pytest.param({"num_types": 3, "box": CUBIC, "exclusions": 5}, id="three types"),
]


def table_of(system):
    return {"r_min": system.r_min, "cutoff": system.cutoff}


@pytest.mark.parametrize("kind", KINDS)
def test_equals_openmm(kind):
    """The pressure that the change of OpenMM's energy with the box gives, some pairs below r_min included."""
    system = make_system(**kind)
    topology, box = system.topology, system.box.numpy()
    names = tuple("ABC"[: topology.num_types])
    force = PairTableForce.fromTable(PairTable(names, system.r_min, system.cutoff, system.coefficients.numpy()))
    force.setNonbondedMethod(PairTableForce.CutoffPeriodic)
    made = openmm.System()
    made.setDefaultPeriodicBoxVectors(*box)
    for kind_of_atom in topology.types.tolist():
        made.addParticle(1.0)
        force.addParticle(kind_of_atom)
    for i, j in excluded_pairs(topology.exclusions.numpy()):
        if i != j:
            force.addExclusion(i, j)
    made.addForce(force)
    probe = PressureProbe(made, 300.0, openmm.Platform.getPlatformByName("Reference"), strain=1e-6)
    expected = probe.pressures(system.x[None].numpy(), box[None])
    ours = pair_pressure(
        system.x[None], system.box[None], topology, system.coefficients, temperature=300.0, **table_of(system)
    )
    assert float(ours) == pytest.approx(expected[0], rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_virial_equals_the_loop_over_forces(kind):
    system = make_system(**kind)
    topology, x, box = system.topology, system.x.numpy(), system.box.numpy()
    names = tuple("ABC"[: topology.num_types])
    table = PairTable(names, system.r_min, system.cutoff, system.coefficients.numpy())
    types, excluded = topology.types.tolist(), excluded_pairs(topology.exclusions.numpy())
    expected = 0.0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            r = np.linalg.norm(separation(x, i, j, box))
            if (i, j) not in excluded:
                expected += float(r * table.force(r, types[i], types[j]))
    arguments = (system.box[None], topology, system.coefficients)
    ours = pair_virial(system.x[None], *arguments, **table_of(system))
    assert float(ours) == pytest.approx(expected, rel=1e-10)
    core = torch.ops.diffpair.pair_forces(
        system.x[None], system.box[None], topology.types, topology.exclusions, topology.num_types,
        system.r_min, system.cutoff, system.coefficients,
    )  # fmt: skip
    torch.testing.assert_close(ours, core[2], rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient(kind):
    """Of two frames, in positions, velocities, temperature and coefficients; the two dtypes agree."""
    system = make_system(atoms=10, **kind, knots=12)
    topology, generator = system.topology, torch.Generator().manual_seed(3)
    x = torch.stack([system.x, system.x + 0.05 * torch.randn(10, 3, generator=generator, dtype=torch.float64)])
    boxes = torch.stack([system.box, 1.03 * system.box])
    masses = 1 / system.inverse_mass
    v = torch.randn(2, 10, 3, generator=generator, dtype=torch.float64)
    c, temperature = system.coefficients.clone(), torch.tensor(250.0, dtype=torch.float64)
    leaves = [z.requires_grad_() for z in (x, v, c, temperature)]

    def ideal(x, c, temperature):
        return pair_pressure(x, boxes, topology, c, temperature=temperature, **table_of(system))

    def kinetic(v):
        return pair_pressure(x, boxes, topology, c, v=v, masses=masses, **table_of(system))

    assert torch.autograd.gradcheck(ideal, (leaves[0], leaves[2], leaves[3]), eps=1e-6, rtol=1e-5)
    assert torch.autograd.gradcheck(kinetic, (leaves[1],), eps=1e-6, rtol=1e-5)
    assert torch.autograd.gradgradcheck(ideal, (leaves[0], leaves[2], leaves[3]), eps=1e-6, fast_mode=True)
    wrapped = x.detach() - torch.floor(x.detach() @ boxes.inverse()) @ boxes
    gradients = []
    for dtype in (torch.float64, torch.float32):
        at = wrapped.to(dtype).requires_grad_()
        pressure = ideal(at, c, temperature)
        assert pressure.dtype == torch.float64
        gradients.append(torch.autograd.grad(pressure.sum(), at)[0])
    assert gradients[1].dtype == torch.float32
    assert (gradients[0] - gradients[1]).abs().max() < 1e-4 * gradients[0].abs().max()


def test_coefficients_of_each_frame():
    system = make_system(num_types=2)
    x, boxes = system.x.expand(2, -1, -1), system.box.expand(2, 3, 3)
    each = torch.stack([system.coefficients, 2 * system.coefficients])
    virial = pair_virial(x, boxes, system.topology, each, **table_of(system))
    torch.testing.assert_close(virial[1], 2 * virial[0])


def test_ideal_gas_and_units():
    """N kT / V, 1 bar = 1e5 Pa; with velocities the kinetic energy takes its place."""
    system = make_system(atoms=10)
    c, masses = torch.zeros_like(system.coefficients), 1 / system.inverse_mass
    arguments = (system.x[None], system.box[None], system.topology, c)
    volume = float(torch.linalg.det(system.box))
    ideal = pair_pressure(*arguments, temperature=torch.tensor([300.0]), **table_of(system))
    assert float(ideal) == pytest.approx(10 * 1.380649e-23 * 300 / (volume * 1e-27) / 1e5, rel=1e-9)
    kinetic = pair_pressure(*arguments, v=system.v[None], masses=masses, **table_of(system))
    energy = 0.5 * np.sum(masses.numpy()[:, None] * system.v.numpy() ** 2)
    assert float(kinetic) / BAR == pytest.approx(2 * energy / (3 * volume), rel=1e-12)
    hot = 2 * energy / (3 * 10 * BOLTZMANN)
    assert float(pair_pressure(*arguments, temperature=hot, **table_of(system))) == pytest.approx(float(kinetic))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "either a temperature, or velocities and masses"),
        ({"temperature": 300.0, "v": torch.zeros(1, 32, 3), "masses": torch.ones(32)}, "either a temperature"),
        ({"v": torch.zeros(1, 32, 3)}, "either a temperature"),
        ({"temperature": 300.0, "boxes": torch.zeros(1, 3, 3, dtype=torch.float64)}, "a periodic box in every frame"),
        ({"v": torch.zeros(32, 3), "masses": torch.ones(32)}, r"velocities need the shape \[1, 32, 3\]"),
        ({"temperature": 300.0, "coefficients": torch.zeros(3, 22)}, r"1 types has the shape \[1, knots \+ 2\]"),
        ({"temperature": 300.0, "cutoff": 1.9}, "beyond half the periodic box"),
    ],
)
def test_refusals(change, message):
    system = make_system()
    arguments = {"boxes": system.box[None], "topology": system.topology, "coefficients": system.coefficients}
    with pytest.raises((DiffPairError, RuntimeError), match=message):
        pair_pressure(system.x[None], **{**arguments, **table_of(system), **change})


@pytest.mark.parametrize("r", [0.3, 0.7 - 1e-9, 0.7 + 5 * 0.9 / 19, 1.1, 1.6 - 1e-9, 1.6, 1.7])
def test_special_distances(r):
    """Below r_min, next to it, on a knot, just inside, on and beyond the cutoff: r U' and its derivative U' + r U''."""
    system = make_system(atoms=2)
    at = torch.tensor(r, dtype=torch.float64, requires_grad=True)
    energy = basis(at[None], 0.7, 1.6, 20)[0] @ system.coefficients[0]
    (slope,) = torch.autograd.grad(energy, at, create_graph=True)
    (expected,) = torch.autograd.grad(-at * slope, at) if slope.requires_grad else (torch.zeros(()),)
    x = torch.tensor([[[0.0, 0, 0], [0, r, 0]]], dtype=torch.float64, requires_grad=True)
    virial = pair_virial(x, torch.zeros(1, 3, 3, dtype=torch.float64), system.topology, system.coefficients,
                         r_min=0.7, cutoff=1.6)  # fmt: skip
    assert float(virial.detach()) == pytest.approx(-r * float(slope.detach()), rel=1e-9, abs=1e-13)
    (gradient,) = torch.autograd.grad(virial.sum(), x)
    assert float(gradient[0, 1, 1]) == pytest.approx(float(expected.detach()), rel=1e-6, abs=1e-9)
    assert torch.equal(gradient[0, 0], -gradient[0, 1])
