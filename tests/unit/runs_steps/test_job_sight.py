"""What a Job and its Pod say about the step, case by case, as an API server says it."""

from __future__ import annotations

from typing import Any

import pytest

from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.jobs import codes
from atomctl.runs.steps.jobs.sight import Stage, look, why_no_pod

DEADLINE = {"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}
FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}
COMPLETE = {"type": "Complete", "status": "True", "reason": "CompletionsReached", "message": "done"}


def job(*conditions: dict[str, str], suspend: bool = False, resumed: bool = True) -> dict[str, Any]:
    return {
        "metadata": {"name": "atom-1", "annotations": {"atomctl/resumed": "true"} if resumed else {}},
        "spec": {"suspend": suspend},
        "status": {"conditions": list(conditions)},
    }


def pod(state: dict[str, Any], **given: Any) -> dict[str, Any]:
    status = {"containerStatuses": [{"name": "step", "state": state}], **given.get("status", {})}
    return {"metadata": {"name": "atom-1-x", **given.get("metadata", {})}, "spec": {}, "status": status}


def ended(code: int, reason: str = "Error", **more: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": "2026-01-01T00:00:00Z", **more}}


@pytest.mark.parametrize(
    ("found", "outcome", "code"),
    [
        (pod(ended(0, "Completed", message='{"n": 1}')), "succeeded", None),
        (pod(ended(3)), "failed", step_codes.EXIT_STATUS),
        (pod(ended(137, "OOMKilled")), "failed", step_codes.OUT_OF_MEMORY),
        (pod(ended(128, "StartError", message="no such file")), "failed", step_codes.NOT_STARTED),
        (pod(ended(137, "ContainerStatusUnknown")), "failed", codes.POD_LOST),
        (pod(ended(143), metadata={"deletionTimestamp": "2026-01-01T00:00:01Z"}), "failed", codes.POD_LOST),
        (pod(ended(143), status={"reason": "Evicted", "message": "disk"}), "failed", codes.POD_LOST),
        (pod({}, status={"phase": "Failed", "reason": "Evicted", "message": "disk"}), "failed", codes.POD_LOST),
    ],
)
def test_how_a_pod_ended(found: dict[str, Any], outcome: str, code: object) -> None:
    seen = look(job(), [found])
    assert seen.stage is Stage.ENDED
    assert seen.end is not None
    assert (seen.end.outcome, seen.end.code) == (outcome, code)


def test_a_pod_that_the_deadline_ended_is_timed_out_and_one_that_was_done_is_not() -> None:
    late, done = look(job(DEADLINE), [pod(ended(143))]).end, look(job(DEADLINE), [pod(ended(0))]).end
    assert late is not None
    assert done is not None
    assert (late.outcome, done.outcome) == ("timed_out", "succeeded")


@pytest.mark.parametrize(
    ("condition", "outcome", "code"),
    [
        (DEADLINE, "timed_out", step_codes.TIMED_OUT),
        (FAILED, "failed", codes.POD_LOST),
        (COMPLETE, "failed", codes.POD_LOST),
    ],
)
def test_how_a_job_ended_whose_pod_is_gone(condition: dict[str, str], outcome: str, code: object) -> None:
    seen = look(job(condition), [])
    assert seen.end is not None
    assert (seen.end.outcome, seen.end.code) == (outcome, code)


def test_a_job_that_was_never_let_start_is_told_from_one_that_somebody_suspended() -> None:
    assert look(job(suspend=True, resumed=False), []).stage is Stage.SUSPENDED
    assert look(job(suspend=True), []).stage is Stage.WAITING
    assert look(job(), []).no_pod


def test_a_waiting_pod_says_what_it_waits_for_and_whether_that_is_in_vain() -> None:
    waits = look(job(), [pod({"waiting": {"reason": "ErrImagePull", "message": "no route"}})])
    never = look(job(), [pod({"waiting": {"reason": "ErrImageNeverPull"}})])
    starts = look(job(), [pod({"waiting": {"reason": "ContainerCreating"}})])
    assert (waits.hopeless, waits.certain) == (True, False)
    assert (never.hopeless, never.certain) == (True, True)
    assert not starts.hopeless
    assert look(job(), [pod({"running": {"startedAt": "2026-01-01T00:00:00Z"}})]).stage is Stage.RUNNING


def test_why_there_is_no_pod_is_what_the_controller_noted() -> None:
    events: list[Any] = [{"reason": "Suspended"}, {"reason": "FailedCreate", "message": "exceeded quota:\n full"}]
    assert why_no_pod(events) == (codes.NOT_SCHEDULED, "exceeded quota: full")
    assert why_no_pod(events[:1]) is None
