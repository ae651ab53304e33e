"""What a fit config may say, and what becomes of it."""

from pathlib import Path

import pytest

from diffpair.config import load_config
from diffpair.errors import DiffPairError
from diffpair.settings.base import resolve_pairs
from diffpair.targets.reading import Choice

# As in the design document, comments included.
DESIGN = """\
potential: {form: bspline, cutoff: 2.5 nm, knots: 60}      # or mlp, lj, sum of parts, module: file.pt
states:
  - name: liquid
    system: {lattice: {n: 864, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}   # or {topology: .., xml: ..}
    temperature: 120.27 K
    targets:
      - rdf: {pair: [A, A], file: rdf.csv, r_unit: nm, range: [0.75 nm, 3.3 nm]}  # r, g and perhaps error; comma or
                                                # white space, header optional, uneven grids allowed; range optional
sampling: {timestep: 5 fs, equilibration: 500, steps: 1500, every: 10}   # the first state is melted from the lattice
production: {max_steps: 100000}       # the run with the final table that summary.json reports
gradient: {method: fluctuation}        # adjoint: {segments: 16, steps: 50, every: 5} | reweighting
update: {method: gauss-newton, iterations: 10}   # adam, ibi, ...
seed: 1
"""


def load(tmp_path, text):
    path = tmp_path / "fit.yaml"
    path.write_text(text)
    return load_config(path)


def replaced(old, new):
    assert old in DESIGN
    return DESIGN.replace(old, new)


def test_the_design_document(tmp_path):
    config = load(tmp_path, DESIGN)
    assert (config.potential.form, config.potential.cutoff, config.potential.knots) == ("bspline", 2.5, 60)
    (state,) = config.states
    assert (state.name, state.temperature, state.held_out) == ("liquid", 120.27, False)
    lattice = state.system.lattice
    assert (lattice.n, lattice.density, lattice.types, lattice.mass) == (864, ("number", 0.845), {"A": 1.0}, 1.0)
    rdf = state.targets[0].rdf
    assert (rdf.pair, rdf.file, rdf.r_unit, rdf.range) == (["A", "A"], tmp_path / "rdf.csv", "nm", [0.75, 3.3])
    sampling = config.sampling
    assert (sampling.timestep, sampling.equilibration, sampling.steps, sampling.every) == (0.005, 500, 1500, 10)
    assert config.production.max_steps == 100_000 and config.production.noise_target == 0.002
    assert (config.gradient.method, config.method.method, config.method.iterations) == (
        "fluctuation",
        "gauss-newton",
        10,
    )
    assert config.seed == 1 and config.file == tmp_path / "fit.yaml" and config.text == DESIGN
    assert config.starting_point.method == "auto"


