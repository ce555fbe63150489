"""The use case: who may export, what the audit log says about it, and what was handed out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from atomctl.access.denials import record_denial
from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.keys import FileKey
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.canonical import Json
from atomctl.dataset import codes
from atomctl.dataset.embedding import Embedding
from atomctl.dataset.export import Exported, Exporter
from atomctl.dataset.lineage import Job
from atomctl.dataset.lineage_log import LineageLog, Telling, beside
from atomctl.dataset.model import ROW_SCHEMA, Order, Partition
from atomctl.dataset.reading import RunReader
from atomctl.dataset.scrub.policy import DEFAULT_PARAMETERS, ScrubPolicy, tenant_key
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore

if TYPE_CHECKING:
    from atomctl.embedding.model import Embedder

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Means:
    """What an export is made with: the database as the tenant-bound role, the logs, and two keys."""

    sessions: Sessions
    objects: ObjectStore
    audit_key: FileKey
    """Signs the manifest."""
    pseudonym_key: bytes
    """32 bytes; each tenant's own key is derived from it."""
    source: tuple[str, str] = ("postgres://localhost:5432", "atom")
    """What lineage events call the database: its server and its name."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A finished export.

    Attributes:
        exported: what it consists of.
        changed: the days whose rows differ from what was exported before up to the same watermark.
        untold: lineage events that did not arrive, and why.
    """

    exported: Exported
    changed: tuple[str, ...]
    untold: tuple[str, ...] = ()


def export_dataset(
    means: Means,
    actor: Actor,
    order: Order,
    folder: Path,
    progress: Callable[[Partition, bool], None] = lambda _partition, _kept: None,
    *,
    refresh: bool = False,
    embedder: Embedder | None = None,
    lineage: LineageLog | None = None,
) -> Delivery:
    """The export in `folder`, complete. Request and result are audit entries, so an interrupted one has left a trace.

    The order's parameters are kept beside `DEFAULT_PARAMETERS`. What `refresh` does `Exporter.export` says. With an
    embedder each row has a vector of its scrubbed text. Beginning and end are told to `lineage`, which unless given is
    the file beside the folder.

    Raises:
        AtomError: AUT020 the actor may not export, DAT806 the order is about another tenant (both are recorded);
            DAT807 no such days; whatever `Exporter.export` raises.
    """
    require_export(means.sessions, actor, order.tenant_id)
    if order.until is not None and order.until <= order.since:
        raise AtomError(codes.BAD_RANGE, f"{order.since} is not before {order.until}")
    key = tenant_key(means.pseudonym_key, str(order.tenant_id))
    policy = ScrubPolicy(key, DEFAULT_PARAMETERS | order.parameters)
    reader = RunReader(means.sessions, means.objects, order.tenant_id)
    _record_request(means.sessions, actor, order)
    embedding = Embedding(means.sessions, order.tenant_id, embedder) if embedder else None
    exporter = Exporter(reader, policy, means.audit_key, embedding, progress)
    telling = Telling(lineage or LineageLog(beside(folder)), Job(new_id(), order, folder, means.source))
    with telling:
        exported = exporter.export(order, folder, refresh=refresh)
        changed = _hand_out(means.sessions, actor, policy, exported, embedder.name if embedder else "")
        telling.completed(exported)
    return Delivery(exported, changed, tuple(telling.troubles))


def require_export(sessions: Sessions, actor: Actor, tenant_id: UUID) -> None:
    """Returns if the actor may export the tenant's runs; a refusal is recorded.

    Raises:
        AtomError: AUT020 none of the actor's roles may, DAT806 it is another tenant.
    """
    try:
        require(actor, Verb.EXPORT, Resource.DATASET)
        if tenant_id != actor.tenant_id:
            raise AtomError(codes.OTHER_TENANT, f"your token is of tenant {actor.tenant_id}")
    except AtomError as error:
        record_denial(sessions, actor, action="dataset.export", subject="dataset/runs", error=error)
        raise


def _record_request(sessions: Sessions, actor: Actor, order: Order) -> None:
    detail: dict[str, Json] = {
        "since": order.since.isoformat(),
        "until": order.until.isoformat() if order.until else None,
        "formats": [format_.value for format_ in order.formats],
        "parameters": list[Json](sorted(order.parameters)),
    }
    entry = Entry(
        action="dataset.request", subject="dataset/runs", actor=actor.principal_id, detail={**detail, "asked": "export"}
    )
    with sessions.tenant(actor.tenant_id) as conn:
        record(conn, actor.tenant_id, entry)


def _hand_out(sessions: Sessions, actor: Actor, policy: ScrubPolicy, exported: Exported, model: str) -> tuple[str, ...]:
    """Notes each partition and the whole; the days whose content was another one before."""
    manifest = exported.manifest
    changed = []
    with sessions.tenant(actor.tenant_id) as conn:
        for partition in manifest.partitions:
            known = {
                "tenant_id": actor.tenant_id,
                "day": partition.day,
                "row_schema": ROW_SCHEMA,
                "scrub": policy.digest,
                "embedding": model,
                "watermark": partition.watermark,
                "forgotten": len(partition.forgotten),
            }
            earlier = {row["content"] for row in _sql.earlier_contents(conn, **known)}
            if earlier - {partition.content}:
                changed.append(partition.day.isoformat())
            _sql.insert_partition(
                conn,
                **known,
                runs=partition.runs,
                last_entry=partition.last_entry,
                rows=partition.rows,
                content=partition.content,
                exported_by=actor.principal_id,
            )
        entry = Entry(
            action="dataset.export",
            subject="dataset/runs",
            actor=actor.principal_id,
            digests={"manifest": exported.digest, "scrub": policy.digest},
            detail={
                "watermark": manifest.watermark,
                "partitions": len(manifest.partitions),
                "rows": manifest.rows,
                "dropped": {reason.value: count for reason, count in manifest.dropped.items()},
                "changed": list[Json](changed[:50]),
            },
        )
        record(conn, actor.tenant_id, entry)
    return tuple(changed)
