"""A step with declared hosts reaches those and nothing else."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from tests.servers.hostile_http import HostileServer

from atomctl.runs.steps.model import Outcome

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is the client inside; apt-get install curl")

FETCH = "curl -sS --max-time 10 --proxytunnel"


def test_a_declared_host_is_reached_through_the_proxy(sandboxed: Any) -> None:
    with HostileServer() as server:
        bench = sandboxed.allowing(f"localhost:{server.port}")
        result = bench.run(f"{FETCH} {server.url('ok', 'localhost')}", network=(f"localhost:{server.port}",))
    assert '"green"' in bench.log.text()
    assert result.outcome is Outcome.SUCCEEDED


def test_another_port_of_a_declared_host_is_not_reached(sandboxed: Any) -> None:
    with HostileServer() as server, HostileServer() as other:
        bench = sandboxed.allowing("127.0.0.0/8")
        result = bench.run(f"{FETCH} {other.url('ok', 'localhost')}", network=(f"localhost:{server.port}",))
        assert not other.connected.is_set()
    assert result.outcome is Outcome.FAILED
    assert "is not among the declared hosts of this step" in bench.log.text()


def test_a_declared_name_that_leads_inside_is_not_reached(sandboxed: Any) -> None:
    with HostileServer() as server:
        result = sandboxed.run(f"{FETCH} {server.url('ok', 'localhost')}", network=(f"localhost:{server.port}",))
        assert not server.connected.is_set()
    assert result.outcome is Outcome.FAILED
    assert "which is loopback" in sandboxed.log.text()


def test_going_around_the_proxy_leads_nowhere(sandboxed: Any) -> None:
    with HostileServer() as server:
        bench = sandboxed.allowing("127.0.0.0/8")
        result = bench.run(f"{FETCH} --noproxy '*' {server.url('ok')}", network=(server.address,))
        assert not server.connected.is_set()
    assert result.outcome is Outcome.FAILED


def test_the_proxy_does_nothing_but_connect(sandboxed: Any) -> None:
    with HostileServer() as server:
        bench = sandboxed.allowing(server.address)
        bench.run(f"curl -sS --max-time 10 {server.url('ok')}", network=(server.address,))
        assert not server.connected.is_set()
    assert "only CONNECT" in bench.log.text()


def test_the_network_of_a_step_ends_with_the_step(sandboxed: Any) -> None:
    with HostileServer() as server:
        bench = sandboxed.allowing(server.address)
        result = bench.run(f"{FETCH} {server.url('slow-body')}", network=(server.address,), timeout=1.5)
        assert result.outcome is Outcome.TIMED_OUT
        assert server.hung_up.wait(10)