@pytest.mark.parametrize(
    ("old", "new", "get", "value"),
    [
        ("2.5 nm, knots", "25 angstrom, knots", lambda c: c.potential.cutoff, 2.5),
        ("5 fs", "0.005 ps", lambda c: c.sampling.timestep, 0.005),
        ("5 fs", "5.0e-15 s", lambda c: c.sampling.timestep, 0.005),
        ("120.27 K", "26.85 degC", lambda c: c.states[0].temperature, 300.0),
        ("1 amu", "1 g/mol", lambda c: c.states[0].system.lattice.mass, 1.0),
        ("0.845 nm^-3", "1.4031 mol/L", lambda c: c.states[0].system.lattice.density[1], 0.84497),
        ("0.845 nm^-3", "0.845 1/nm**3", lambda c: c.states[0].system.lattice.density[1], 0.845),
        ("0.845 nm^-3", "997 kg/m^3", lambda c: c.states[0].system.lattice.density[1], 0.997),
        ("max_steps: 100000", "max_steps: 1e5", lambda c: c.production.max_steps, 100_000),
        ("seed: 1", "seed: 0", lambda c: c.seed, 0),
    ],
)
def test_units_and_numbers(tmp_path, old, new, get, value):
    assert get(load(tmp_path, replaced(old, new))) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{form: lj, cutoff: 2.5 nm, sigma: 1 nm, epsilon: 1 kJ/mol}", "lj"),
        ("{form: lj, cutoff: 2.5 nm, sigma: {A-A: 1 nm}, epsilon: 0.24 kcal/mol, switch_width: 0.2 nm}", "lj"),
        ("{form: generalised_lj, cutoff: 2.5 nm, sigma: 1 nm, epsilon: 1 kJ/mol, n: 10, m: 5}", "generalised_lj"),
        ("{form: soft_sphere, cutoff: 2.5 nm, sigma: 1 nm, epsilon: 1 kJ/mol}", "soft_sphere"),
        ("{form: yukawa, cutoff: 2.5 nm, sigma: 1 nm, epsilon: -1 kJ/mol, kappa: 2 nm^-1}", "yukawa"),
        ("{form: morse, cutoff: 2.5 nm, sigma: 1 nm, epsilon: 1 kJ/mol, a: 6}", "morse"),
        ("{form: mlp, cutoff: 2.5 nm}", "mlp"),
        (
            "{form: mlp, cutoff: 2.5 nm, hidden: [32, 32], gaussians: 20, width: 0.1 nm, "
            "prior: {form: soft_sphere, sigma: 0.9 nm, epsilon: 1 kJ/mol, n: 10}}",
            "mlp",
        ),
        ("{module: potential.pt, cutoff: 2.5 nm}", "module"),
        ("{form: module, module: potential.pt, cutoff: 2.5 nm, knots: 200, r_min: 0.7 nm}", "module"),
        (
            "{cutoff: 2.5 nm, parts: [{form: lj, sigma: 1 nm, epsilon: 1 kJ/mol, trainable: false}, {form: mlp}]}",
            "sum",
        ),
        ("{form: sum, cutoff: 2.5 nm, knots: 80, parts: [{form: bspline}, {module: m.pt}]}", "sum"),
    ],
)
def test_forms(tmp_path, text, form):
    potential = load(tmp_path, replaced("{form: bspline, cutoff: 2.5 nm, knots: 60}", text)).potential
    assert potential.form == form and potential.cutoff == 2.5
    if form == "sum":
        assert [part.form for part in potential.term.parts] in (["lj", "mlp"], ["bspline", "module"])
    if form == "module":
        assert potential.term.module == tmp_path / "potential.pt"
    if "prior" in text:
        assert potential.term.prior.sigma == 0.9 and potential.term.hidden == (32, 32)


def test_trainable_parts(tmp_path):
    text = "{cutoff: 2.5 nm, parts: [{form: lj, sigma: 1 nm, epsilon: 1 kJ/mol, trainable: false}, {form: mlp}]}"
    parts = load(tmp_path, replaced("{form: bspline, cutoff: 2.5 nm, knots: 60}", text)).potential.term.parts
    assert [part.trainable for part in parts] == [False, True]


@pytest.mark.parametrize(
    ("text", "segments", "method"),
    [
        ("gradient: {method: adjoint, segments: 8, steps: 50, every: 5}", 8, "gauss-newton"),
        ("gradient: {adjoint: {segments: 8, steps: 50, every: 5}}", 8, "gauss-newton"),
        ("gradient: adjoint", 16, "gauss-newton"),
        ("gradient: {method: adjoint, segments: 2}", 2, "adam"),
    ],
)
def test_adjoint_in_each_spelling(tmp_path, text, segments, method):
    text = DESIGN.replace("gradient: {method: fluctuation}", text)
    without_update = "\n".join(line for line in text.splitlines() if not line.startswith("update"))
    config = load(tmp_path, without_update)
    assert (config.gradient.method, config.gradient.segments, config.method.method) == ("adjoint", segments, method)


