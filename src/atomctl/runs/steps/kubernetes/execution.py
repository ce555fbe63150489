"""k8s steps: one action on the cluster, made by the worker itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError, Code
from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes.calls import GivenUpError, Patience
from atomctl.runs.masking import Masker
from atomctl.runs.steps import codes, outputs
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.actions import perform
from atomctl.runs.steps.kubernetes.place import Place
from atomctl.runs.steps.log_capture import LogCapture
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult

_REFUSALS: Final = frozenset({codes.BAD_CONFIG, codes.DRIFT, codes.CHANGED_SINCE, codes.NOT_KEPT, codes.NO_REVISION})
"""What is refused before anything is changed."""


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    outputs: dict[str, Json]
    code: Code | None = None
    error: str | None = None


def execute(
    request: StepRequest, place: Place, sink: LogSink, cancelled: threading.Event, masker: Masker
) -> StepResult:
    """Carries the action out. Returns within the step's timeout, and a cancel within one answer of the API server.

    A refusal before anything was changed is REFUSED, anything else that goes wrong FAILED, and what did not come about
    in time TIMED_OUT; the error names the object and the reason.
    """
    capture = LogCapture(sink, masker, request.limits.log_bytes)
    begun = datetime.now(UTC)

    def say(line: str) -> None:
        capture.write("stdout", f"{line}\n".encode(errors="replace"))

    action = Action(
        config=request.config,
        cluster=place.cluster,
        kinds=place.kinds,
        folder=request.folder,
        patience=Patience.of(request.timeout.total_seconds(), cancelled),
        say=say,
        grounds=request.grounds,
    )
    ending = _ending(action, say)
    capture.close()
    masked = masker.json(ending.outputs)
    assert isinstance(masked, dict)
    return StepResult(
        outcome=ending.outcome,
        started=begun,
        ended=datetime.now(UTC),
        isolation=IsolationLevel.NOT_NEEDED,
        outputs=masked,
        error=None if ending.error is None else masker.text(ending.error),
        code=ending.code,
        log_bytes_dropped=capture.dropped,
        changes=tuple(action.changes),
    )


def _ending(action: Action, say: Callable[[str], None]) -> _Ending:
    try:
        return _Ending(Outcome.SUCCEEDED, _handed_on(perform(action), say))
    except GivenUpError:
        return _Ending(Outcome.CANCELLED, {}, codes.CANCELLED, "it was cancelled")
    except AtomError as error:
        say(f"error[{error.code.id}]: {error.why}")
        return _Ending(_outcome(action, error), {}, error.code, error.why)


def _outcome(action: Action, error: AtomError) -> Outcome:
    if error.code is cluster_codes.NOT_IN_TIME:
        return Outcome.TIMED_OUT
    if error.code.retryable and action.patience.over:
        return Outcome.TIMED_OUT
    return Outcome.REFUSED if error.code in _REFUSALS and not action.changes else Outcome.FAILED


def _handed_on(found: dict[str, Json], say: Callable[[str], None]) -> dict[str, Json]:
    """The outputs that are not too long together; a step that changed something has not failed for their length."""
    kept: dict[str, Json] = {}
    for name, value in found.items():
        if len(json.dumps({**kept, name: value})) <= outputs.BYTES:
            kept[name] = value
        else:
            say(f"{name} is longer than the {outputs.BYTES} bytes that outputs may have: it is not among them")
    return kept
