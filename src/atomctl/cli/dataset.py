"""`atomctl dataset`: finished runs as training data.

`export` works beside the instance, like `server` and `worker`: it reads the database as the tenant-bound role and signs
with the audit log's key. Who asks is decided by their token all the same. `verify` connects to nothing.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from atomctl.cli.connection import settings_in_force
from atomctl.cli.invocation import Format as Output
from atomctl.cli.invocation import examples, output_option
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit, say
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.access.model import Actor
    from atomctl.dataset.model import Format, Order, Partition
    from atomctl.dataset.service import Delivery, Means
    from atomctl.settings import Settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("dataset")
def command() -> None:
    """Export finished runs as training data, and verify it."""


@command.command(
    "export",
    epilog=examples(
        "atomctl dataset export --since 2026-07-01 --out july",
        "atomctl dataset export --since 2026-07-01 --until 2026-08-01 --format jsonl,parquet --out july",
    ),
)
@click.option("--since", required=True, type=_DAY, metavar="DAY", help="The first day (UTC) on which runs ended.")
@click.option("--until", type=_DAY, metavar="DAY", help="The day before which it ends (default: as far as the log is).")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write.")
@click.option("--format", "formats", default="jsonl", show_default=True, help="jsonl, parquet, or both with a comma.")
@click.option("--tenant", type=click.UUID, help="Whose runs (default: your tenant's, and no other is allowed).")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME", help="Keep this parameter too; repeatable.")
@click.option("--watermark", type=click.IntRange(0), help="The last audit entry that counts: to repeat an export.")
@output_option
def export(
    since: datetime.datetime,
    until: datetime.datetime | None,
    out: Path,
    formats: str,
    tenant: UUID | None,
    parameters: tuple[str, ...],
    watermark: int | None,
    output: Output,
) -> None:
    """Write the tenant's finished runs, scrubbed and labelled, under a signed manifest.

    For security, admins and auditors. Interrupted, the same command goes on where it stopped; repeated, it gives the
    same bytes.
    """
    from atomctl.dataset.model import Order
    from atomctl.dataset.service import export_dataset

    wanted = _formats(formats)
    settings = settings_in_force()
    means = _means(settings)
    with means.sessions:
        actor = _actor(settings, means)
        order = Order(
            tenant_id=tenant or actor.tenant_id,
            since=since.date(),
            until=until.date() if until else None,
            formats=wanted,
            parameters=frozenset(parameters),
            watermark=watermark,
        )
        delivery = export_dataset(means, actor, order, out, _tell)
    emit("dataset", _document(out, order, delivery), output, text=_page)
    if delivery.changed:
        say(f"Other rows than in an earlier export up to this watermark: {', '.join(delivery.changed)}")
    say(f"Next: atomctl dataset verify {out}")


def _formats(text: str) -> tuple[Format, ...]:
    from atomctl.dataset.model import Format

    names = [name.strip() for name in text.split(",")]
    known = [format_.value for format_ in Format]
    if unknown := sorted(set(names) - set(known)):
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}", param_hint="--format")
    return tuple(format_ for format_ in Format if format_.value in names)


def _means(settings: Settings) -> Means:
    """What is exported with; the audit log's key must be there, the key of pseudonyms is made if there is none."""
    from atomctl.audit.keys import load_key as load_audit_key
    from atomctl.dataset.service import Means
    from atomctl.db.session import Sessions
    from atomctl.secrets.keyring import create_key, load_key
    from atomctl.wiring import database_address, object_store

    address = database_address(settings)
    signer = load_audit_key(settings.home / "keys" / "audit.key")
    file = settings.home / "keys" / "dataset.key"
    pseudonyms = load_key(file) if file.exists() else create_key(file)
    sessions = Sessions(address, max_size=2, name="atomctl dataset")
    return Means(sessions, object_store(settings), signer, pseudonyms)


def _actor(settings: Settings, means: Means) -> Actor:
    """Whom the token of the chosen context speaks of."""
    from atomctl.access import codes
    from atomctl.access.service import actor_for
    from atomctl.access.tokens import Verifier
    from atomctl.cli.contexts import read_token
    from atomctl.wiring import issuer_of

    token = read_token(settings)
    if token is None:
        raise AtomError(codes.NO_TOKEN, "the chosen context has no token")
    claims = Verifier([issuer_of(settings).trusted]).verify(token, datetime.datetime.now(datetime.UTC))
    with means.sessions.tenant(claims.tenant_id) as conn:
        return actor_for(conn, claims)


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
    }


def _page(dataset: dict[str, Any]) -> str:
    dropped = ", ".join(f"{count} {reason}" for reason, count in dataset["dropped"].items()) or "none"
    reach = "no run ended" if dataset["watermark"] is None else f"up to audit entry {dataset['watermark']}"
    return (
        f"{dataset['name']}: {dataset['rows']} rows of {dataset['partitions']} days, {reach}\n"
        f"left out: {dropped}\nmanifest: {dataset['digest']}"
    )


@command.command(
    "verify",
    epilog=examples(
        "atomctl dataset verify july",
        "atomctl dataset verify july --vkey audit.vkey      on a machine that knows the instance's key alone",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--vkey", type=EXISTING_FILE, help="The verifier keys you trust (default: this machine's instance's).")
@output_option
def verify(folder: Path, vkey: Path | None, output: Output) -> int:
    """Verify an export: signature, files, and every row of every format.

    It connects to nothing. Exit code 12: it was changed; 11: it is complete in itself, but no key was known beforehand
    that could vouch for the signer.
    """
    from atomctl.audit.keys import read_vkeys
    from atomctl.dataset.verify import verify_dataset
    from atomctl.settings import load_settings

    known = vkey or load_settings().home / "keys" / "audit.vkey"
    trusted = read_vkeys(known.read_text()) if known.exists() else ()
    verdict = verify_dataset(folder, trusted=trusted)
    verdict.raise_if_broken()
    emit("dataset-verdict", {"name": str(folder), **verdict.to_json()}, output, text=_verdict_page)
    return int(verdict.exit_code)


def _verdict_page(verdict: dict[str, Any]) -> str:
    signer = "" if verdict["signer"]["known"] else "; signer unknown (DAT816)"
    rows = f"{verdict['rows']} rows in {verdict['partitions']} partitions"
    return f"{verdict['outcome']}: {verdict['name']}, {rows}{signer}\nmanifest: {verdict['digest']}"
