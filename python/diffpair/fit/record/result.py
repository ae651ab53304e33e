"""What a fit found, as an object: tables with error bands, production, history, and a picture of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffpair.engines import ProductionResult
from diffpair.fit.record.iteration import Iteration
from diffpair.fit.record.results import lines_of
from diffpair.tables import PairTable, TableUncertainty

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class FitResult:
    """The outcome of a fit. A notebook shows its `plot`.

    Attributes:
        tables: the learned potential of every state, by name.
        uncertainties: error bands of U(r) of the fitted states, by name, where frames tell them.
        start: the potential that the fit started from, if it is known.
        production: what an independent run with the learned potential gave, one for each state.
        history: the iterations.
        summary: the content of summary.json.
    """

    tables: dict[str, PairTable]
    uncertainties: dict[str, TableUncertainty]
    start: PairTable | None
    production: list[ProductionResult]
    history: list[Iteration]
    summary: dict[str, Any]

    @property
    def table(self) -> PairTable:
        """The learned potential of the first state that is fitted."""
        return self.tables[self._first]

    @property
    def uncertainty(self) -> TableUncertainty | None:
        """Its error band; None where no frames tell one."""
        return self.uncertainties.get(self._first)

    @property
    def _first(self) -> str:
        return str(next(entry["name"] for entry in self.summary["states"] if not entry["held_out"]))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """g(r) against its targets, the potential with its error band, the iterations.

        Args:
            path: an image that the figure is saved to, if given.

        Returns:
            The figure.
        """
        from diffpair.report.plots import draw_fit

        figure = draw_fit(
            self.production,
            self.table,
            [entry.mae for entry in self.history if np.isfinite(entry.mae)],
            start=self.start,
            uncertainty=self.uncertainty,
            loss_label="mean |g − target|",
        )
        if path is not None:
            figure.savefig(path)
        return figure

    def __repr__(self) -> str:
        lines = [f"FitResult after {self.summary['iterations']} iterations, {self.summary['md_steps']} MD steps"]
        lines += [f"  {line}" for result in self.production for line in lines_of(result)]
        return "\n".join(lines)

    def _repr_png_(self) -> bytes:
        """Shown in a notebook."""
        from diffpair.report.plots import as_png

        return as_png(self.plot())
