"""Whatever a parser is given, it takes in something finite and whole or says in one sentence why not."""

import contextlib
import importlib.util
import warnings

import numpy as np
import openmm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parsers import NAMES, parser

from diffpair import PairTableForce, Potential
from diffpair.errors import DiffPairError
from diffpair.targets import read_rdf
from diffpair.targets.units import parse

FEW = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def spoilt(draw, seeds, words):
    """A valid content in which a few pieces are cut out, repeated, or replaced by bytes or by words of its language."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 1, 2, 8, 60])))
        piece = draw(st.one_of(st.binary(max_size=8), st.sampled_from(words), st.just(2 * content[at:end])))
        content = content[:at] + piece + content[end:]
    return content


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.timeout(120)
def test_spoilt_files(tmp_path, name):
    if name in ("checkpoint", "module") and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is missing")
    tried = parser(name)

    @FEW
    @given(st.one_of(spoilt(tried.seeds, tried.words), st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
    def check(content):
        with contextlib.suppress(*tried.refusals):
            tried.read(content, tmp_path)

    for seed in tried.seeds:
        assert seed.startswith(b"# averages") or tried.read(seed, tmp_path)  # three points are no target
    check()


@FEW
@given(st.text(alphabet="0123456789.eE+-*/^() nmkJolpsKµ⁹⁻#", max_size=30))
@pytest.mark.timeout(60)
def test_quantities(text):
    try:
        assert np.isfinite(parse(text, "nm", "1 nm"))
    except DiffPairError as error:
        assert "\n" not in repr(str(error))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@FEW
@given(JSON, st.sampled_from(["sigma", "epsilon", "cutoff", "r_min", "knots", "switch_width", "pairs"]))
def test_settings_of_any_kind(value, name):
    try:
        made = Potential(**{"form": "lj", "sigma": 0.3, "epsilon": 1.0, "cutoff": 1.0, name: value})
    except DiffPairError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(made.cutoff)


@FEW
@given(st.lists(st.floats(0, 1e6), min_size=8, max_size=30), st.floats(1e-3, 10), st.sampled_from(",;\t "))
def test_a_curve_comes_back(tmp_path, values, width, separator):
    """As it was written, at every precision and scale that a g(r) may have."""
    g = np.array([*values, 1.0])
    r = width * np.arange(1, len(g) + 1)
    if r[int(np.argmax(g > 0))] < 0.05 or not np.isfinite(g).all():
        return
    path = tmp_path / "g.txt"
    path.write_text("".join(f"{a!r}{separator}{b!r}\n" for a, b in zip(r.tolist(), g.tolist(), strict=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it does not approach 1
        found = read_rdf(path, ("A", "A"))
    np.testing.assert_allclose(found.g, g, rtol=1e-12)
    np.testing.assert_allclose(found.r, r, rtol=1e-9)


@FEW
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=11, max_size=11),
    st.floats(0, 0.5), st.floats(0.6, 1e6), st.text(min_size=1, max_size=8),
)  # fmt: skip
def test_a_force_comes_back(values, r_min, cutoff, name):
    force = PairTableForce(1, r_min, cutoff, 12)
    force.setPairCoefficients(0, 0, [*values, 0.0, 0.0, 0.0])
    printable = "".join(sign for sign in name if sign.isprintable()) or "A"
    force.setTypeName(0, printable)
    found = PairTableForce.cast(openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(force)))
    assert np.array(found.getPairCoefficients(0, 0)).tobytes() == np.array([*values, 0.0, 0.0, 0.0]).tobytes()
    assert (found.getRMin()._value, found.getTableCutoff()._value) == (r_min, cutoff)
    assert found.getTypeName(0) == printable
