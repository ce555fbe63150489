"""Api steps against a server that does everything wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.integration.runs_steps.conftest import Log
from tests.servers.hostile_http import HostileServer

from atomctl.runs.addresses import AddressGuard, resolve
from atomctl.runs.isolation import without_sandbox
from atomctl.runs.masking import Masker
from atomctl.runs.steps import api, codes
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepRequest, StepResult
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType


class Caller:
    """Makes api attempts against one hostile server."""

    def __init__(self, server: HostileServer, scratch: Path) -> None:
        self.server = server
        self.site = Site(scratch=scratch, isolation=without_sandbox("not used"), guard=AddressGuard([server.address]))
        self.log = Log()
        self.cancelled = threading.Event()

    def __call__(
        self, path: str, *, timeout: float = 20, resolver: Any = resolve, secrets: Sequence[str] = (), **config: Any
    ) -> StepResult:
        request = StepRequest(
            step_name="call",
            handler=HandlerType.API,
            attempt_id=uuid4(),
            config={"url": path if "://" in path else self.server.url(path), **config},
            folder=self.site.scratch,
            timeout=timedelta(seconds=timeout),
            idempotency_key="run-1/call",
            context={"params": {"wanted": 3}},
        )
        return api.execute(request, self.site, self.log, self.cancelled, Masker(secrets), resolver=resolver)


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Caller]:
    with HostileServer() as server:
        yield Caller(server, tmp_path)


def test_a_good_answer_becomes_outputs(call: Caller) -> None:
    result = call("ok", success={"status": [200], "when": "response.body.count == params.wanted"})
    assert result.outcome is Outcome.SUCCEEDED, result.error
    assert result.outputs == {"status": 200, "body": {"state": "green", "count": 3}}
    assert result.exit_code == 200
    assert result.isolation is IsolationLevel.NOT_NEEDED
    assert "200, 30 bytes" in call.log.text()


def test_the_wrong_status_or_a_false_condition_fails_the_step_and_shows_the_answer(call: Caller) -> None:
    result = call("teapot")
    assert (result.outcome, result.code, result.exit_code) == (Outcome.FAILED, codes.UNEXPECTED_RESPONSE, 418)
    assert "short and stout" in call.log.text()
    assert call("teapot", success={"status": [418]}).outcome is Outcome.SUCCEEDED
    assert call("ok", success={"when": "response.body.state == 'red'"}).code is codes.UNEXPECTED_RESPONSE
    assert call("ok", success={"when": "response.body.nothing.there"}).code is codes.UNEXPECTED_RESPONSE


@pytest.mark.parametrize("path", ["silent", "drip", "slow-body"])
def test_a_server_that_takes_for_ever_gets_no_longer_than_the_timeout(call: Caller, path: str) -> None:
    begun = time.monotonic()
    result = call(path, timeout=0.5)
    assert (result.outcome, result.code) == (Outcome.TIMED_OUT, codes.TIMED_OUT)
    assert time.monotonic() - begun < 3
    assert call.server.hung_up.wait(10)


def test_a_connection_that_comes_about_after_the_cancel_is_cut_at_once(call: Caller) -> None:
    given_up = threading.Event()

    def late(host: str, port: int) -> Sequence[str]:
        call.cancelled.set()
        given_up.wait(10)
        return resolve(host, port)

    assert call("silent", resolver=late, timeout=60).outcome is Outcome.CANCELLED
    given_up.set()
    assert call.server.connected.wait(10)
    assert call.server.hung_up.wait(10)


@pytest.mark.parametrize("path", ["silent", "drip", "slow-body"])
def test_a_cancel_is_heard_in_the_middle_of_a_call(call: Caller, path: str) -> None:
    def cancel() -> None:
        call.server.connected.wait(10)
        call.cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    begun = time.monotonic()
    assert call(path, timeout=60).outcome is Outcome.CANCELLED
    assert time.monotonic() - begun < 10
    assert call.server.hung_up.wait(10)


def test_a_huge_answer_is_not_read_to_its_end(call: Caller) -> None:
    result = call("huge", max_bytes=100_000)
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.TOO_LARGE)
    assert call.server.hung_up.wait(10)


def test_a_body_too_long_for_outputs_is_left_out_and_the_log_says_so(call: Caller) -> None:
    result = call("big")
    assert result.outputs == {"status": 200}
    assert "it is not among them" in call.log.text()


@pytest.mark.parametrize("path", ["dying", "garbage", "bomb"])
def test_what_is_no_proper_answer_is_tried_three_times_and_no_more(call: Caller, path: str) -> None:
    result = call(path)
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.NO_ANSWER)
    assert len(call.server.requests) == 3


def test_a_harmless_request_is_tried_again(call: Caller) -> None:
    assert call("flaky").outcome is Outcome.SUCCEEDED
    assert len(call.server.requests) == 2


def test_a_post_is_sent_once_unless_its_author_set_a_key(call: Caller) -> None:
    assert call("dying", method="POST", body={"a": 1}).code is codes.NO_ANSWER
    assert len(call.server.requests) == 1
    assert b"idempotency-key: run-1/call" in call.server.requests[0].lower()
    assert call("dying", method="POST", headers={"Idempotency-Key": "mine"}).code is codes.NO_ANSWER
    assert len(call.server.requests) == 4


def test_the_server_sees_the_name_and_the_connection_goes_to_the_checked_address(call: Caller) -> None:
    port = call.server.port
    call.site = replace(call.site, guard=AddressGuard([f"status.example:{port}"]))
    result = call(f"http://status.example:{port}/ok", resolver=lambda _host, _port: ["127.0.0.1"])
    assert result.outcome is Outcome.SUCCEEDED, result.error
    assert f"host: status.example:{port}".encode() in call.server.requests[0].lower()


def test_a_name_that_changes_its_address_is_asked_once_and_its_answer_is_checked(call: Caller) -> None:
    """DNS rebinding: public when it is checked, internal when it is connected to. There is no second question."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    call.site = replace(
        call.site, guard=AddressGuard([call.server.address, "127.0.0.1/32", f"localhost:{call.server.port}"])
    )
    url = call.server.url("ok", "localhost")
    assert call(url, resolver=rebinding).outcome is Outcome.SUCCEEDED
    assert asked == ["localhost"]
    call.site = replace(call.site, guard=AddressGuard(["127.0.0.1/32"]))
    refused = call(url.replace("http:", "https:"), resolver=rebinding)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, codes.FORBIDDEN_ADDRESS)
    assert len(call.server.requests) == 1


