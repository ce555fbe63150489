"""What is known about the objects a k8s step changes: what was approved, what this run did to them. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from atomctl.canonical import Digest, Json
from atomctl.kubernetes.calls import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChange:
    """One change of one object by one step: how it was, how it is or, before the answer came, how it is to be.

    The objects are None where there is none: before a creation, after a deletion. Those of a Secret are never `kept`;
    its digests name its resource version.
    """

    step: str
    action: str
    kind: str
    api_version: str
    namespace: str | None
    name: str
    before_digest: Digest | None
    after_digest: Digest | None
    kept: bool = True
    before: Object | None = field(default=None, repr=False)
    after: Object | None = field(default=None, repr=False)

    @property
    def words(self) -> str:
        """The object as people name it: `Deployment shop/web`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def to_json(self) -> dict[str, Json]:
        """As the audit entry of the step shows it: digests, no content."""
        return {
            "object": self.words,
            "action": self.action,
            "before": str(self.before_digest) if self.before_digest else None,
            "after": str(self.after_digest) if self.after_digest else None,
        }


class Ledger(Protocol):
    """Where a change is recorded before it is made, so that what was there survives the worker."""

    def intend(self, change: ObjectChange) -> None:
        """The change is on record; only now it may be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a step that changes objects stands on."""

    owner: str
    """The run and step id, the same in every attempt: what the step's own work is recognised by."""
    try_number: int
    ledger: Ledger = field(repr=False)
    approved: tuple[dict[str, Json], ...] | None = None
    """The objects of the approved preview; None: a compensation, or an object not known before."""
    own: tuple[ObjectChange, ...] = field(default=(), repr=False)
    """What this run has done so far, the oldest first, intents without an answer included."""
    undoes: str | None = None
    """The step that this one compensates."""
