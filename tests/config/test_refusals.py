"""Every mistake in a config gets one sentence with file, line, key and what is allowed."""

import pytest

from diffpair.config import load_config
from diffpair.errors import DiffPairError

GOOD = """\
potential: {form: bspline, cutoff: 2.5 nm, knots: 60}
states:
  - name: liquid
    system: {lattice: {n: 864, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}
    temperature: 120.27 K
    targets:
      - rdf: {pair: [A, A], file: rdf.csv, r_unit: nm, range: [0.75 nm, 3.3 nm]}
sampling: {timestep: 5 fs, equilibration: 500, steps: 1500, every: 10}
production: {max_steps: 100000}
gradient: {method: fluctuation}
update: {method: gauss-newton, iterations: 10}
seed: 1
"""
RDF = "rdf: {pair: [A, A], file: rdf.csv, r_unit: nm, range: [0.75 nm, 3.3 nm]}"
LJ = "form: lj, sigma: 1 nm, epsilon: 1 kJ/mol"
SPLINE = "form: bspline, cutoff: 2.5 nm, knots: 60"
LATTICE = "{lattice: {n: 864, density: 0.845 nm^-3, types: {A: 1.0}, mass: 1 amu}}"


def refusal(tmp_path, text):
    path = tmp_path / "fit.yaml"
    path.write_text(text)
    with pytest.raises(DiffPairError) as error:
        load_config(path)
    sentence = str(error.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence
    return sentence.removeprefix(str(path))


# what is replaced, by what, the line that the sentence names, and the sentence after it
CASES = [
    # atoms that take no part are said to, not left blank
    (
        LATTICE,
        "{topology: box.pdb, types: {O: O, H: }}",
        4,
        "states[0].system.types.H: must be a type, or none for atoms",
    ),
    # LAMMPS
    ("steps: 1500", "engine: gromax", 8, "sampling.engine: 'gromax' is no engine; allowed are openmm, lammps"),
    ("steps: 1500", "engine: lamps", 8, "sampling.engine: 'lamps' is no engine, did you mean 'lammps'? allowed are"),
    ("steps: 1500", "command: lmp", 8, "sampling: 'command' starts LAMMPS and goes with engine: lammps"),
    (
        "steps: 1500",
        "engine: lammps, platform: CPU",
        8,
        "sampling: 'platform' is one of OpenMM and does not go with engine: lammps",
    ),
    (
        "steps: 1500",
        "engine: lammps, command: lmp -in in.mine",
        8,
        "sampling.command: 'lmp -in in.mine': leave out -in, the fit itself talks to LAMMPS",
    ),
    (
        "steps: 1500",
        "engine: lammps, command: 'lmp \"'",
        8,
        "sampling.command: 'lmp \"' is no command: no closing quotation",
    ),
    (
        "steps: 1500",
        "engine: lammps, command: ''",
        8,
        "sampling.command: must start LAMMPS, such as 'mpiexec -n 2 lmp', and not be ''",
    ),
    # unknown keys
    (
        "knots: 60",
        "knotts: 60",
        1,
        "potential: unknown key 'knotts', did you mean 'knots'? allowed are form, cutoff, r_min, knots",
    ),
    (
        "seed: 1",
        "seeed: 1",
        12,
        "unknown key 'seeed', did you mean 'seed'? allowed are potential, sampling, production",
    ),
    ("seed: 1", "zzz: 1", 12, "unknown key 'zzz'; allowed are potential"),
    ("r_unit: nm", "unit: nm", 7, "states[0].targets[0].rdf: unknown key 'unit', did you mean 'r_unit'?"),
    ("rdf: {", "adf: {", 7, "states[0].targets[0]: unknown key 'adf', did you mean 'rdf'?"),
    ("every: 10", "evry: 10", 8, "sampling: unknown key 'evry', did you mean 'every'?"),
    ("n: 864", "count: 864", 4, "states[0].system.lattice: unknown key 'count'"),
    (SPLINE, SPLINE + ", tolerance: 1", 1, "potential: unknown key 'tolerance'"),
    (SPLINE, f"{LJ}, cutoff: 2 nm, kappa: 1 nm^-1", 1, "potential: unknown key 'kappa'"),
    # missing keys
    ("cutoff: 2.5 nm, ", "", 1, "potential: the key 'cutoff' is missing"),
    ("form: bspline, ", "", 1, "potential: the key 'form' is missing; forms are bspline, mlp, lj"),
    ("    temperature: 120.27 K\n", "", 3, "states[0]: the key 'temperature' is missing"),
    ("timestep: 5 fs, ", "", 8, "sampling: the key 'timestep' is missing"),
    # units
    ("2.5 nm", "2.5", 1, "potential.cutoff: needs a unit, for example '2.5 nm', not just 2.5"),
    ("2.5 nm", "2.5 ps", 1, "potential.cutoff: 'ps' is not a unit of length such as nm"),
    ("2.5 nm", "2.5 nmm", 1, "potential.cutoff: 'nmm' is not a unit"),
    ("2.5 nm", "long", 1, "potential.cutoff: must be a number with a unit such as '2.5 nm', not 'long'"),
    ("2.5 nm", "true", 1, "potential.cutoff: must be a number with a unit"),
    ("2.5 nm", "1e999 nm", 1, "potential.cutoff: must be a finite number"),
    ("2.5 nm", "-2.5 nm", 1, "potential.cutoff: must be positive, not -2.5 nm"),
    ("120.27 K", "1.0", 5, "states[0].temperature: needs a unit, for example '300 K', not just 1.0"),
    ("120.27 K", "1 kJ/mol", 5, "states[0].temperature: 'kJ/mol' is not a unit of temperature such as K"),
    ("0.845 nm^-3", "0.845", 4, "states[0].system.lattice.density: needs a unit"),
    ("0.845 nm^-3", "0.845 nm", 4, "states[0].system.lattice.density: 'nm' is not a unit of"),
    ("0.845 nm^-3", "-1 nm^-3", 4, "states[0].system.lattice.density: must be positive"),
    ("mass: 1 amu", "mass: 1", 4, "states[0].system.lattice.mass: needs a unit"),
    ("mass: 1 amu", "mass: {A: 1 nm}", 4, "states[0].system.lattice.mass: A: 'nm' is not a unit of mass"),
    ("5 fs", "5 nm", 8, "sampling.timestep: 'nm' is not a unit of time such as ps"),
    ("r_unit: nm", "r_unit: K", 7, "states[0].targets[0].rdf.r_unit: 'K' is not a unit of length"),
    ("r_unit: nm", "r_unit: 3", 7, "states[0].targets[0].rdf.r_unit: must be a unit of length such as nm"),
    ("[0.75 nm, 3.3 nm]", "[0.75, 3.3]", 7, "states[0].targets[0].rdf.range[0]: needs a unit"),
    # pressures
    (RDF, "pressure: {value: 1}", 7, "states[0].targets[0].pressure.value: needs a unit, for example '1 bar'"),
    (RDF, "pressure: {value: 1 nm}", 7, "states[0].targets[0].pressure.value: 'nm' is not a unit of pressure such as"),
    (RDF, "pressure: {error: 1 bar}", 7, "states[0].targets[0].pressure: the key 'value' is missing"),
    (RDF, "pressure: 1 bar", 7, "states[0].targets[0].pressure: must hold the keys value, error, not '1 bar'"),
    (
        RDF,
        "pressure: {value: -1 bar, error: -2 bar}",
        7,
        "states[0].targets[0].pressure.error: must not be negative, but is -2 bar",
    ),
    # densities
    (RDF, "density: {value: 1}", 7, "states[0].targets[0].density.value: needs a unit, for example '0.845 nm^-3'"),
    (RDF, "density: {value: 1 bar}", 7, "states[0].targets[0].density.value: 'bar' is not a unit of density such as"),
    (RDF, "density: {value: 0 nm^-3}", 7, "states[0].targets[0].density.value: must be positive, not 0 nm^-3"),
    (
        RDF,
        "density: {value: 1 g/cm^3, error: 1 nm^-3}",
        7,
        "states[0].targets[0].density: value is a mass density, error a number density: give them alike",
    ),
    (RDF, "density: {value: 1 g/cm^3}", 1, "states: no state that is fitted has an rdf as a target"),
    (RDF, "pressure: {value: 1 bar}", 1, "states: no state that is fitted has an rdf as a target"),
    (
        RDF,
        f"pressure: {{value: 1 bar}}\n        {RDF}",
        7,
        "states[0].targets[0]: must hold exactly one of rdf, pressure, density, vacf, bond, angle, dihedral, not rdf "
        "and pressure",
    ),
    (
        RDF,
        f"pressure: {{value: 1 bar}}\n      - pressure: {{value: 2 bar}}\n      - {RDF}",
        3,
        "states[0]: a state has one pressure, but targets names several",
    ),
    # values
    ("knots: 60", "knots: 4", 1, "potential.knots: must lie between 5 and 3000, not 4"),
    ("knots: 60", "knots: 30000", 1, "potential.knots: must lie between 5 and 3000, not 30000"),
    ("knots: 60", "knots: many", 1, "potential.knots: must be a whole number, not 'many'"),
    ("knots: 60", "knots: 60.5", 1, "potential.knots: must be a whole number, not 60.5"),
    ("knots: 60", "r_min: 2.5 nm", 1, "potential: r_min = 2.5 nm must be below the cutoff = 2.5 nm"),
    (SPLINE, f"{LJ}, cutoff: 2 nm, switch_width: 3 nm", 1, "potential: switch_width = 3 nm must be below the cutoff"),
    (SPLINE, "form: spline, cutoff: 2 nm", 1, "potential: form: 'spline' is not available, did you mean 'bspline'?"),
    (SPLINE, "form: lj, cutoff: 2 nm, epsilon: 1 kJ/mol", 1, "potential: the key 'sigma' is missing"),
    (SPLINE, "form: lj, cutoff: 2 nm, sigma: -1 nm, epsilon: 1 kJ/mol", 1, "potential.sigma: must be positive"),
    (SPLINE, "form: lj, cutoff: 2 nm, sigma: {A-A: 1}, epsilon: 1 kJ/mol", 1, "potential.sigma: A-A: needs a unit"),
    (SPLINE, "form: mlp, cutoff: 2 nm, hidden: []", 1, "potential.hidden: must have 1 or more entries, but has 0"),
    (SPLINE, "form: mlp, cutoff: 2 nm, hidden: 64", 1, "potential.hidden: "),
    (SPLINE, "form: mlp, cutoff: 2 nm, prior: {form: mlp}", 1, "potential.prior: form: 'mlp' is not available here"),
    (SPLINE, "form: sum, cutoff: 2 nm, parts: []", 1, "potential.parts: must have 1 or more entries, but has 0"),
    (SPLINE, "cutoff: 2 nm, parts: [{form: ljj}]", 1, "potential.parts[0]: form: 'ljj' is not available here, did you"),
    (
        SPLINE,
        "cutoff: 2 nm, parts: [{form: lj}]",
        1,
        "potential.parts[0]: the key 'sigma' is missing (and 1 more problem)",
    ),
    (SPLINE, f"cutoff: 2 nm, parts: [{{{LJ}, trainable: false}}]", 1, "potential: no part is trainable"),
    (SPLINE, f"{SPLINE}, trainable: false", 1, "potential: unknown key 'trainable'"),
    (
        "{form: bspline, cutoff: 2.5 nm, knots: 60}",
        "bspline",
        1,
        "potential: must hold the keys form and cutoff, not 'bspl",
    ),
    ("n: 864", "n: 0", 4, "states[0].system.lattice.n: must be 1 or more, not 0"),
    ("n: 864", "n: yes", 4, "states[0].system.lattice.n: must be a whole number, not 'yes'"),
    ("{A: 1.0}", "{A: 0.5, B: 0.4}", 4, "states[0].system.lattice: the mole fractions of types must add up to 1"),
    ("{A: 1.0}", "{A: 2.0, B: -1.0}", 4, "states[0].system.lattice.types.B: must be positive, not -1.0"),
    ("{A: 1.0}", "{}", 4, "states[0].system.lattice.types: must have 1 or more entries"),
    ("mass: 1 amu", "mass: {B: 1 amu}", 4, "states[0].system.lattice: mass is given for B, but the types are A"),
    (LATTICE, "{xml: s.xml}", 4, "states[0].system: must hold either 'lattice' or 'topology'"),
    (LATTICE, LATTICE[:-1] + ", xml: s.xml}", 4, "states[0].system: 'xml' goes with 'topology', not with 'lattice'"),
    (LATTICE, "water", 4, "states[0].system: must hold the keys lattice, topology"),
    ("[A, A]", "[A]", 7, "states[0].targets[0].rdf.pair: must have 2 or more entries, but has 1"),
    ("[A, A]", "[A, A, A]", 7, "states[0].targets[0].rdf.pair: must have 2 entries, but has 3"),
    ("[A, A]", "A-A", 7, "states[0].targets[0].rdf.pair: must be a list, not 'A-A'"),
    ("[0.75 nm, 3.3 nm]", "[3 nm, 1 nm]", 7, "states[0].targets[0].rdf: range must be [low, high], not [3 nm, 1 nm]"),
    ("file: rdf.csv", "file: 3", 7, "states[0].targets[0].rdf.file: must be the path of a file, not 3"),
    ("every: 10", "every: 2000", 8, "sampling: every = 2000 must not be above steps = 1500"),
    ("steps: 1500", "steps: auto", 8, "sampling.steps: must be a whole number, not 'auto'"),
    ("max_steps: 100000", "max_steps: -1", 9, "production.max_steps: must be 1 or more, not -1"),
    ("max_steps: 100000", "noise_target: 0", 9, "production.noise_target: must be positive, not 0"),
    ("seed: 1", "seed: -1", 12, "seed: must be 0 or more, not -1"),
    # methods
    (
        "fluctuation",
        "backprop",
        10,
        "gradient: method: 'backprop' is not available; allowed are fluctuation, adjoint, reweighting",
    ),
    (
        "fluctuation",
        "reweighting",
        1,
        "update: gauss-newton needs the whole Jacobian, which gradient: fluctuation gives and reweighting does not",
    ),
    (
        "{method: fluctuation}",
        "{method: reweighting, min_effective: 2}",
        10,
        "gradient.min_effective: must be positive and 1 or less, not 2",
    ),
    (
        "{method: fluctuation}",
        "{reweighting: {min_effective: 0}}",
        10,
        "gradient.reweighting.min_effective: must be positive and 1 or less, not 0",
    ),
    ("{method: fluctuation}", "{method: reweighting, updates: 0}", 10, "gradient.updates: must be 1 or more, not 0"),
    (
        "{method: fluctuation}",
        "{method: reweighting, min_effectiv: 1}",
        10,
        "gradient: unknown key 'min_effectiv', did you mean 'min_effective'?",
    ),
    (
        "fluctuation",
        "fluctuations",
        10,
        "gradient: method: 'fluctuations' is not available, did you mean 'fluctuation'?",
    ),
    ("{method: fluctuation}", "{}", 10, "gradient: must hold the key 'method', one of fluctuation, adjoint"),
    (
        "{method: fluctuation}",
        "{method: adjoint, steps: automatic}",
        10,
        "gradient.steps: must be a whole number or auto, not 'automatic'",
    ),
    ("{method: fluctuation}", "{method: adjoint, steps: 7}", 10, "gradient: steps = 7 must be a multiple of every = 5"),
    (
        "{method: fluctuation}",
        "{method: adjoint, integrator: langevin}",
        10,
        "gradient.integrator: 'langevin' is not available, did you mean 'langevin-middle'? allowed are verlet, lang",
    ),
    ("{method: fluctuation}", "{method: adjoint, integrator: [verlet]}", 10, "gradient.integrator: ['verlet'] is not"),
    (
        "{method: fluctuation}",
        "\n  method: adjoint\n  friction: 1 /ps",
        12,
        "gradient: friction is an option of langevin-middle, not of verlet",
    ),
    (
        "{method: fluctuation}",
        "\n  adjoint:\n    integrator: nose-hoover\n    friction: 1 /ps",
        13,
        "gradient.adjoint: friction is an option of langevin-middle, not of nose-hoover",
    ),
    (
        "{method: fluctuation}",
        "{method: adjoint, integrator: langevin-middle, chain_length: 3}",
        10,
        "gradient: chain_length is an option of nose-hoover, not of langevin-middle",
    ),
    (
        "{method: fluctuation}",
        "{method: adjoint, integrator: langevin-middle, friction: 1}",
        10,
        "gradient.friction: needs a unit, for example '1 ps^-1', not just 1",
    ),
    (
        "{method: fluctuation}",
        "{method: adjoint, integrator: nose-hoover, collision_frequency: 1 /nm}",
        10,
        "gradient.collision_frequency: '1/nm' is not a unit of frequency such as ps^-1",
    ),
    (
        "{method: fluctuation}",
        "{method: adjoint, integrator: nose-hoover, chain_length: 0}",
        10,
        "gradient.chain_length: must be 1 or more, not 0",
    ),
    ("{method: fluctuation}", "{method: fluctuation, integrator: verlet}", 10, "gradient: unknown key 'integrator'"),
    ("{method: fluctuation}", "{method: fluctuation, steps: 7}", 10, "gradient: unknown key 'steps'"),
    (
        "{method: fluctuation}",
        "{method: adjoint, segments: 3}",
        1,
        "gradient: gauss-newton learns the noise of the adjoint's Jacobian from 4 or more segments, not from 3",
    ),
    (
        "{method: fluctuation}",
        "{method: adjoint, learn_friction: 2 /ps}",
        1,
        "gradient: learn_friction needs a vacf as a target of a state that is fitted",
    ),
    ("{method: fluctuation}", "{method: adjoint, modes: 0}", 10, "gradient.modes: must be 1 or more, not 0"),
    ("{method: fluctuation}", "reweighting", 1, "update: gauss-newton needs the whole Jacobian"),
    (
        "{method: fluctuation}\nupdate: {method: gauss-newton, iterations: 10}",
        "adjoint\nupdate: ibi",
        1,
        "update: ibi compares g(r) with its target and uses no gradient; leave gradient: adjoint out",
    ),
    (
        "{method: fluctuation}\nupdate: {method: gauss-newton, iterations: 10}",
        "adjoint\nupdate: imc",
        1,
        "update: imc needs the whole Jacobian",
    ),
    ("gauss-newton", "ibi, damping: 1.5", 11, "update.damping: must be positive and 1 or less, not 1.5"),
    ("gauss-newton", "ibi, smoothness: 1", 11, "update: unknown key 'smoothness', did you mean 'smoothing'?"),
    ("gauss-newton", "imc, regularisation: -1", 11, "update.regularisation: must be zero or more, not -1"),
    (
        "gauss-newton",
        "imc, regularisation: automatic",
        11,
        "update.regularisation: must be a number or auto, not 'aut",
    ),
    ("gauss-newton", "ipi", 11, "update: method: 'ipi' is not available, did you mean 'ibi'?"),
    ("gauss-newton", "adam, momentum: 0.9", 11, "update: momentum is an option of sgd and rmsprop, not of adam"),
    ("iterations: 10", "iterations: 0", 11, "update.iterations: must be 1 or more, not 0"),
    (
        "seed: 1",
        "start: 3",
        12,
        "start: must be 'auto', 'boltzmann-inversion', 'hypernetted-chain', 'modified-verlet', 'parameters' or the p",
    ),
    # between sections
    (
        "temperature:",
        "held_out: true\n    temperature:",
        1,
        "states: every state is held out, so nothing can be fitted",
    ),
    ("temperature:", "held_out: maybe\n    temperature:", 5, "states[0].held_out: must be true or false, not 'maybe'"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), CASES)
def test_refusals(tmp_path, old, new, line, message):
    assert GOOD.count(old) == 1 or old in ("2.5 nm", "nm", "temperature:")
    sentence = refusal(tmp_path, GOOD.replace(old, new, 1))
    assert sentence.startswith(f", line {line}: {message}")


def test_states_together(tmp_path):
    second = "  - {name: liquid, system: %s, temperature: 100 K, targets: [rdf: {pair: [A, A], file: b.csv}]}\nsampling"
    text = GOOD.replace("sampling", second % LATTICE)
    assert "states: two states are named 'liquid'" in refusal(tmp_path, text)
    text = text.replace("name: liquid, system", "name: b, parameters: {T: 1}, system")
    assert "states: 'b' gives the parameters T, but 'liquid' gives none" in refusal(tmp_path, text)


def test_update_that_knows_no_pressure(tmp_path):
    text = GOOD.replace(RDF, f"pressure: {{value: 1 bar}}\n      - {RDF}").replace("gauss-newton", "ibi")
    assert "update: ibi knows g(r) alone; a pressure as a target needs another update" in refusal(tmp_path, text)
    path = tmp_path / "held_out.yaml"
    held_out = f"  - {{name: b, held_out: true, system: {LATTICE}, temperature: 9 K, targets: [{RDF}]}}\nsampling"
    held_out = held_out.replace(RDF, "pressure: {value: 1 bar}")
    path.write_text(GOOD.replace("gauss-newton", "ibi").replace("sampling", held_out))
    assert load_config(path).states[1].targets[0].pressure.value == 1.0


def test_update_that_takes_scales_as_they_are(tmp_path):
    rdf = RDF.replace("file:", "scale_error: 0.02, file:")
    text = GOOD.replace(RDF, rdf)
    sentence = "takes every target's scale as it is; an rdf with a scale_error needs gauss-newton"
    assert f"update: ibi {sentence}" in refusal(tmp_path, text.replace("gauss-newton", "ibi"))
    assert f"update: adam {sentence}" in refusal(tmp_path, text.replace("gauss-newton", "adam"))
    bad = text.replace("0.02", "2")
    assert "rdf.scale_error: must be between 0 and 1, not 2" in refusal(tmp_path, bad)


def test_vacf_needs_a_friction_to_learn(tmp_path):
    text = GOOD.replace("targets:", "targets:\n      - vacf: {file: c.csv}", 1)
    assert "states: a vacf as a target needs gradient: {method: adjoint, learn_friction" in refusal(tmp_path, text)
    text = text.replace("{file: c.csv}", "{file: c.csv, t_unit: nm}")
    assert "vacf.t_unit: 'nm' is not a unit of time such as ps" in refusal(tmp_path, text)


def test_vacf_alone_fits_nothing(tmp_path):
    vacf = GOOD.replace("{method: fluctuation}", "{method: adjoint, learn_friction: 2 /ps}")
    second = "  - {name: b, system: SYSTEM, temperature: 300 K, targets: [{vacf: {file: c.csv}}]HELD}\n"
    system = "{lattice: {n: 108, density: 0.8 nm^-3, types: {A: 1}, mass: 1 amu}}"
    for held in ("", ", held_out: true"):
        text = vacf.replace("sampling:", second.replace("SYSTEM", system).replace("HELD", held) + "sampling:", 1)
        text = text.replace("targets:", "targets:\n      - vacf: {file: c.csv}", 1)
        if held:
            path = tmp_path / "fit.yaml"
            path.write_text(text)
            assert load_config(path).states[1].held_out
        else:
            assert "states: 'b' is fitted but has a vacf alone, which tells nothing of the potential" in refusal(
                tmp_path, text
            )


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("NO", "false"),
        ("no", "false"),
        ("on", "true"),
        ("true", "true"),
        ("null", "nothing"),
        ("~", "nothing"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_names_that_yaml_takes_for_something_else(tmp_path, written, meaning):
    said = refusal(tmp_path, GOOD.replace("pair: [A, A]", f"pair: [A, {written}]"))
    shown = "null" if written == "~" else written
    assert f"pair[1]: must be a name, but YAML reads {shown} as {meaning}; quote it: '{shown}'" in said
    said = refusal(tmp_path, GOOD.replace("{A: 1.0}", f"{{{written}: 1.0}}"))
    assert f"quote it: '{written}'" in said
    quoted = GOOD.replace("pair: [A, A]", f"pair: [A, '{written}']")
    (tmp_path / "fit.yaml").write_text(quoted)
    assert load_config(tmp_path / "fit.yaml").states[0].targets[0].rdf.pair == ["A", written]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (RDF, "states[0]: the pair A-A has 2 rdfs among the targets, which would count double"),
        ("rdf: {pair: [A, A], file: other.csv}", "states[0]: the pair A-A has 2 rdfs among the targets"),
        (
            "rdf: {pair: [A, B], file: a.csv}\n      - rdf: {pair: [B, A], file: b.csv}",
            "states[0]: the pair A-B has 2 rdfs",
        ),
        (
            "vacf: {file: c.csv}\n      - vacf: {file: c.csv}",
            "states[0]: a state has one vacf, but targets names several",
        ),
    ],
)
def test_what_is_given_twice(tmp_path, second, said):
    assert said in refusal(tmp_path, GOOD.replace(RDF, f"{RDF}\n      - {second}"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("columns: {r: 1, h: 2}", "rdf.columns: unknown key 'h'; allowed are r, g, error"),
        ("columns: {r: 0}", "rdf.columns.r: must be the number of a column, from 1, not 0"),
        (
            "columns: {g: [2]}",
            "rdf.columns.g: must be the number of a column, from 1, or its name in the file's header",
        ),
        ("columns: {g: none, error: true}", "rdf.columns.error: must be the number of a column"),
        ("columns: {r: 1, g: 1}", "rdf.columns: names the same column twice"),
        ("column: 2, columns: {g: 2}", "rdf: 'column' is short for 'columns'"),
        ("block: first", "rdf.block: must be a number from 1, last or average, not 'first'"),
        ("block: 0", "rdf.block: must be a number from 1, last or average, not 0"),
    ],
)
def test_columns_of_a_file(tmp_path, keys, said):
    assert said in refusal(tmp_path, GOOD.replace(RDF, RDF.replace("file:", f"{keys}, file:")))


