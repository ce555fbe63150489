"""What the registry holds, as values. Times are UTC."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atomctl.canonical import Digest, Json
from atomctl.errors import AtomError
from atomctl.policy.assessment import Assessment
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.verify import Verdict


@dataclass(frozen=True, slots=True)
class Coordinates:
    """What a package is published as."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class PackageState(enum.StrEnum):
    """Whether a version may be run, as far as the registry decides."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    """Decided `block`: stored, so that an override can bind to it, and not run without one."""
    YANKED = "yanked"


class Mark(enum.StrEnum):
    """What a version carries for ever."""

    OVERRIDDEN = "overridden"
    UNTRUSTED = "untrusted"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRecord:
    """One published version."""

    id: UUID
    tenant_id: UUID
    workflow_id: UUID
    name: str
    version: str
    digest: Digest
    manifest_digest: Digest
    manifest: Mapping[str, Json]
    size: int
    object_key: str
    outcome: str
    """Of the decision made at push, from the package alone."""
    score: int
    decision: Mapping[str, Json]
    decision_digest: Digest
    verdict: Mapping[str, Json]
    environment: str
    """The environment whose trust rules accepted it."""
    marks: frozenset[Mark]
    pushed_by: UUID
    pushed_at: datetime
    yanked_by: UUID | None
    yanked_at: datetime | None
    yank_reason: str | None

    @property
    def coordinates(self) -> Coordinates:
        """Its name and version."""
        return Coordinates(self.name, self.version)

    @property
    def state(self) -> PackageState:
        """Where it stands; a yank outweighs a block."""
        if self.yanked_at is not None:
            return PackageState.YANKED
        return PackageState.BLOCKED if self.outcome == "block" else PackageState.ACCEPTED


@dataclass(frozen=True, slots=True)
class Published:
    """What a push led to; `created` is False when the same bytes were there already."""

    package: PackageRecord
    verdict: Verdict
    assessment: Assessment
    created: bool


class PublishRefusedError(AtomError):
    """A refused push, with what an auditor needs to know about it; the code is the reason's own."""

    def __init__(self, reason: AtomError, digest: Digest, coordinates: Coordinates | None, verdict: Verdict | None):
        super().__init__(reason.code, reason.why, hint=reason.hint)
        self.digest = digest
        self.coordinates = coordinates
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Workflow:
    """A name with versions; `latest` is the highest of them that is not yanked."""

    id: UUID
    name: str
    created_at: datetime
    versions: int
    latest: str | None


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A signing key as the tenant registered it; `record.principal` is its owner's id."""

    record: KeyRecord
    registered_by: UUID
    registered_at: datetime


class RulesState(enum.StrEnum):
    """Where a version of the trust rules stands."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """One version of the tenant's trust rules; `bootstrap`: one person put it in force alone."""

    id: UUID
    version: int
    document: Mapping[str, Json]
    digest: Digest
    state: RulesState
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    activated_at: datetime | None
    bootstrap: bool
    approval_id: UUID | None
