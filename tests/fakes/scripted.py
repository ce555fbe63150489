"""A step runner that does what a test says."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from atomctl.runs import segments
from atomctl.runs.steps import codes
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult


class Scripted:
    """Steps that do what the test says, attempt by attempt; after that they succeed."""

    def __init__(self, *acts: Callable[[StepRequest], StepResult]) -> None:
        self.acts = list(acts)
        self.requests: list[StepRequest] = []
        self.left_behind: StepResult | None = None

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        self.requests.append(request)
        sink.write("stdout", f"{request.step_name}\n".encode())
        return self.acts.pop(0)(request) if self.acts else ended(Outcome.SUCCEEDED)

    def recorded(self, attempt_id: UUID) -> StepResult | None:
        return self.left_behind


def ended(outcome: Outcome) -> StepResult:
    now = datetime.now(UTC)
    return StepResult(outcome=outcome, started=now, ended=now, isolation=IsolationLevel.NOT_NEEDED)


def said_no() -> StepResult:
    """What `test -e FILE` comes to where there is no such file."""
    return dataclasses.replace(ended(Outcome.FAILED), exit_code=1, code=codes.EXIT_STATUS)


def well(request: StepRequest) -> StepResult:
    return ended(Outcome.SUCCEEDED)


def badly(request: StepRequest) -> StepResult:
    return ended(Outcome.FAILED)


def let_go(request: StepRequest) -> StepResult:
    raise segments.LetGo("as if the worker had died")
