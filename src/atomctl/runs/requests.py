"""What a step attempt is asked to do, put together from the manifest, the run and the rendered configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.runs.model import Run
from atomctl.runs.step_course import Begun, Lost
from atomctl.runs.steps.model import StepRequest
from atomctl.wpk.expressions import as_text
from atomctl.wpk.model import Handler, Probe


def step_request(begun: Begun, folder: Path) -> StepRequest:
    """The request of an attempt whose intent is recorded."""
    handler, run = begun.what.handler, begun.run
    return StepRequest(
        step_name=handler.name,
        handler=handler.type,
        attempt_id=begun.what.attempt_id,
        config=begun.config,
        folder=folder,
        timeout=handler.timeout,
        **_common(run, handler, begun.config),
    )


def probe_request(lost: Lost, handler: Handler, probe: Probe, attempt_id: UUID, folder: Path) -> StepRequest:
    """The request that asks whether a lost attempt took effect."""
    return StepRequest(
        step_name=handler.name,
        handler=probe.type,
        attempt_id=attempt_id,
        config=probe.config,
        folder=folder,
        timeout=probe.timeout,
        **_common(lost.run, handler, probe.config),
    )


def _common(run: Run, handler: Handler, config: Mapping[str, Json]) -> dict[str, Any]:
    env, network = config.get("env", {}), config.get("network", [])
    assert isinstance(env, dict)
    assert isinstance(network, list)
    return {
        "parameters": run.parameters,
        "env": {name: as_text(value) for name, value in env.items()},
        "network": tuple(str(place) for place in network),
        # The same for every attempt of the step: what an outside system recognises a repeat by.
        "idempotency_key": f"{run.id}/{handler.name}",
    }
