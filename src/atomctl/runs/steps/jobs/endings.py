"""From how a Job ended to the attempt's result: outputs read, everything masked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.masking import Masker
from atomctl.runs.steps import outputs
from atomctl.runs.steps.jobs import codes
from atomctl.runs.steps.jobs.sight import End
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepResult

MESSAGE_BYTES: Final = 4096
"""`MaxContainerTerminationMessageLength` of the kubelet, which keeps the end of what is longer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Makes the results of one attempt."""

    masker: Masker
    begun: datetime
    """When this worker turned to it: what is said where the cluster names no time."""

    def of(self, end: End, log_bytes_dropped: int = 0) -> StepResult:
        """The result of a Job that ended like this."""
        if end.outcome is not Outcome.SUCCEEDED:
            return self._make(end, {}, log_bytes_dropped)
        try:
            written = parse_message(end.message)
        except AtomError as refusal:
            failed = dataclasses.replace(end, outcome=Outcome.FAILED, code=refusal.code, error=refusal.why)
            return self._make(failed, {}, log_bytes_dropped)
        return self._make(end, written, log_bytes_dropped)

    def refused(self, refusal: AtomError) -> StepResult:
        """The result of an attempt that never started: final, or worth another try where waiting may help."""
        outcome = Outcome.FAILED if refusal.code.retryable else Outcome.REFUSED
        return self._make(End(outcome=outcome, code=refusal.code, error=refusal.why), {}, 0)

    def left(self) -> StepResult:
        """What is returned where the Job goes on and nothing is to be recorded."""
        return self._make(End(outcome=Outcome.CANCELLED), {}, 0)

    def _make(self, end: End, written: dict[str, Json], dropped: int) -> StepResult:
        masked = self.masker.json(written)
        assert isinstance(masked, dict)
        ended = end.ended or datetime.now(UTC)
        return StepResult(
            outcome=end.outcome,
            started=min(end.started or self.begun, ended),
            ended=ended,
            isolation=IsolationLevel.JOB,
            exit_code=end.exit_code,
            outputs=masked,
            error=None if end.error is None else self.masker.text(end.error),
            code=end.code,
            log_bytes_dropped=dropped,
        )


def parse_message(message: str) -> dict[str, Json]:
    """The outputs in a termination message.

    Raises:
        AtomError: RUN696 it fills what Kubernetes keeps, so that something may be missing; RUN658 it holds no outputs.
    """
    data = message.encode()
    if len(data) >= MESSAGE_BYTES:
        raise AtomError(codes.OUTPUT_LIMIT, f"the outputs have {MESSAGE_BYTES:,} bytes or more")
    return outputs.parse(data)