@pytest.mark.parametrize("text", ["adaptive: 1", "adaptive: 'yes'"])
def test_flags(tmp_path, text):
    said = refusal(tmp_path, GOOD.replace("sampling: {", f"sampling: {{{text}, ", 1))
    assert "sampling.adaptive: must be true or false" in said


def test_line_of_a_block_style_key(tmp_path):
    text = GOOD.replace(f"{{{SPLINE}}}", "\n  form: bspline\n\n  # how far\n  cutoff: 2.5 K\n  knots: 60")
    assert refusal(tmp_path, text).startswith(", line 5: potential.cutoff: 'K' is not a unit of length")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": is empty"),
        ("# nothing\n", ": is empty"),
        ("- a\n- b\n", ": is no config: it has no keys such as 'potential:' and 'states:'"),
        ("a: [1\nb: 2\n", ", line 2: is not valid YAML"),
        ("a: 1\n---\nb: 2\n", ", line 2: is not valid YAML"),
        ("a: 1\na: 2\n", ", line 2: the key 'a' is given twice"),
        (
            "a: !!python/object:os.system {}\n",
            ", line 1: the YAML tag tag:yaml.org,2002:python/object:os.system is not",
        ),
        ("a: !!python/name:os.system\n", ", line 1: is not valid YAML"),
        ("[1, 2]: 3\n", ", line 1: the key [1, 2] is not a name"),
        ("a: &x [*x]\n", ": is nested too deeply"),
        ("1.5: 3\n", ", line 1: the key 1.5 is not a name"),
        ("a: \x00\n", ": is not valid YAML"),
    ],
)
def test_not_a_config(tmp_path, text, message):
    assert refusal(tmp_path, text).startswith(message)


def test_missing_folder_and_binary(tmp_path):
    with pytest.raises(DiffPairError, match=r"none\.yaml: no such config file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(DiffPairError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiffPairError, match="is not a text file"):
        load_config(tmp_path / "b.yaml")
