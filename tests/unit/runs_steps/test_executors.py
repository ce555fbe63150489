from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from atomctl.errors import Code
from atomctl.runs.isolation import without_sandbox
from atomctl.runs.steps import codes
from atomctl.runs.steps.abilities import refusal
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepRequest, Stream
from atomctl.runs.steps.site import Site, sweep
from atomctl.wpk.model import HandlerType, RuntimeType


class Nothing:
    def write(self, stream: Stream, data: bytes) -> None:
        raise AssertionError(f"a refused step has no log, but said {data!r} on {stream}")


def attempt(tmp_path: Path, handler: HandlerType, secrets: dict[str, str] | None = None) -> StepRequest:
    return StepRequest(
        step_name="x",
        handler=handler,
        attempt_id=uuid4(),
        config={"command": ["true"]},
        folder=tmp_path,
        timeout=timedelta(seconds=1),
        secrets=secrets or {},
    )


def test_a_kubernetes_step_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    said = refusal(HandlerType.K8S)
    assert said is not None
    assert said.code is codes.NO_KUBERNETES
    assert "no Kubernetes connection configured" in said.why
    execute = StepExecutor(Site(scratch=tmp_path, isolation=without_sandbox("test")))
    result = execute(attempt(tmp_path, HandlerType.K8S), Nothing(), threading.Event())
    assert (result.outcome, result.code) == (Outcome.REFUSED, codes.NO_KUBERNETES)
    assert result.isolation is IsolationLevel.NOT_NEEDED


@pytest.mark.parametrize("runtime", [RuntimeType.K8S, RuntimeType.DOCKER])
def test_shell_steps_in_containers_are_refused_before_a_run_starts(runtime: RuntimeType) -> None:
    said = refusal(HandlerType.SHELL, runtime)
    assert said is not None
    assert said.code is codes.NO_CONTAINERS


def test_shell_and_api_steps_are_executed() -> None:
    assert refusal(HandlerType.SHELL) is None
    assert refusal(HandlerType.API, RuntimeType.K8S) is None


@pytest.mark.parametrize("handler", [HandlerType.APPROVAL, HandlerType.PACKAGE])
def test_what_the_run_decides_itself_is_no_step(handler: HandlerType) -> None:
    said = refusal(handler)
    assert said is not None
    assert said.code is codes.NOT_A_STEP


def test_a_secret_that_cannot_be_masked_refuses_the_step(tmp_path: Path) -> None:
    execute = StepExecutor(Site(scratch=tmp_path, isolation=without_sandbox("test")))
    result = execute(attempt(tmp_path, HandlerType.SHELL, {"pin": "1234"}), Nothing(), threading.Event())
    assert (result.outcome, result.code) == (Outcome.REFUSED, codes.SHORT_SECRET)


def test_an_attempt_nobody_recorded_is_unknown(tmp_path: Path) -> None:
    assert StepExecutor(Site(scratch=tmp_path, isolation=without_sandbox("test"))).recorded(uuid4()) is None


def test_folders_that_nobody_asks_for_any_more_are_swept(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    assert sweep(tmp_path, older_than_seconds=3600) == 0
    assert sweep(tmp_path, older_than_seconds=-1) == 1
    assert list(tmp_path.iterdir()) == []


def test_every_code_is_listed_once_and_lies_in_its_range() -> None:
    ids = [code.id for code in codes.CODES]
    assert len(ids) == len(set(ids))
    assert all("RUN650" <= each <= "RUN699" for each in ids)
    declared = {value.id for value in vars(codes).values() if isinstance(value, Code)}
    assert declared == set(ids)
