"""Finding the Job of an attempt whose worker is gone, and seeing it to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomctl.runs.context import WorkerContext
from atomctl.runs.live import LiveSegment
from atomctl.runs.resumed_log import ResumedLog
from atomctl.runs.segments import LetGo
from atomctl.runs.step_course import Found, Lost
from atomctl.wpk.model import Handler, HandlerType

if TYPE_CHECKING:
    from uuid import UUID

    from atomctl.runs.model import Run
    from atomctl.runs.steps.jobs.names import AttemptKey


def trace_job(context: WorkerContext, live: LiveSegment, lost: Lost, handler: Handler) -> Found | None:
    """What the Job of a lost attempt came to; None if there is none, or steps are no Jobs here.

    Blocks until the Job has ended; its log goes on where the former worker stopped.

    Raises:
        LetGo: the worker is stopping, or lost the segment; the Job goes on.
    """
    if context.jobs is None or handler.type is not HandlerType.SHELL:
        return None
    from atomctl.runs.steps.jobs.execution import trace

    key = _key(lost.run, handler.name, lost.attempt.id)
    log = context.patiently(lambda: ResumedLog(context, live.claim.segment, lost.attempt.id))
    live.tick = log.tick
    try:
        traced = trace(key, context.jobs, log, live.interrupted, timeout=handler.timeout)
    finally:
        live.tick = None
    log.close()
    if live.interrupted.is_set() and live.interrupted.leave:
        raise LetGo(str(live.reason))
    if traced.result is None and not traced.never_started:
        return None
    return Found(lost.attempt.id, traced.result, never_started=traced.never_started)


def discard_job(context: WorkerContext, run: Run, step: str, attempt_id: UUID) -> None:
    """The Job of a recorded attempt is being deleted; where that fails now, the sweep does it later."""
    if context.jobs is not None:
        from atomctl.runs.steps.jobs.execution import discard

        discard(_key(run, step, attempt_id), context.jobs)


def _key(run: Run, step: str, attempt_id: UUID) -> AttemptKey:
    from atomctl.runs.steps.jobs.names import AttemptKey

    return AttemptKey(tenant_id=run.tenant_id, run_id=run.id, step=step, attempt_id=attempt_id)
