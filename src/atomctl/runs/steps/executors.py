"""Which code executes which type of handler, and what is said about the types that nothing here executes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import assert_never
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.runs.masking import Masker
from atomctl.runs.steps import api, codes, shell
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType, RuntimeType


def refusal(handler: HandlerType, runtime: RuntimeType = RuntimeType.SHELL) -> AtomError | None:
    """Why no step of this type can be executed by this release; None if it can. For the plan, before a run starts."""
    match handler:
        case HandlerType.API:
            return None
        case HandlerType.SHELL:
            if runtime is RuntimeType.SHELL:
                return None
            why = f"runtime.type is {runtime.value}: its shell handlers run as Kubernetes Jobs, which need a connection"
            return AtomError(codes.NO_CONTAINERS, why)
        case HandlerType.K8S:
            why = (
                "this worker has no Kubernetes connection configured; k8s handlers need one and the executor that "
                "uses it, which this release does not contain"
            )
            return AtomError(codes.NO_KUBERNETES, why)
        case HandlerType.APPROVAL | HandlerType.PACKAGE:
            return AtomError(codes.NOT_A_STEP, f"{handler.value} handlers are the run's own work")
        case _:
            assert_never(handler)


class StepExecutor:
    """Carries attempts out at one site; shared by all threads of a worker.

    Args:
        site: from `probe.prepare_site`.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        """The attempt has ended, and nothing it started is alive; its log and result are masked."""
        try:
            if refused := refusal(request.handler):
                raise refused
            masker = Masker(request.secrets.values())
        except AtomError as error:
            return _refused(error)
        run = shell.execute if request.handler is HandlerType.SHELL else api.execute
        return run(request, self._site, sink, cancelled, masker)

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
