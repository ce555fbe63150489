"""Attending a Job until it has ended: looking at it, carrying its log, ending it where it must not go on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from atomctl.errors import AtomError, Code
from atomctl.kubernetes.calls import GivenUpError, Object, Patience
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.jobs import codes, sight
from atomctl.runs.steps.jobs.desk import JobDesk
from atomctl.runs.steps.jobs.following import LogFollower
from atomctl.runs.steps.jobs.manifests import KEPT
from atomctl.runs.steps.jobs.sight import End, Sight, Stage
from atomctl.runs.steps.log_capture import LogCapture
from atomctl.runs.steps.model import Halt, Outcome
from atomctl.telemetry.logs import get_logger

_log = get_logger(__name__)

_LOOK_SECONDS: Final = 0.5
_QUESTION_SECONDS: Final = 10.0
_HOPELESS_SECONDS: Final = 15.0
"""How long something may be wrong with a Pod that has not started before the step fails: registries come back."""
_NO_POD_SECONDS: Final = 2.0
"""How long a Job may be without a Pod before its events are asked why."""
_LOG_SECONDS: Final = 30.0
"""How long the end of a log is waited for after the container's end."""
_OVERDUE_SECONDS: Final = 60.0
"""How long after its deadline a Job that the cluster does not end is ended from here."""
_REFUSED_SECONDS: Final = 60.0
"""How long the cluster may refuse to be asked (credentials, permissions) before the step counts as out of sight."""
_DELETE_SECONDS: Final = 60.0


class LeftError(Exception):
    """The Job goes on without this worker, which ends or has lost the run: whoever owns it next attends it."""


@dataclass(slots=True)
class _Since:
    """Since when something has been the case, on the monotonic clock."""

    begun: float | None = None

    def lasts(self, holds: object, seconds: float) -> bool:
        """Whether it has held at every look for so long."""
        if not holds:
            self.begun = None
            return False
        now = time.monotonic()
        self.begun = self.begun if self.begun is not None else now
        return now - self.begun >= seconds


