"""From config to states: what is checked between system, targets and cutoff."""

import numpy as np
import pytest

from diffpair.config import build_states, load_config
from diffpair.errors import DiffPairError

R = 0.8 + 0.05 * np.arange(50)
G = np.where(R > 0.95, 1.0, 0.0)


def make(tmp_path, states, cutoff="2.5 nm", scale=1.0, seed=1):
    rows = "\n".join(f"{scale * r:.6f},{g}" for r, g in zip(R, G, strict=True))
    (tmp_path / "rdf.csv").write_text(f"r,g\n{rows}\n")
    path = tmp_path / "fit.yaml"
    path.write_text(
        f"potential: {{form: bspline, cutoff: {cutoff}, knots: 30}}\n"
        f"states:\n{states}\nsampling: {{timestep: 5 fs}}\nseed: {seed}\n"
    )
    return build_states(load_config(path))


def state(name="liquid", n=500, density="0.845 nm^-3", types="{A: 1.0}", pair="[A, A]", more="", target=""):
    return (
        f"  - name: {name}\n"
        f"    system: {{lattice: {{n: {n}, density: {density}, types: {types}, mass: 1 amu}}}}\n"
        f"    temperature: 120.27 K\n{more}"
        f"    targets: [rdf: {{pair: {pair}, file: rdf.csv{target}}}]\n"
    )


def test_one_state(tmp_path):
    (built,) = make(tmp_path, state())
    assert (built.name, built.num_atoms, built.type_names, built.on_lattice) == ("liquid", 500, ("A",), True)
    assert built.density == pytest.approx(0.845) and built.temperature == 120.27
    assert len(built.targets) == 1 and built.rdfs[0].pair == ("A", "A")
    np.testing.assert_allclose(built.rdfs[0].r, R)


def test_a_pressure_beside_an_rdf(tmp_path):
    text = state().replace("targets: [", "targets: [pressure: {value: -2 atm, error: 1 MPa}, ")
    (built,) = make(tmp_path, text)
    (pressure,) = built.pressures
    assert (pressure.value, pressure.error) == pytest.approx((-2 * 1.01325, 10.0))
    assert len(built.rdfs) == 1 and len(built.targets) == 2
    (built,) = make(tmp_path, text.replace(", error: 1 MPa", ""))
    assert built.pressures[0].error is None


def test_all_states_count_types_alike(tmp_path):
    states = state("pure", types="{B: 1.0}", pair="[B, B]", more="    held_out: true\n") + state(
        "mixed", types="{A: 0.25, B: 0.75}", pair="[A, B]", more="    parameters: {}\n"
    )
    pure, mixed = make(tmp_path, states)
    assert pure.type_names == mixed.type_names == ("B", "A")
    assert (pure.types == 0).all() and pure.held_out and not mixed.held_out
    assert np.bincount(mixed.types).tolist() == [375, 125]


def test_a_pair_without_a_target_is_told(tmp_path):
    held_out = state("b", types="{A: 0.5, B: 0.5}", pair="[A, B]", more="    held_out: true\n")
    text = state("a", types="{A: 0.5, B: 0.5}") + held_out
    with pytest.warns(UserWarning, match="no state that is fitted has a target for A-B, B-B: "):
        make(tmp_path, text)


def test_masses_of_a_structure(tmp_path):
    """By type, for beads whose names say nothing of them."""
    rows = [f"    1{name:<5s}{name:>5s}{k + 1:5d}{4 * k:8.3f}{1:8.3f}{1:8.3f}" for k, name in enumerate(("W", "CG"))]
    (tmp_path / "w.gro").write_text("\n".join(["beads", "2", *rows, "8 8 8", ""]))
    text = state().replace("lattice: {n: 500, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}", "topology: w.gro")
    text = text.replace("[A, A]", "[CG, W]")
    with pytest.raises(DiffPairError, match=r"w\.gro: the mass of atom 0 \(W-W\) is unknown.*masses: {W: 72 amu}"):
        make(tmp_path, text)
    (built,) = make(tmp_path, text.replace("w.gro", "w.gro, masses: {W: 72 amu, CG: 0.045 kg/mol}"))
    assert built.masses == pytest.approx([72.0, 45.0])
    with pytest.raises(DiffPairError, match="gives no mass for type 'CG'"):
        make(tmp_path, text.replace("w.gro", "w.gro, masses: {W: 72 amu}"))


