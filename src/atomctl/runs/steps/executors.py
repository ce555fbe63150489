"""Which code executes which type of handler."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.runs.masking import Masker
from atomctl.runs.steps import api, shell
from atomctl.runs.steps.abilities import refusal
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType

if TYPE_CHECKING:
    from atomctl.runs.steps.jobs.place import JobPlace
    from atomctl.runs.steps.kubernetes.place import Place


class StepExecutor:
    """Carries attempts out at one site; shared by all threads of a worker.

    Args:
        site: from `probe.prepare_site`.
        place: the cluster of k8s steps; None: none is configured, and such steps are refused.
        jobs: where shell steps run as Jobs; None: nowhere, and packages that want it are refused.
    """

    def __init__(self, site: Site, place: Place | None = None, jobs: JobPlace | None = None) -> None:
        self._site = site
        self._place = place
        self._jobs = jobs

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        """The attempt has ended, and nothing it started is alive; its log and result are masked."""
        try:
            if refused := self._refusal(request):
                raise refused
            masker = Masker(request.secrets.values())
        except AtomError as error:
            return _refused(error)
        if request.handler is HandlerType.K8S and self._place is not None:
            from atomctl.runs.steps.kubernetes import execution  # 0.3 s that a worker without a cluster does not spend

            return execution.execute(request, self._place, sink, cancelled, masker)
        if request.handler is HandlerType.SHELL and self._jobs and self._jobs.takes(request.runtime.type):
            from atomctl.runs.steps.jobs import execution as job_execution

            return job_execution.execute(request, self._jobs, sink, cancelled, masker)
        run = shell.execute if request.handler is HandlerType.SHELL else api.execute
        return run(request, self._site, sink, cancelled, masker)

    def _refusal(self, request: StepRequest) -> AtomError | None:
        cluster = self._jobs if request.handler is HandlerType.SHELL else self._place
        return refusal(request.handler, request.runtime.type, kubernetes=cluster is not None)

    def recorded(self, attempt_id: UUID, secrets: Iterable[str] = ()) -> StepResult | None:
        """What a shell attempt came to whose worker died before it could say; None if that cannot be known here."""
        return shell.recorded(attempt_id, self._site, Masker(secrets))


def _refused(error: AtomError) -> StepResult:
    now = datetime.now(UTC)
    return StepResult(
        outcome=Outcome.REFUSED,
        started=now,
        ended=now,
        isolation=IsolationLevel.NOT_NEEDED,
        code=error.code,
        error=error.why,
    )
