"""What a Job and its Pod say about the step. Pure: objects as the API server says them in, one frozen value out."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from atomctl.errors import Code
from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes import pods
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import mapping, whole_number
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.jobs import codes
from atomctl.runs.steps.jobs.manifests import CONTAINER, RESUMED
from atomctl.runs.steps.model import Outcome
from atomctl.runs.steps.shell import exit_words

_COULD_NOT_START: Final = frozenset({"StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"})
_AT_ONCE: Final = frozenset({"InvalidImageName", "ErrImageNeverPull"})
"""Reasons of a waiting container that no second look changes."""


class Stage(enum.Enum):
    """How far a Job is."""

    SUSPENDED = enum.auto()
    """It was made and never let start: no instruction of the step has run."""
    WAITING = enum.auto()
    """It may start, and its container does not run yet, or its Pod is being taken away."""
    RUNNING = enum.auto()
    ENDED = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How the step ended. `message` is what it left as its outputs, cut at 4,096 bytes by Kubernetes."""

    outcome: Outcome
    code: Code | None = None
    error: str | None = None
    exit_code: int | None = None
    message: str = ""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at a Job."""

    stage: Stage
    pod: str | None = None
    """The Pod whose log can be read, if its container ever ran."""
    why: str | None = None
    """Of a waiting one: what it waits for, if something is wrong."""
    hopeless: bool = False
    """Whether it waits for what will not come by itself; `certain` says that this needs no second look."""
    certain: bool = False
    no_pod: bool = False
    end: End | None = None


def look(job: Object, all_pods: Sequence[Object]) -> Sight:
    """What is known. The Pods must have been read before the Job, so that what ended a Pod stands in the Job."""
    finished = _finished(job)
    pod = _newest(all_pods)
    if pod is None:
        return _without_pod(job, finished)
    status = _container(pod)
    ended = mapping(status, "state", "terminated")
    name = pods.name_of(pod)
    if ended or mapping(pod, "status").get("phase") == "Failed":
        return Sight(stage=Stage.ENDED, pod=name if ended else None, end=_end(pod, ended, finished))
    if mapping(status, "state", "running"):
        return Sight(stage=Stage.RUNNING, pod=name)
    why = pods.why_it_cannot_start(pod)
    certain = why is not None and mapping(status, "state", "waiting").get("reason") in _AT_ONCE
    return Sight(
        stage=Stage.WAITING,
        why=why or pods.why_it_is_not_ready(pod),
        hopeless=why is not None,
        certain=certain,
    )


def _without_pod(job: Object, finished: tuple[str, str, str] | None) -> Sight:
    if finished is not None:
        return Sight(stage=Stage.ENDED, end=_end_by_job(job, finished))
    resumed = mapping(job, "metadata", "annotations").get(RESUMED) == "true"
    if mapping(job, "spec").get("suspend") is True and not resumed:
        return Sight(stage=Stage.SUSPENDED)
    return Sight(stage=Stage.WAITING, no_pod=True)


def _end(pod: Object, ended: Object, finished: tuple[str, str, str] | None) -> End:
    """How a Pod that has ended did so."""
    exit_code = whole_number(ended, "exitCode") if ended else None
    times = End(
        outcome=Outcome.FAILED,
        exit_code=exit_code,
        started=time_of(ended.get("startedAt")),
        ended=time_of(ended.get("finishedAt")),
    )
    if exit_code == 0:
        return replace(times, outcome=Outcome.SUCCEEDED, message=str(ended.get("message") or ""))
    if finished is not None and finished[1] == "DeadlineExceeded":
        return replace(times, outcome=Outcome.TIMED_OUT, code=step_codes.TIMED_OUT, error=_TOO_LONG)
    code, error = _failure(pod, ended, exit_code)
    return replace(times, code=code, error=error)


def _failure(pod: Object, ended: Object, exit_code: int | None) -> tuple[Code, str]:
    reason = ended.get("reason")
    if reason == "OOMKilled":
        limit = _memory_limit(pod)
        return step_codes.OUT_OF_MEMORY, f"Pod {pods.name_of(pod)}: OOMKilled at its limit of {limit}"
    if reason in _COULD_NOT_START:
        return step_codes.NOT_STARTED, pods.why_it_ended(pod) or str(reason)
    if (taken := _taken_away(pod, ended)) is not None:
        return codes.POD_LOST, taken
    return step_codes.EXIT_STATUS, exit_words(exit_code)


def _taken_away(pod: Object, ended: Object) -> str | None:
    """Who or what removed the Pod, where it did not end by itself."""
    name, status = pods.name_of(pod), mapping(pod, "status")
    if status.get("reason"):
        return f"Pod {name}: {status['reason']}: {status.get('message') or 'no further words'}"
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else []:
        if isinstance(condition, dict) and (condition.get("type"), condition.get("status")) == (
            "DisruptionTarget",
            "True",
        ):
            return f"Pod {name}: {condition.get('reason')}: {condition.get('message') or 'no further words'}"
    if mapping(pod, "metadata").get("deletionTimestamp"):
        return f"Pod {name} was deleted while the step ran"
    if ended.get("reason") == "ContainerStatusUnknown" or not ended:
        return f"Pod {name}: its node does not say how the step ended"
    return None


def _end_by_job(job: Object, finished: tuple[str, str, str]) -> End:
    """How a Job ended whose Pod is gone."""
    kind, reason, message = finished
    name = pods.name_of(job)
    if reason == "DeadlineExceeded":
        return End(outcome=Outcome.TIMED_OUT, code=step_codes.TIMED_OUT, error=_TOO_LONG)
    if kind == "Complete":
        why = f"Job {name}: it is complete, and its Pod is gone with what it handed back"
    else:
        why = f"Job {name}: {reason}: {message}; its Pod is gone"
    return End(outcome=Outcome.FAILED, code=codes.POD_LOST, error=why)


_TOO_LONG: Final = "it did not end within its timeout, which counts from the making of its Pod"


def _finished(job: Object) -> tuple[str, str, str] | None:
    """Type, reason and message of the condition that says that the Job is over, or is being ended."""
    conditions = mapping(job, "status").get("conditions")
    found = [c for c in conditions if isinstance(c, dict)] if isinstance(conditions, list) else []
    for kind in ("Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"):
        for condition in found:
            if condition.get("type") == kind and condition.get("status") == "True":
                outcome = "Complete" if kind in {"Complete", "SuccessCriteriaMet"} else "Failed"
                return outcome, str(condition.get("reason")), str(condition.get("message"))
    return None


def why_no_pod(events: Sequence[Object]) -> tuple[Code, str] | None:
    """Why the Job's controller could not make the Pod, by the events about the Job; None if nothing says so."""
    for event in events:
        if event.get("reason") == "FailedCreate":
            message = " ".join(str(event.get("message")).split())
            return codes.NOT_SCHEDULED, message[:1000]
    return None


def hopeless_end(sight: Sight) -> End:
    """The end of a Job that waits in vain."""
    return End(outcome=Outcome.FAILED, code=cluster_codes.NOT_STARTING, error=sight.why)


def _newest(all_pods: Sequence[Object]) -> Object | None:
    return max(all_pods, key=lambda pod: str(mapping(pod, "metadata").get("creationTimestamp")), default=None)


def _container(pod: Object) -> Object:
    statuses = mapping(pod, "status").get("containerStatuses")
    for status in statuses if isinstance(statuses, list) else []:
        if isinstance(status, dict) and status.get("name") == CONTAINER:
            return status
    return {}


def _memory_limit(pod: Object) -> str:
    containers = mapping(pod, "spec").get("containers")
    for container in containers if isinstance(containers, list) else []:
        if isinstance(container, dict) and container.get("name") == CONTAINER:
            return str(mapping(container, "resources", "limits").get("memory"))
    return "memory"


def time_of(value: object) -> datetime | None:
    """A time as the API server writes it; None for anything else."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None
