"""Checkpoints that are damaged or made by others: a sentence, nothing executed, no memory to speak of."""

import io
import os
import pickle
import random
import resource
import zipfile

import pytest
from hostile import archive, sentence

torch = pytest.importorskip("torch")

from diffpair.fit.record.checkpoint import (  # noqa: E402
    CHECKPOINT,
    KIND,
    REQUIRED,
    VERSION,
    load_checkpoint,
    save_checkpoint,
)
from diffpair.fit.record.sealed import sealed  # noqa: E402

DAMAGED = "is not a checkpoint of a fit, or is damaged"


class Runs:
    """A pickle that touches a file when it is loaded without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def good(tmp_path) -> bytes:
    save_checkpoint(tmp_path, {key: torch.zeros(50) for key in REQUIRED} | {"config": "hash"})
    assert load_checkpoint(tmp_path, "hash")[0]["config"] == "hash"
    return (tmp_path / CHECKPOINT).read_bytes()


def refused(folder, content: bytes) -> str:
    (folder / CHECKPOINT).write_bytes(content)
    return sentence(lambda: load_checkpoint(folder, "hash"))


def saved(content: object) -> bytes:
    memory = io.BytesIO()
    torch.save(content, memory)
    return memory.getvalue()


def repacked(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        return archive(*((name, given.read(name)) for name in given.namelist()), packed=zipfile.ZIP_DEFLATED)


# name, content, the end of the sentence
FILES = [
    ("empty", b"", DAMAGED),
    ("zeros", bytes(1000), DAMAGED),
    ("text", b"{}", DAMAGED),
    ("zip", archive(("a", b"")), DAMAGED),
    ("pickle-of-a-call", pickle.dumps(os.getcwd), DAMAGED),
    ("list", saved([1]), DAMAGED),
    ("nothing", saved({}), DAMAGED),
    ("version-of-numbers", saved({"version": torch.zeros(3)}), DAMAGED),
    ("version-of-text", saved({"version": "3"}), DAMAGED),
    ("a-module", saved({"version": 3, "theta": torch.nn.Linear(1, 1)}), DAMAGED),
    ("old-pickle", pickle.dumps({"version": 3}), DAMAGED),
    ("version-99", saved({"version": 99}), "was written by another version of diffpair"),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_refusals(tmp_path, content, said):
    assert refused(tmp_path, content).startswith(f"{tmp_path / CHECKPOINT} {said}")


def test_a_call_is_not_made(tmp_path):
    for wrapped in ({"version": 3, "theta": Runs(tmp_path / "made")}, Runs(tmp_path / "made")):
        assert DAMAGED in refused(tmp_path, saved(wrapped))
        assert DAMAGED in refused(tmp_path, pickle.dumps(wrapped))
        assert DAMAGED in refused(tmp_path, sealed(saved(wrapped), KIND, VERSION))
    assert not (tmp_path / "made").exists()
    torch.load(io.BytesIO(saved(Runs(tmp_path / "made"))), weights_only=False)
    assert (tmp_path / "made").exists()  # so it would have been


def test_a_bomb(tmp_path):
    packed = repacked(saved({"version": 3, "theta": torch.zeros(10**8)}))
    assert len(packed) < 2_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert DAMAGED in refused(tmp_path, packed) and DAMAGED in refused(tmp_path, sealed(packed, KIND, VERSION))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 10 * len(packed) + 100e6


def test_every_truncation(tmp_path, good):
    for length in range(0, len(good) - 1, 97):
        assert "is damaged" in refused(tmp_path, good[:length])


def test_random_damage(tmp_path, good):
    """A flipped bit of a tensor would be another number: the checksum tells."""
    generator = random.Random(7)
    for _ in range(300):
        spoilt = bytearray(good)
        for _ in range(generator.randint(1, 8)):
            spoilt[generator.randrange(len(spoilt))] ^= generator.randrange(1, 256)
        said = refused(tmp_path, bytes(spoilt))
        assert said.startswith(str(tmp_path / CHECKPOINT)) and "damaged" in said
