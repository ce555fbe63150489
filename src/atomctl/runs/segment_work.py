"""A segment's work as the interpreter asks for it: transactions of the step protocol around real execution."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.runs import gate, run_course, segments, step_course
from atomctl.runs.attempt_log import AttemptLog, NoLog
from atomctl.runs.context import WorkerContext
from atomctl.runs.follow import probe_answer
from atomctl.runs.interpreter import Durable, Opening, Progress, interpret
from atomctl.runs.job_tracing import discard_job, trace_job
from atomctl.runs.live import Interruption, LiveSegment
from atomctl.runs.model import Phase, Run, RunState, SegmentKey
from atomctl.runs.object_record import AttemptLedger
from atomctl.runs.outage import is_outage
from atomctl.runs.read import run_of
from atomctl.runs.requests import probe_request, step_request
from atomctl.runs.secret_names import read_by
from atomctl.runs.secret_reading import Reader, read_secrets, unstarted
from atomctl.runs.segments import LetGo
from atomctl.runs.step_course import Begun, Found, Lost, Try
from atomctl.runs.steps.kubernetes.model import Grounds
from atomctl.runs.steps.limits import limits_of
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepRequest, StepResult
from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.logs import get_logger, scope
from atomctl.wpk.archive import extract
from atomctl.wpk.model import Handler, HandlerType, Probe

_T = TypeVar("_T")
_log = get_logger(__name__)

TAKEOVERS = 20
"""Owners a segment may have; one that had more takes its workers down, and is given up (`recovery`)."""
CLUSTER_WAIT = timedelta(seconds=20)
"""How long a cluster that is away is waited for before a run with k8s steps is blocked."""


def run_segment(context: WorkerContext, segment: SegmentKey, durable: Durable) -> None:
    """Executes one segment, which this worker then owns; returns at once if it has been closed.

    Raises:
        LetGo: another worker has taken it over, or this one is stopping.
    """
    if context.stopping.is_set():
        raise LetGo("the worker is stopping")

    def claim() -> Any:
        with context.sessions.tenant(segment.tenant_id) as conn:
            return segments.claim(conn, segment, context.worker_id)

    claimed = context.patiently(claim)
    if claimed is None:
        return
    with context.live.track(claimed) as live, scope(tenant=str(segment.tenant_id), run=str(segment.run_id)):
        try:
            if claimed.token > TAKEOVERS:
                raise RuntimeError(f"{segment.engine_id} has ended {TAKEOVERS} workers")
            interpret(durable, Work(context, live))
        except Exception:
            _log.exception("segment.failed", segment=segment.engine_id)
            raise


class Work:
    """`SegmentWork` for one owned segment."""

    def __init__(self, context: WorkerContext, live: LiveSegment) -> None:
        self._context = context
        self._live = live
        self._claim = live.claim
        self._loaded: gate.Material | None = None

    def open(self) -> Opening:
        """Verifies that the run may go on, and says what it needs."""
        refused = self._refused_by_cluster()
        return self._transaction(lambda conn: run_course.open_segment(conn, self._context, self._claim, refused))

    def _refused_by_cluster(self) -> AtomError | None:
        """Why the cluster does not let a run begin or go on; None if it does, or has nothing to do with it.

        Asked outside of any transaction. A cluster that is away is waited for a little while.
        """
        cluster = self._context.abilities.cluster
        segment = self._claim.segment
        run = self._transaction(lambda conn: run_of(conn, segment.tenant_id, segment.run_id))
        if cluster is None or run.state is not RunState.QUEUED:
            return None
        until = time.monotonic() + CLUSTER_WAIT.total_seconds()
        while True:
            try:
                material = self._material()
                cluster.require_permissions(material.package.manifest, material.plan)
            except AtomError as error:
                if is_outage(error) or (error.code.retryable and not error.code.id.startswith("KUB")):
                    raise
                if not error.code.retryable or time.monotonic() > until:
                    return error
                self.wait_until(self.wake_at(1.0))
            else:
                return None

    def begin_rollback(self) -> Opening:
        """Decides between ending as failed and rolling back."""
        plan = self._material().plan
        return self._transaction(lambda conn: run_course.begin_rollback(conn, self._claim, plan))

    def finish(self, phase: Phase) -> None:
        """Ends the run by what its steps have become."""
        plan = self._material().plan
        self._transaction(lambda conn: run_course.finish(conn, self._claim, plan, phase))

    def wake_at(self, pause: float) -> float:
        """The Unix time `pause` seconds from now."""
        return time.time() + pause

    def wait_until(self, wake_at: float) -> None:
        """Returns at that Unix time, or at once when the run is being cancelled.

        Raises:
            LetGo: the worker is stopping, or lost the segment.
        """
        self._live.interrupted.wait(max(0.0, wake_at - time.time()))
        if self._live.reason in {Interruption.FENCED, Interruption.SHUTDOWN}:
            raise LetGo(self._live.reason)

    def attempt(self, phase: Phase, step: str, try_number: int) -> Progress:
        """Makes one try of a step, or returns what is recorded of it.

        Raises:
            LetGo: the worker is stopping and must not start another step, or lost the segment.
        """
        if self._context.stopping.is_set():
            raise LetGo("the worker is stopping")
        handler = self._handler(step)
        what = Try(self._claim, handler, phase, try_number, new_id())
        begun: Progress | Begun | Lost = self._begin(what)
        if isinstance(begun, Lost):
            lost, found = begun, self._find_out(begun, handler)
            begun = self._begin(what, found)
            if found.result is not None:
                self._discard_job(found.result, lost.run, step, lost.attempt.id)
        if isinstance(begun, Lost):
            raise LetGo("another attempt was begun and lost meanwhile")
        if isinstance(begun, Progress):
            return begun
        result = self._execute(begun)
        self._let_go_if_not_ours(result)
        progress = self._transaction(lambda conn: step_course.record(conn, begun, result))
        self._discard_job(result, begun.run, step, what.attempt_id)
        _count(handler, result)
        return progress

    def _execute(self, begun: Begun) -> StepResult:
        handler, attempt_id = begun.what.handler, begun.what.attempt_id
        try:
            secrets = self._secrets(begun.run, handler, handler, attempt_id)
            request = self._placed(step_request(begun, self._folder(attempt_id), secrets))
            if handler.type is HandlerType.K8S:
                request = dataclasses.replace(request, grounds=self._grounds(begun))
        except AtomError as error:
            if is_outage(error):
                raise
            return unstarted(error)
        return self._carry_out(request, begun)

    def _placed(self, request: StepRequest) -> StepRequest:
        """The request with what the package says about where its shell steps run, and with how much."""
        runtime = self._material().package.manifest.runtime
        return dataclasses.replace(request, runtime=runtime, limits=limits_of(runtime.requirements, request.limits))

    def _discard_job(self, result: StepResult, run: Run, step: str, attempt_id: UUID) -> None:
        if result.isolation is IsolationLevel.JOB:
            discard_job(self._context, run, step, attempt_id)

    def _grounds(self, begun: Begun) -> Grounds:
        what = begun.what
        return Grounds(
            owner=f"{begun.run.id}/{what.handler.name}",
            try_number=what.try_number,
            ledger=AttemptLedger(self._context, self._claim, what.phase, what.attempt_id),
            approved=begun.approved,
            own=begun.objects,
            undoes=what.handler.compensates,
        )

    def _secrets(self, run: Run, handler: Handler, asked: Handler | Probe, attempt_id: UUID) -> dict[str, str]:
        """What the step reads, or its probe, which is a question of its own with secrets of its own."""
        declared = self._material().package.manifest.secrets
        names = read_by(asked.type, asked.config, declared)
        return read_secrets(self._context, Reader(run, handler.name, attempt_id), declared, names)

    def _begin(self, what: Try, found: Found | None = None) -> Progress | Begun | Lost:
        return self._transaction(lambda conn: step_course.begin(conn, what, found))

    def _find_out(self, lost: Lost, handler: Handler) -> Found:
        """Looks for the lost attempt's Job, then for its supervisor's report, then asks the handler's probe, if any.

        A report of a step that read secrets is left aside: with the old worker it is lost which values were handed
        out, and without them nothing masks what the step wrote.
        """
        if (traced := trace_job(self._context, self._live, lost, handler)) is not None:
            return traced
        secret = read_by(handler.type, handler.config, self._material().package.manifest.secrets)
        result = None if secret else self._context.steps.recorded(lost.attempt.id)
        if result is not None and result.outcome is not Outcome.CANCELLED:
            return Found(lost.attempt.id, result)
        if handler.probe is None:
            return Found(lost.attempt.id)
        probe_id = new_id()
        secrets = self._secrets(lost.run, handler, handler.probe, probe_id)
        request = probe_request(
            lost, handler, handler.probe, attempt_id=probe_id, folder=self._folder(probe_id), secrets=secrets
        )
        probed = self._carry_out(self._placed(request), None)
        self._let_go_if_not_ours(probed)
        return Found(lost.attempt.id, happened=probe_answer(probed))

    def _carry_out(self, request: StepRequest, begun: Begun | None) -> StepResult:
        """Executes what is asked; only the attempt of a step has a log and shows as running, a probe does not."""
        sink = AttemptLog(self._context, self._claim.segment, request.attempt_id) if begun else NoLog()
        self._live.tick = self._shows(begun, sink) if begun else None
        started = datetime.now(UTC)
        try:
            extract(self._material().package, request.folder)
            result = self._context.steps(request, sink, self._live.interrupted)
            sink.close()
        except AtomError as error:
            if is_outage(error):
                raise
            result = _failed(error, started)
        finally:
            self._live.tick = None
            shutil.rmtree(request.folder, ignore_errors=True)
        return result

    def _shows(self, begun: Begun, sink: AttemptLog | NoLog) -> Callable[[], None]:
        """What the worker's watch does while the step runs: the step shows as running, its log becomes readable."""
        shown = False

        def tick() -> None:
            nonlocal shown
            try:
                if not shown:
                    self._transaction(lambda conn: step_course.show_running(conn, begun))
                    shown = True
                sink.tick()
            except LetGo:  # in another thread than the step's, which must hear of it
                self._live.interrupt(Interruption.FENCED)

        return tick

    def _let_go_if_not_ours(self, result: StepResult) -> None:
        """A step that was stopped because this worker ends has no result: the next owner judges the attempt."""
        reason = self._live.reason
        if result.outcome is Outcome.CANCELLED and reason in {Interruption.FENCED, Interruption.SHUTDOWN}:
            raise LetGo(reason)

    def _folder(self, attempt_id: UUID) -> Path:
        return self._context.scratch / f"package-{attempt_id}"

    def _handler(self, step: str) -> Handler:
        manifest = self._material().package.manifest
        return next(h for h in (*manifest.handlers, *manifest.rollback.handlers) if h.name == step)

    def _material(self) -> gate.Material:
        if self._loaded is None:
            segment = self._claim.segment

            def load(conn: psycopg.Connection[dict[str, Any]]) -> gate.Material:
                run = run_of(conn, segment.tenant_id, segment.run_id)
                return gate.load_material(conn, self._context.objects, run, self._context.abilities)

            self._loaded = self._transaction(load)
        return self._loaded

    def _transaction(self, do: Callable[[psycopg.Connection[dict[str, Any]]], _T]) -> _T:
        def once() -> _T:
            with self._context.sessions.tenant(self._claim.segment.tenant_id) as conn:
                return do(conn)

        return self._context.patiently(once)


def _count(handler: Handler, result: StepResult) -> None:
    kind = handler.type.value
    metrics.increment(catalog.STEP_ATTEMPTS, handler=kind, outcome=result.outcome.value)
    metrics.observe(catalog.STEP_SECONDS, (result.ended - result.started).total_seconds(), handler=kind)


def _failed(error: AtomError, started: datetime) -> StepResult:
    """An attempt that the worker itself could not carry through: a full disk, an object store that refuses the log."""
    return StepResult(
        outcome=Outcome.FAILED,
        started=started,
        ended=datetime.now(UTC),
        isolation=IsolationLevel.NOT_NEEDED,
        error=error.why,
        code=error.code,
    )
