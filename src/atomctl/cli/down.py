"""`atomctl down`: stop the instance of a home."""

from __future__ import annotations

from pathlib import Path

import click

from atomctl.cli.invocation import examples
from atomctl.cli.printing import say
from atomctl.cli.progress import busy
from atomctl.settings import load_settings


@click.command("down", epilog=examples("atomctl down", "atomctl down --home ./try"))
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where its state lives.")
def command(home: Path | None) -> None:
    """Stop the instance on this machine; its state stays."""
    from atomctl.cli.background import stop_background

    settings = load_settings({"home": home.absolute() if home else None})
    with busy("stopping"):
        stopped = stop_background(settings)
    say("Stopped." if stopped else f"No instance of {settings.home} is running.")
