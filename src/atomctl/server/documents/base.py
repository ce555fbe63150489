"""What all documents share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request's body; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Document(BaseModel):
    """An answer; fields are added, never renamed or removed."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Reasoned(Body):
    """A change that needs a written reason."""

    reason: str


class Place(Document):
    """A number of votes, by people who hold `role` if one is named."""

    role: str | None
    count: int
