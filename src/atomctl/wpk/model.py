"""The manifest as frozen values. The defaults here are the schema's defaults (a test compares them): the safe ones.

What is declared is kept as written where its meaning belongs to somebody else: quantities stay Kubernetes quantities,
a handler's `config` stays the JSON its schema accepted, with its templates not yet rendered.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from atomctl.canonical import Json

API_VERSIONS = ("atom/v1", "v1")
KIND = "WorkflowPackage"


class HandlerType(enum.StrEnum):
    """What carries a step out."""

    SHELL = "shell"
    K8S = "k8s"
    API = "api"
    APPROVAL = "approval"
    PACKAGE = "package"


class RuntimeType(enum.StrEnum):
    """Where shell steps run: in the worker's sandbox, or as a Kubernetes Job; `docker` is read as a Job."""

    SHELL = "shell"
    K8S = "k8s"
    DOCKER = "docker"


class Mode(enum.StrEnum):
    """Who starts a run: a person, or a trigger too."""

    MANUAL = "manual"
    AUTO = "auto"


class Idempotency(enum.StrEnum):
    """What may happen to a step whose end was not recorded, because its worker died."""

    SAFE = "safe"
    """It may simply run again."""
    KEY = "key"
    """It may run again: the other side recognises `ATOM_IDEMPOTENCY_KEY`."""
    REATTACH = "reattach"
    """The Job or result file of the first attempt is looked up."""
    CHECK = "check"
    """The handler's probe says whether it happened."""
    UNSAFE = "unsafe"
    """Nobody knows; a person decides."""


class TriggerType(enum.StrEnum):
    """What can start a run besides a person."""

    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    EVENT = "event"


class LoggingLevel(enum.StrEnum):
    """How much of a run's own progress is logged; what steps print is always kept."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Who the package is."""

    name: str
    version: str
    """SemVer 2."""
    description: str = ""
    author: str = ""
    created: datetime | None = None
    """With a time zone."""
    tags: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a shell step may use, as Kubernetes quantities; None leaves the worker's limit."""

    cpu: str | None = None
    memory: str | None = None
    storage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where shell handlers run."""

    type: RuntimeType = RuntimeType.SHELL
    version: str | None = None
    """Versions of the runtime that will do, such as `>=1.28`."""
    image: str | None = None
    """The image of Jobs."""
    requirements: Requirements = field(default_factory=Requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """Where a secret lies; never its value."""

    path: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What the author demands; policies may only demand more."""

    mode: Mode = Mode.MANUAL
    approval_required: bool = True
    dry_run_required: bool = True
    rollback_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One thing that starts runs; `config` has the form its type's schema gives it."""

    type: TriggerType
    config: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a failed step is tried, and how long to wait before the second try; the wait doubles each time."""

    max_attempts: int = 1
    backoff: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Asks whether a step has happened: a shell probe by exit code 0, an api probe by its `success`."""

    type: HandlerType
    config: Mapping[str, Json]
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """One step, of the workflow or of its rollback."""

    name: str
    type: HandlerType
    config: Mapping[str, Json]
    """Accepted by the schema of the type; templates (`${{ }}`) are not rendered yet."""
    needs: tuple[str, ...] = ()
    """The handlers that must have ended well. Already filled in: a workflow handler that names none needs the one
    before it; a rollback handler that names none waits for nobody."""
    when: str | None = None
    """CEL; the step is skipped when it is false."""
    timeout: timedelta = timedelta(minutes=5)
    retry: Retry = field(default_factory=Retry)
    idempotency: Idempotency = Idempotency.UNSAFE
    """Already filled in: what only reads or states the wanted end is `safe`."""
    probe: Probe | None = None
    """Present exactly when `idempotency` is `check`."""
    compensates: str | None = None
    """Of a rollback handler: it runs only if the handler of this name was started. None: it runs in every rollback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What undoes the workflow. Handlers run in reverse order of what they compensate."""

    enabled: bool = True
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What the author says the package needs; the validator compares it with what the package does."""

    schema_version: str = "v1"
    required_permissions: tuple[str, ...] = ()
    """`resource/verb`, as in `deployments/patch`."""
    resource_limits: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Somebody to tell when a run reaches a state."""

    name: str
    event: str
    """`succeeded`, `failed`, `timed_out`, `rolled_back`, `rollback_incomplete` or `awaiting_approval`."""
    severity: str = "warning"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What is observed of a run."""

    metrics_enabled: bool = True
    logging_level: LoggingLevel = LoggingLevel.INFO
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A `wpk.yaml` that was accepted, with every default filled in."""

    metadata: Metadata
    handlers: tuple[Handler, ...]
    runtime: Runtime = field(default_factory=Runtime)
    parameters: Mapping[str, Json] = field(default_factory=dict)
    """A JSON Schema 2020-12 object schema."""
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    safety: Safety = field(default_factory=Safety)
    triggers: tuple[Trigger, ...] = ()
    rollback: Rollback = field(default_factory=Rollback)
    validation: Validation = field(default_factory=Validation)
    monitoring: Monitoring = field(default_factory=Monitoring)

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.metadata.name

    @property
    def version(self) -> str:
        """The package's SemVer 2 version."""
        return self.metadata.version

    @property
    def rolls_back(self) -> bool:
        """Whether a failed run is rolled back: allowed by `safety`, enabled, and with something to do."""
        return self.safety.rollback_enabled and self.rollback.enabled and bool(self.rollback.handlers)
