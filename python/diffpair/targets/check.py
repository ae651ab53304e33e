"""What a file of g(r) was understood as: in words, as a line of text, and as a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffpair.targets.rdf_file import ReadRdf, read_with_notes
from diffpair.targets.reading import RDF, Choice, read_curve
from diffpair.targets.tail import tail_of
from diffpair.targets.unit_check import length_in_nm, unit_in

Array = NDArray[np.float64]
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 72  # of the line of bars, in characters
_FAR = 1.0  # nm: neighbours that begin further away are large beads, or r is in another unit


def check_file(path: Path, r_unit: str | None, choice: Choice) -> tuple[ReadRdf, list[str]]:
    """Read a file as a fit would, and say what was understood.

    Args:
        path: the file. r_unit: unit of its r; None: what its header says, nm where it says nothing. choice: columns
            and block.

    Returns:
        what was read, and lines that tell of it.

    Raises:
        DiffPairError: what a fit would refuse, too.
    """
    said = unit_in(read_curve(path, RDF, choice).x_name)
    unit = r_unit or said or "nm"
    read = read_with_notes(path, ("", ""), unit, choice=choice)
    target = read.target
    source = "as its header says" if said else "as --r-unit says" if r_unit else "taken for granted, no header says so"
    even = len(read.own_r) >= len(target.r) and np.allclose(read.own_r[-len(target.r) :], target.r, rtol=1e-3)
    peak = int(np.argmax(target.g))
    low = round(float(target.edges[0]), 9)  # 0 where r in another unit leaves 1e-18
    lines = [
        f"{path}: a g(r)",
        f"columns: {read.columns}",
        f"unit of r: {unit}, {source}",
        f"grid: {len(target.r)} bins of {target.bin_width:.4g} nm, {low:.4g} to {target.r_max:.4g} nm, "
        + ("as in the file" if even else f"interpolated from the file's {len(read.own_r)} points"),
        f"neighbours: from r = {target.onset:.4g} nm; highest g = {target.g[peak]:.4g} at {target.r[peak]:.4g} nm",
        f"tail: g averages {tail_of(target.r, target.g):.4g} over the last fifth of r (1 is right)",
    ]
    if target.error is not None:
        lines.append(
            f"standard error of g: {np.median(target.error):.2g} in the middle, {target.error.max():.2g} at most"
        )
    lines += [f"note: {done}" for done in read.done if done != read.columns]
    if said is None and r_unit is None and target.onset > _FAR:
        for name in ("angstrom", "pm"):
            if (other := target.onset * length_in_nm(name)) < _FAR:
                lines.append(f"note: if r is in {name} (r_unit: {name}), neighbours begin at {other:.3g} nm instead")
                break
    return read, [*lines, f"g: {bars(target.g)}"]


def bars(g: Array) -> str:
    """g as a line of bars, the highest of the values that share one."""
    parts = np.array_split(g, min(_WIDTH, len(g)))
    heights = np.array([part.max() for part in parts]) / g.max()
    return "".join(_BARS[round(float(height) * (len(_BARS) - 1))] for height in heights)


def plot_check(path: Path, read: ReadRdf, lines: list[str]) -> None:
    """Draw what was understood and save it; the suffix of the path says as what."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    target = read.target
    figure = Figure(figsize=(7, 4.2), layout="constrained", dpi=130)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if target.error is not None:
        band = (target.g - 2 * target.error, target.g + 2 * target.error)
        axes.fill_between(target.r, *band, alpha=0.3, label="2 standard errors")
    axes.plot(target.r, target.g, ".-", markersize=3, linewidth=1, label=read.columns.split(";")[0])
    axes.axhline(1, color="0.7", linewidth=0.8, zorder=0)
    axes.axvline(target.onset, color="0.7", linewidth=0.8, linestyle=":", zorder=0)
    axes.set(xlabel="r / nm", ylabel="g(r)", title=target.label)
    axes.legend(frameon=False, fontsize="small")
    axes.text(0.98, 0.02, "\n".join(lines[2:6]), ha="right", va="bottom", fontsize=6, transform=axes.transAxes)
    figure.savefig(path)
