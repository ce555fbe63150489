"""`atomctl dataset partitions`: what a scheduler asks before it calls `atomctl dataset export --partition`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from atomctl.cli.exporting import exporting
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit_many

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    "partitions",
    epilog=examples(
        "atomctl dataset partitions --since 2026-07-01",
        "atomctl dataset partitions --since 2026-07-01 --in training --due -o name      what is not in training/DAY",
    ),
)
@click.option("--since", required=True, type=_DAY, metavar="DAY", help="The first day (UTC) on which runs ended.")
@click.option("--until", type=_DAY, metavar="DAY", help="The day before which it ends (default: as far as the log is).")
@click.option(
    "--in",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Compare with the exports in ROOT/DAY (default: with what was exported last, wherever to).",
    metavar="ROOT",
)
@click.option("--due", is_flag=True, help="Only days that were not exported as they are now.")
@output_option
def partitions(
    since: datetime.datetime, until: datetime.datetime | None, root: Path | None, due: bool, output: Format
) -> None:
    """List the days that have finished runs, and whether they were exported as they are now.

    For security, admins and auditors. Nothing is changed: any scheduler may call it, and then `export --partition` for
    each day.
    """
    from atomctl.dataset.model import Order
    from atomctl.dataset.partitions import PartitionState, list_partitions

    with exporting() as (means, actor):
        order = Order(tenant_id=actor.tenant_id, since=since.date(), until=until.date() if until else None)
        found = list_partitions(means, actor, order, root)
    wanted = [each for each in found if not (due and each.state is PartitionState.CURRENT)]
    documents = ({"name": each.census.day.isoformat(), **each.to_json()} for each in wanted)
    emit_many("dataset-partition", documents, output, text=_line, empty="Nothing to export.")


def _line(partition: dict[str, Any]) -> str:
    exported = partition["exported"]
    before = f"{exported['rows']} rows up to entry {exported['watermark']}" if exported else ""
    return f"{partition['day']}  {partition['state']:<7}  {partition['runs']:>6} runs  {before}".rstrip()
