"""Tombstones: a run that somebody had forgotten is in no export from now on."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atomctl.access.denials import record_denial
from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.canonical import Json
from atomctl.dataset.embedding import text_of
from atomctl.dataset.reading import RunReader
from atomctl.dataset.scrub.policy import ScrubPolicy, tenant_key
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.service import Means
from atomctl.db import queries
from atomctl.embedding.cache import forget_texts, text_digest
from atomctl.errors import AtomError
from atomctl.runs import service as runs

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was done about a run.

    Attributes:
        run_id: the run.
        day: the day (UTC) whose exports may have it; None if it has not ended.
        already: it was forgotten before; nothing was changed.
        handed_out: how often that day was exported with other contents.
        vectors: how many vectors of its text were deleted.
    """

    run_id: UUID
    day: datetime.date | None
    already: bool
    handed_out: int
    vectors: int

    def to_json(self) -> dict[str, Json]:
        """The answer as a document, schema `atom.dataset-tombstone/v1`."""
        return {
            "run": str(self.run_id),
            "day": self.day.isoformat() if self.day else None,
            "already": self.already,
            "handed_out": self.handed_out,
            "vectors": self.vectors,
        }


def forget_run(means: Means, actor: Actor, run_id: UUID, reason: str) -> Forgotten:
    """No export holds the run from now on, and one that does is made anew when it is repeated. It is an audit entry.

    The vector of its text leaves the cache. The run itself, its log and its audit entries stay: they are evidence, and
    what is personal in the audit log is erased there. Idempotent. Touches `dataset_tombstones` and `embeddings`.

    Args:
        means: what is exported with.
        actor: who has it forgotten.
        run_id: the run; one that has not ended yet will be in no export either.
        reason: on whose request or which ground, without naming the person; at most 1,000 characters.

    Raises:
        AtomError: AUT020 the actor may not (recorded), RUN601 the tenant has no such run.
    """
    try:
        require(actor, Verb.FORGET, Resource.DATASET)
    except AtomError as error:
        record_denial(means.sessions, actor, action="dataset.forget", subject="dataset/runs", error=error)
        raise
    with means.sessions.tenant(actor.tenant_id) as conn:
        ended_at = runs.get(conn, actor.tenant_id, run_id).ended_at
    digests = _text_digests(means, actor.tenant_id, run_id, ended_at) if ended_at else []
    day = ended_at.astimezone(datetime.UTC).date() if ended_at else None
    with means.sessions.tenant(actor.tenant_id) as conn:
        owned: dict[str, Any] = {"tenant_id": actor.tenant_id}
        fresh = _sql.insert_tombstone(
            conn, **owned, run_id=run_id, reason=reason[:1000], forgotten_by=actor.principal_id
        )
        forgotten = Forgotten(
            run_id=run_id,
            day=day,
            already=not fresh,
            handed_out=_sql.times_handed_out(conn, **owned, day=day) if day else 0,
            vectors=forget_texts(conn, actor.tenant_id, digests),
        )
        # Not under the run's own subject: then its end would have no place in the log until the next entry has one.
        entry = Entry(
            action="dataset.forget",
            subject="dataset/runs",
            actor=actor.principal_id,
            why=reason[:1000],
            detail=forgotten.to_json(),
        )
        record(conn, actor.tenant_id, entry)
    return forgotten


def _text_digests(means: Means, tenant_id: UUID, run_id: UUID, ended_at: datetime.datetime) -> list[str]:
    """What the run's text is called in the cache; it is the same whichever parameters were exported."""
    row = RunReader(means.sessions, means.objects, tenant_id).one(run_id, ended_at)
    if row is None:
        return []
    policy = ScrubPolicy(tenant_key(means.pseudonym_key, str(tenant_id)))
    return [text_digest(text_of(Scrubber(policy).row(row)))]