@dataclass(slots=True)
class Attendance:
    """One Job and whoever attends it. `run` is called once.

    `seconds` is what the Job may still take by its deadline; `cancelled` ends it early.
    """

    desk: JobDesk
    name: str
    seconds: float
    capture: LogCapture
    cancelled: threading.Event
    _follower: LogFollower | None = None
    _hopeless: _Since = field(default_factory=_Since)
    _no_pod: _Since = field(default_factory=_Since)
    _away: _Since = field(default_factory=_Since)
    _refused: _Since = field(default_factory=_Since)
    _begun: float = field(default_factory=time.monotonic)

    def run(self) -> End:
        """How the step ended; its log is written, and nothing of it is alive, unless the end says otherwise.

        Raises:
            LeftError: this worker has to let go of it; the Job goes on.
        """
        try:
            while True:
                if self.cancelled.is_set():
                    return self._interrupted()
                end = self._judge(self._look())
                if end is not None:
                    return self._complete(end)
                self.cancelled.wait(_LOOK_SECONDS)
        finally:
            if self._follower is not None:
                self._follower.stop()

    def _look(self) -> Sight | AtomError | None:
        """What there is to see: None if the Job is gone, an error if the cluster cannot be asked."""
        patience = Patience.of(_QUESTION_SECONDS)
        try:
            pods = self.desk.pods_of(self.name, patience)
            job = self.desk.job(self.name, patience)
            if job is None:
                return None
            seen = sight.look(job, pods)
            if seen.stage is Stage.SUSPENDED:
                self.desk.resume(self.name, patience)
        except AtomError as error:
            _log.warning("job.out_of_sight", job=self.name, why=error.why, code=error.code.id)
            return error
        return seen

    def _judge(self, seen: Sight | AtomError | None) -> End | None:
        """The end, if there is one."""
        if isinstance(seen, AtomError):
            return self._out_of_sight(seen)
        self._away.lasts(holds=False, seconds=0)
        self._refused.lasts(holds=False, seconds=0)
        if seen is None:
            why = f"Job {self.desk.namespace}/{self.name} was deleted by somebody while the step ran"
            return End(outcome=Outcome.FAILED, code=codes.POD_LOST, error=why)
        if seen.pod is not None and self._follower is None:
            self._follower = LogFollower(self.desk, seen.pod, self.capture.write)
        if seen.end is not None:
            return seen.end
        return self._in_vain(seen) or self._overdue(seen)

    def _out_of_sight(self, error: AtomError) -> End | None:
        away = self._away.lasts(holds=True, seconds=self.seconds + KEPT.total_seconds())
        refused = self._refused.lasts(not error.code.retryable, _REFUSED_SECONDS)
        if not away and not refused:
            return None
        return End(outcome=Outcome.FAILED, code=codes.OUT_OF_SIGHT, error=f"Job {self.name}: {error.why}")

    def _in_vain(self, seen: Sight) -> End | None:
        """The end of a Job whose Pod cannot start or cannot be made."""
        if seen.certain or self._hopeless.lasts(seen.hopeless, _HOPELESS_SECONDS):
            return self._stop(sight.hopeless_end(seen))
        if not self._no_pod.lasts(seen.no_pod, _NO_POD_SECONDS):
            return None
        try:
            found = sight.why_no_pod(self.desk.events_of(self.name, Patience.of(_QUESTION_SECONDS)))
        except AtomError as error:
            _log.warning("job.events_unread", job=self.name, why=error.why)
            return None
        if found is None:
            return None
        code, why = found
        return self._stop(End(outcome=Outcome.FAILED, code=code, error=f"Job {self.name}: {why}"))

    def _overdue(self, seen: Sight) -> End | None:
        if time.monotonic() - self._begun < self.seconds + _OVERDUE_SECONDS:
            return None
        why = f"it did not end within its timeout, and the cluster did not end it ({seen.why or seen.stage.name})"
        return self._stop(End(outcome=Outcome.TIMED_OUT, code=step_codes.TIMED_OUT, error=why))

    def _interrupted(self) -> End:
        if isinstance(self.cancelled, Halt) and self.cancelled.leave:
            raise LeftError(self.name)
        return self._stop(End(outcome=Outcome.CANCELLED, code=step_codes.CANCELLED, error="it was cancelled"))

    def _stop(self, end: End) -> End:
        """`end`, with the Job and its Pod gone; or what is left to say if the cluster does not answer."""
        problem = remove(self.desk, self.name, _DELETE_SECONDS)
        if self._follower is not None:
            self._follower.finish(_LOG_SECONDS if problem is None else 0.0)
        if problem is None:
            return end
        error = f"{end.error}; its Job {self.desk.namespace}/{self.name} could not be deleted: {problem.why}"
        code: Code = codes.NOT_DELETED
        return End(outcome=end.outcome, code=code, error=error)

    def _complete(self, end: End) -> End:
        if self._follower is not None and not self._follower.finish(_LOG_SECONDS):
            _log.warning("job.log_incomplete", job=self.name)
        return end


def remove(desk: JobDesk, name: str, seconds: float) -> AtomError | None:
    """The Job, its Pod and all it owns are gone; else why not, after so many seconds. Repeated while it fails."""
    patience = Patience.of(seconds)
    problem = AtomError(codes.NOT_DELETED, f"Job {name} was still there after {seconds:.0f} s")
    while not patience.over:
        try:
            desk.delete(name, patience)
            if _is_gone(desk, name, patience):
                return None
        except AtomError as error:
            problem = error
            if not error.code.retryable:
                break
            time.sleep(min(_LOOK_SECONDS, patience.left))
        except GivenUpError:  # nobody cancels the deletion
            break
    return problem


def _is_gone(desk: JobDesk, name: str, patience: Patience) -> bool:
    while not patience.over:
        if desk.job(name, patience) is None:
            return True
        patience.pause(0.2)
    return False


def seconds_left(job: Object, now: float) -> float:
    """What the Job may still take by its deadline, or its whole time if it has not begun; `now` is Unix time."""
    spec, status = job.get("spec"), job.get("status")
    whole = spec.get("activeDeadlineSeconds") if isinstance(spec, dict) else None
    begun = sight.time_of(status.get("startTime")) if isinstance(status, dict) else None
    total = float(whole) if isinstance(whole, int) else 0.0
    return total if begun is None else max(0.0, total - (now - begun.timestamp()))
