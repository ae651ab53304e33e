"""Mistakes that no single value makes: keys that do not go together, what is given twice, files that are no config."""

import pytest
from refused_config import GOOD, LATTICE, RDF, SPLINE, refusal

from diffpair.config import load_config
from diffpair.errors import DiffPairError


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
