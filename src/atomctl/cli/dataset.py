"""`atomctl dataset`: finished runs as training data.

Its verbs work beside the instance, like `server` and `worker`: they read the database as the tenant-bound role, and
`export` signs with the audit log's key. Who asks is decided by their token all the same. `verify` connects to nothing.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from atomctl.cli.dataset_forget import forget
from atomctl.cli.dataset_partitions import partitions
from atomctl.cli.dataset_prune import prune
from atomctl.cli.dataset_verify import verify
from atomctl.cli.exporting import chosen_embedder, exporting, lineage_log
from atomctl.cli.invocation import Format as Output
from atomctl.cli.invocation import examples, output_option
from atomctl.cli.printing import emit, say

if TYPE_CHECKING:
    from atomctl.dataset.model import Format, Order, Partition, Splits
    from atomctl.dataset.service import Delivery

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("dataset")
def command() -> None:
    """Export finished runs as training data, and verify it."""


command.add_command(forget)
command.add_command(partitions)
command.add_command(prune)
command.add_command(verify)


@command.command(
    "export",
    epilog=examples(
        "atomctl dataset export --since 2026-07-01 --out july",
        "atomctl dataset export --since 2026-07-01 --until 2026-08-01 --format jsonl,parquet --out july",
        "atomctl dataset export --partition 2026-07-01 --refresh --out training/2026-07-01      as a scheduler does",
        "atomctl dataset export --since 2026-01-01 --test-from 2026-07-01 --gap 2 --out split",
    ),
)
@click.option("--since", type=_DAY, metavar="DAY", help="The first day (UTC) on which runs ended.")
@click.option("--until", type=_DAY, metavar="DAY", help="The day before which it ends (default: as far as the log is).")
@click.option("--partition", type=_DAY, metavar="DAY", help="This day alone; instead of --since and --until.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write.")
@click.option("--format", "formats", default="jsonl", show_default=True, help="jsonl, parquet, or both with a comma.")
@click.option("--embeddings", is_flag=True, help="Give each row a vector of its scrubbed text.")
@click.option("--refresh", is_flag=True, help="Bring a finished export up to what the log says now.")
@click.option("--test-from", type=_DAY, metavar="DAY", help="Split by time: the first day of the test part.")
@click.option("--validation-from", type=_DAY, metavar="DAY", help="With --test-from: the first day for validation.")
@click.option("--gap", type=click.IntRange(0), default=1, show_default=True, help="Days left out before each part.")
@click.option("--tenant", type=click.UUID, help="Whose runs (default: your tenant's, and no other is allowed).")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME", help="Keep this parameter too; repeatable.")
@click.option("--watermark", type=click.IntRange(0), help="The last audit entry that counts: to repeat an export.")
@output_option
def export(out: Path, refresh: bool, embeddings: bool, tenant: UUID | None, output: Output, **given: Any) -> None:
    """Write the tenant's finished runs, scrubbed and labelled, under a signed manifest.

    For security, admins and auditors. Interrupted, the same command goes on where it stopped; repeated, it gives the
    same bytes. A run that was forgotten since is taken out of the export when it is repeated.
    """
    from atomctl.dataset.service import export_dataset

    since, until = _days(given["since"], given["until"], given["partition"])
    formats, splits = _formats(given["formats"]), _splits(given["test_from"], given["validation_from"], given["gap"])
    embedder, lineage = chosen_embedder() if embeddings else None, lineage_log(out)
    with exporting() as (means, actor):
        from atomctl.dataset.model import Order

        order = Order(
            tenant_id=tenant or actor.tenant_id,
            since=since,
            until=until,
            formats=formats,
            parameters=frozenset(given["parameters"]),
            watermark=given["watermark"],
            splits=splits,
        )
        delivery = export_dataset(means, actor, order, out, _tell, refresh=refresh, embedder=embedder, lineage=lineage)
    emit("dataset", _document(out, order, delivery), output, text=_page)
    if delivery.changed:
        say(f"Other rows than in an earlier export up to this watermark: {', '.join(delivery.changed)}")
    for untold in delivery.untold:
        say(f"Lineage was not told: {untold}")
    say(f"Next: atomctl dataset verify {out}")


def _days(
    since: datetime.datetime | None, until: datetime.datetime | None, partition: datetime.datetime | None
) -> tuple[datetime.date, datetime.date | None]:
    if partition is not None:
        if since or until:
            raise click.UsageError("give either --partition or --since and --until")
        return partition.date(), partition.date() + datetime.timedelta(days=1)
    if since is None:
        raise click.UsageError("give --since, or one day with --partition")
    return since.date(), until.date() if until else None


def _formats(text: str) -> tuple[Format, ...]:
    from atomctl.dataset.model import Format

    names = [name.strip() for name in text.split(",")]
    known = [format_.value for format_ in Format]
    if unknown := sorted(set(names) - set(known)):
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}", param_hint="--format")
    return tuple(format_ for format_ in Format if format_.value in names)


def _splits(test: datetime.datetime | None, validation: datetime.datetime | None, gap: int) -> Splits | None:
    from atomctl.dataset.model import Splits

    if test is None:
        if validation is not None:
            raise click.UsageError("--validation-from needs --test-from")
        return None
    try:
        return Splits(test_from=test.date(), validation_from=validation.date() if validation else None, gap_days=gap)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _tell(partition: Partition, kept: bool) -> None:
    say(f"{partition.day}  {partition.rows} rows{', there already' if kept else ''}")


def _document(out: Path, order: Order, delivery: Delivery) -> dict[str, Any]:
    manifest = delivery.exported.manifest
    return {
        "name": str(out),
        "tenant": str(order.tenant_id),
        "watermark": manifest.watermark,
        "partitions": len(manifest.partitions),
        "kept": delivery.exported.kept,
        "rows": manifest.rows,
        "dropped": {reason.value: count for reason, count in manifest.dropped.items()},
        "formats": [format_.value for format_ in order.formats],
        "digest": delivery.exported.digest,
        "changed": list(delivery.changed),
        "untold": list(delivery.untold),
    }


def _page(dataset: dict[str, Any]) -> str:
    dropped = ", ".join(f"{count} {reason}" for reason, count in dataset["dropped"].items()) or "none"
    reach = "no run ended" if dataset["watermark"] is None else f"up to audit entry {dataset['watermark']}"
    return (
        f"{dataset['name']}: {dataset['rows']} rows of {dataset['partitions']} days, {reach}\n"
        f"left out: {dropped}\nmanifest: {dataset['digest']}"
    )
