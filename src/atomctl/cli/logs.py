"""`atomctl logs`: the log of a run."""

from __future__ import annotations

import click

from atomctl.cli.connection import open_client
from atomctl.cli.identifiers import run_id
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.patience import Patient
from atomctl.cli.printing import emit_many

_POLL_SECONDS = 20


@click.command(
    "logs",
    epilog=examples(
        "atomctl logs 7f3a9c21",
        "atomctl logs 7f3a9c21 --step verify --follow",
    ),
)
@click.argument("run")
@click.option("--step", help="Only this step's lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@output_option
def command(run: str, step: str | None, follow: bool, output: Format) -> None:
    """Print or follow the log of a run."""
    with open_client() as client:
        identifier = run_id(client, run)
        server = Patient(client) if follow else client

        def lines() -> object:
            offset = 0
            while True:
                page = server.get(
                    f"runs/{identifier}/logs", offset=offset, step=step, wait=_POLL_SECONDS if follow else 0
                )
                yield from ({"name": f"{identifier}/{item['offset']}", **item} for item in page["items"])
                still = page["next_offset"] != offset
                offset = page["next_offset"]
                if not still and (page["ended"] or not follow):
                    return

        emit_many(
            "log-line",
            lines(),  # type: ignore[arg-type]  # a generator of documents
            output,
            text=lambda item: f"{item['step']}  {item['text']}",
            empty="The log is empty.",
        )
