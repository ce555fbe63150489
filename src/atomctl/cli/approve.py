"""`atomctl approve`: a second person's vote."""

from __future__ import annotations

import click

from atomctl.cli.confirming import dry_run_option
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.vote import vote


@click.command(
    "approve",
    epilog=examples(
        "atomctl approve 7f3a9c21                            a run, by the end of its id",
        'atomctl --context bob approve 7f3a9c21 --comment "checked the plan"',
    ),
)
@click.argument("subject", metavar="RUN|APPROVAL")
@click.option("--comment", default="", help="Why, for the record.")
@dry_run_option
@output_option
def command(subject: str, comment: str, dry_run: bool, output: Format) -> None:
    """Approve what waits for a second person."""
    vote(subject, "approve", comment, dry_run, output)
