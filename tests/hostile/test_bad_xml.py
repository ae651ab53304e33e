"""XML of a System with our forces, from hands that wish no good: a sentence, and never a crash or another force."""

import re
import subprocess
import sys

import openmm
import pytest
from hostile import changed, sentence, table_force, torch_force, xml_of

from diffpair import PairTableForce
from diffpair.states.files import read_system

TABLE, TORCH = (lambda: xml_of(table_force())), (lambda: xml_of(torch_force()))
WHOLE = "which is no whole number of 32 bits"

# name, of which force, what is replaced, by what, the sentence
CHANGES = [
    (
        "type-is-a-word",
        TABLE,
        '<Particle type="0"',
        '<Particle type="x"',
        f"PairTableForce: the XML has type = 'x', {WHOLE}",
    ),
    ("type-is-a-fraction", TABLE, '<Particle type="0"', '<Particle type="0.7"', f"type = '0.7', {WHOLE}"),
    ("type-is-empty", TABLE, '<Particle type="0"', '<Particle type=""', f"type = '', {WHOLE}"),
    ("type-of-64-bits", TABLE, '<Particle type="0"', '<Particle type="4294967296"', f"type = '4294967296', {WHOLE}"),
    (
        "type-of-5000-digits",
        TABLE,
        '<Particle type="0"',
        f'<Particle type="{"9" * 5000}"',
        rf"type = '9{{40}}\.\.\.', {WHOLE}",
    ),
    ("negative-type", TABLE, '<Particle type="0"', '<Particle type="-1"', "particle 0 is given type -1"),
    ("no-type", TABLE, '<Particle type="0"', '<Particle tipe="0"', "the XML has no attribute 'type' in Particle"),
    ("r_min-is-a-word", TABLE, 'rMin="[^"]*"', 'rMin="x"', "the XML has rMin = 'x', which is no number"),
    ("r_min-is-empty", TABLE, 'rMin="[^"]*"', 'rMin=""', "the XML has rMin = '', which is no number"),
    ("r_min-is-nan", TABLE, 'rMin="[^"]*"', 'rMin="nan"', "PairTableForce: .*(rMin|finite|nan)"),
    ("r_min-is-negative", TABLE, 'rMin="[^"]*"', 'rMin="-1"', "PairTableForce: .*(rMin|r_min|rmin|>= 0|0 <=)"),
    ("cutoff-is-infinite", TABLE, 'tableCutoff="[^"]*"', 'tableCutoff="inf"', "PairTableForce: "),
    ("cutoff-distance-is-nan", TABLE, ' cutoff="[^"]*"', ' cutoff="nan"', "the cutoff distance must be finite"),
    ("knots-and-more", TABLE, 'knots="12"', 'knots="12 apples"', f"knots = '12 apples', {WHOLE}"),
    ("1e9-knots", TABLE, 'knots="12"', 'knots="1000000000"', "at most 1000000 knots, but has 1000000000"),
    ("no-knots", TABLE, 'knots="12"', "", "the XML has no attribute 'knots' in Force"),
    ("minus-knots", TABLE, 'knots="12"', 'knots="-12"', "at least 5 knots"),
    ("500000-knots-without-numbers", TABLE, 'knots="12"', 'knots="500000"', "must be 500002 numbers, .* but are 14"),
    ("4096-types-of-no-names", TABLE, 'types="1"', 'types="4096"', "the XML has 4096 types, but the names of 1"),
    ("no-types", TABLE, 'types="1"', 'types="0"', "a table has 1 to 4096 types, not 0"),
    ("unknown-method", TABLE, 'method="0"', 'method="7"', "there is no nonbonded method 7"),
    ("unknown-group", TABLE, 'forceGroup="0"', 'forceGroup="77"', "[Ff]orce group must be between 0 and 31"),
    (
        "version-is-a-word",
        TABLE,
        'type="PairTableForce" types="1" version="1"',
        'type="PairTableForce" types="1" version="1x"',
        f"version = '1x', {WHOLE}",
    ),
    ("coefficient-is-nan", TABLE, '<Value v="[^"]*"', '<Value v="nan"', "must be finite, but number 0 is nan"),
    ("coefficient-is-1e999", TABLE, '<Value v="[^"]*"', '<Value v="1e999"', "must be finite, but number 0 is inf"),
    ("coefficient-is-a-word", TABLE, '<Value v="[^"]*"', '<Value v="abc"', "v = 'abc', which is no number"),
    ("coefficient-in-hex", TABLE, '<Value v="[^"]*"', '<Value v="0x10"', "v = '0x10', which is no number"),
    ("coefficient-with-two-points", TABLE, '<Value v="[^"]*"', '<Value v="1.2.3"', "v = '1.2.3', which is no number"),
    ("coefficient-of-an-exponent", TABLE, '<Value v="[^"]*"', '<Value v="e5"', "v = 'e5', which is no number"),
    ("no-pairs", TABLE, "<Pairs>", "<Pears>", "the XML has no element 'Pairs'"),
    ("pair-of-no-type", TABLE, 'type1="0"', 'type1="-1"', "type -1 does not exist; types run from 0 to 0"),
    (
        "pair-twice",
        TABLE,
        "</Pairs>",
        '<Pair type1="0" type2="0"/></Pairs>',
        "gives coefficients of the types 0 and 0 twice",
    ),
    ("exclusion-of-itself", TABLE, 'p2="1"', 'p2="0"', "excludes particle 0 from itself"),
    ("exclusion-of-nobody", TABLE, 'p1="0"', 'p1="-5"', "names particle -5, which does not exist"),
    ("base64-of-signs", TORCH, 'base64="[^"]*"', 'base64="a*b="', "the module in the XML is not valid base64"),
    ("base64-cut-short", TORCH, 'base64="[^"]*"', 'base64="abc"', "the module in the XML is not valid base64"),
    ("base64-of-equals", TORCH, 'base64="[^"]*"', 'base64="===="', "not valid base64"),
    ("base64-empty", TORCH, 'base64="[^"]*"', 'base64=""', "the module is empty"),
    ("no-module", TORCH, "<Module ", "<Modul ", "TorchPairForce: the XML has no element 'Module'"),
    (
        "switch-is-nan",
        TORCH,
        'switchWidth="[^"]*"',
        'switchWidth="nan"',
        "the switch width must be smaller than the cutoff",
    ),
    (
        "default-is-nan",
        TORCH,
        'default="[^"]*"',
        'default="nan"',
        "the default value of the global parameter 'a' must be finite",
    ),
    (
        "derivative-of-nothing",
        TORCH,
        '<EnergyParameterDerivatives>\\s*<Parameter name="a"',
        '<EnergyParameterDerivatives><Parameter name="b"',
        "there is no global parameter 'b'",
    ),
    (
        "table-too-short",
        TORCH,
        '<Coefficients>\\s*<Value v="1"/>',
        "<Coefficients>",
        "the embedded table must be 14 numbers, .* but is 13",
    ),
    ("derivatives-missing", TORCH, "<Derivatives>", "<Derivates>", "the XML has no element 'Derivatives'"),
]


