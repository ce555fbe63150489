"""The connection to one cluster: whose credentials, where to, and every question bounded in time and size.

Kubeconfigs, service accounts, client certificates and token files are lightkube's part; the requests are sent here, so
that objects stay exactly what the server says and no question waits longer than it may (docs/adr/0007).
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
import yaml
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Call, Object, Patience
from atomctl.kubernetes.failures import error_of, refusal_of

_T = TypeVar("_T")

_CONNECT_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 10.0
"""How long the server may say nothing."""
_ANSWER_SECONDS: Final = 30.0
"""How long one whole answer may take."""
_BYTES: Final = 16 * 1024 * 1024
_PAUSES: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds before the second and each further try."""
_LONGEST_PAUSE: Final = 5.0
"""The most of a server's wish for a later repeat that is granted."""
_TOO_LONG_A_LINE: Final = 1024 * 1024
_NOT_DONE: Final = frozenset({codes.UNREACHABLE, codes.BUSY})
"""After these nothing has happened, so that any question may be repeated; after other failures only a GET."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the connection is described: one kubeconfig, or the service account of the Pod this process runs in."""

    kubeconfig: Path | None
    """None: the Pod's own service account."""
    context: str | None = None
    """The context of the kubeconfig; None: its current one."""


@dataclass(frozen=True, slots=True)
class _Opened:
    config: SingleConfig
    http: httpx2.Client
    stamp: tuple[int, int] | None


class _FailedError(Exception):
    """One try that failed, with what the server said about a repeat."""

    def __init__(self, error: AtomError, retry_after: float | None = None) -> None:
        super().__init__(error.why)
        self.error = error
        self.retry_after = retry_after


