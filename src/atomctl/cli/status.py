"""`atomctl status`: one run."""

from __future__ import annotations

from datetime import timedelta

import click

from atomctl.cli import run_page
from atomctl.cli.connection import open_client
from atomctl.cli.durations import Duration
from atomctl.cli.identifiers import run_id, short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.cli.waiting import wait_for_run


@click.command(
    "status",
    epilog=examples(
        "atomctl status 7f3a9c21",
        "atomctl status 7f3a9c21 --wait --timeout 5m",
    ),
)
@click.argument("run")
@click.option("--wait", is_flag=True, help="Wait until the run has ended.")
@click.option("--timeout", type=Duration(), default="1h", show_default=True, help="How long to wait.")
@output_option
def command(run: str, wait: bool, timeout: timedelta, output: Format) -> None:
    """Show one run: steps, times, approvals."""
    with open_client() as client:
        identifier = run_id(client, run)
        found = wait_for_run(client, identifier, timeout) if wait else client.get(f"runs/{identifier}")
        emit("run", {"name": found["id"], **found}, output, text=run_page.page)
        if found["state"] in run_page.RAISES_QUESTIONS:
            say(f"Next: atomctl runs explain {short(found['id'])}")
