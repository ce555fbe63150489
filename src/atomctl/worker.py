"""The worker process: executes runs, relays segments, looks after other workers, keeps the audit log moving.

It ends in one of three ways. Asked to stop (SIGTERM), it starts no further step, gives the running ones `grace`, and
hands the rest over. Declared dead by the others, it kills its steps and ends at once, because somebody else owns them.
Killed, it leaves everything to the others: nothing that is recorded is lost or repeated.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

import atomctl
from atomctl.approvals.model import Approval
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.runs import live, outage
from atomctl.runs.context import StepRunner, WorkerContext
from atomctl.runs.engine import DbosEngine
from atomctl.runs.expiry import expire_approvals
from atomctl.runs.job_sweep import JobSweep
from atomctl.runs.live import Interruption
from atomctl.runs.membership import BEAT, Member, Patience
from atomctl.runs.plan import Abilities
from atomctl.runs.recovery import QUIET, Recovery
from atomctl.runs.relay import Relay
from atomctl.runs.segment_work import run_segment
from atomctl.secrets.model import SecretSource
from atomctl.telemetry.logs import get_logger

if TYPE_CHECKING:
    from atomctl.runs.steps.jobs.place import JobPlace

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker behaves; the defaults are for production.

    Attributes:
        slots: segments executed at the same time.
        poll: seconds between two looks at the engine's queue.
        watch: seconds between two looks for cancelled and lost segments.
        recover: seconds between two looks for work that nobody does.
        quiet: how long a segment must not have changed before it is compared with the engine.
        expire: seconds between two looks for overdue approvals.
        sweep: seconds between two looks for Jobs that nobody needs any more.
        grace: how long running steps may go on when the worker is asked to stop.
        ready_file: touched at every heartbeat, and removed at the end: what a probe looks at.
    """

    slots: int = 8
    poll: float = 0.1
    watch: float = 0.25
    recover: float = 1.0
    quiet: timedelta = QUIET
    expire: float = 5.0
    sweep: float = 20.0
    grace: timedelta = timedelta(seconds=30)
    patience: Patience = field(default_factory=Patience)
    ready_file: Path | None = None


