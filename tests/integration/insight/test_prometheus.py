"""Questions to Prometheus: the real one, and everything that pretends to be one."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from tests.servers.hostile_http import HostileServer
from tests.servers.process import free_port
from tests.servers.prometheus import Prometheus as RealPrometheus
from tests.servers.waiting import wait_until

from atomctl.errors import AtomError
from atomctl.exchange import Patience
from atomctl.insight.prometheus import LARGEST_ANSWER, LONGEST_EXPRESSION, Prometheus

SHORT = Patience(connect=0.5, silence=0.5, whole=1.0)


class Pretender:
    """Answers every question with one status and body, and keeps what it was asked."""

    def __init__(self, status: int, body: bytes) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.paths: list[str] = []
        asked, paths = self.asked, self.paths

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                paths.append(self.path)
                asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.send_response(status)
                self.send_header("Location", "http://169.254.169.254/")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Pretender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def instant(self, expression: str = "up") -> tuple[float, ...]:
        return Prometheus(f"http://127.0.0.1:{self._server.server_port}/base/", SHORT).instant(expression)


def answer(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def vector(*values: str) -> bytes:
    return answer("vector", [{"metric": {"n": str(n)}, "value": [1.5, value]} for n, value in enumerate(values)])


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(AtomError) as refusal:
        ask()
    assert refusal.value.hint
    return refusal.value.code.id


def test_the_real_prometheus_answers_and_refuses(prometheus: RealPrometheus) -> None:
    real = Prometheus(prometheus.url)
    assert real.instant("vector(41) + 1") == (42.0,)
    assert real.instant("7") == (7.0,)
    wait_until(lambda: bool(prometheus.query("prometheus_build_info or vector(1)")), "it has data")
    assert code_of(lambda: real.instant("sum(")) == "INS803"
    assert code_of(lambda: real.instant("no_such_metric_at_all")) == "INS810"
    assert code_of(lambda: real.instant("vector(1)[5m:1m]")) == "INS811"
    assert code_of(lambda: real.instant("vector(0)/0")) == "INS811"


HOSTILE = [
    'up"} or vector(1) #',
    "up&query=vector(1)&timeout=9h",
    "up\nHost: evil",
    "up%00%0d%0aX-Evil: 1",
    "{__name__=~'.+'}",
    "é" * 100,
]


@pytest.mark.parametrize("expression", HOSTILE)
def test_a_hostile_expression_arrives_as_one_parameter_and_nothing_else(expression: str) -> None:
    with Pretender(200, vector("1")) as server:
        server.instant(expression)
        [asked] = server.asked
    assert asked["query"] == [expression]
    assert set(asked) == {"query", "timeout", "limit"}
    assert server.paths == ["/base/api/v1/query"]


@pytest.mark.parametrize("expression", ["", "  \n ", "x" * (LONGEST_EXPRESSION + 1), "up\x00", "up\x1b[2J", "up\u202e"])
def test_what_cannot_be_asked_is_never_sent(expression: str) -> None:
    with Pretender(200, vector("1")) as server:
        assert code_of(lambda: server.instant(expression)) == "INS802"
        assert server.asked == []


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"<html>please log in</html>", "INS808"),
        (200, b"", "INS808"),
        (200, b"[1, 2]", "INS808"),
        (200, b"[" * 100_000, "INS808"),
        (200, b'{"status":"error"}', "INS808"),
        (200, answer("vector", "nonsense"), "INS808"),
        (200, answer("vector", [{"value": ["x"]}]), "INS808"),
        (200, b"x" * (LARGEST_ANSWER + 1), "INS809"),
        (200, vector(), "INS810"),
        (200, answer("string", [1, "hello"]), "INS811"),
        (200, vector("NaN", "NaN"), "INS811"),
        (302, b"", "INS807"),
        (307, b"", "INS807"),
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error"}', "INS803"),
        (422, b'{"status":"error","errorType":"execution","error":"too many samples"}', "INS803"),
        (401, b"who are you", "INS812"),
        (403, b"<html>", "INS812"),
        (404, b'{"message":"not found"}', "INS808"),
        (500, b"<html>oops</html>", "INS806"),
        (502, b"bad gateway", "INS806"),
        (503, b'{"status":"error","errorType":"timeout","error":"query timed out"}', "INS805"),
        (504, b"gateway timeout", "INS805"),
    ],
)
def test_every_wrong_answer_has_a_code_of_its_own(status: int, body: bytes, code: str) -> None:
    with Pretender(status, body) as server:
        assert code_of(server.instant) == code


def test_what_prometheus_says_is_repeated_short_and_without_control_characters() -> None:
    said = json.dumps({"status": "error", "error": "parse\x1b[31m error\n" + "x" * 10_000}).encode()
    with Pretender(400, said) as server, pytest.raises(AtomError) as refusal:
        server.instant()
    assert len(refusal.value.why) <= 300
    assert refusal.value.why.isprintable()


@pytest.mark.parametrize("behaviour", ["silent", "drip", "slow-body"])
def test_a_slow_server_is_given_up_in_time(hostile: HostileServer, behaviour: str) -> None:
    started = time.monotonic()
    assert code_of(lambda: Prometheus(hostile.url(behaviour), SHORT).instant("up")) == "INS805"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("behaviour", "codes"),
    [("huge", {"INS809"}), ("dying", {"INS808", "INS804"}), ("garbage", {"INS808", "INS804"}), ("bomb", {"INS808"})],
)
def test_a_server_that_talks_nonsense_is_told_from_one_that_is_away(
    hostile: HostileServer, behaviour: str, codes: set[str]
) -> None:
    assert code_of(lambda: Prometheus(hostile.url(behaviour), SHORT).instant("up")) in codes


def test_nobody_there_is_unreachable() -> None:
    assert code_of(lambda: Prometheus(f"http://127.0.0.1:{free_port()}", SHORT).instant("up")) == "INS804"


def test_a_server_without_tls_is_unreachable_over_https() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert code_of(lambda: Prometheus(f"https://127.0.0.1:{port}", SHORT).instant("up")) in {"INS804", "INS805"}


@pytest.mark.parametrize(
    "url", ["", "prometheus:9090", "ftp://x", "http://", "http://u:p@x", "http://x/?a=1", "http://x:99999", "http://[x"]
)
def test_what_is_no_address_is_said_before_anything_is_sent(url: str) -> None:
    assert code_of(lambda: Prometheus(url, SHORT).instant("up")) == "INS813"


def test_numbers_are_read_without_the_ones_that_compare_with_nothing() -> None:
    with Pretender(200, vector("1", "NaN", "+Inf", "-2.5")) as server:
        assert server.instant() == (1.0, math.inf, -2.5)
