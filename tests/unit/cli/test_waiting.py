"""Waiting for a run goes on while the server is away, as it is during an upgrade."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from atomctl.cli import codes, patience, waiting
from atomctl.client import NONSENSE, UNREACHABLE
from atomctl.errors import AtomError

RUN = "01a20a71-14c9-7d39-a390-2489f95af077"


class Answers:
    """A client that answers as it was told to."""

    def __init__(self, *answers: str | AtomError) -> None:
        self.answers = list(answers)

    def get(self, path: str, **_: object) -> dict[str, Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, AtomError):
            raise answer
        return {"id": RUN, "state": answer}


def wait(client: Answers) -> str:
    return str(waiting.wait_for_run(client, RUN, timedelta(minutes=1))["state"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause; what is said on the way needs a command that is running, and is not what these tests are about."""
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "say", lambda *_: None)
    monkeypatch.setattr(waiting, "busy", lambda _: nullcontext())


AWAY = AtomError(UNREACHABLE, "connection reset by peer")


def test_a_server_that_comes_back_is_asked_again() -> None:
    assert wait(Answers("RUNNING", AWAY, AWAY, "SUCCEEDED")) == "SUCCEEDED"


def test_a_server_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_AWAY_SECONDS", -1.0)
    with pytest.raises(AtomError) as caught:
        wait(Answers("RUNNING", AWAY))
    assert caught.value.code is UNREACHABLE


def test_nobody_waits_for_it_longer_than_the_run_is_waited_for() -> None:
    with pytest.raises(AtomError) as caught:
        waiting.wait_for_run(Answers("RUNNING", AWAY), RUN, timedelta(0))
    assert caught.value.code is codes.TIMED_OUT
    patient = patience.Patient(Answers("RUNNING", AWAY), deadline=0.0)
    patient.get("runs")
    with pytest.raises(AtomError) as caught:
        patient.get("runs")
    assert caught.value.code is UNREACHABLE


def test_its_log_is_read_on_too(capsys: pytest.CaptureFixture[str]) -> None:
    class Logs(Answers):
        def get(self, path: str, **params: object) -> dict[str, Any]:
            if not path.endswith("/logs"):
                return super().get(path, **params)
            if params["offset"] == 0 and self.answers[:1] == [AWAY]:
                raise self.answers.pop(0)  # type: ignore[misc]  # it is the error
            items = [{"step": "one", "text": "said once"}] if params["offset"] == 0 else []
            return {"items": items, "next_offset": 1}

    waiting.wait_for_run(Logs("RUNNING", AWAY, "SUCCEEDED"), RUN, timedelta(minutes=1), logs=True)
    assert capsys.readouterr().out == "one  said once\n"


def test_a_server_that_never_answered_is_told_at_once() -> None:
    with pytest.raises(AtomError):
        wait(Answers(AWAY, "SUCCEEDED"))


def test_what_is_no_outage_is_not_waited_out() -> None:
    with pytest.raises(AtomError) as caught:
        wait(Answers("RUNNING", AtomError(NONSENSE, "a page of a proxy"), "SUCCEEDED"))
    assert caught.value.code is NONSENSE
