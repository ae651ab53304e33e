"""A config that is right, and what is said of one that is not."""

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
