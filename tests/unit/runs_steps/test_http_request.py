from __future__ import annotations

from typing import Any

import pytest

from atomctl.errors import AtomError
from atomctl.runs.addresses import AddressGuard
from atomctl.runs.steps import codes
from atomctl.runs.steps.http_request import parse, redirected, refuse_plain_http

URL = "https://api.example/v1"


def test_the_defaults_are_a_get_that_succeeds_with_any_2xx() -> None:
    request = parse({"url": URL})
    assert (request.method, request.body, request.host, request.port) == ("GET", b"", "api.example", 443)
    assert request.statuses == frozenset(range(200, 300))
    assert not request.follow_redirects
    assert request.repeatable


def test_a_body_that_is_no_text_is_sent_as_json() -> None:
    request = parse({"url": URL, "method": "POST", "body": {"a": [1]}, "headers": {"X-A": "b"}})
    assert request.body == b'{"a": [1]}'
    assert request.headers == {"x-a": "b", "content-type": "application/json"}


def test_a_post_is_repeated_only_when_the_author_set_a_key() -> None:
    post = parse({"url": URL, "method": "POST"})
    assert not post.repeatable
    assert post.with_key("run/step").headers["idempotency-key"] == "run/step"
    own = parse({"url": URL, "method": "POST", "headers": {"Idempotency-Key": "mine"}})
    assert own.repeatable
    assert own.with_key("run/step").headers["idempotency-key"] == "mine"


@pytest.mark.parametrize(
    "config",
    [
        {"url": URL, "method": "CONNECT"},
        {"url": "ftp://api.example/"},
        {"url": "/relative"},
        {"url": "https://"},
        {"url": "https://user:secret@api.example/"},
        {"url": "https://api.example:99999/"},
        {"url": URL, "headers": {"Host": "other"}},
        {"url": URL, "headers": {"Transfer-Encoding": "chunked"}},
        {"url": URL, "headers": {"A": "b", "a": "c"}},
        {"url": URL, "headers": {"A": "b\r\nX: y"}},
        {"url": URL, "headers": {"A B": "c"}},
        {"url": URL, "headers": []},
        {"url": URL, "body": float("nan")},
        {"url": URL, "body": "x" * 2_000_000},
        {"url": URL, "success": {"status": []}},
        {"url": URL, "success": {"status": [True]}},
        {"url": URL, "max_bytes": 0},
        {"url": URL, "max_bytes": 1 << 40},
    ],
)
def test_what_is_not_a_request_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(AtomError) as caught:
        parse(config)
    assert caught.value.code is codes.BAD_CONFIG
    assert "secret@" not in caught.value.why


def test_plain_http_needs_the_workers_permission() -> None:
    target = parse({"url": "http://metrics.internal:9090/"}).url
    with pytest.raises(AtomError, match=r"^RUN676"):
        refuse_plain_http(target, AddressGuard())
    refuse_plain_http(target, AddressGuard(["metrics.internal:9090"]))
    refuse_plain_http(parse({"url": "http://10.0.0.9/"}).url, AddressGuard(["10.0.0.0/24"]))


def test_a_redirect_to_another_origin_takes_no_header_along() -> None:
    request = parse({"url": URL, "headers": {"Authorization": "Bearer x"}})
    assert redirected(request, 302, "/v2").headers == {"authorization": "Bearer x"}
    assert redirected(request, 302, "https://evil.example/").headers == {}


def test_a_redirect_never_leads_from_https_to_http() -> None:
    with pytest.raises(AtomError, match=r"^RUN675"):
        redirected(parse({"url": URL}), 302, "http://api.example/")


@pytest.mark.parametrize(("status", "method", "body"), [(303, "GET", b""), (302, "GET", b""), (307, "POST", b"x")])
def test_a_redirected_post_keeps_its_body_only_where_http_says_so(status: int, method: str, body: bytes) -> None:
    request = redirected(parse({"url": URL, "method": "POST", "body": "x"}), status, "/other")
    assert (request.method, request.body) == (method, body)
