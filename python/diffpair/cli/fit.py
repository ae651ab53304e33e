"""diffpair fit"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("fit")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results; made if needed.")
@click.option("--resume", is_flag=True, help="Go on with a fit that was interrupted in the same folder.")
def command(config: Path, out: Path, resume: bool) -> None:
    """Learn a potential as CONFIG (YAML) describes.

    Writes the learned potential, summary.json, and plots to the folder OUT.
    """
    from diffpair.config import load_config
    from diffpair.errors import DiffPairError

    checked = load_config(config)
    if out.exists() and not out.is_dir():
        raise DiffPairError(f"{out}: is a file, but --out needs a folder")
    from diffpair.config import run_fit
    from diffpair.fit.record.checkpoint import CHECKPOINT

    try:
        run_fit(checked, out, resume)
    except KeyboardInterrupt:
        if (out / CHECKPOINT).is_file():
            raise KeyboardInterrupt(f"{out} keeps the finished iterations, and --resume goes on from there") from None
        raise
