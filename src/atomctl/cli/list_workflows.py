"""`atomctl list`: the workflows there are."""

from __future__ import annotations

import click

from atomctl.cli.connection import open_client
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit_many


@click.command(
    "list",
    epilog=examples(
        "atomctl list",
        "atomctl list -o name",
    ),
)
@click.option("--limit", type=click.IntRange(1, 1000), default=200, show_default=True, help="At most this many.")
@output_option
def command(limit: int, output: Format) -> None:
    """List workflows and their newest package."""
    with open_client() as client:
        emit_many(
            "workflow",
            client.pages("workflows", limit=limit),
            output,
            text=lambda w: f"{w['name']}@{w['latest'] or '-'}  {w['versions']} version(s)",
            empty="No package was pushed yet.\nNext: atomctl init restart-web",
        )
