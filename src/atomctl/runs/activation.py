"""What expressions of a running step see, and the step's configuration with its templates filled in."""

from __future__ import annotations

from collections.abc import Mapping

from atomctl.canonical import Json
from atomctl.runs.known import render_all
from atomctl.runs.model import Run
from atomctl.runs.read import Steps
from atomctl.runs.secret_names import ROOT, reads_secrets
from atomctl.wpk.model import Handler, HandlerType, Probe

_NOT_FILLED_IN = {HandlerType.API: ("success",)}
"""Fields that are CEL themselves and read the response: their own handler evaluates them."""


def activation_of(run: Run, steps: Steps) -> dict[str, Json]:
    """`params`, `run`, and of each step its `state` (lower case), `exit_code` and `outputs`."""
    return {
        "params": dict(run.parameters),
        "run": {
            "id": str(run.id),
            "workflow": run.workflow,
            "version": run.version,
            "tenant": str(run.tenant_id),
        },
        "steps": {
            name: {"state": step.state.value.lower(), "exit_code": step.exit_code, "outputs": dict(step.outputs)}
            for name, step in (*steps.forward.items(), *steps.rollback.items())
        },
    }


def render_step(handler: Handler | Probe, activation: Mapping[str, Json]) -> dict[str, Json]:
    """The handler's configuration with every template filled in, each exactly once: what a value brings in is data.

    Fields that read secrets are left as they are written unless the activation has `secrets`, which it has in the
    memory of the worker that carries the step out, and nowhere else.

    Raises:
        AtomError: RUN609 a template cannot be evaluated.
    """
    left_alone = _NOT_FILLED_IN.get(handler.type, ())

    def later(name: str, value: Json) -> bool:
        return name in left_alone or (ROOT not in activation and reads_secrets(value))

    return {
        name: value if later(name, value) else render_all(value, activation) for name, value in handler.config.items()
    }