def test_an_internal_address_is_refused_before_anything_is_sent(call: Caller) -> None:
    call.site = replace(call.site, guard=AddressGuard())
    result = call(f"https://127.0.0.1:{call.server.port}/ok")
    assert (result.outcome, result.code) == (Outcome.REFUSED, codes.FORBIDDEN_ADDRESS)
    assert not call.server.connected.is_set()


def test_plain_http_is_refused_unless_the_worker_names_the_host(call: Caller) -> None:
    call.site = replace(call.site, guard=AddressGuard())
    assert call("ok").code is codes.PLAIN_HTTP
    assert not call.server.connected.is_set()


def test_redirects_are_not_followed_unless_the_step_says_so(call: Caller) -> None:
    assert call("to-ok").code is codes.REDIRECTED
    assert call("to-ok", follow_redirects=True).outputs["status"] == 200
    assert call("to-ok", success={"status": [302]}).outputs["status"] == 302


def test_a_redirect_to_the_metadata_service_is_refused(call: Caller) -> None:
    call.site = replace(call.site, guard=AddressGuard([call.server.address, "169.254.169.254:1"]))
    result = call("to-metadata", follow_redirects=True)
    assert result.outcome is Outcome.FAILED  # not refused: the first server was asked
    assert result.code is codes.PLAIN_HTTP
    call.site = replace(call.site, guard=AddressGuard([call.server.address, "169.254.169.254:443"]))
    assert call("to-metadata", follow_redirects=True).code is codes.PLAIN_HTTP


def test_redirects_end(call: Caller) -> None:
    result = call("to-itself", follow_redirects=True)
    assert result.code is codes.REDIRECTED
    assert len(call.server.requests) == 6


def test_a_redirect_to_another_origin_does_not_take_the_password_along(call: Caller) -> None:
    call.site = replace(call.site, guard=AddressGuard([call.server.address, f"localhost:{call.server.port}"]))
    result = call("to-elsewhere", follow_redirects=True, headers={"Authorization": "Bearer swordfish"})
    assert result.outcome is Outcome.SUCCEEDED, result.error
    assert b"swordfish" in call.server.requests[0]
    assert b"swordfish" not in call.server.requests[1]


def test_a_secret_in_the_answer_or_the_url_is_masked(call: Caller) -> None:
    headers = {"Authorization": "Bearer swordfish"}
    result = call("echo?token=swordfish", headers=headers, secrets=["swordfish"])
    assert "swordfish" not in str(result)
    assert "swordfish" not in call.log.text()
    assert "***" in str(result.outputs)


def test_nobody_listening_is_a_clear_answer(call: Caller) -> None:
    with HostileServer() as gone:
        address = gone.address
    call.site = replace(call.site, guard=AddressGuard([address]))
    result = call(f"http://{address}/", method="POST")
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.NO_ANSWER)
    assert "refused" in (result.error or "")


def test_proxies_of_the_workers_environment_are_not_used(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert call("ok").outcome is Outcome.SUCCEEDED
