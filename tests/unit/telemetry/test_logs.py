"""Logs: one JSON object per line, with ids, without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from atomctl.telemetry import logs
from atomctl.telemetry.redaction import HIDDEN, LONGEST, redact, redact_text


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_says_what_when_where_and_to_which_run_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", json=True)
    with logs.scope(run="r1", trace="t1"):
        logs.get_logger("atomctl.test").info("step.started", step="web")
    logs.get_logger("atomctl.test").info("step.ended")
    first, second = _lines(capsys)
    assert first["event"] == "step.started"
    assert (first["run"], first["trace"], first["step"]) == ("r1", "t1", "web")
    assert (first["level"], first["logger"]) == ("info", "atomctl.test")
    assert first["time"].endswith("Z")
    assert "run" not in second


def test_what_libraries_log_comes_out_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", json=True)
    logging.getLogger("library").warning("connecting to postgresql://me:hunter2@db/atom")
    logging.getLogger("library").info("not shown")
    (line,) = _lines(capsys)
    assert line["event"] == f"connecting to postgresql://me:{HIDDEN}@db/atom"


def test_a_traceback_is_logged_without_local_values_or_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", json=True)
    local_value = "do-not-show-" + "me"
    try:
        raise RuntimeError("token=abcdef123")
    except RuntimeError:
        logs.get_logger("x").exception("it.failed", size=len(local_value))
    (line,) = _lines(capsys)
    assert "RuntimeError" in line["exception"]
    assert "abcdef123" not in line["exception"]
    assert "do-not-show-me" not in json.dumps(line)


def test_lines_for_people_are_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", json=False)
    logs.get_logger("x").debug("login", password="hunter2")
    text = capsys.readouterr().err
    assert "login" in text
    assert "hunter2" not in text


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="a log level is one of"):
        logs.configure("loud", json=True)


@pytest.mark.parametrize(
    "name", ["password", "db_passwd", "Authorization", "token", "client_secret", "api_key", "cookie"]
)
def test_a_value_under_a_telling_name_is_hidden(name: str) -> None:
    assert redact(name, "x") == HIDDEN
    assert redact("request", {name: ["x"]}) == {name: HIDDEN}
    assert redact(name, None) is None


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "got eyJhbGciOiJub25lIn0.aHVudGVyMg.hunter2 from",
        "-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nhunter2",
        "https://me:hunter2@example.org/",
        "postgresql://:hunter2@/db",
        "password=hunter2 host=x",
    ],
)
def test_text_that_looks_like_a_credential_is_hidden(text: str) -> None:
    assert "hunter2" not in redact_text(text)
    assert HIDDEN in redact_text(text)


def test_plain_text_and_numbers_stay_as_they_are_but_not_without_end() -> None:
    assert redact("event", "package hello@1.0.0 published: 3 findings") == "package hello@1.0.0 published: 3 findings"
    assert redact("count", 3) == 3
    assert redact("items", ("a", "b")) == ["a", "b"]
    assert redact_text("x" * (LONGEST + 5)).endswith("… (5 more)")


def test_a_pool_that_complains_each_second_is_heard_at_warning_and_not_at_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import psycopg_pool  # noqa: F401  # it gives its own logger a level

    logs.configure("error", json=True)
    logging.getLogger("psycopg.pool").warning("error connecting")
    assert _lines(capsys) == []
    logs.configure("info", json=True)
    logging.getLogger("psycopg.pool").warning("error connecting")
    assert [line["event"] for line in _lines(capsys)] == ["error connecting"]
