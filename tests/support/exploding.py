"""A live simulation that explodes and is brought back, whatever engine runs it."""

import pytest

from diffpair.engines import Engine, Exploded, Snapshot
from diffpair.tables import PairTable


def exploded_and_restored(live: Engine, table: PairTable) -> Snapshot:
    """Melt, run a table that is 10,000 times as steep until it is told, go back; returns where to. `live` has `table`
    and is a state named liquid."""
    live.melt(400)
    kept = live.snapshot()
    live.set_table(PairTable(table.types, table.r_min, table.cutoff, 1e4 * table.coefficients))
    with pytest.raises(
        Exploded, match=r"'liquid' exploded by step \d+: .*; particles \d+ and \d+ \(A-A\) overlap .*core"
    ):
        live.equilibrate(2000)
    live.set_table(table)
    live.restore(kept)
    return kept
