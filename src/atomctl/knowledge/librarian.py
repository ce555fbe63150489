"""What people and programs do with knowledge: sync, ask, look for similar runs.

Models may be slow, so they are asked between transactions. Each page is one transaction: a sync that is interrupted has
whole pages, old or new, and a repeat goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.knowledge import codes, past_runs, service, shelving
from atomctl.knowledge.meaning import Meaning, text_of
from atomctl.knowledge.model import RUNS, Answer, Page, Rejection, Shelf, Status, Vectors
from atomctl.knowledge.pages import read_page, require_collection
from atomctl.knowledge.retrieval import prepare
from atomctl.knowledge.service import SimilarRun
from atomctl.objects.model import ObjectStore
from atomctl.registry import service as registry
from atomctl.registry.model import Coordinates
from atomctl.runs import service as runs
from atomctl.runs.states import ENDED

_NEWEST = 5_000
"""Runs among which a question about one looks for those that are not known yet."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync came to."""

    collection: str
    pages: int
    changed: int
    removed: int
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Librarian:
    """Acts for one person in their tenant.

    Args:
        actor: who asks; every use case looks at their roles.
        transaction: opens one of the actor's tenant.
        meaning: the model of this process.
        objects: where logs and packages lie.
    """

    actor: Actor
    transaction: Callable[[], AbstractContextManager[Connection]]
    meaning: Meaning
    objects: ObjectStore

    def put(self, collection: str, path: str, data: bytes) -> bool:
        """The index has the page; whether that changed anything. A page that is there as it is is not embedded again.

        Raises:
            AtomError: AUT020 the actor may not sync; KNO003 to KNO009 the page cannot be taken; KNO030 the model does
                not fit, EMB0xx it does not answer: then the index is as it was.
        """
        require(self.actor, Verb.SYNC, Resource.KNOWLEDGE)
        require_collection(collection)
        page = read_page(path, data)
        with self.transaction() as conn:
            model = self._model(conn)
            if shelving.is_current(conn, self.actor.tenant_id, collection, page, model):
                return False
        vectors = self._vectors(page) if model else None
        with self.transaction() as conn:
            return service.put_page(conn, self.actor, collection, page, vectors)

    def end_sync(self, collection: str, kept: Collection[str], rejected: int) -> int:
        """Takes out of the collection what is not kept; how many pages that were.

        Raises:
            AtomError: AUT020 the actor may not sync, KNO009 this cannot name a collection.
        """
        with self.transaction() as conn:
            return service.end_sync(conn, self.actor, collection, kept, rejected)

    def put_package(self, coordinates: Coordinates) -> Synced:
        """The collection `NAME@VERSION` is the Markdown in the package.

        Raises:
            AtomError: as `put`; REG401 no such package, KNO010 it has no Markdown.
        """
        require(self.actor, Verb.SYNC, Resource.KNOWLEDGE)
        with self.transaction() as conn:
            record = registry.show(conn, self.actor.tenant_id, coordinates)
            _, package = registry.load_package(conn, self.objects, self.actor.tenant_id, record.id)
        found = {path: entry.data for path, entry in package.files.items() if path.lower().endswith(".md")}
        if not found:
            raise AtomError(codes.NO_PAGES, f"{coordinates} has no Markdown")
        return self._put_all(str(coordinates), found)

    def _put_all(self, collection: str, found: Mapping[str, bytes]) -> Synced:
        changed, rejected = 0, list[Rejection]()
        for path, data in sorted(found.items()):
            try:
                changed += self.put(collection, path, data)
            except AtomError as error:
                if not error.code.id.startswith("KNO00"):
                    raise
                rejected.append(Rejection(path, error))
        removed = self.end_sync(collection, found, len(rejected))
        return Synced(collection, len(found) - len(rejected), changed, removed, tuple(rejected))

    def gather(self, within: int | None = None) -> tuple[int, bool]:
        """Some more of the past runs in which something went wrong are in the index, and no forgotten one is.

        Args:
            within: how many of the newest runs are looked at; None: all.

        Returns:
            How many were added, and whether there are more.

        Raises:
            AtomError: AUT020 the actor may not read runs; EMB0xx, KNO030 as `put`.
        """
        require(self.actor, Verb.READ, Resource.RUN)
        tenant_id = self.actor.tenant_id
        with self.transaction() as conn:
            model = self._model(conn)
            due = past_runs.ungathered(conn, tenant_id, model, within)
            pages = [past_runs.page_of(conn, self.objects, tenant_id, run, digest) for run, digest in due]
        vectors = [self._vectors(page) if model else None for page in pages]
        with self.transaction() as conn:
            service.put_runs(conn, self.actor, list(zip(pages, vectors, strict=True)))
            for path in past_runs.forgotten(conn, tenant_id):
                shelving.take(conn, tenant_id, RUNS, path)
        return len(pages), len(pages) == past_runs.AT_ONCE

    def similar(self, run_id: UUID, count: int) -> tuple[tuple[SimilarRun, ...], AtomError | None]:
        """Past runs in which something like this went wrong, and what ended that; and why by words alone, if so.

        None is like a run in which nothing went wrong, or that may still mend itself. The newest past runs are gathered
        first, so nobody has to have synced them.

        Raises:
            AtomError: AUT020 the actor may not read runs, RUN601 no such run.
        """
        require(self.actor, Verb.READ, Resource.RUN)
        with self.transaction() as conn:
            run = runs.get(conn, self.actor.tenant_id, run_id)
            failed = past_runs.first_failure(runs.attempts_of(conn, run.tenant_id, run.id))
            if failed is None or (run.state not in ENDED and run.state not in past_runs.ASKING):
                return (), None
            page = past_runs.page_of(conn, self.objects, run.tenant_id, run.id, run.package_digest)
        self._gather_leniently()
        query = prepare(Shelf.RUN, text_of(page.chunks[0]), self.meaning)
        with self.transaction() as conn:
            return service.similar(conn, self.actor, run_id, query, count)

    def _gather_leniently(self) -> None:
        """Without vectors if the model does not answer: words are better than nothing, and the next look mends it."""
        try:
            self.gather(_NEWEST)
        except AtomError as error:
            if not error.code.id.startswith(("EMB", "KNO03")):
                raise

    def ask(self, question: str) -> Answer:
        """What the pages say about the question.

        Raises:
            AtomError: AUT020 the actor may not read knowledge, KNO020 it is no question, KNO021 there are no pages.
        """
        require(self.actor, Verb.READ, Resource.KNOWLEDGE)
        query = prepare(Shelf.PAGE, service.require_question(question), self.meaning)
        with self.transaction() as conn:
            return service.ask(conn, self.actor, query)

    def status(self) -> Status:
        """What the index holds.

        Raises:
            AtomError: AUT020 the actor may not read knowledge.
        """
        lacking = self.meaning.lacking()
        model = None if lacking else self.meaning.embedder().name
        with self.transaction() as conn:
            return service.status(conn, self.actor, model, lacking)

    def _model(self, conn: Connection) -> str | None:
        """The model whose vectors are stored; None where there is no model or no place for vectors.

        A model of a wrong dimension is an error here, and not the same as none.
        """
        lacking = self.meaning.lacking()
        if lacking is not None and lacking.code is codes.WRONG_DIMENSION:
            raise lacking
        return self.meaning.embedder().name if lacking is None and shelving.has_vectors(conn) else None

    def _vectors(self, page: Page) -> Vectors:
        return self.meaning.vectors([text_of(chunk) for chunk in page.chunks])
