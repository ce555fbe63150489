"""The typed HTTP client: what the command line uses, and what other programs may use.

Every answer that is not a success is raised as the same `AtomError` the server raised: code, why, hint and exit code
travel in the problem document (RFC 9457), so a script sees one set of codes wherever the refusal was made.

It stands on the standard library alone, because it is on the way of almost every command: the import of a larger HTTP
library costs ten times the start of the interpreter.
"""

from __future__ import annotations

import json
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from atomctl.errors import AtomError, Code, ExitCode
from atomctl.files import replacing

UNREACHABLE = Code(
    "API001",
    "the server does not answer",
    "No connection could be made, or it broke. A change that was under way either happened whole or not at all.",
    "atomctl up    # or check --context and the server's log",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
NONSENSE = Code(
    "API002",
    "the server's answer cannot be understood",
    "What answered is not an ATOM server of this version, or something between changed the answer.",
    "check the address with: atomctl doctor",
    ExitCode.SERVICE,
    502,
)
BAD_ADDRESS = Code(
    "API003",
    "the server's address cannot be used",
    "It is not of the form http://HOST[:PORT] or https://HOST[:PORT]. Nothing was sent.",
    "atomctl context add NAME --api-url https://atom.example",
    ExitCode.USAGE,
)
CODES = (UNREACHABLE, NONSENSE, BAD_ADDRESS)

Document = dict[str, Any]
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
"""Longer than the longest poll the server holds open."""
_READY_SECONDS = 2.0
_ANSWER_LIMIT = 128 * 1024 * 1024
_CHUNK = 256 * 1024


class Client:
    """One connection to one server as one identity; a context manager.

    Proxy variables of the environment are not read, and redirects are not followed: the token goes to `base_url` alone.

    Args:
        base_url: where the server listens, without `/api/v1`.
        token: the access token; it is sent in the header and never logged.

    Raises:
        AtomError: API003 `base_url` is not one.
    """

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"accept": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._connection, self._prefix = _connection(self.base_url)
        self._answer: HTTPResponse | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._connection.close()

    def get(self, path: str, **params: object) -> Document:
        """The JSON object at `/api/v1/<path>`; parameters that are None are left out.

        Raises:
            AtomError: API001 nothing answers, API002 it is no ATOM server, and whatever the server refuses with.
        """
        return self._document(self._send("GET", _api(path, params)))

    def post(
        self, path: str, body: Mapping[str, object] | None = None, *, idempotency_key: str | None = None
    ) -> Document:
        """Posts a JSON object and returns the JSON object that answers.

        With an `idempotency_key`, sending the same again does nothing and returns the first answer.

        Raises:
            AtomError: as for `get`.
        """
        headers = {"content-type": "application/json"}
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        return self._document(self._send("POST", _api(path, {}), json.dumps(dict(body or {})).encode(), headers))

    def pages(self, path: str, *, limit: int | None = None, **params: object) -> Iterator[Document]:
        """All items of a keyset-paged list, at most `limit`, fetched page by page as they are taken."""
        after: str | None = None
        left = limit
        while left is None or left > 0:
            page = self.get(path, after=after, limit=min(left or 100, 100), **params)
            yield from page["items"]
            left = None if left is None else left - len(page["items"])
            after = page.get("next")
            if after is None:
                return

    def download(self, path: str, target: Path, **params: object) -> int:
        """Writes the bytes at `/api/v1/<path>` to `target`, whole or not at all, and returns how many they were.

        Raises:
            AtomError: as for `get`; an answer that breaks off is API001.
            OSError: `target` cannot be written.
        """
        size = 0
        with replacing(target) as out:
            answer = self._send("GET", _api(path, params))
            while chunk := self._read(answer, _CHUNK):
                size += len(chunk)
                out.write(chunk)
        return size

    def ready(self, *, worker: bool = False) -> bool:
        """Whether `/readyz` says yes; with `worker`, whether a worker is alive too."""
        try:
            self._send("GET", "/readyz?worker=1" if worker else "/readyz", seconds=_READY_SECONDS).read()
        except AtomError:
            return False
        return True

    def _send(
        self,
        method: str,
        target: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float = _ANSWER_SECONDS,
    ) -> HTTPResponse:
        with self._talking():
            self._open(seconds)
            with suppress(BrokenPipeError):  # refused before it was all sent: the answer says why
                self._connection.request(method, self._prefix + target, data, {**self._headers, **(headers or {})})
            self._answer = self._connection.getresponse()
        if not 200 <= self._answer.status < 300:
            raise self._problem(self._answer)
        return self._answer

    def _open(self, seconds: float) -> None:
        """The connection is fit for a request; one that the server has closed meanwhile, or that broke off, is not."""
        unread = self._answer is not None and not self._answer.isclosed()
        socket = self._connection.sock
        if socket is not None and (unread or select.select([socket], [], [], 0)[0]):
            self._connection.close()
        if self._connection.sock is None:
            self._connection.connect()
        self._connection.sock.settimeout(seconds)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """What breaks within the block is the connection."""
        try:
            yield
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise AtomError(UNREACHABLE, f"{self.base_url}: {str(error) or type(error).__name__}") from error
        except BaseException:  # such as Ctrl-C: the answer to this request must not meet the next one
            self._connection.close()
            raise

    def _read(self, answer: HTTPResponse, size: int) -> bytes:
        with self._talking():
            return answer.read(size)

    def _document(self, answer: HTTPResponse) -> Document:
        try:
            document = json.loads(self._body(answer))
        except ValueError as error:
            raise AtomError(NONSENSE, f"{self.base_url}: not JSON") from error
        if not isinstance(document, dict):
            raise AtomError(NONSENSE, f"{self.base_url}: not a JSON object")
        return document

    def _body(self, answer: HTTPResponse) -> bytes:
        data = self._read(answer, _ANSWER_LIMIT + 1)
        if len(data) > _ANSWER_LIMIT:
            raise AtomError(NONSENSE, f"{self.base_url}: an answer of more than {_ANSWER_LIMIT} bytes")
        return data

    def _problem(self, answer: HTTPResponse) -> AtomError:
        """The error a problem document describes; the status alone where there is none."""
        try:
            body = json.loads(self._body(answer))
            code = Code(
                str(body["code"]),
                str(body["title"]),
                str(body.get("meaning") or body["title"]),
                str(body["hint"]),
                ExitCode(int(body["exit"])),
                answer.status,
                retryable=body.get("retryable") is True,
            )
            return AtomError(code, str(body["detail"]))
        except (ValueError, KeyError, TypeError):
            return AtomError(NONSENSE, f"{self.base_url} answered {answer.status} without a problem document")


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _api(path: str, params: Mapping[str, object]) -> str:
    query = urlencode({name: _plain(value) for name, value in params.items() if value is not None})
    return f"/api/v1/{path}?{query}" if query else f"/api/v1/{path}"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _connection(base_url: str) -> tuple[HTTPConnection, str]:
    """A connection that is opened by the first request, and what precedes every path."""
    try:
        parts = urlsplit(base_url)
        kind, port = {"http": (HTTPConnection, 80), "https": (HTTPSConnection, 443)}[parts.scheme]
        if parts.hostname is None or parts.query or parts.fragment or parts.username:
            raise ValueError
        return kind(parts.hostname, parts.port or port, timeout=_CONNECT_SECONDS), parts.path
    except (KeyError, ValueError):
        raise AtomError(BAD_ADDRESS, f"{base_url[:200]!r}") from None
