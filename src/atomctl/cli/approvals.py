"""`atomctl approvals`: what waits for a decision."""

from __future__ import annotations

import click

from atomctl.cli.connection import open_client
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit_many
from atomctl.cli.vote import line


@click.command(
    "approvals",
    epilog=examples(
        "atomctl approvals                     what is pending",
        "atomctl approvals --state approved -o json",
    ),
)
@click.option(
    "--state",
    type=click.Choice(["pending", "approved", "rejected", "expired", "void"]),
    default="pending",
    show_default=True,
    help="Only approvals in this state.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most this many.")
@output_option
def command(state: str, limit: int, output: Format) -> None:
    """List what waits for a decision."""
    with open_client() as client:
        items = ({"name": item["id"], **item} for item in client.pages("approvals", state=state, limit=limit))
        emit_many("approval", items, output, text=line, empty=f"Nothing is {state}.")
