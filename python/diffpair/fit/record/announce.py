"""What a fit says before its first iteration."""

from __future__ import annotations

from diffpair.fit.record.progress import FitProgress
from diffpair.fit.setup import Setup


def announce(setup: Setup, progress: FitProgress, resumed: bool) -> None:
    """The table, the start, and what is unusual about them; resumed: the start is an old one."""
    say, grid, tabulation = progress.say, setup.space.grid, setup.tabulation
    say(
        f"{setup.settings.potential.form} potential with {setup.space.size} parameters, table of {grid.knots} "
        f"knots from {grid.r_min:.4g} to {grid.cutoff:.4g} nm"
    )
    if not tabulation.converged:
        progress.note(
            f"even {grid.knots} knots hold the potential's force only to {tabulation.error:.2g}; "
            f"it may be too rough, or too soft at r_min"
        )
    if setup.chosen.sentence and not setup.own and not resumed:
        say(setup.chosen.sentence)
    if setup.start_misfit > 0.5:
        progress.note(f"the start misses the inverted potential by {setup.start_misfit:.2g} kT (rms)")
