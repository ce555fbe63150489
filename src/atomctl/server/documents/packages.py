"""Packages and workflows as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from atomctl.registry.model import PackageRecord, Workflow
from atomctl.server.documents.base import Body, Document


class PushBody(Body):
    """A package to publish. `name` and `version` are what it is published as; by default what it says itself."""

    archive: str = Field(description="The archive's bytes, base64.")
    bundles: list[str] = Field(
        default_factory=list, max_length=32, description="Sigstore bundles, as their files' text."
    )
    name: str | None = None
    version: str | None = None

    @model_validator(mode="after")
    def _named_whole_or_not(self) -> Self:
        if (self.name is None) != (self.version is None):
            raise ValueError("name and version come together, or neither does")
        return self


class ValidateBody(Body):
    """A package to validate; nothing is stored."""

    archive: str = Field(description="The archive's bytes, base64.")


class Yank(Document):
    """Who took a version out of use."""

    by: UUID
    at: datetime
    reason: str


class PackageSummary(Document):
    """One version, without the evidence."""

    id: UUID
    name: str
    version: str
    digest: str
    manifest_digest: str
    size: int
    pushed_by: UUID
    pushed_at: datetime
    state: str
    marks: list[str]
    yanked: Yank | None
    score: int
    decision: dict[str, Any]

    @classmethod
    def of(cls, record: PackageRecord) -> Self:
        """The document of a record."""
        return cls(**_summary(record))


class PackageDocument(PackageSummary):
    """One version with the verdict and its manifest; `created` is said by a push."""

    schema_: Literal["atom.package/v1"] = Field(default="atom.package/v1", alias="schema")
    verdict: dict[str, Any]
    manifest: dict[str, Any]
    created: bool | None = None

    @classmethod
    def of(cls, record: PackageRecord, created: bool | None = None) -> Self:
        """The document of a record."""
        return cls(**_summary(record), verdict=dict(record.verdict), manifest=dict(record.manifest), created=created)


class PackagePage(Document):
    """Some versions, the newest push first."""

    schema_: Literal["atom.package-page/v1"] = Field(default="atom.package-page/v1", alias="schema")
    items: list[PackageSummary]
    next: str | None


class BundleItem(Document):
    """One bundle, as it was pushed."""

    digest: str
    bundle: str


class BundlesDocument(Document):
    """The bundles a version came with."""

    schema_: Literal["atom.bundles/v1"] = Field(default="atom.bundles/v1", alias="schema")
    items: list[BundleItem]


class WorkflowSummary(Document):
    """A workflow and its highest version that is not yanked."""

    id: UUID
    name: str
    created_at: datetime
    versions: int
    latest: str | None

    @classmethod
    def of(cls, workflow: Workflow) -> Self:
        """The document of a workflow."""
        return cls(**{name: getattr(workflow, name) for name in ("id", "name", "created_at", "versions", "latest")})


class WorkflowDocument(WorkflowSummary):
    """A workflow with its newest versions, at most 200."""

    schema_: Literal["atom.workflow/v1"] = Field(default="atom.workflow/v1", alias="schema")
    packages: list[PackageSummary]


class WorkflowPage(Document):
    """Some workflows, by name."""

    schema_: Literal["atom.workflow-page/v1"] = Field(default="atom.workflow-page/v1", alias="schema")
    items: list[WorkflowSummary]
    next: str | None


def _summary(record: PackageRecord) -> dict[str, Any]:
    yanked = None
    if record.yanked_by is not None and record.yanked_at is not None:
        yanked = Yank(by=record.yanked_by, at=record.yanked_at, reason=record.yank_reason or "")
    same = ("id", "name", "version", "digest", "manifest_digest", "size", "pushed_by", "pushed_at", "score")
    return {
        **{name: getattr(record, name) for name in same},
        "state": record.state.value,
        "marks": sorted(mark.value for mark in record.marks),
        "yanked": yanked,
        "decision": {**record.decision, "digest": record.decision_digest},
    }
