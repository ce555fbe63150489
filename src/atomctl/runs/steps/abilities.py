"""What this release can execute, and what is said about the types of handler that nothing here executes.

Apart from `executors`, so that plans can be made without loading what carries steps out.
"""

from __future__ import annotations

from typing import assert_never

from atomctl.errors import AtomError
from atomctl.runs.steps import codes
from atomctl.wpk.model import HandlerType, RuntimeType


def refusal(
    handler: HandlerType, runtime: RuntimeType = RuntimeType.SHELL, *, kubernetes: bool = False
) -> AtomError | None:
    """Why no step of this type can be executed; None if it can. For the plan, before a run starts.

    Args:
        handler: the type of the handler.
        runtime: where the package wants its shell handlers to run.
        kubernetes: whether a cluster is configured.
    """
    match handler:
        case HandlerType.API:
            return None
        case HandlerType.SHELL:
            if runtime is RuntimeType.SHELL or kubernetes:
                return None
            why = f"runtime.type is {runtime.value}: its shell handlers run as Kubernetes Jobs, which need a cluster"
            return AtomError(codes.NO_CONTAINERS, why)
        case HandlerType.K8S:
            if kubernetes:
                return None
            return AtomError(
                codes.NO_KUBERNETES, "k8s handlers need a cluster, and there is no Kubernetes connection configured"
            )
        case HandlerType.APPROVAL | HandlerType.PACKAGE:
            return AtomError(codes.NOT_A_STEP, f"{handler.value} handlers are the run's own work")
        case _:
            assert_never(handler)