def test_steps_that_an_audit_chooses(tmp_path):
    text = replaced("{method: fluctuation}", "{method: adjoint, steps: auto}")
    without_update = "\n".join(line for line in text.splitlines() if not line.startswith("update"))
    gradient = load(tmp_path, without_update).gradient
    assert gradient.steps == "auto" and gradient.given_segments is None
    gradient = load(tmp_path, without_update.replace("steps: auto", "steps: auto, segments: 6, every: 4")).gradient
    assert (gradient.given_segments, gradient.every) == (6, 4)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", {"integrator": "verlet"}),
        (", integrator: verlet", {"integrator": "verlet"}),
        (", integrator: langevin-middle", {"integrator": "langevin-middle", "friction": 1.0}),
        (", integrator: langevin-middle, friction: 2 /ps", {"integrator": "langevin-middle", "friction": 2.0}),
        (
            ", integrator: nose-hoover",
            {"integrator": "nose-hoover", "collision_frequency": 1.0, "chain_length": 5},
        ),
        (
            ", integrator: nose-hoover, collision_frequency: 0.5 THz, chain_length: 3",
            {"integrator": "nose-hoover", "collision_frequency": 0.5, "chain_length": 3},
        ),
    ],
)
def test_integrator_of_the_segments(tmp_path, text, kept):
    """What is kept of it for hash and provenance is what this integrator uses; spelled out, it is the same config."""
    old = "gradient: {method: fluctuation}        # adjoint: {segments: 16, steps: 50, every: 5} | reweighting\nupdate"
    new = f"gradient: {{method: adjoint, segments: 8, steps: 20{text}}}\nupdate"
    text = replaced(old, new).replace("gauss-newton", "adam")
    gradient = load(tmp_path, text).gradient
    assert gradient.model_dump() == {"method": "adjoint", "segments": 8, "steps": 20, "every": 5, **kept}
    spelled = text.replace(new, f"gradient: {gradient.spelled(8, 20)}\nupdate")
    assert load(tmp_path, spelled).gradient.model_dump() == gradient.model_dump()


def test_reweighting(tmp_path):
    text = replaced("{method: fluctuation}", "{method: reweighting, min_effective: 0.25}")
    without_update = "\n".join(line for line in text.splitlines() if not line.startswith("update"))
    config = load(tmp_path, without_update)
    assert (config.gradient.min_effective, config.gradient.updates, config.method.method) == (0.25, 100, "adam")


def test_torch_optimizer(tmp_path):
    text = replaced("{method: gauss-newton, iterations: 10}", "{method: sgd, learning_rate: 1e-3, momentum: 0.9}")
    method = load(tmp_path, text).method
    assert (method.method, method.learning_rate, method.momentum) == ("sgd", 1e-3, 0.9)


def test_files_types_and_parameters(tmp_path):
    system = "{topology: sub/box.pdb, xml: /abs/system.xml, types: {O: W, H1: none, H2: None}, exclude_bonds: 2}"
    text = replaced("{lattice: {n: 864, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}", system)
    text = text.replace("temperature: 120.27 K", "temperature: 120.27 K\n    parameters: {temperature: 120.27}")
    config = load(tmp_path, text)
    system = config.states[0].system
    assert system.topology == tmp_path / "sub" / "box.pdb" and system.xml == Path("/abs/system.xml")
    assert system.types == {"O": "W", "H1": None, "H2": None} and system.exclude_bonds == 2
    assert config.states[0].parameters == {"temperature": 120.27}


