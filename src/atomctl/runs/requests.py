"""What a step attempt is asked to do, put together from the manifest, the run and the rendered configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from atomctl.canonical import Json
from atomctl.runs.model import Run
from atomctl.runs.step_course import Begun, Lost
from atomctl.runs.steps.model import StepRequest
from atomctl.wpk.model import Handler, HandlerType, Probe


def step_request(begun: Begun, folder: Path) -> StepRequest:
    """The request of an attempt whose intent is recorded."""
    what = begun.what
    return _request(
        begun.run, what.handler, what.handler.type, begun.config, what.attempt_id, folder, what.handler.timeout
    )


def probe_request(lost: Lost, handler: Handler, probe: Probe, attempt_id: UUID, folder: Path) -> StepRequest:
    """The request that asks whether a lost attempt took effect."""
    return _request(lost.run, handler, probe.type, probe.config, attempt_id, folder, probe.timeout)


def _request(
    run: Run,
    handler: Handler,
    kind: HandlerType,
    config: Mapping[str, Json],
    attempt_id: UUID,
    folder: Path,
    timeout: timedelta,
) -> StepRequest:
    env, network = config.get("env", {}), config.get("network", [])
    assert isinstance(env, dict)
    assert isinstance(network, list)
    return StepRequest(
        step_name=handler.name,
        handler=kind,
        attempt_id=attempt_id,
        config=config,
        folder=folder,
        timeout=timeout,
        parameters=run.parameters,
        env={name: str(value) for name, value in env.items()},
        network=tuple(str(place) for place in network),
        # The same for every attempt of the step: what an outside system recognises a repeat by.
        idempotency_key=f"{run.id}/{handler.name}",
    )
