"""What a step attempt is asked to do, put together from the manifest, the run and its secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.runs.activation import render_step
from atomctl.runs.model import Run
from atomctl.runs.secret_names import ROOT
from atomctl.runs.step_course import Begun, Lost
from atomctl.runs.steps.model import StepRequest
from atomctl.wpk.expressions import as_text
from atomctl.wpk.model import Handler, Probe

Secrets = Mapping[str, str]
"""Values by the names the package gives them: those that the step reads, and no others."""


def step_request(begun: Begun, folder: Path, secrets: Secrets) -> StepRequest:
    """The request of an attempt whose intent is recorded.

    Raises:
        AtomError: RUN609 a template cannot be evaluated.
    """
    handler = begun.what.handler
    return StepRequest(
        step_name=handler.name,
        handler=handler.type,
        attempt_id=begun.what.attempt_id,
        folder=folder,
        timeout=handler.timeout,
        **_common(begun.run, handler, handler, begun.activation, secrets),
    )


def probe_request(
    lost: Lost, handler: Handler, probe: Probe, *, attempt_id: UUID, folder: Path, secrets: Secrets
) -> StepRequest:
    """The request that asks whether a lost attempt took effect.

    Raises:
        AtomError: RUN609 a template cannot be evaluated.
    """
    return StepRequest(
        step_name=handler.name,
        handler=probe.type,
        attempt_id=attempt_id,
        folder=folder,
        timeout=probe.timeout,
        probe=True,
        **_common(lost.run, handler, probe, lost.activation, secrets),
    )


def _common(
    run: Run, handler: Handler, asked: Handler | Probe, activation: Mapping[str, Json], secrets: Secrets
) -> dict[str, Any]:
    config = render_step(asked, {**activation, ROOT: dict(secrets)})
    env, network = config.get("env", {}), config.get("network", [])
    assert isinstance(env, dict)
    assert isinstance(network, list)
    return {
        "tenant_id": run.tenant_id,
        "run_id": run.id,
        "config": config,
        "parameters": run.parameters,
        "env": {name: as_text(value) for name, value in env.items()},
        "secrets": secrets,
        "network": tuple(str(place) for place in network),
        # The same for every attempt of the step: what an outside system recognises a repeat by.
        "idempotency_key": f"{run.id}/{handler.name}",
        "context": activation,
    }
