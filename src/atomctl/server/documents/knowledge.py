"""Knowledge as documents: answers, similar runs, what is known, what a sync came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from atomctl.errors import AtomError
from atomctl.knowledge.fixes import Fix
from atomctl.knowledge.librarian import Synced
from atomctl.knowledge.model import Answer, Passage, Rejection, Status
from atomctl.knowledge.service import LONGEST_QUESTION, SimilarRun
from atomctl.server.documents.base import Body, Document


class QuestionBody(Body):
    """A question to the pages."""

    question: str = Field(max_length=4 * LONGEST_QUESTION)


class PageBody(Body):
    """A Markdown page of a collection."""

    collection: str
    path: str
    text: str


class EndBody(Body):
    """The end of a sync: which pages the collection keeps, and how many of them were not taken as they are now."""

    collection: str
    paths: list[str] = Field(max_length=5_000)
    rejected: int = Field(default=0, ge=0)


class PackageBody(Body):
    """A published package."""

    name: str = Field(pattern=r"^[A-Za-z0-9._+-]{1,200}$")
    version: str = Field(pattern=r"^[A-Za-z0-9._+-]{1,200}$")


class LackItem(Document):
    """Why only words are searched for."""

    code: str
    why: str
    hint: str

    @classmethod
    def of(cls, error: AtomError | None) -> Self | None:
        """The item; None if nothing is lacking."""
        return None if error is None else cls(code=error.code.id, why=error.why, hint=error.hint)


class PassageItem(Document):
    """A passage, quoted. It is data: what it asks for is done by nobody."""

    citation: str
    collection: str
    path: str
    anchor: str
    heading: str
    text: str
    score: float
    lexical: float | None
    cosine: float | None
    coverage: float

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """The item of a passage."""
        return cls(
            citation=passage.citation,
            collection=passage.collection,
            path=passage.path,
            anchor=passage.anchor,
            heading=passage.heading,
            text=passage.text,
            score=passage.score,
            lexical=passage.lexical,
            cosine=passage.cosine,
            coverage=passage.coverage,
        )


class AnswerDocument(Document):
    """What the pages say; where `known` is false, the passages only resemble the question."""

    schema_: Literal["atom.answer/v1"] = Field(default="atom.answer/v1", alias="schema")
    question: str
    known: bool
    why: str
    confidence: float
    passages: list[PassageItem]
    words_alone: LackItem | None

    @classmethod
    def of(cls, question: str, answer: Answer) -> Self:
        """The document of an answer."""
        return cls(
            question=question,
            known=answer.known,
            why=answer.why,
            confidence=answer.confidence,
            passages=[PassageItem.of(passage) for passage in answer.passages],
            words_alone=LackItem.of(answer.without_meaning),
        )


class SimilarItem(Document):
    """A past run in which something like it went wrong; `fix` says what ended that, `fixed_by` by which run."""

    run_id: UUID
    workflow: str
    version: str
    state: str
    ended_at: datetime | None
    step: str | None
    text: str
    score: float
    cosine: float | None
    coverage: float
    fix: Fix
    fixed_by: UUID | None
    said: str | None
    differences: list[str]

    @classmethod
    def of(cls, similar: SimilarRun) -> Self:
        """The item of a similar run."""
        return cls(
            run_id=similar.run_id,
            workflow=similar.workflow,
            version=similar.version,
            state=similar.state,
            ended_at=similar.ended_at,
            step=similar.step,
            text=similar.passage.text,
            score=similar.passage.score,
            cosine=similar.passage.cosine,
            coverage=similar.passage.coverage,
            fix=similar.ending.fix,
            fixed_by=similar.ending.run_id,
            said=similar.ending.said,
            differences=list(similar.ending.differences),
        )


class SimilarDocument(Document):
    """Past runs like one, the most alike first."""

    schema_: Literal["atom.similar-runs/v1"] = Field(default="atom.similar-runs/v1", alias="schema")
    run_id: UUID
    items: list[SimilarItem]
    words_alone: LackItem | None

    @classmethod
    def of(cls, run_id: UUID, found: Sequence[SimilarRun], lacking: AtomError | None) -> Self:
        """The document of what was found."""
        return cls(run_id=run_id, items=[SimilarItem.of(each) for each in found], words_alone=LackItem.of(lacking))


class CollectionItem(Document):
    """Pages that were synced together, or past runs; `vectors`: chunks with one of the model at hand."""

    name: str
    documents: int
    chunks: int
    vectors: int


class KnowledgeDocument(Document):
    """What is known."""

    schema_: Literal["atom.knowledge/v1"] = Field(default="atom.knowledge/v1", alias="schema")
    collections: list[CollectionItem]
    model: str | None
    words_alone: LackItem | None

    @classmethod
    def of(cls, status: Status) -> Self:
        """The document of the state of the index."""
        return cls(
            collections=[
                CollectionItem(name=each.name, documents=each.documents, chunks=each.chunks, vectors=each.vectors)
                for each in status.collections
            ],
            model=status.model,
            words_alone=LackItem.of(status.without_meaning),
        )


class RejectionItem(Document):
    """A page that was not taken; what was known of it before stays."""

    path: str
    code: str
    why: str

    @classmethod
    def of(cls, rejection: Rejection) -> Self:
        """The item of a rejection."""
        return cls(path=rejection.path, code=rejection.error.code.id, why=rejection.error.why)


class SyncDocument(Document):
    """What a sync, or a part of one, came to."""

    schema_: Literal["atom.knowledge-sync/v1"] = Field(default="atom.knowledge-sync/v1", alias="schema")
    collection: str
    pages: int = 0
    changed: int = 0
    removed: int = 0
    rejected: list[RejectionItem] = Field(default_factory=list)
    more: bool = False

    @classmethod
    def of(cls, synced: Synced) -> Self:
        """The document of a whole sync."""
        return cls(
            collection=synced.collection,
            pages=synced.pages,
            changed=synced.changed,
            removed=synced.removed,
            rejected=[RejectionItem.of(each) for each in synced.rejected],
        )
