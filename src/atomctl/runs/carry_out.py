"""The real steps of a worker: which handler type is carried out by what."""

from __future__ import annotations

import threading
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.runs import codes
from atomctl.runs.masking import Masker
from atomctl.runs.steps import api, shell
from atomctl.runs.steps.model import LogSink, StepRequest, StepResult
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType


class Steps:
    """`StepRunner` on this machine.

    Args:
        site: what the worker offers its steps.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def execute(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        """The attempt has ended, with its whole process tree, when this returns.

        Raises:
            AtomError: RUN606 nothing here carries out this type; the plan refuses such steps before they get here.
        """
        masker = Masker(request.secrets.values())
        match request.handler:
            case HandlerType.SHELL:
                return shell.execute(request, self._site, sink, cancelled, masker)
            case HandlerType.API:
                return api.execute(request, self._site, sink, cancelled, masker)
            case HandlerType.K8S | HandlerType.PACKAGE | HandlerType.APPROVAL:
                raise AtomError(codes.STEP_NOT_RUNNABLE, f"{request.step_name}: {request.handler.value} handlers")

    def recorded(self, attempt_id: UUID) -> StepResult | None:
        """The result of an attempt whose supervisor finished although its worker died; None if there is none."""
        return shell.recorded(attempt_id, self._site, Masker(()))
