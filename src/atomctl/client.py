"""The typed HTTP client: what the command line uses, and what other programs may use.

Every answer that is not a success is raised as the same `AtomError` the server raised: code, why, hint and exit code
travel in the problem document (RFC 9457), so a script sees one set of codes wherever the refusal was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

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
CODES = (UNREACHABLE, NONSENSE)

Document = dict[str, Any]
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_ANSWER_LIMIT = 128 * 1024 * 1024


class Client:
    """One connection to one server as one identity; a context manager.

    Args:
        base_url: where the server listens, without `/api/v1`.
        token: the access token; it is sent in the header and never logged.
    """

    def __init__(self, base_url: str, token: str | None = None) -> None:
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=self.base_url, headers=headers, timeout=_TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **params: object) -> Document:
        """The JSON object at `/api/v1/<path>`; parameters that are None are left out."""
        return self._document(self._send("GET", path, params=params))

    def post(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        files: Mapping[str, tuple[str, bytes]] | list[tuple[str, tuple[str, bytes]]] | None = None,
        idempotency_key: str | None = None,
    ) -> Document:
        """Posts a JSON object or files, and returns the JSON object that answers.

        With an `idempotency_key`, sending the same again does nothing and returns the first answer.
        """
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        if files is not None:
            return self._document(self._send("POST", path, files=files, data=dict(body or {}), headers=headers))
        return self._document(self._send("POST", path, json=dict(body or {}), headers=headers))

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
        """Writes the bytes at `/api/v1/<path>` to `target`, whole or not at all, and returns how many they were."""
        size = 0
        with replacing(target) as out, self._stream(path, params) as answer:
            for chunk in answer.iter_bytes():
                size += len(chunk)
                out.write(chunk)
        return size

    def ready(self, *, worker: bool = False) -> bool:
        """Whether `/readyz` says yes; with `worker`, whether a worker is alive too."""
        try:
            answer = self._http.get("/readyz", params={"worker": "1"} if worker else None, timeout=2.0)
        except httpx.HTTPError:
            return False
        return answer.is_success

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        options["params"] = {k: v for k, v in (options.get("params") or {}).items() if v is not None}
        try:
            answer = self._http.request(method, f"/api/v1/{path}", **options)
        except httpx.HTTPError as error:
            raise AtomError(UNREACHABLE, f"{self.base_url}: {str(error) or type(error).__name__}") from error
        if not answer.is_success:
            raise _problem(answer)
        return answer

    def _stream(self, path: str, params: Mapping[str, object]) -> _Streaming:
        return _Streaming(self._http, self.base_url, f"/api/v1/{path}", params)

    def _document(self, answer: httpx.Response) -> Document:
        try:
            document = answer.json()
        except ValueError as error:
            raise AtomError(NONSENSE, f"{answer.request.url}: not JSON") from error
        if not isinstance(document, dict):
            raise AtomError(NONSENSE, f"{answer.request.url}: not a JSON object")
        return document


class _Streaming:
    """An answer read piece by piece; connection errors and problems become `AtomError`."""

    def __init__(self, http: httpx.Client, base: str, path: str, params: Mapping[str, object]) -> None:
        self._base = base
        kept: dict[str, Any] = {k: v for k, v in params.items() if v is not None}
        self._context = http.stream("GET", path, params=kept)

    def __enter__(self) -> httpx.Response:
        try:
            answer = self._context.__enter__()
            if not answer.is_success:
                answer.read()
                raise _problem(answer)
        except httpx.HTTPError as error:
            raise AtomError(UNREACHABLE, f"{self._base}: {str(error) or type(error).__name__}") from error
        return answer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._context.__exit__(kind, error, tb)
        if isinstance(error, httpx.HTTPError):
            raise AtomError(UNREACHABLE, f"{self._base}: {str(error) or type(error).__name__}") from error


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _problem(answer: httpx.Response) -> AtomError:
    """The error a problem document describes; the status alone where there is none."""
    try:
        body = answer.json()
        code = Code(
            str(body["code"]),
            str(body["title"]),
            str(body.get("meaning") or body["title"]),
            str(body["hint"]),
            ExitCode(int(body["exit"])),
            answer.status_code,
        )
        return AtomError(code, str(body["detail"]))
    except (ValueError, KeyError, TypeError):
        return AtomError(NONSENSE, f"{answer.request.url} answered {answer.status_code} without a problem document")
