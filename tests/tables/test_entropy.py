"""Potentials that depend on temperature: U - (T - T0) S in one table and its file."""

import dataclasses
import json

import numpy as np
import pytest

from diffpair.errors import DiffPairError
from diffpair.tables import PairTable


def make(entropy=True):
    rng = np.random.default_rng(1)
    coefficients, slopes = (np.pad(rng.normal(size=(3, 7)), ((0, 0), (0, 3))) for _ in range(2))
    return PairTable(("A", "B"), 0.5, 0.9, coefficients, {"temperature": 300.0}, 0.01 * slopes if entropy else None)


def test_another_temperature():
    """U(T) = U - (T - T0) S at any distance; there and back gives the same potential; so does a detour."""
    table = make()
    hot, r = table.at_temperature(350.0), np.linspace(0.4, 1.0, 40)
    entropy = PairTable(table.types, table.r_min, table.cutoff, table.entropy)
    for a, b in table.pairs:
        np.testing.assert_allclose(hot.energy(r, a, b), table.energy(r, a, b) - 50.0 * entropy.energy(r, a, b))
    assert hot.global_parameters == {"temperature": 350.0}
    np.testing.assert_allclose(hot.at_temperature(300.0).coefficients, table.coefficients, atol=1e-12)


def test_round_trip(tmp_path):
    table = make()
    table.save(tmp_path / "p.json")
    loaded = PairTable.load(tmp_path / "p.json")
    assert loaded == table and loaded.entropy.tobytes() == table.entropy.tobytes()
    assert loaded != make(entropy=False) and loaded != dataclasses.replace(table, entropy=2 * table.entropy)
    make(entropy=False).save(tmp_path / "q.json")
    assert "entropy" not in json.loads((tmp_path / "q.json").read_text())
    assert PairTable.load(tmp_path / "q.json").entropy is None


@pytest.mark.parametrize(
    ("entropy", "message"),
    [
        ({"unit": "kJ/mol", "pairs": []}, '"entropy" must hold "unit": "kJ/mol/K"'),
        ({"unit": "kJ/mol/K"}, '"entropy" must hold'),
        ({"unit": "kJ/mol/K", "pairs": []}, '"entropy.pairs" has no potential for the type pair A-A'),
        ([], '"entropy" must be an object'),
    ],
)
def test_bad_files(tmp_path, entropy, message):
    path = tmp_path / "p.json"
    make().save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"entropy": entropy}))
    with pytest.raises(DiffPairError, match=message):
        PairTable.load(path)


def test_refusals():
    with pytest.raises(DiffPairError, match="does not depend on temperature"):
        make(entropy=False).at_temperature(300.0)
    with pytest.raises(DiffPairError, match="must be positive, not -1"):
        make().at_temperature(-1.0)
    table = make()
    with pytest.raises(DiffPairError, match="needs the global parameter temperature"):
        dataclasses.replace(table, global_parameters={})
    with pytest.raises(DiffPairError, match="shape"):
        dataclasses.replace(table, entropy=table.entropy[:1])
    with pytest.raises(DiffPairError, match="entropy's last three"):
        dataclasses.replace(table, entropy=table.entropy + 1)
