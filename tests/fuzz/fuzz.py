"""Fuzz one parser: python tests/fuzz/fuzz.py config --seconds 60

With atheris (pip install atheris) inputs follow the coverage of diffpair, PyYAML and zipfile; without it, and of
what is compiled, they are random changes of valid files. An input fails that takes more than ten seconds, more memory
than 100 MB and ten times its length, or that makes the parser raise anything but its refusals. It is left in the
folder `--keep`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import random
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "support"))
LONGEST = 8192  # bytes of an input
SECONDS_PER_INPUT = 10
# Beside the inputs: what the fuzzer itself keeps of coverage and corpus, and what Python has not given back.
MEMORY_MB = 100 + 10 * LONGEST // 10**6 + 100


def peak_mb() -> int:
    """Of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def with_atheris(name: str, seconds: int, seed: int, keep: Path, folder: Path) -> None:
    """Does not return: the fuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["diffpair", "yaml", "zipfile"]):
        from parsers import parser
    tried = parser(name)
    corpus = folder / "corpus"
    corpus.mkdir()
    for index, valid in enumerate(tried.seeds):
        (corpus / f"seed-{index}").write_bytes(valid[:LONGEST])
        _try(tried, valid, folder)
    words = folder / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in tried.words))
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-timeout={SECONDS_PER_INPUT}",
            f"-rss_limit_mb={peak_mb() + MEMORY_MB}",
            f"-max_len={LONGEST}",
            f"-dict={words}",
            f"-artifact_prefix={keep}/",
            "-print_final_stats=1",
            "-verbosity=0",
            str(corpus),
        ],
        lambda content: _try(tried, content, folder),
    )
    atheris.Fuzz()


def without_atheris(name: str, seconds: int, seed: int, keep: Path, folder: Path) -> None:
    """Random changes of the seeds."""
    from parsers import parser

    tried, generator, count = parser(name), random.Random(seed), 0
    for valid in tried.seeds:
        _try(tried, valid, folder)
    most, end = peak_mb() + MEMORY_MB, time.monotonic() + seconds
    while time.monotonic() < end:
        content = bytearray(generator.choice(tried.seeds))
        for _ in range(generator.randint(1, 6)):
            at = generator.randrange(len(content) + 1)
            length = generator.choice((0, 1, 2, 8, 60))
            pieces = (
                generator.randbytes(generator.randint(0, 8)),
                generator.choice(tried.words),
                content[at : at + length] * 2,
            )
            content[at : at + length] = generator.choice(pieces)
        (keep / "last").write_bytes(content)  # stays there if this is its end
        signal.alarm(SECONDS_PER_INPUT)
        _try(tried, bytes(content), folder)
        signal.alarm(0)
        count += 1
        if peak_mb() > most:
            raise SystemExit(f"{name}: more than {MEMORY_MB} MB for {keep / 'last'}")
    (keep / "last").unlink(missing_ok=True)
    print(f"{name}: {count} inputs, {peak_mb()} MB at most")


def _try(tried, content: bytes, folder: Path) -> None:  # type: ignore[no-untyped-def]
    with contextlib.suppress(*tried.refusals):
        tried.read(content, folder)


def main() -> None:
    """See above."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("parser", choices=("config", "curve", "potential", "force", "checkpoint", "module"))
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--seed", type=int, help="Of what is tried; another one each time by default.")
    options.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="Folder for inputs that fail.")
    given = options.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    # What is compiled shows no coverage, and atheris would go on from inputs that are short.
    blind = importlib.util.find_spec("atheris") is None or given.parser == "force"
    run = without_atheris if blind else with_atheris
    with tempfile.TemporaryDirectory() as folder:
        run(given.parser, given.seconds, given.seed or int(time.time()) % 2**31, given.keep, Path(folder))


if __name__ == "__main__":
    main()
