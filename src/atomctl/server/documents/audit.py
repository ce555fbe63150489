"""The audit log as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field

from atomctl.audit.log import LoggedEntry
from atomctl.server.documents.base import Document


class EntryDocument(Document):
    """One entry with its place in the log; `personal` holds what was not erased of the values it commits to."""

    schema_: Literal["atom.audit-entry/v1"] = Field(default="atom.audit-entry/v1", alias="schema")
    index: int
    id: UUID
    time: datetime
    action: str
    subject: str
    result: str
    actor: UUID | None
    run: UUID | None
    code: str | None
    why: str | None
    digests: dict[str, str]
    detail: dict[str, Any]
    personal: dict[str, str | None]

    @classmethod
    def of(cls, logged: LoggedEntry) -> Self:
        """The document of an entry; a field the recorded bytes leave out is empty."""
        entry = logged.entry
        optional = {name: entry.get(name) for name in ("actor", "run", "code", "why")}
        objects = {name: entry.get(name) or {} for name in ("digests", "detail")}
        said = {name: entry.get(name) for name in ("action", "subject", "result")}
        return cls.model_validate(
            {
                **said,
                **optional,
                **objects,
                "index": logged.index,
                "id": logged.entry_id,
                "time": logged.time,
                "personal": dict(logged.personal),
            }
        )


class EntryPage(Document):
    """Some entries, the newest first; `waiting` are recorded and not in the log yet."""

    schema_: Literal["atom.audit-entry-page/v1"] = Field(default="atom.audit-entry-page/v1", alias="schema")
    items: list[EntryDocument]
    next: str | None
    waiting: int
