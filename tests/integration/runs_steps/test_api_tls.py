"""The connection goes to the checked address, and the certificate is checked against the name."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from tests.integration.runs_steps.conftest import Log
from tests.servers.certificates import make_certificate
from tests.servers.hostile_http import HostileServer

from atomctl.runs.addresses import AddressGuard
from atomctl.runs.isolation import without_sandbox
from atomctl.runs.masking import Masker
from atomctl.runs.steps import api, codes
from atomctl.runs.steps.model import Outcome, StepRequest, StepResult
from atomctl.runs.steps.site import Site
from atomctl.wpk.model import HandlerType


def call(
    name: str, port: int, scratch: Path, tls: ssl.SSLContext | None, cancelled: threading.Event | None = None
) -> StepResult:
    request = StepRequest(
        step_name="call",
        handler=HandlerType.API,
        attempt_id=uuid4(),
        config={"url": f"https://{name}:{port}/ok"},
        folder=scratch,
        timeout=timedelta(seconds=20),
    )
    site = Site(scratch=scratch, isolation=without_sandbox("not used"), guard=AddressGuard([f"{name}:{port}"]))
    event = cancelled or threading.Event()
    return api.execute(request, site, Log(), event, Masker(()), resolver=lambda *_: ["127.0.0.1"], tls=tls)


def test_a_server_that_proves_its_name_is_talked_to(tmp_path: Path) -> None:
    serving, trusting = make_certificate("api.example", tmp_path)
    with HostileServer(serving) as server:
        result = call("api.example", server.port, tmp_path, trusting)
    assert result.outcome is Outcome.SUCCEEDED, result.error


def test_a_server_with_another_name_gets_no_request(tmp_path: Path) -> None:
    serving, trusting = make_certificate("other.example", tmp_path)
    with HostileServer(serving) as server:
        result = call("api.example", server.port, tmp_path, trusting)
        assert server.requests == []
    assert result.code is codes.NO_ANSWER
    assert "api.example" in (result.error or "")


def test_a_server_nobody_vouches_for_gets_no_request(tmp_path: Path) -> None:
    serving, _ = make_certificate("api.example", tmp_path)
    with HostileServer(serving) as server:
        result = call("api.example", server.port, tmp_path, None)
        assert server.requests == []
    assert result.code is codes.NO_ANSWER


def test_a_cancel_is_heard_while_the_other_side_never_finishes_its_handshake(tmp_path: Path) -> None:
    cancelled, accepted = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept_and_say_nothing() -> None:
            connection, _ = listener.accept()
            accepted.set()
            with connection:
                while connection.recv(65536):
                    cancelled.set()

        thread = threading.Thread(target=accept_and_say_nothing, daemon=True)
        thread.start()
        begun = time.monotonic()
        result = call("api.example", listener.getsockname()[1], tmp_path, None, cancelled)
        assert result.outcome is Outcome.CANCELLED
        assert time.monotonic() - begun < 5
        thread.join(10)  # the connection was cut, or this would wait for ever
        assert not thread.is_alive()
