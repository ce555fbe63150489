"""A shell step as a Job: made, attended to its end, found again by whoever owns the run after its worker died."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes.calls import GivenUpError, Object, Patience
from atomctl.kubernetes.objects import mapping
from atomctl.runs.masking import Masker
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.jobs import manifests, sight
from atomctl.runs.steps.jobs.attending import Attendance, LeftError, remove, seconds_left
from atomctl.runs.steps.jobs.drafting import draft, key_of
from atomctl.runs.steps.jobs.endings import Ending
from atomctl.runs.steps.jobs.image import JobImage, image_of
from atomctl.runs.steps.jobs.names import AttemptKey, owner_of
from atomctl.runs.steps.jobs.place import JobPlace
from atomctl.runs.steps.log_capture import LogCapture
from atomctl.runs.steps.model import Limits, LogSink, Outcome, StepRequest, StepResult
from atomctl.telemetry.logs import get_logger

_log = get_logger(__name__)

_MAKING_SECONDS: Final = 60.0
_QUESTION_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 1.0
_REFUSED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Traced:
    """What was found of an attempt whose worker is gone.

    `result` is how it ended. Without one, `never_started` says whether it is certain that no instruction of it ran.
    """

    result: StepResult | None = None
    never_started: bool = False


def execute(
    request: StepRequest, place: JobPlace, sink: LogSink, cancelled: threading.Event, masker: Masker
) -> StepResult:
    """Runs the step to its end, which may be its timeout or `cancelled`; its Pod is not alive afterwards.

    Where `cancelled` says that the worker only lets go, the Job goes on and the result is not to be recorded. The Job
    of a step with a record stays until `discard`, that of a probe is deleted.
    """
    ending = Ending(masker, datetime.now(UTC))
    try:
        design = draft(request, place)
        _make(place, design, request, cancelled)
    except AtomError as refusal:
        return ending.refused(refusal)
    except GivenUpError:
        remove(place.desk, key_of(request).job, _QUESTION_SECONDS)
        return ending.of(sight.End(outcome=Outcome.CANCELLED, code=step_codes.CANCELLED, error="it was cancelled"))
    capture = LogCapture(sink, masker, request.limits.log_bytes)
    attendance = Attendance(place.desk, design.name, request.timeout.total_seconds(), capture, cancelled)
    result = _attend(attendance, design.image, ending)
    if request.probe:
        remove(place.desk, design.name, _QUESTION_SECONDS)
    return result


def trace(key: AttemptKey, place: JobPlace, sink: LogSink, cancelled: threading.Event, *, timeout: timedelta) -> Traced:
    """Looks the Job of an attempt up and attends it to its end, if there is one.

    A Job that was made and never let start is deleted: the attempt never started. The secrets that mask its log and its
    outputs are those it was handed; where they are gone, it counts as not found. While the cluster cannot be asked this
    waits, until the Job's deadline is over in any case.
    """
    try:
        job = _find(key, place, cancelled, timeout)
        if job is None:
            return Traced()
        if _never_started(place, job, cancelled):
            return Traced(never_started=True)
        secrets = _secrets(place, key.job, job, cancelled)
    except GivenUpError:
        return Traced(Ending(Masker(()), datetime.now(UTC)).left())
    except AtomError as error:
        _log.warning("job.untraced", job=key.job, why=error.why, code=error.code.id)
        return Traced()
    if secrets is None:
        _log.warning("job.unmaskable", job=key.job, why="its secrets are gone, and nothing else masks what it said")
        return Traced()
    masker = Masker(secrets.values())
    ending = Ending(masker, datetime.now(UTC))
    capture = LogCapture(sink, masker, Limits().log_bytes)
    attendance = Attendance(place.desk, key.job, seconds_left(job, time.time()), capture, cancelled)
    return Traced(_attend(attendance, image_of(job), ending))


def discard(key: AttemptKey, place: JobPlace) -> None:
    """The Job of a recorded attempt is being deleted with all it owns; if that fails now, the sweep does it later."""
    try:
        place.desk.delete(key.job, Patience.of(_QUESTION_SECONDS))
    except AtomError as error:
        _log.warning("job.undeleted", job=key.job, why=error.why)


def _make(place: JobPlace, design: manifests.JobDesign, request: StepRequest, cancelled: threading.Event) -> None:
    """The Job and all it owns are there, and it is being let start.

    Raises:
        AtomError: KUB001 to KUB017 something could not be made, and the Job is gone; RUN664 there is a Job of this name
            that is another attempt's.
        GivenUpError: it was cancelled.
    """
    patience = Patience.of(_MAKING_SECONDS, cancelled)
    made = place.desk.create(manifests.job(design), patience)
    metadata = mapping(made, "metadata")
    if owner_of(mapping(metadata, "labels")) != (request.tenant_id, request.attempt_id):
        why = f"Job {place.desk.namespace}/{design.name} is there and belongs to something else"
        raise AtomError(step_codes.ALREADY_ATTEMPTED, why)
    try:
        for item in manifests.owned(design, str(metadata["uid"])):
            place.desk.create(item, patience)
    except AtomError:
        remove(place.desk, design.name, _QUESTION_SECONDS)
        raise
    try:
        place.desk.resume(design.name, patience)
    except AtomError as error:
        if not error.code.retryable:
            remove(place.desk, design.name, _QUESTION_SECONDS)
            raise
        # It may have happened: who attends the Job sees whether it has, and repeats it.


def _attend(attendance: Attendance, image: JobImage, ending: Ending) -> StepResult:
    capture = attendance.capture
    if warning := image.warning:
        capture.write("stderr", warning.encode())
    try:
        end = attendance.run()
    except LeftError:
        return ending.left()
    capture.close()
    return ending.of(end, capture.dropped)


def _find(key: AttemptKey, place: JobPlace, cancelled: threading.Event, timeout: timedelta) -> Object | None:
    """The attempt's Job.

    Raises:
        AtomError: KUB001 to KUB017 the cluster could not be asked until the Job's deadline was over.
        GivenUpError: it was cancelled.
    """
    begun = time.monotonic()
    while True:
        try:
            job = place.desk.job(key.job, Patience.of(_QUESTION_SECONDS, cancelled))
        except AtomError as error:
            limit = timeout.total_seconds() + _REFUSED_SECONDS if error.code.retryable else _REFUSED_SECONDS
            if time.monotonic() - begun > limit:
                raise
            _log.warning("job.out_of_sight", job=key.job, why=error.why, code=error.code.id)
            Patience.of(_LOOK_SECONDS, cancelled).pause(_LOOK_SECONDS)
            continue
        ours = job is not None and owner_of(mapping(job, "metadata", "labels")) == (key.tenant_id, key.attempt_id)
        return job if ours else None


def _never_started(place: JobPlace, job: Object, cancelled: threading.Event) -> bool:
    """Whether the Job never started; it is deleted then, unless somebody lets it start at this moment.

    Raises:
        AtomError: KUB001 to KUB017.
        GivenUpError: it was cancelled.
    """
    patience = Patience.of(_QUESTION_SECONDS, cancelled)
    found: Object | None = job
    while found is not None:
        if sight.look(found, []).stage is not sight.Stage.SUSPENDED:
            return False
        name = str(mapping(found, "metadata")["name"])
        try:
            place.desk.delete(name, patience, unchanged=found)
        except AtomError as error:
            if error.code is not cluster_codes.CONFLICT or patience.over:
                raise
            found = place.desk.job(name, patience)  # the cluster noted something in it, or it was let start
        else:
            return True
    return True


def _secrets(place: JobPlace, name: str, job: Object, cancelled: threading.Event) -> dict[str, str] | None:
    """What the attempt was handed, by the Job's own word on whether there was anything."""
    if not manifests.has_secrets(job):
        return {}
    return place.desk.secrets_of(name, Patience.of(_QUESTION_SECONDS, cancelled))