@pytest.mark.parametrize(("of", "old", "new", "said"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_refusals(of, old, new, said):
    text = changed(of(), old, new)
    found = sentence(lambda: openmm.XmlSerializer.deserialize(text), openmm.OpenMMException)
    assert re.search(said, found), found


def test_what_is_replaced_was_right():
    for text in (TABLE(), TORCH()):
        assert openmm.XmlSerializer.serialize(openmm.XmlSerializer.deserialize(text)) == text


def test_a_force_of_many_types_takes_no_memory_for_their_pairs():
    """Of 4096 types there are 8 million pairs, whose empty lists alone would be 200 MB."""
    force = PairTableForce(4096, 0.2, 0.9, 12)
    force.setPairCoefficients(4095, 4095, [1.0] + [0.0] * 13)
    assert force.hasPairCoefficients(4095, 4095) and not force.hasPairCoefficients(0, 4095)
    assert force.getPairCoefficients(4095, 4095)[0] == 1.0


def test_xml_that_is_not_whole():
    """Where it is ours, XML that OpenMM would read beyond the end of, or that its stack is too small for."""
    text = openmm.XmlSerializer.serialize(table_force())
    assert openmm.XmlSerializer.serialize(PairTableForce._fromXml(text)) == text
    deep = text.replace("<Pairs>", f"<Pairs>{'<a>' * 200_000}")
    for broken in (
        *(text[:length] for length in range(0, len(text) - 2, 11)),
        deep,
        f"{text}{text}",
        text + "<a>",
        "<a/>",
    ):
        said = sentence(lambda broken=broken: PairTableForce._fromXml(broken), openmm.OpenMMException)
        assert re.search("is cut short, or nested too deeply|holds no object of OpenMM", said), said


READ = """
import resource, sys, openmm, diffpair
from diffpair import PairTableForce
text = open(sys.argv[1]).read()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
try:
    openmm.XmlSerializer.deserialize(text)
except (openmm.OpenMMException, ValueError) as error:
    print("refused:", error)
else:
    print("read")
assert peak() - before < 10 * len(text) + 100e6, (peak() - before, len(text))
"""
# name, XML, what comes of it
LARGE = [
    (
        "4096-types",
        lambda: changed(TABLE(), 'types="1"', 'types="4096"').replace('<Type name="0"/>', '<Type name="0"/>' * 4096),
        "read",
    ),
    (
        "many-values",
        lambda: TABLE().replace('<Value v="0"/>', '<Value v="0"/>' * 200_000, 1),
        "must be 14 numbers, .*but are 200013",
    ),
    ("many-particles", lambda: TABLE().replace('<Particle type="0"/>', '<Particle type="0"/>' * 200_000, 1), "read"),
    (
        "many-nothings",
        lambda: TABLE().replace("<Exclusions>", f"<Exclusions>{'<a/>' * 500_000}"),
        "no attribute 'p[12]' in a",
    ),
    ("20-MB-of-base64", lambda: changed(TORCH(), 'base64="[^"]*"', f'base64="{"A" * 20_000_000}"'), "read"),
    ("a-long-name", lambda: changed(TABLE(), 'name="PairTableForce"', f'name="{"x" * 5_000_000}"'), "read"),
]


@pytest.mark.parametrize(("text", "comes"), [row[1:] for row in LARGE], ids=[row[0] for row in LARGE])
def test_memory_and_time(tmp_path, text, comes):
    path = tmp_path / "system.xml"
    path.write_text(text())
    result = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert re.search(comes, result.stdout), result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda: TABLE().replace("<Pairs>", f"<Pairs>{'<a>' * 200_000}"), "its elements are nested more than 100 deep"),
        (lambda: TABLE()[:-20], "is no XML, or cut short: "),
        (lambda: TABLE().replace("<Particles>", "<Particles><b>"), "is no XML, or cut short: mismatched tag"),
        (lambda: "", "is no XML, or cut short: no element found"),
        (lambda: "<a/>", "cannot be read as an OpenMM System"),
        (lambda: openmm.XmlSerializer.serialize(table_force()), "it holds a .*Force, not an OpenMM System"),
    ],
    ids=["deep", "cut-short", "mismatched", "empty", "other", "force"],
)
def test_files_that_openmm_reads_wrongly(tmp_path, text, said):
    """Its own reader overflows the stack on the first, and takes the second for whole."""
    path = tmp_path / "system.xml"
    path.write_text(text())
    found = sentence(lambda: read_system(path))
    assert found.startswith(str(path)) and re.search(said, found), found
