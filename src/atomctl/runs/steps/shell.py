"""Shell steps: a program of the package, or of the system, in a sandbox of its own under a supervisor of its own."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from atomctl.canonical import Json
from atomctl.errors import AtomError, Code
from atomctl.runs import cgroups
from atomctl.runs.masking import Masker
from atomctl.runs.steps import attempt, codes, outputs
from atomctl.runs.steps.log_capture import LogCapture
from atomctl.runs.steps.model import LogSink, Outcome, StepRequest, StepResult
from atomctl.runs.steps.preparation import OUTPUT, REPORT, prepared
from atomctl.runs.steps.site import Site

if TYPE_CHECKING:
    from atomctl.runs.orders import Report


def execute(request: StepRequest, site: Site, sink: LogSink, cancelled: threading.Event, masker: Masker) -> StepResult:
    """Runs the step to its end, which may be its timeout or `cancelled`; nothing it started is alive afterwards.

    Blocks for at most timeout + grace + 40 s. The attempt's folder under `site.scratch` is there while the step runs
    and is removed before this returns; a worker that dies in between leaves it for `recorded`.
    """
    begun = datetime.now(UTC)
    try:
        with _groups(request, site) as groups, prepared(request, site, groups) as ready:
            capture = LogCapture(sink, masker, request.limits.log_bytes)
            if warning := site.isolation.warning():
                capture.write("stderr", warning.encode())
            report = attempt.run(ready.order, ready.descriptors, capture.write, cancelled)
            capture.close()
            return _Ending(site, masker, begun, groups.memory_kills(), capture.dropped).result(report, ready.folder)
    except AtomError as refusal:
        return _Ending(site, masker, begun).refused(refusal)


def recorded(attempt_id: UUID, site: Site, masker: Masker) -> StepResult | None:
    """What an attempt with this id came to that a worker lost sight of; None if its supervisor left no result here.

    An attempt that was killed because its worker died has no result either: how far it came is unknown.
    """
    folder = site.attempt_folder(attempt_id)
    report = attempt.read_report(folder / REPORT)
    if report is None or report["outcome"] == "abandoned":
        return None
    return _Ending(site, masker, datetime.now(UTC)).result(report, folder)


@contextlib.contextmanager
def _groups(request: StepRequest, site: Site) -> Iterator[cgroups.AttemptGroups]:
    limits = request.limits
    groups = cgroups.create(
        site.hierarchies, str(request.attempt_id), processes=limits.processes, memory_bytes=limits.memory_bytes
    )
    try:
        yield groups
    finally:
        groups.remove()


class _Ending:
    """Turns what the supervisor reports into the attempt's result."""

    def __init__(
        self, site: Site, masker: Masker, begun: datetime, memory_kills: int = 0, log_bytes_dropped: int = 0
    ) -> None:
        self._site = site
        self._masker = masker
        self._begun = begun
        self._memory_kills = memory_kills
        self._dropped = log_bytes_dropped

    def refused(self, refusal: AtomError) -> StepResult:
        return self._make(Outcome.REFUSED, None, code=refusal.code, error=refusal.why)

    def result(self, report: Report | None, folder: Path) -> StepResult:
        if report is None:
            return self._make(Outcome.FAILED, None, code=codes.SUPERVISOR_LOST, error="the supervisor left no report")
        if report["error"]:
            return self._make(Outcome.FAILED, report, code=codes.NOT_STARTED, error=report["error"])
        if report["outcome"] == "succeeded":
            return self._succeeded(report, folder)
        return self._unsuccessful(report)

    def _unsuccessful(self, report: Report) -> StepResult:
        match report["outcome"]:
            case "timed_out":
                why = "it did not end within its timeout"
                return self._make(Outcome.TIMED_OUT, report, code=codes.TIMED_OUT, error=why)
            case "cancelled":
                return self._make(Outcome.CANCELLED, report, code=codes.CANCELLED, error="it was cancelled")
            case "failed":
                return self._failed(report)
            case _:
                why = "its worker went away while it ran"
                return self._make(Outcome.FAILED, report, code=codes.SUPERVISOR_LOST, error=why)

    def _succeeded(self, report: Report, folder: Path) -> StepResult:
        try:
            with (folder / OUTPUT).open("rb") as stream:
                written = outputs.parse(stream.read(outputs.BYTES + 1))
        except AtomError as refusal:
            return self._make(Outcome.FAILED, report, code=refusal.code, error=refusal.why)
        except OSError as error:
            return self._make(Outcome.FAILED, report, code=codes.BAD_OUTPUTS, error=f"the outputs are gone: {error}")
        return self._make(Outcome.SUCCEEDED, report, outputs_=written)

    def _failed(self, report: Report) -> StepResult:
        if self._memory_kills:
            why = f"the kernel killed {self._memory_kills} of its processes at the memory limit"
            return self._make(Outcome.FAILED, report, code=codes.OUT_OF_MEMORY, error=why)
        return self._make(Outcome.FAILED, report, code=codes.EXIT_STATUS, error=exit_words(report["exit_code"]))

    def _make(
        self,
        outcome: Outcome,
        report: Report | None,
        *,
        code: Code | None = None,
        error: str | None = None,
        outputs_: dict[str, Json] | None = None,
    ) -> StepResult:
        masked = self._masker.json(outputs_ or {})
        assert isinstance(masked, dict)
        return StepResult(
            outcome=outcome,
            started=self._begun if report is None else datetime.fromtimestamp(report["started"], UTC),
            ended=datetime.now(UTC) if report is None else datetime.fromtimestamp(report["ended"], UTC),
            isolation=self._site.isolation.level,
            exit_code=None if report is None else report["exit_code"],
            outputs=masked,
            error=None if error is None else self._masker.text(error),
            code=code,
            log_bytes_dropped=self._dropped,
        )


def exit_words(code: int | None) -> str:
    """The exit code as people read it: with the signal's name where a signal ended the program."""
    if code is not None and code > 128:
        try:
            return f"exit code {code} (signal {signal.Signals(code - 128).name})"
        except ValueError:
            pass
    return f"exit code {code}"