def test_numbers_are_good_type_names(tmp_path):
    text = replaced("types: {A: 1.0}, mass: 1 amu", "types: {1: 0.25, 2: 0.75}, mass: {1: 1 amu, 2: 2 amu}")
    config = load(tmp_path, text.replace("pair: [A, A]", "pair: [1, 2]"))
    assert config.states[0].system.lattice.types == {"1": 0.25, "2": 0.75}
    assert config.states[0].system.lattice.mass == {"1": 1.0, "2": 2.0}
    assert config.states[0].targets[0].rdf.pair == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "method", "file"),
    [
        ("boltzmann-inversion", "boltzmann-inversion", None),
        ("hypernetted-chain", "hypernetted-chain", None),
        ("hnc", "hypernetted-chain", None),
        ("modified-verlet", "modified-verlet", None),
        ("auto", "auto", None),
        ("parameters", "parameters", None),
        ("old.json", "file", "old.json"),
        ("{file: old.json}", "file", "old.json"),
    ],
)
def test_start(tmp_path, text, method, file):
    start = load(tmp_path, DESIGN + f"start: {text}\n").starting_point
    assert start.method == method and start.file == (tmp_path / file if file else None)


def test_anchors_and_merge_keys(tmp_path):
    text = DESIGN.replace("- name: liquid", "- &first\n    name: liquid")
    text = text.replace("sampling:", "  - {<<: *first, name: warm, temperature: 150 K, held_out: true}\nsampling:")
    config = load(tmp_path, text)
    assert [(s.name, s.temperature, s.held_out) for s in config.states] == [
        ("liquid", 120.27, False),
        ("warm", 150.0, True),
    ]
    assert config.states[1].targets == config.states[0].targets


def test_values_per_pair():
    assert resolve_pairs(2.0, ("A", "B"), "sigma") == [2.0, 2.0, 2.0]
    assert resolve_pairs({"B-A": 2.0, "B-B": 3.0, "A-A": 1.0}, ("A", "B"), "sigma") == [1.0, 2.0, 3.0]
    for value, message in [
        ({"A-A": 1.0, "A-B": 1.0}, "sigma: the pair B-B has no value"),
        ({"A-A": 1.0, "A-B": 1.0, "B-A": 1.0, "B-B": 1.0}, "sigma: the pair B-A is given twice"),
        ({"A-C": 1.0}, "sigma: 'A-C' is no pair of types"),
    ]:
        with pytest.raises(DiffPairError, match=message):
            resolve_pairs(value, ("A", "B"), "sigma")
    with pytest.raises(DiffPairError, match=r"sigma: A-B-C is \('A', 'B-C'\) as well as \('A-B', 'C'\): rename a type"):
        resolve_pairs({"A-B-C": 1.0}, ("A", "A-B", "B-C", "C"), "sigma")


@pytest.mark.parametrize("name", ["012", "1e5", "1_000", "0x10", "1:30", "7", "1.50", ".5"])
def test_names_that_are_numbers_count_as_written(tmp_path, name):
    text = replaced("types: {A: 1.0}", f"types: {{{name}: 1.0}}").replace("pair: [A, A]", f"pair: [{name}, {name}]")
    (state,) = load(tmp_path, text).states
    assert state.system.lattice.types == {name: 1.0} and state.targets[0].rdf.pair == [name, name]


@pytest.mark.parametrize(("written", "value"), [("yes", True), ("NO", False), ("off", False), ("True", True)])
def test_flags_as_yaml_writes_them(tmp_path, written, value):
    assert load(tmp_path, replaced("sampling: {", f"sampling: {{adaptive: {written}, ")).sampling.adaptive is value


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        ("", Choice()),
        ("columns: {r: 1, g: 2, error: none}, ", Choice(1, 2, False)),
        ("columns: {r: 1, g: 2, error: null}, ", Choice(1, 2, False)),
        ("columns: {g: Na-Cl, error: 3}, block: last, ", Choice(None, "Na-Cl", 3, "last")),
        ("column: Na-Cl, block: 2, ", Choice(y="Na-Cl", block=2)),
        ("column: 3, ", Choice(y=3)),
    ],
)
def test_columns_of_a_file(tmp_path, keys, choice):
    config = load(tmp_path, replaced("file: rdf.csv", f"{keys}file: rdf.csv"))
    assert config.states[0].targets[0].rdf.choice == choice
    assert ("columns" in config.model_dump()["states"][0]["targets"][0]["rdf"]) == ("columns" in keys)