class Cluster:
    """One cluster, shared by all threads. Nothing is sent before the first question.

    A kubeconfig that changes on disk is read again, and so is the token file of a service account, so that renewed
    credentials need no restart.

    Raises:
        AtomError: KUB001 the credentials cannot be used.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()
        self._opened = self._open()
        self._retired: list[httpx2.Client] = []

    @property
    def namespace(self) -> str:
        """The namespace of the context, or of the Pod; `default` if it names none."""
        return self._opened.config.namespace

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return str(self._opened.config.cluster.server)

    def ask(self, call: Call, patience: Patience) -> Object:
        """The object that the server answers with.

        Tried again where nothing can have happened (no connection, 429), and in any case for a GET, while there is
        patience.

        Raises:
            AtomError: KUB001 to KUB017, by what went wrong.
            GivenUpError: it was cancelled.
        """
        return _object(call, self._patiently(call, patience, lambda: self._exchange(call, patience)))

    @contextlib.contextmanager
    def lines(self, call: Call, patience: Patience) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that may go on for long, such as a log that is followed, without their ends.

        The iterator ends with the answer, or when patience does. A stream that is silent for 10 s breaks: whoever
        follows asks again for what is missing.

        Raises:
            AtomError: KUB001 to KUB017; KUB004 and KUB007 from the iterator if the stream broke.
            GivenUpError: it was cancelled.
        """
        response = self._patiently(call, patience, lambda: self._send(call, patience))
        with contextlib.closing(response):
            yield _lines(call, response, patience)

    def close(self) -> None:
        """Closes the connections; a second call does nothing."""
        with self._lock:
            self._close_retired()
            self._opened.http.close()

    def _patiently(self, call: Call, patience: Patience, do: Callable[[], _T]) -> _T:
        for pause in (*_PAUSES, None):
            patience.check()
            try:
                return do()
            except _FailedError as failed:
                error = failed.error
                again = error.code in _NOT_DONE or (error.code.retryable and call.method == "GET")
                if not again or pause is None or patience.left <= pause:
                    raise error from failed
                patience.pause(max(pause, min(failed.retry_after or 0.0, _LONGEST_PAUSE)))
        raise AssertionError("unreachable: the last try returns or raises")

    def _exchange(self, call: Call, patience: Patience) -> bytes:
        with contextlib.closing(self._send(call, patience)) as response:
            return b"".join(_chunks(call, response, time.monotonic() + min(_ANSWER_SECONDS, patience.left + 1.0)))

    def _send(self, call: Call, patience: Patience) -> httpx2.Response:
        http = self._current().http
        try:
            request = http.build_request(
                call.method,
                call.path,
                params=dict(call.query),
                content=None if call.body is None else json.dumps(call.body).encode(),
                headers={"accept": "application/json", "content-type": call.content_type},
                timeout=_silence(patience),
            )
            response = http.send(request, stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL, ConfigError, OSError) as error:
            raise _FailedError(_unanswered(call, error)) from error
        if response.status_code < 300:
            return response
        with contextlib.closing(response):
            body = b"".join(_chunks(call, response, time.monotonic() + min(_ANSWER_SECONDS, patience.left + 1.0)))
        refusal = refusal_of(response.status_code, response.headers, body)
        raise _FailedError(error_of(refusal, call.what), refusal.retry_after)

    def _current(self) -> _Opened:
        """The connection by the credentials as they are on disk now."""
        with self._lock:
            if _stamp(self._credentials.kubeconfig) != self._opened.stamp:
                opened = self._open()
                self._close_retired()
                # Other threads may be in the middle of a question: it is closed when the file changes once more.
                self._retired.append(self._opened.http)
                self._opened = opened
            return self._opened

    def _close_retired(self) -> None:
        while self._retired:
            self._retired.pop().close()

    def _open(self) -> _Opened:
        file = self._credentials.kubeconfig
        stamp = _stamp(file)
        try:
            described = KubeConfig.from_service_account() if file is None else KubeConfig.from_file(file)
            config = described.get(self._credentials.context)
            assert config is not None, "without a default, a missing context is an error"
            if config.user is None:
                raise ConfigError(f"context {config.context_name} names no user")
            params = ConnectionParams(timeout=_silence(None), trust_env=False)
            return _Opened(config, Client(config, params), stamp)
        except (ConfigError, OSError, KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
            where = "the service account of this Pod" if file is None else str(file)
            raise AtomError(codes.BAD_CONNECTION, f"{where}: {_words(error)}") from error


def _silence(patience: Patience | None) -> httpx2.Timeout:
    """How long the server may say nothing: not much longer than anybody waits."""
    left = _SILENCE_SECONDS if patience is None else min(_SILENCE_SECONDS, patience.left + 0.5)
    return httpx2.Timeout(left, connect=min(_CONNECT_SECONDS, left))


def _stamp(file: Path | None) -> tuple[int, int] | None:
    """What tells a changed file; None where there is none to change."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found is not None else None


def _chunks(call: Call, response: httpx2.Response, until: float) -> Iterator[bytes]:
    size = 0
    try:
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > _BYTES:
                raise AtomError(codes.TOO_LARGE, f"{call.what}: more than {_BYTES} bytes")
            if time.monotonic() > until:
                raise _FailedError(AtomError(codes.SLOW, f"{call.what}: the answer did not end in time"))
            yield chunk
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise _FailedError(_unanswered(call, error)) from error


def _lines(call: Call, response: httpx2.Response, patience: Patience) -> Iterator[bytes]:
    rest = b""
    try:
        for chunk in response.iter_bytes():
            patience.check()
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) > _TOO_LONG_A_LINE:
                yield rest
                rest = b""
            if patience.over:
                return
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise _unanswered(call, error) from error
    if rest:
        yield rest


def _object(call: Call, body: bytes) -> Object:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AtomError(codes.BROKEN, f"{call.what}: the answer is not JSON: {body[:80]!r}") from error
    if not isinstance(document, dict):
        raise AtomError(codes.BROKEN, f"{call.what}: the answer is not an object")
    return document


def _unanswered(call: Call, error: Exception) -> AtomError:
    """Why there is no whole answer."""
    words = _words(error)
    match error:
        case ConfigError():
            return AtomError(codes.CREDENTIALS, f"{call.what}: {words}")
        case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            return AtomError(codes.UNREACHABLE, f"{call.what}: {words}")
        case httpx2.TimeoutException():
            return AtomError(codes.SLOW, f"{call.what}: {words}")
        case _ if "CERTIFICATE_EXPIRED" in words or "certificate expired" in words:
            return AtomError(codes.CREDENTIALS, f"{call.what}: the client certificate has ended: {words}")
        case _:
            return AtomError(codes.BROKEN, f"{call.what}: {words}")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
