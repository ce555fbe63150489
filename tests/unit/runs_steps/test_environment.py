from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from atomctl.errors import AtomError
from atomctl.runs.steps import environment
from atomctl.runs.steps.model import StepRequest
from atomctl.wpk.model import HandlerType


def build(secrets: dict[str, str] | None = None, **fields: Any) -> dict[str, str]:
    request = StepRequest(
        step_name="restart",
        handler=HandlerType.SHELL,
        attempt_id=UUID(int=7),
        config={},
        folder=Path("/nowhere"),
        timeout=timedelta(seconds=1),
        **fields,
    )
    return environment.build(request, home="/tmp", output="/run/o", package="/package", secrets=secrets or {})


def test_parameters_arrive_as_data_in_capitals() -> None:
    env = build(parameters={"host-name": "a b; rm -rf /", "count": 3, "on": True, "list": [1, "x"], "nothing": None})
    assert env["ATOM_PARAM_HOST_NAME"] == "a b; rm -rf /"
    assert env["ATOM_PARAM_COUNT"] == "3"
    assert env["ATOM_PARAM_ON"] == "true"
    assert env["ATOM_PARAM_LIST"] == '[1,"x"]'
    assert "ATOM_PARAM_NOTHING" not in env


def test_nothing_of_the_workers_own_environment_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "s.1234567890")
    env = build()
    assert "VAULT_TOKEN" not in env
    assert env["PATH"] == environment.PATH
    assert set(env) == {
        *("PATH", "HOME", "TMPDIR", "LANG", "TZ"),
        *("ATOM_OUTPUT", "ATOM_PACKAGE", "ATOM_STEP", "ATOM_ATTEMPT_ID"),
    }


def test_a_secret_is_named_by_its_file_and_the_key_of_the_step_is_handed_over() -> None:
    env = build({"db_password": "/run/atom/secrets/db_password"}, idempotency_key="run/step")
    assert env["ATOM_SECRET_DB_PASSWORD_FILE"] == "/run/atom/secrets/db_password"
    assert env["ATOM_IDEMPOTENCY_KEY"] == "run/step"


@pytest.mark.parametrize(
    "fields",
    [
        {"env": {"PATH": "/evil"}},
        {"env": {"ATOM_OUTPUT": "/x"}},
        {"env": {"A=B": "x"}},
        {"env": {"A": "x\0y"}},
        {"env": {"A": "\ud800"}},
        {"env": {"A": "x" * 200_000}},
        {"env": {f"A{n}": "x" * 100_000 for n in range(11)}},
        {"env": {f"A{n}": "" for n in range(1001)}},
        {"parameters": {"a-b": 1, "a_b": 2}},
        {"parameters": {"a/b": 1}},
    ],
)
def test_what_no_environment_should_hold_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(AtomError, match=r"^RUN651"):
        build(**fields)
