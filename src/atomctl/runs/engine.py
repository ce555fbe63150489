"""The durable engine, DBOS Transact, behind one narrow port. Nothing else imports it.

What is used of it: workflows under deterministic ids on one queue, recorded steps, and the public
`list_workflows` and `resume_workflows`. What is not: its notices and events (they hold a thread per waiter), its
timeouts (async steps alone), its cancellation (it discards the result of the running step), its schedules, its HTTP and
its cloud. Values in its tables are JSON, never pickle, so that whoever can write there cannot run code here.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import sqlalchemy
from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID

from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError
from atomctl.runs import codes
from atomctl.runs.model import SegmentKey

if TYPE_CHECKING:
    from atomctl.canonical import Json
    from atomctl.db.address import DatabaseAddress
    from atomctl.runs.interpreter import Durable

VERSION = "segments-1"
"""The pinned application version: workers of another one leave each other's segments alone. Change it together with
the order of steps in `interpreter`, never without."""

SCHEMA = "engine"
QUEUE = "runs"
_WORKFLOW = "run_segment"
_CONNECT_FOR = timedelta(seconds=60)
_CONNECT_PAUSE = 0.1
_BATCH = 500


class EngineState(enum.StrEnum):
    """How the engine has a segment."""

    QUEUED = "queued"
    TAKEN = "taken"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class EngineWork:
    """One engine workflow: its id, its state, and the worker that took it last."""

    engine_id: str
    state: EngineState
    worker_id: str | None


class DbosEngine:
    """One per process, because DBOS keeps one instance in a module variable.

    Args:
        address: the database; the role is `atom_engine`.
        worker_id: becomes the executor id, so what a dead worker held can be found.
        run: drives one segment; it may raise `BaseException` to let go of a segment without an outcome.
        slots: how many segments this process executes at the same time.
        poll: seconds between two looks at the queue.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        worker_id: UUID,
        run: Callable[[SegmentKey, Durable], None],
        *,
        slots: int = 8,
        poll: float = 0.1,
    ) -> None:
        self._address = address
        self._worker_id = worker_id
        self._run = run
        self._slots = slots
        self._poll = poll
        self._stopping = threading.Event()
        self._workflow: Callable[[str, str, int], None] | None = None
        self._database: sqlalchemy.Engine | None = None

    def start(self) -> None:
        """The engine's schema is up to date, and segments on the queue are being executed.

        Raises:
            AtomError: RUN612 the database cannot be reached.
        """
        _quiet_logging()
        self._database = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_size=self._slots + 6,
            max_overflow=4,
            pool_pre_ping=True,
        )
        DBOS(
            config={
                "name": "atomctl",
                "system_database_engine": self._database,
                "dbos_system_schema": SCHEMA,
                "application_version": VERSION,
                "executor_id": str(self._worker_id),
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "log_level": "WARNING",
            }
        )
        self._workflow = DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(self._segment_function())
        try:
            DBOS.launch()
            DBOS.register_queue(
                QUEUE, worker_concurrency=self._slots, polling_interval_sec=self._poll, on_conflict="always_update"
            )
        except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error) as error:
            raise AtomError(codes.ENGINE, f"starting: {error}") from error

    def submit(self, segment: SegmentKey) -> None:
        """The segment is on the queue under its deterministic id; a repeat changes nothing."""
        assert self._workflow is not None, "start() comes first"
        with SetWorkflowID(segment.engine_id):
            DBOS.enqueue_workflow(QUEUE, self._workflow, str(segment.tenant_id), str(segment.run_id), segment.number)

    def unfinished(self) -> list[EngineWork]:
        """What workers have taken and not ended, oldest first."""
        return self._list(status="PENDING")

    def find(self, engine_ids: Sequence[str]) -> dict[str, EngineWork]:
        """What the engine knows of these ids; an id that was never enqueued is absent."""
        if not engine_ids:
            return {}
        return {work.engine_id: work for work in self._list(workflow_ids=list(engine_ids))}

    def recover(self, engine_ids: Iterable[str]) -> None:
        """The workflows are on the queue again, for any worker. Only for workers that are known to be gone."""
        ids = list(engine_ids)
        if ids:
            DBOS.resume_workflows(ids, queue_name=QUEUE)

    def forget(self, before: datetime) -> int:
        """Deletes the engine's history of up to 500 workflows that ended before `before` (UTC); how many."""
        ended = DBOS.list_workflows(
            completed_before=before.isoformat(), limit=_BATCH, load_input=False, load_output=False
        )
        ids = [workflow.workflow_id for workflow in ended]
        if ids:
            DBOS.delete_workflows(ids)
        return len(ids)

    def stop(self) -> None:
        """Nothing is taken from the queue any more, and the connections are closed."""
        self._stopping.set()
        DBOS.destroy(destroy_registry=True)
        if self._database is not None:
            self._database.dispose()

    def _segment_function(self) -> Callable[[str, str, int], None]:
        """A function of its own, because DBOS writes attributes on what it registers, which a method does not take."""

        def run_segment(tenant_id: str, run_id: str, number: int) -> None:
            self._run(SegmentKey(UUID(tenant_id), UUID(run_id), number), _DbosDurable())

        return run_segment

    def _list(self, **filters: Any) -> list[EngineWork]:
        found = DBOS.list_workflows(load_input=False, load_output=False, name=_WORKFLOW, **filters)
        return [EngineWork(w.workflow_id, _state(w.status), w.executor_id) for w in found]

    def _connect(self) -> psycopg.Connection[Any]:
        """A connection, however long PostgreSQL takes to come back (a minute at most).

        DBOS retries a statement whose connection broke, but not "connection is bad", which is what psycopg says about
        a Unix socket that is not there: a two-second stop of PostgreSQL would leave half the runs behind.
        """
        deadline = time.monotonic() + _CONNECT_FOR.total_seconds()
        while True:
            try:
                return psycopg.connect(self._address.dsn(DatabaseRole.ENGINE), application_name="atom-engine")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._stopping.wait(_CONNECT_PAUSE):
                    raise


class _DbosDurable:
    """`Durable` on the workflow that the calling thread executes."""

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        result: Json = DBOS.run_step({"name": name}, do)
        return result


def _state(status: str) -> EngineState:
    match status:
        case "ENQUEUED" | "DELAYED":
            return EngineState.QUEUED
        case "PENDING":
            return EngineState.TAKEN
        case _:  # SUCCESS, ERROR, CANCELLED, MAX_RECOVERY_ATTEMPTS_EXCEEDED
            return EngineState.ENDED


def _quiet_logging() -> None:
    """With a handler in place DBOS adds none of its own, and its records reach ours."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
