"""What this release can execute, and what is said about the types of handler that nothing here executes.

Apart from `executors`, so that plans can be made without loading what carries steps out.
"""

from __future__ import annotations

from typing import assert_never

from atomctl.errors import AtomError
from atomctl.runs.steps import codes
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