class Worker:
    """One worker.

    Args:
        address: the database.
        objects: where packages and logs lie.
        steps: what carries steps out.
        scratch: a folder of this worker for packages in use.
        isolation: what the worker's row says about its sandbox.
        follow: what follows the end of an approval, by its subject.
        secrets: where the secrets of steps are read; None: no store is configured.
        jobs: where shell steps run as Jobs, as `steps` has it too; None: nowhere.
        abilities: what this worker can carry out, which its plans are made with.
        background: further loops that run until they are told to stop, such as the audit sequencer's.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        objects: ObjectStore,
        steps: StepRunner,
        scratch: Path,
        *,
        isolation: str,
        follow: Callable[[Connection, Approval], None],
        secrets: SecretSource | None = None,
        jobs: JobPlace | None = None,
        abilities: Abilities | None = None,
        background: tuple[Callable[[threading.Event], None], ...] = (),
        options: WorkerOptions | None = None,
    ) -> None:
        self.id = new_id()
        self._options = options or WorkerOptions()
        self._sessions = Sessions(
            address, DatabaseRole.WORKER, min_size=1, max_size=self._options.slots + 6, name="atom-worker"
        )
        self._context = WorkerContext(
            sessions=self._sessions,
            objects=objects,
            worker_id=self.id,
            steps=steps,
            scratch=scratch,
            secrets=secrets,
            jobs=jobs,
            abilities=abilities or Abilities(),
        )
        self._engine = DbosEngine(
            address,
            self.id,
            lambda segment, durable: run_segment(self._context, segment, durable),
            slots=self._options.slots,
            poll=self._options.poll,
        )
        facts = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": atomctl.__version__,
            "isolation": isolation,
        }
        self._member = Member(address, self.id, facts, self._options.patience)
        self._relay = Relay(self._sessions, address, self._engine)
        self._recovery = Recovery(
            self._sessions, self._engine, str(self.id), self._context.live, quiet=self._options.quiet
        )
        self._sweeps = (JobSweep(self._sessions, jobs).look,) if jobs is not None else ()
        self._follow = follow
        self._background = background
        self._fenced = threading.Event()

    def run(self, stop: threading.Event) -> bool:
        """Works until `stop` is set; True if it ended as asked, False if the others had declared it dead.

        Raises:
            AtomError: DBA001 the database cannot be reached at the start, RUN612 the engine does not start.
        """
        try:
            self._member.join()
            self._engine.start()
            with self._threads(threading.Event()):
                _log.info("worker.ready", worker=str(self.id), slots=self._options.slots)
                self._beat_until(stop)
                self._wind_down()
        finally:
            self._engine.stop()
            self._leave()
            self._sessions.close()
        return not self._fenced.is_set()

    def _beat_until(self, stop: threading.Event) -> None:
        """Heartbeats until it is over; a database that is away is waited for."""
        while not stop.is_set() and not self._fenced.is_set():
            started = time.monotonic()
            try:
                membership = self._member.beat()
            except (AtomError, psycopg.Error) as error:
                _log.warning("heartbeat.failed", why=str(error))
            else:
                self._show_ready()
                if not membership.member:
                    _log.error("worker.fenced", worker=str(self.id), why="another worker declared it dead")
                    self._fenced.set()
                for worker in membership.died:
                    _log.warning("worker.died", worker=str(worker))
            stop.wait(max(0.0, BEAT.total_seconds() - (time.monotonic() - started)))

    def _wind_down(self) -> None:
        """Nothing new is started; what runs may end within the grace, and is then stopped and handed over."""
        if self._options.ready_file is not None:
            self._options.ready_file.unlink(missing_ok=True)
        self._context.stopping.set()
        grace = timedelta(0) if self._fenced.is_set() else self._options.grace
        self._wait_for_segments(grace)
        reason = Interruption.FENCED if self._fenced.is_set() else Interruption.SHUTDOWN
        self._context.live.interrupt_all(reason)
        self._wait_for_segments(timedelta(seconds=30))
        self._context.gone.set()

    def _wait_for_segments(self, limit: timedelta) -> None:
        deadline = time.monotonic() + limit.total_seconds()
        while self._context.live.snapshot() and time.monotonic() < deadline:
            time.sleep(0.02)
            if not self._fenced.is_set():
                self._beat_quietly()

    def _beat_quietly(self) -> None:
        try:
            self._member.beat()
        except (AtomError, psycopg.Error) as error:
            _log.warning("heartbeat.failed", why=str(error))

    def _leave(self) -> None:
        """The others know at once; a worker that was declared dead stays dead."""
        try:
            self._member.leave()
        except (AtomError, psycopg.Error) as error:
            _log.warning("worker.unheard", why=str(error))

    def _show_ready(self) -> None:
        if self._options.ready_file is not None:
            self._options.ready_file.touch()

    @contextmanager
    def _threads(self, stop: threading.Event) -> Iterator[None]:
        options = self._options
        repeated: tuple[tuple[str, float, Callable[[], Any]], ...] = (
            ("watch", options.watch, self._watch),
            ("recovery", options.recover, self._recovery.look),
            ("expiry", options.expire, lambda: expire_approvals(self._sessions, self._follow)),
            ("history", 3600.0, self._recovery.forget_history),
            *(("jobs", options.sweep, sweep) for sweep in self._sweeps),
        )
        threads = [
            threading.Thread(target=_repeat, args=(stop, pause, do, name), name=f"atom-{name}")
            for name, pause, do in repeated
        ]
        threads.append(threading.Thread(target=self._relay.run, args=(stop,), name="atom-relay"))
        threads += [threading.Thread(target=loop, args=(stop,), name="atom-background") for loop in self._background]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=30)

    def _watch(self) -> None:
        for entry in self._context.live.snapshot():
            if (tick := entry.tick) is not None:
                tick()
        live.look(self._sessions, self._context.live)


def _repeat(stop: threading.Event, pause: float, do: Callable[[], Any], name: str) -> None:
    """Does it again and again; a failure is logged and does not end the loop, because each look stands for itself."""
    while not stop.is_set():
        try:
            do()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look must take place
            if outage.is_outage(error):
                _log.warning("database.away", loop=name)
            else:
                _log.exception("loop.failed", loop=name)
        stop.wait(pause)
