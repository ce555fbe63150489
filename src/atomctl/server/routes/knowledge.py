"""`/knowledge`: pages and past runs, found again; and `/runs/{run}/similar`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from atomctl.knowledge.librarian import Librarian
from atomctl.knowledge.model import RUNS
from atomctl.registry.model import Coordinates
from atomctl.server.acting import CallerOf
from atomctl.server.documents.knowledge import (
    AnswerDocument,
    EndBody,
    KnowledgeDocument,
    PackageBody,
    PageBody,
    QuestionBody,
    SimilarDocument,
    SyncDocument,
)

router = APIRouter(tags=["knowledge"])


def librarian_of(request: Request, caller: CallerOf) -> Librarian:
    """Acts for the caller, with the model of this process."""
    return Librarian(caller.actor, caller.transaction, request.app.state.meaning, caller.services.objects)


LibrarianOf = Annotated[Librarian, Depends(librarian_of)]


@router.get("/knowledge")
def show_knowledge(librarian: LibrarianOf) -> KnowledgeDocument:
    """What is known, and whether it is found by meaning."""
    return KnowledgeDocument.of(librarian.status())


@router.post("/knowledge/ask")
def ask(librarian: LibrarianOf, body: QuestionBody) -> AnswerDocument:
    """The passages that answer a question, at most three; or that none does."""
    return AnswerDocument.of(body.question, librarian.ask(body.question))


@router.post("/knowledge/pages")
def put_page(librarian: LibrarianOf, body: PageBody) -> SyncDocument:
    """Puts one page into a collection. A repeat changes nothing."""
    changed = librarian.put(body.collection, body.path, body.text.encode(errors="surrogatepass"))
    return SyncDocument(collection=body.collection, pages=1, changed=int(changed))


@router.post("/knowledge/end-sync")
def end_sync(librarian: LibrarianOf, body: EndBody) -> SyncDocument:
    """Ends a sync: what is not named is no longer in the collection."""
    removed = librarian.end_sync(body.collection, body.paths, body.rejected)
    return SyncDocument(collection=body.collection, pages=len(body.paths), removed=removed)


@router.post("/knowledge/packages")
def put_package(librarian: LibrarianOf, body: PackageBody) -> SyncDocument:
    """Makes a collection of the Markdown in a package."""
    return SyncDocument.of(librarian.put_package(Coordinates(body.name, body.version)))


@router.post("/knowledge/runs")
def gather_runs(librarian: LibrarianOf) -> SyncDocument:
    """Adds some more past runs; `more` says whether there are others."""
    added, more = librarian.gather()
    return SyncDocument(collection=RUNS, pages=added, changed=added, more=more)


@router.get("/runs/{run_id}/similar")
def similar_runs(
    librarian: LibrarianOf, run_id: UUID, limit: Annotated[int, Query(ge=1, le=20)] = 5
) -> SimilarDocument:
    """Past runs in which something like it went wrong, and what ended that."""
    found, lacking = librarian.similar(run_id, limit)
    return SimilarDocument.of(run_id, found, lacking)
