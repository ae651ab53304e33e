"""Whether the torch operators load and work, and LAMMPS with `pair_style diffpair`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np

from diffpair._libraries import build_versions
from diffpair.doctor.finding import Finding, one_line
from diffpair.doctor.versions import version_of

TOPIC = "learning"


def learning() -> Iterator[Finding]:
    """The torch operators: that they load, and that a gradient through one is right."""
    try:
        built = build_versions()[1]
    except ImportError:
        return  # told with the versions
    if built is None:
        text = "this build has none: it runs potentials but learns none"
        remedy = "To learn, install torch first and then DiffPair again."
        yield Finding(TOPIC, "torch operators", "note", text, remedy)
        return
    if version_of("torch") is None:
        yield Finding(TOPIC, "torch operators", "problem", "torch is missing", f"pip install 'torch=={built}'.")
        return
    try:
        threads, devices = _tried()
    except Exception as error:  # whatever is wrong with torch
        remedy = "Install the torch that DiffPair was built against, or build DiffPair anew."
        yield Finding(TOPIC, "torch operators", "problem", one_line(error), remedy)
        return
    text = f"they load, and their gradient is right; {threads} thread{'s' if threads > 1 else ''}"
    text += f"; torch sees {', '.join(devices)}" if devices else "; torch sees no GPU"
    yield Finding(TOPIC, "torch operators", "ok", text, figures={"threads": threads, "devices": devices})


def _tried() -> tuple[int, list[str]]:
    """Threads of torch and the names of its GPUs. Raises whatever goes wrong."""
    import torch

    from diffpair import ops  # loads them, and knows which is the backward of which
    from diffpair.errors import DiffPairError
    from diffpair.tables import PairTable

    assert ops
    rng = np.random.default_rng(3)
    coefficients = np.append(rng.normal(size=(1, 9)), np.zeros((1, 3)), axis=1)
    table, r = PairTable(("A",), 0.2, 1.0, coefficients), 0.55
    x = torch.tensor([[[0.0, 0.0, 0.0], [r, 0.0, 0.0]]], dtype=torch.float64, requires_grad=True)
    types, exclusions = torch.zeros(2, dtype=torch.int32), torch.zeros((0, 2), dtype=torch.int32)
    box = 3.0 * torch.eye(3, dtype=torch.float64)[None]
    sums = torch.ops.diffpair.spline_sums(x, box, types, exclusions, 1, table.r_min, table.cutoff, table.knots)
    (sums * torch.tensor(coefficients)).sum().backward()
    assert x.grad is not None
    found, right = -float(x.grad[0, 1, 0]), float(table.force(np.array([r]), "A", "A")[0])
    if not abs(found - right) < 1e-9 * abs(right):
        raise DiffPairError(f"the gradient of an energy is {found:g}, but must be {right:g} kJ/mol/nm")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return torch.get_num_threads(), [torch.cuda.get_device_name(k) for k in range(count)]


def lammps() -> Iterator[Finding]:
    """LAMMPS and the plugin, where there is one."""
    if shutil.which("lmp") is None:
        if version_of("lammps") is not None:
            text = "the package lammps is installed, but its program lmp is not on the PATH"
            yield Finding("LAMMPS", "pair_style diffpair", "note", text, "Activate the environment it is installed in.")
        return
    try:
        from diffpair.lammps.process import LammpsFailed, LammpsProcess
    except ImportError as error:
        yield Finding("LAMMPS", "pair_style diffpair", "note", f"not tried: {one_line(error)}")
        return
    try:
        LammpsProcess("lmp").close()
    except LammpsFailed as error:
        text = one_line(error).removeprefix("sampling: ")
        yield Finding("LAMMPS", "pair_style diffpair", "note", text, "See docs: lammps.")
        return
    yield Finding("LAMMPS", "pair_style diffpair", "ok", f"lmp has it ({shutil.which('lmp')})")
