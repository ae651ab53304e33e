"""JAX MD as the peer of the gradient benchmark. It runs in .venv-peers, which `make peers` makes."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rdf_loss
from rdf_loss import RdfLoss, Timing

from diffpair.observables.smooth_rdf import smooth_shell_volumes

PEERS = Path(__file__).resolve().parents[1] / ".venv-peers"
LACKS = "needs JAX MD: make peers"


def available() -> bool:
    """Whether .venv-peers holds JAX MD."""
    return any(PEERS.glob("lib/python*/site-packages/jax_md"))


class JaxPeer:
    """A process that evaluates the loss of an RdfLoss with one replica whenever it is asked; use it as a context.

    Args:
        rebuild: False for a neighbour list that is never built again: not exact, but faster.
        skin: of its neighbour list.

    Attributes:
        value, gradient: L and dL/dc [KNOTS + 2], as RdfLoss.gradient gives them.
        megabytes: the largest memory of the process until it was ready.

    Raises:
        RuntimeError: JAX MD is missing or failed; its message is included.
    """

    def __init__(self, loss: RdfLoss, threads: int, *, rebuild: bool = True, skin: float = 0.3) -> None:
        if not available():
            raise RuntimeError(LACKS)
        atoms = loss.x0.shape[1]
        pairs = atoms * (atoms - 1) / 2
        self._folder = tempfile.TemporaryDirectory()
        problem = Path(self._folder.name) / "problem.npz"
        np.savez(
            problem,
            x0=loss.x0[0].numpy(),
            v0=loss.v0[0].numpy(),
            box=loss.boxes[0].diagonal().numpy(),
            coefficients=loss.coefficients()[0].numpy(),
            r_min=rdf_loss.R_MIN,
            cutoff=rdf_loss.CUTOFF,
            first_centre=loss.rdf.centres[0],
            bin_width=loss.rdf.bin_width,
            per_ideal_pair=1 / (pairs * smooth_shell_volumes(loss.rdf.centres, loss.rdf.bin_width)),
            target=loss.target.numpy(),
            timestep=rdf_loss.TIMESTEP,
            steps=loss.steps,
            frame_every=rdf_loss.FRAME_EVERY,
            skin=skin,
            rebuild=rebuild,
            integrator=loss.integrator,
            temperature=1.0,
            time_constant=1 / rdf_loss.COLLISION_FREQUENCY,
            chain_length=rdf_loss.CHAIN_LENGTH,
            chain_steps=rdf_loss.CHAIN_STEPS,
            sy_steps=rdf_loss.YOSHIDA_SUZUKI,
            degrees_of_freedom=3 * atoms - 3,
        )
        self._errors = Path(self._folder.name) / "errors"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [PEERS / "bin/python", Path(__file__).parent / "peers/jax_md_gradient.py", problem],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # XLA takes as many threads as there are processors to run on.
                preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads]),
                env={**os.environ, "JAX_PLATFORMS": "cpu"},
            )
        first = self._read()
        self.value, self.gradient, self.megabytes = first["value"], np.array(first["gradient"]), first["megabytes"]

    def timings(self, repeats: int) -> list[Timing]:
        """Value and gradient, that many times."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{repeats}\n")
        self._process.stdin.flush()
        answer = self._read()
        return [Timing(a, b - a) for a, b in zip(answer["forward"], answer["seconds"], strict=True)]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise RuntimeError(f"JAX MD failed: {self._errors.read_text().strip()}")
        return dict(json.loads(line))

    def __enter__(self) -> JaxPeer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._folder.cleanup()
