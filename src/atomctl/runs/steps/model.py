"""What a step attempt is asked to do, what came of it, and where its log goes. Values only."""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from uuid import UUID

from atomctl.wpk.model import Runtime

if TYPE_CHECKING:
    from atomctl.canonical import Json
    from atomctl.errors import Code
    from atomctl.runs.steps.kubernetes.model import Grounds, ObjectChange
    from atomctl.wpk.model import HandlerType

Stream: TypeAlias = Literal["stdout", "stderr"]

MEBIBYTE = 1024 * 1024


class Outcome(enum.StrEnum):
    """How an attempt ended; nothing else can happen to one."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """Nothing was started: the worker or the request does not allow it."""


class IsolationLevel(enum.StrEnum):
    """What stood between a step and the machine it ran on."""

    BUBBLEWRAP = "bubblewrap"
    """Own namespaces of every kind, an empty network, read-only system, no capabilities."""
    JOB = "job"
    """A Kubernetes Job of its own: a Pod under restricted Pod Security, without a token."""
    NONE = "none"
    """A plain process (not root): limits and a killed tree, but the host's files and network."""
    NOT_NEEDED = "in_worker"
    """No process was started: an HTTP call made by the worker itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one attempt may use. Memory and processes bind the tree where a cgroup can be written, else each process."""

    memory_bytes: int = 512 * MEBIBYTE
    processes: int = 256
    cpu_seconds: int = 3600
    file_bytes: int = 256 * MEBIBYTE
    """The largest file a step may write."""
    scratch_bytes: int = 256 * MEBIBYTE
    """The size of the memory-backed `/tmp` inside the sandbox."""
    open_files: int = 256
    log_bytes: int = 50_000_000
    """What is kept of stdout and stderr together: the head and the tail."""
    grace: timedelta = timedelta(seconds=5)
    """From TERM to KILL, on timeout and on cancel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """One attempt of one step: everything is decided, rendered and verified; what is left is to do it.

    `config` is the handler's configuration with its templates rendered. `folder` is the extracted, verified package,
    which the step reads and cannot change. `env` holds what the handler declares; `parameters` become
    `ATOM_PARAM_<NAME>`; `secrets` reach a shell step as files named by `ATOM_SECRET_<NAME>_FILE`, never as text in an
    environment or an argument.
    """

    step_name: str
    handler: HandlerType
    attempt_id: UUID
    config: Mapping[str, Json]
    folder: Path
    timeout: timedelta
    parameters: Mapping[str, Json] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    network: tuple[str, ...] = ()
    """The approved `host:port` pairs a shell step may reach; none by default."""
    idempotency_key: str | None = None
    """The run and step id, the same for every attempt: `ATOM_IDEMPOTENCY_KEY`, and the header of an api step."""
    limits: Limits = field(default_factory=Limits)
    context: Mapping[str, Json] = field(default_factory=dict)
    """What `success.when` of an api step reads beside `response`: `params`, `steps` and `run`."""
    tenant_id: UUID = UUID(int=0)
    run_id: UUID = UUID(int=0)
    """Whose attempt it is; where steps are Jobs, these are found by it."""
    runtime: Runtime = field(default_factory=Runtime)
    """Where the package wants its shell steps to run, and what they need."""
    probe: bool = False
    """Whether it only asks about a lost attempt, and leaves no record of its own."""
    grounds: Grounds | None = None
    """What a k8s step that changes objects stands on; None for other handlers and for probes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What came of an attempt. `outputs` and `error` are masked; the times are UTC.

    `exit_code` is the process's (128 + n after signal n) or the HTTP status of an api step; None if there was none.
    `code` names the refusal or failure where ATOM, and not the step, speaks.
    """

    outcome: Outcome
    started: datetime
    ended: datetime
    isolation: IsolationLevel
    exit_code: int | None = None
    outputs: Mapping[str, Json] = field(default_factory=dict)
    error: str | None = None
    code: Code | None = None
    log_bytes_dropped: int = 0
    """How many masked bytes between head and tail were left out of the log."""
    changes: tuple[ObjectChange, ...] = field(default=(), repr=False)
    """What a k8s step changed in the cluster, in order, also when it failed in the end."""


class Halt(threading.Event):
    """Set when a step has to stop."""

    leave = False
    """Whether only this worker has to let go: what can go on without it does, and the run's next owner attends it."""


class LogSink(Protocol):
    """Takes the masked log of one attempt, in order. May block (back-pressure); must not raise for content."""

    def write(self, stream: Stream, data: bytes) -> None:
        """`data` is appended to the attempt's log as having come from `stream`."""
