"""What a worker works with: passed to everything that executes segments."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from atomctl.db.session import Sessions
from atomctl.objects.model import ObjectStore
from atomctl.runs.live import LiveSegments
from atomctl.runs.outage import through_outages
from atomctl.runs.plan import Abilities
from atomctl.runs.steps.model import LogSink, StepRequest, StepResult
from atomctl.secrets.model import SecretSource

if TYPE_CHECKING:
    from atomctl.runs.steps.jobs.place import JobPlace

_T = TypeVar("_T")


class StepRunner(Protocol):
    """Executes attempts: `steps.executors.StepExecutor`, or a fake where steps are not the point."""

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        """The attempt has ended, with its whole process tree, when this returns."""

    def recorded(self, attempt_id: UUID) -> StepResult | None:
        """The result that an attempt left on this machine although its worker died; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """One per worker process.

    Attributes:
        stopping: set when the worker is asked to stop: no further step is started.
        scratch: a folder of this worker, mode 0700; each attempt extracts its package below it.
        secrets: where the secrets of steps are read; None: no store is configured.
        jobs: where shell steps run as Jobs; None: nowhere.
    """

    sessions: Sessions
    objects: ObjectStore
    worker_id: UUID
    steps: StepRunner
    scratch: Path
    secrets: SecretSource | None = None
    jobs: JobPlace | None = None
    abilities: Abilities = field(default_factory=Abilities)
    live: LiveSegments = field(default_factory=LiveSegments)
    stopping: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when this process must not wait for the database any more."""

    def patiently(self, transaction: Callable[[], _T]) -> _T:
        """The result of one transaction, tried again while the database is away.

        Raises:
            AtomError: DBA001 it stayed away, or the worker has to end.
        """
        return through_outages(transaction, self.gone)
