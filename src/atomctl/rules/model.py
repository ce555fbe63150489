"""The values of the validator: rules, the hits of their predicates, findings, and the result of a validation.

A `Rule` is metadata as data plus one pure predicate over facts. A predicate yields `Hit`s that say where inside the
subject it looked and what it saw; the runner turns a hit into a `Finding` with file, line and column. Nothing here
does I/O, and every order is defined, so the same package gives the same findings in the same order.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from atomctl.canonical import Digest

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from a document's root to a value."""


class Severity(enum.StrEnum):
    """How bad it is if the finding is right; `critical` alone blocks a package."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
    """Worth knowing; adds nothing to the risk score."""

    @property
    def rank(self) -> int:
        """0 for critical to 4 for info: sorting by it puts the worst first."""
        return _RANK[self]


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Confidence(enum.StrEnum):
    """How sure the rule is that what it saw is what it names."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Compound(enum.StrEnum):
    """A part that a finding plays in a threat made of several findings; the risk score multiplies by it."""

    HOST_BREAKOUT = "privileged-or-host-breakout"
    CLUSTER_ESCALATION = "cluster-escalation"
    SECRET_READABLE = "secret-readable"  # noqa: S105  # a name, not a secret
    EXTERNAL_EGRESS = "external-egress"
    HARDCODED_SECRET = "hardcoded-secret"  # noqa: S105  # a name, not a secret
    AUTO_WITHOUT_ROLLBACK = "auto-without-rollback"


class Family(enum.StrEnum):
    """What a rule is about: one file, one section of the reference."""

    HOST = "host"
    CONFINEMENT = "confinement"
    IDENTITY = "identity"
    IMAGES = "images"
    RESOURCES = "resources"
    RBAC = "rbac"
    NETWORK = "network"
    SECRETS = "secrets"
    CODE = "code"
    SHELL = "shell"
    EGRESS = "egress"
    API = "api"
    PACKAGE = "package"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Controls:
    """Controls of other catalogues that evidence from this rule supports; never a claim of compliance.

    Ids follow SOC 2 trust services criteria (2017), ISO/IEC 27001:2022 Annex A and NIST SP 800-53 rev. 5.
    """

    soc2: tuple[str, ...] = ()
    iso27001: tuple[str, ...] = ()
    nist80053: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One file of a package, either as it should be or as the rule finds it."""

    text: str
    file: str = "manifests/example.yaml"
    beside: tuple[tuple[str, str], ...] = ()
    """Names and texts of further files that the example needs."""


class Hit(NamedTuple):
    """What a predicate saw.

    `path` is relative to the subject. `offset` is the character offset inside the text at that path, for subjects that
    are text (scripts, tokens). `object` overrides the subject's own name, for instance to name a container.
    """

    path: Path
    message: str
    object: str | None = None
    offset: int | None = None
    severity: Severity | None = None
    """Set where this occurrence weighs differently from the rule's usual severity."""
    compound: frozenset[Compound] | None = None
    """Set where this occurrence plays other parts than the rule's usual ones."""


Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[Subject]):
    """One thing the validator looks for: metadata, two examples and a pure predicate.

    Raises:
        ValueError: on creation, when an example is missing: such a rule does not load.
    """

    id: str
    """Kebab-case; authors type it, so it never changes its meaning."""
    title: str
    severity: Severity
    confidence: Confidence = Confidence.HIGH
    family: Family
    kinds: tuple[str, ...]
    """Kinds of object the rule reads, for people; the predicate's subject decides what it gets."""
    remediation: str
    references: tuple[str, ...]
    cwe: tuple[int, ...] = ()
    controls: Controls = Controls()
    bypassable: bool = True
    compound: frozenset[Compound] = frozenset()
    yields_to: tuple[str, ...] = ()
    """Rules that say the same more exactly: where one of them finds something on a line, this one keeps silent."""
    good: Example
    bad: Example
    example_config: RuleConfig | None = None
    """What a deployment must have set for the examples to tell good from bad."""
    subject: type[Subject]
    check: Callable[[Subject, RuleConfig], Iterable[Hit]]

    def __post_init__(self) -> None:
        if not self.good.text.strip() or not self.bad.text.strip():
            raise ValueError(f"rule {self.id} has no good or no bad example")

    def to_json(self) -> dict[str, Any]:
        """All the rule says of itself, examples included; `name` is its id."""
        return {
            "name": self.id,
            "title": self.title,
            "severity": self.severity.value,
            "confidence": self.confidence.value,
            "family": self.family.value,
            "kinds": list(self.kinds),
            "remediation": self.remediation,
            "references": list(self.references),
            "cwe": list(self.cwe),
            "soc2": list(self.controls.soc2),
            "iso27001": list(self.controls.iso27001),
            "nist80053": list(self.controls.nist80053),
            "bypassable": self.bypassable,
            "compound": sorted(member.value for member in self.compound),
            "yields_to": list(self.yields_to),
            "good": self.good.text,
            "bad": self.bad.text,
        }


AnyRule: TypeAlias = Rule[Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the validator saw, where it stands, and how to mend it.

    Line and column are 1-based and exact. `object` names what was looked at, as `Deployment/web container app`.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    message: str
    file: str
    line: int
    column: int
    object: str
    remediation: str
    bypassable: bool
    compound: frozenset[Compound] = frozenset()

    @property
    def order(self) -> tuple[str, int, int, str, str, str]:
        """The sorting key of reports: by place, then rule."""
        return (self.file, self.line, self.column, self.rule, self.object, self.message)

    def to_json(self) -> dict[str, Any]:
        """The finding as it stands in a report; `compound` sorted."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "confidence": self.confidence.value,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "object": self.object,
            "remediation": self.remediation,
            "bypassable": self.bypassable,
            "compound": sorted(member.value for member in self.compound),
        }


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that an author's comment sets aside, with the reason given; it is listed, never hidden."""

    finding: Finding
    reason: str
    until: datetime.date
    line: int
    """Where the comment stands, in the finding's file."""

    def to_json(self) -> dict[str, Any]:
        """The finding's JSON with `suppression: {reason, until, line}`."""
        suppression = {"reason": self.reason, "until": self.until.isoformat(), "line": self.line}
        return {**self.finding.to_json(), "suppression": suppression}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConfig:
    """What a deployment sets for the rules; part of what decides, so it is digested with them.

    Quantities are plain numbers: CPU in millicores, memory and storage in bytes.
    """

    today: datetime.date | None = None
    """The day (UTC) suppressions expire against. Without one no suppression is honoured, and each says so."""
    cpu_limit_millicores: int = 4_000
    memory_limit_bytes: int = 8 * 1024**3
    storage_limit_bytes: int = 100 * 1024**3
    trusted_registries: tuple[str, ...] = ()
    """Registry hosts images may come from; empty = any."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts, or `*.suffix`, that steps may call without a finding."""
    max_timeout: datetime.timedelta = datetime.timedelta(hours=6)
    fingerprint_salt: bytes = b"atom/secret-fingerprint/v1"
    """Keys the fingerprints that stand in reports for the values of secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All the validator saw in one package.

    `not_understood` names files whose content could not be read as what it claims to be: a decision must not treat
    their silence as approval.
    """

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    not_understood: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    facts_digest: Digest
    rules_digest: Digest
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many of each was looked at: objects, pods, settings, scripts, calls; how many texts hold secrets; what was
    left unread."""
