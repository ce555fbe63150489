"""The use cases of knowledge; each in the caller's transaction of one tenant. Models are asked outside of it."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.knowledge import codes, past_runs, shelving
from atomctl.knowledge.fixes import Ending, ending_of
from atomctl.knowledge.judging import CITED, judge
from atomctl.knowledge.model import RUNS, Answer, Collection, Page, Passage, Shelf, Status, Vectors
from atomctl.knowledge.pages import require_collection
from atomctl.knowledge.retrieval import Query, search
from atomctl.runs import service as runs

LONGEST_QUESTION = 1_000
_CANDIDATES = 10

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class SimilarRun:
    """A past run in which something like it went wrong, and what ended that."""

    run_id: UUID
    workflow: str
    version: str
    state: str
    ended_at: datetime | None
    step: str | None
    passage: Passage
    ending: Ending


def require_question(text: str) -> str:
    """The question without space around it.

    Raises:
        AtomError: KNO020 it is empty, too long or has neither letters nor digits.
    """
    text = text.strip()
    if not any(char.isalnum() for char in text) or len(text) > LONGEST_QUESTION:
        raise AtomError(codes.BAD_QUESTION, f"{len(text)} characters")
    return text


def ask(conn: Connection, actor: Actor, query: Query) -> Answer:
    """What the tenant's pages say; nothing is made up, an answer is passages of pages.

    Raises:
        AtomError: AUT020 the actor may not read knowledge, KNO021 there are no pages.
    """
    require(actor, Verb.READ, Resource.KNOWLEDGE)
    if not _sql.size(conn, tenant_id=actor.tenant_id, shelf=Shelf.PAGE)["chunks"]:
        raise AtomError(codes.NOTHING_KNOWN, "no page was synced")
    found = search(conn, actor.tenant_id, query, CITED)
    judgement = judge(found)
    return Answer(
        known=judgement.known,
        why=judgement.why,
        passages=found.passages,
        confidence=judgement.confidence,
        without_meaning=found.without_meaning,
    )


def similar(
    conn: Connection, actor: Actor, run_id: UUID, query: Query, count: int
) -> tuple[tuple[SimilarRun, ...], AtomError | None]:
    """The past runs in which what went wrong resembles the query most, the best first.

    The run itself is not among them, nor is one that was forgotten.

    Returns:
        Them, and why they were found by words alone, if they were.

    Raises:
        AtomError: AUT020 the actor may not read runs.
    """
    require(actor, Verb.READ, Resource.RUN)
    left_out = {str(run_id), *past_runs.forgotten(conn, actor.tenant_id)}
    found = search(conn, actor.tenant_id, query, count + len(left_out))
    others = [passage for passage in found.passages if passage.path not in left_out][:count]
    return tuple(_similar(conn, actor, passage) for passage in others), found.without_meaning


def _similar(conn: Connection, actor: Actor, passage: Passage) -> SimilarRun:
    run = runs.get(conn, actor.tenant_id, UUID(passage.path))
    failed = past_runs.first_failure(runs.attempts_of(conn, run.tenant_id, run.id))
    return SimilarRun(
        run_id=run.id,
        workflow=run.workflow,
        version=run.version,
        state=run.state.value,
        ended_at=run.ended_at,
        step=failed.step if failed else None,
        passage=passage,
        ending=ending_of(conn, run),
    )


def put_page(conn: Connection, actor: Actor, collection: str, page: Page, vectors: Vectors | None) -> bool:
    """The index has the page as it is now; whether that changed anything.

    Raises:
        AtomError: AUT020 the actor may not sync, KNO009 this cannot name a collection.
    """
    require(actor, Verb.SYNC, Resource.KNOWLEDGE)
    require_collection(collection)
    model = vectors.model if vectors else None
    if shelving.is_current(conn, actor.tenant_id, collection, page, model):
        return False
    shelving.put(conn, actor.tenant_id, collection, page, vectors)
    entry = Entry(
        action="knowledge.put",
        subject=f"knowledge/{collection}/{page.path}",
        actor=actor.principal_id,
        digests={"page": page.digest},
        detail={"chunks": len(page.chunks), "model": model},
    )
    record(conn, actor.tenant_id, entry)
    return True


def end_sync(conn: Connection, actor: Actor, collection: str, kept: Names[str], rejected: int) -> int:
    """The collection has no pages but `kept`; how many were taken out. The audit log says what the sync came to.

    Raises:
        AtomError: AUT020 the actor may not sync, KNO009 this cannot name a collection.
    """
    require(actor, Verb.SYNC, Resource.KNOWLEDGE)
    require_collection(collection)
    held = shelving.paths(conn, actor.tenant_id, collection)
    gone = [path for path in held if path not in set(kept)]
    for path in gone:
        shelving.take(conn, actor.tenant_id, collection, path)
    entry = Entry(
        action="knowledge.sync",
        subject=f"knowledge/{collection}",
        actor=actor.principal_id,
        detail={"pages": len(held) - len(gone), "removed": len(gone), "rejected": rejected},
    )
    record(conn, actor.tenant_id, entry)
    return len(gone)


def put_runs(conn: Connection, actor: Actor, pages: Names[tuple[Page, Vectors | None]]) -> int:
    """The index has these runs; how many they are. What is derived from the record is not recorded again.

    Raises:
        AtomError: AUT020 the actor may not read runs.
    """
    require(actor, Verb.READ, Resource.RUN)
    for page, vectors in pages:
        shelving.put(conn, actor.tenant_id, RUNS, page, vectors)
    return len(pages)


def status(conn: Connection, actor: Actor, model: str | None, lacking: AtomError | None) -> Status:
    """What the tenant's index holds, and what search can do with it.

    Args:
        conn: a transaction of the actor's tenant.
        actor: who asks.
        model: the model at hand, if there is one.
        lacking: why there is none.

    Raises:
        AtomError: AUT020 the actor may not read knowledge.
    """
    require(actor, Verb.READ, Resource.KNOWLEDGE)
    if lacking is None and not shelving.has_vectors(conn):
        lacking = AtomError(codes.NO_EXTENSION, "only words are searched for")
    rows = _sql.collections(conn, tenant_id=actor.tenant_id, model=model)
    found = (Collection(row["name"], row["documents"], row["chunks"], row["vectors"]) for row in rows)
    return Status(tuple(found), model, lacking)
