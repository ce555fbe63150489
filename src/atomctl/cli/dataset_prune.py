"""`atomctl dataset prune`: exports that are too old."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from atomctl.cli.confirming import confirm, dry_run_option, yes_option
from atomctl.cli.exporting import exporting
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit_many


@click.command(
    "prune",
    epilog=examples(
        "atomctl dataset prune training --keep-days 90 --dry-run",
        "atomctl dataset prune training --keep-days 90 --yes",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--keep-days", required=True, type=click.IntRange(1, 36_500), help="The days (UTC) to keep, up to today.")
@dry_run_option
@yes_option
@output_option
def prune(folder: Path, keep_days: int, dry_run: bool, yes: bool, output: Format) -> None:
    """Remove exports below FOLDER that hold no day of the last --keep-days.

    For security, admins and auditors. Only files that a manifest of this instance and of your tenant names are removed.
    """
    from atomctl.dataset.retention import FolderState
    from atomctl.dataset.retention import prune as prune_folders

    oldest = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=keep_days)
    with exporting() as (means, actor):
        found = prune_folders(means, actor, folder, oldest, dry_run=True)
        outdated = [each for each in found if each.state is FolderState.OUTDATED]
        if outdated and not dry_run:
            confirm(f"Remove {len(outdated)} exports that end before {oldest}?", yes)
            found = prune_folders(means, actor, folder, oldest, dry_run=False)
    documents = ({"name": str(each.path), **each.to_json()} for each in found)
    emit_many("dataset-folder", documents, output, text=_line, empty="There is no export.")


def _line(folder: dict[str, Any]) -> str:
    return f"{folder['state']:<8}  {folder['last_day'] or '-':<10}  {folder['name']}"
