"""What an api handler's configuration says to send and to accept. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.addresses import AddressGuard
from atomctl.runs.steps import codes

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MAX_BYTES: Final = 1024 * 1024
_MAX_BYTES_LIMIT: Final = 64 * 1024 * 1024
_BODY_LIMIT: Final = 1024 * 1024
_KEY: Final = "idempotency-key"
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", re.ASCII)
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade"}
)
"""Headers that frame the message or choose its target: not the author's to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request and what counts as its success. `headers` names are in lower case."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    body: bytes
    statuses: frozenset[int]
    when: str | None
    max_bytes: int
    follow_redirects: bool
    repeatable: bool
    """Whether sending it twice does what sending it once does, by its method or because the author says so."""

    @property
    def host(self) -> str:
        """The name or address the URL points to."""
        return self.url.host

    @property
    def port(self) -> int:
        """The port of the URL, or of its scheme."""
        return self.url.port or _DEFAULT_PORTS[self.url.scheme]

    def with_key(self, key: str | None) -> HttpRequest:
        """Carries the step's key where the author set none; that alone does not make it repeatable."""
        if key is None or self.repeatable:
            return self
        return replace(self, headers={**self.headers, _KEY: key})


def parse(config: Mapping[str, Json]) -> HttpRequest:
    """The request of an api handler whose templates are rendered.

    Raises:
        AtomError: RUN651 what was rendered is not a request.
    """
    method = config.get("method", "GET")
    if method not in METHODS:
        raise _bad(f"method {method!r} is not one of {', '.join(sorted(METHODS))}")
    body, kind = _body(config.get("body"))
    headers = _headers(config.get("headers", {}))
    if kind and "content-type" not in headers:
        headers["content-type"] = kind
    success = _mapping("success", config.get("success", {}))
    max_bytes = config.get("max_bytes", _MAX_BYTES)
    if not isinstance(max_bytes, int) or not 0 < max_bytes <= _MAX_BYTES_LIMIT:
        raise _bad(f"max_bytes is a number from 1 to {_MAX_BYTES_LIMIT}")
    return HttpRequest(
        method=str(method),
        url=url(str(config.get("url", ""))),
        headers=headers,
        body=body,
        statuses=_statuses(success.get("status")),
        when=None if success.get("when") is None else str(success["when"]),
        max_bytes=max_bytes,
        follow_redirects=config.get("follow_redirects") is True,
        repeatable=method in _IDEMPOTENT or _KEY in headers,
    )


def url(text: str) -> httpx.URL:
    """`text` as an absolute http or https URL with a host and without a password.

    Raises:
        AtomError: RUN651 it is something else.
    """
    try:
        parsed = httpx.URL(text)
        port = parsed.port
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad(f"url: {error}") from error
    if parsed.scheme not in _DEFAULT_PORTS or not parsed.host or not 0 < (1 if port is None else port) < 65536:
        raise _bad("url needs the form https://host/path")
    if parsed.userinfo:
        raise _bad("url carries a user or password: use a header")
    return parsed.copy_with(fragment=None)


def refuse_plain_http(target: httpx.URL, guard: AddressGuard) -> None:
    """Nothing, if `target` is https or the worker names it.

    Raises:
        AtomError: RUN676.
    """
    if target.scheme == "http" and not guard.allows_by_name(target.host, target.port or _DEFAULT_PORTS["http"]):
        raise AtomError(codes.PLAIN_HTTP, f"{target.scheme}://{target.host} is not https")


def redirected(request: HttpRequest, status: int, location: str) -> HttpRequest:
    """The request that follows a redirect (RFC 9110 section 15.4); another origin gets none of the author's headers.

    Raises:
        AtomError: RUN651 the target is no URL, RUN675 it leads from https to http.
    """
    target = url(str(request.url.join(location)))
    if request.url.scheme == "https" and target.scheme == "http":
        raise AtomError(codes.REDIRECTED, f"{request.host} redirects from https to http")
    same = (target.scheme, target.host, target.port) == (request.url.scheme, request.url.host, request.url.port)
    becomes_get = status == 303 or (status in {301, 302} and request.method == "POST")
    method = "GET" if becomes_get and request.method != "HEAD" else request.method
    dropped = {"content-type"} if becomes_get else set()
    headers = {name: value for name, value in request.headers.items() if same and name not in dropped}
    return replace(request, url=target, method=method, headers=headers, body=b"" if becomes_get else request.body)


def _body(body: Json) -> tuple[bytes, str | None]:
    if body is None:
        return b"", None
    try:
        data = (body if isinstance(body, str) else json.dumps(body, allow_nan=False)).encode()
    except ValueError as error:
        raise _bad(f"body: {error}") from error
    if len(data) > _BODY_LIMIT:
        raise _bad(f"body has more than {_BODY_LIMIT} bytes")
    return data, "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"


def _headers(value: Json) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, text in _mapping("headers", value).items():
        lower = name.lower()
        if not _NAME.fullmatch(name) or lower in _OURS or lower in headers:
            raise _bad(f"header {name[:80]!r} cannot be set, or is set twice")
        if not isinstance(text, str) or not _VALUE.fullmatch(text):
            raise _bad(f"header {name}: the value is not one line of text")
        headers[lower] = text
    return headers


def _statuses(value: Json) -> frozenset[int]:
    if value is None:
        return frozenset(range(200, 300))
    if not isinstance(value, list) or not value or not all(type(status) is int for status in value):
        raise _bad("success.status is a list of numbers")
    numbers: list[Any] = value
    return frozenset(numbers)


def _mapping(field: str, value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _bad(f"{field} is a mapping")
    return value


def _bad(why: str) -> AtomError:
    return AtomError(codes.BAD_CONFIG, f"api handler: {why}")