def test_lengths_in_micrometres(tmp_path):
    """Colloids: what is too long is a matter of the box."""
    text = state(density="0.845 um^-3", target=", r_unit: um, range: [0.75 um, 3.3 um]")
    (built,) = make(tmp_path, text, cutoff="2.5 um")
    assert built.rdfs[0].r_max == pytest.approx(3270, abs=30) and built.half_box > 4000


def test_a_pair_that_does_not_exist_needs_no_target(tmp_path, recwarn):
    types = "{A: 0.002, B: 0.998}"
    text = state(types=types, pair="[A, B]").replace("targets: [", "targets: [rdf: {pair: [B, B], file: rdf.csv}, ")
    make(tmp_path, text)
    assert not [w for w in recwarn if "has a target" in str(w.message)]


def test_parameters_keep_the_order_of_the_first_state(tmp_path):
    states = state("a", more="    parameters: {T: 1, x: 2}\n") + state("b", more="    parameters: {x: 4, T: 3}\n")
    assert [built.parameters for built in make(tmp_path, states)] == [(1.0, 2.0), (3.0, 4.0)]


def test_seed_decides_the_lattice(tmp_path):
    text = state(types="{A: 0.5, B: 0.5}")
    one, same, other = (make(tmp_path, text, seed=seed)[0].types for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()


@pytest.mark.parametrize(
    ("states", "options", "message"),
    [
        (
            state(n=100),
            {},
            r"rdf\.csv.* of state 'liquid' reaches to r = 3\.275 nm, beyond half the box \(2\.45\d* nm\)",
        ),
        (
            state(n=216, target=", range: [0.8 nm, 2 nm]"),
            {"cutoff": "3.5 nm"},
            r"cutoff of 3\.5 nm is beyond half .*'liquid'",
        ),
        (state(pair="[A, C]"), {}, r"rdf\.csv.* names type 'C', which state 'liquid' does not have \(A\)"),
        (
            state(),
            {"scale": 10},
            r"rdf\.csv: neighbours begin at r = 9\.5 nm.*r appears not to be in nm; perhaps .* angstrom",
        ),
        (state(target=", r_unit: angstrom"), {}, r"rdf\.csv: .*not to be in angstrom; perhaps r_unit should be nm"),
        (state(target=", range: [5 nm, 6 nm]"), {}, r"rdf\.csv: only 0 points lie in the range .*state 'liquid'"),
        (state().replace("rdf.csv", "gone.csv"), {}, r"gone\.csv: no such file.*target A-A of state 'liquid'"),
    ],
)
def test_refusals(tmp_path, states, options, message):
    with pytest.raises(DiffPairError, match=message) as error:
        make(tmp_path, states, **options)
    assert "\n" not in str(error.value)


def test_missing_structure(tmp_path):
    text = state().replace("lattice: {n: 500, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}", "topology: box.pdb")
    with pytest.raises(DiffPairError, match=r"box\.pdb: no such file"):
        make(tmp_path, text)


def test_unit_check_counts_only_the_particles_of_the_pair(tmp_path):
    # Water: oxygens 0.25 nm apart fill space at their own density, but would not at that of all atoms.
    text = state(n=1500, density="100 nm^-3", types="{O: 0.3333333333, H: 0.6666666667}", pair="[O, O]")
    path_scale = 0.25 / 0.95
    built = make(tmp_path, text, cutoff="0.9 nm", scale=path_scale)
    assert built[0].rdfs[0].onset == pytest.approx(0.25, abs=0.02)
