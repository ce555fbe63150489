"""One HTTP exchange with a checked address, bounded in time and size, that can be given up at any moment."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from atomctl.errors import AtomError
from atomctl.runs.addresses import AddressGuard, Resolver
from atomctl.runs.steps import codes
from atomctl.runs.steps.http_request import HttpRequest, redirected, refuse_plain_http

_POLL_SECONDS: Final = 0.05
_SILENCE: Final = httpx.Timeout(30.0, connect=10.0)
"""How long a server may say nothing; the whole exchange ends with the step's timeout in any case."""
_REDIRECTS: Final = 5


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back, whole. `address` is where from; `headers` names are in lower case, the last of a name wins."""

    status: int
    headers: dict[str, str]
    body: bytes
    address: str
    url: str


class GivenUpError(Exception):
    """The exchange was cancelled or its time is over; nothing more is sent or read."""


class Exchange:
    """Carries out one request in a thread of its own, so that giving up never waits for the network.

    Args:
        guard: decides about the addresses.
        resolver: turns a name into addresses; asked once per connection.
        tls: what certificates are trusted.
    """

    def __init__(self, guard: AddressGuard, resolver: Resolver, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._resolver = resolver
        self._tls = tls
        self._lock = threading.Lock()
        self._given_up = False
        self.connected = False
        """Whether a connection was made, over which the server may have been asked for something."""
        self._sockets: list[socket.socket] = []
        self._answer: HttpResponse | Exception | None = None

    def run(self, request: HttpRequest, *, deadline: float, cancelled: threading.Event) -> HttpResponse:
        """The response, read to its end.

        Raises:
            GivenUpError: `cancelled` was set, or `time.monotonic()` passed `deadline`.
            AtomError: RUN670 to RUN676.
        """
        thread = threading.Thread(target=self._perform, args=(request,), name="api-step", daemon=True)
        thread.start()
        while thread.is_alive() and not cancelled.is_set() and time.monotonic() < deadline:
            thread.join(_POLL_SECONDS)
        if thread.is_alive():
            self._give_up()
            raise GivenUpError
        self._close_sockets()
        if isinstance(self._answer, HttpResponse):
            return self._answer
        assert self._answer is not None
        raise self._answer

    def _perform(self, request: HttpRequest) -> None:
        try:
            with httpx.Client(verify=self._tls, trust_env=False, timeout=_SILENCE) as client:
                self._answer = self._follow(client, request)
        except AtomError as refusal:
            self._answer = refusal
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            self._answer = AtomError(codes.NO_ANSWER, f"{request.host}:{request.port}: {_words(error)}")
        except BaseException as error:  # noqa: BLE001  # the thread that waits must hear of whatever it is
            self._answer = error if isinstance(error, Exception) else GivenUpError()

    def _follow(self, client: httpx.Client, request: HttpRequest) -> HttpResponse:
        for _ in range(_REDIRECTS + 1):
            response = self._exchange(client, request)
            location = response.headers.get("location")
            if (
                response.status not in {301, 302, 303, 307, 308}
                or location is None
                or response.status in request.statuses
            ):
                return response
            if not request.follow_redirects:
                raise AtomError(codes.REDIRECTED, f"{request.host} answers {response.status} and names another URL")
            request = redirected(request, response.status, location)
        raise AtomError(codes.REDIRECTED, f"more than {_REDIRECTS} redirects, the last from {request.host}")

    def _exchange(self, client: httpx.Client, request: HttpRequest) -> HttpResponse:
        refuse_plain_http(request.url, self._guard)
        address = self._guard.choose(request.host, request.port, self._resolver(request.host, request.port))
        built = client.build_request(
            request.method,
            request.url.copy_with(host=address),
            headers={"accept-encoding": "identity", **request.headers, "host": request.url.netloc.decode("ascii")},
            content=request.body or None,
            # The certificate is checked against the name, although the connection goes to the checked address.
            extensions={"sni_hostname": request.host, "trace": self._watch},
        )
        response = client.send(built, stream=True)
        with contextlib.closing(response):
            return HttpResponse(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=_read(response, request.max_bytes),
                address=address,
                url=str(request.url),
            )

    def _watch(self, event: str, info: dict[str, Any]) -> None:
        """Keeps a handle on each connection, by which it can be cut while another thread waits in it."""
        if event != "connection.connect_tcp.complete":
            return
        connected = info["return_value"].get_extra_info("socket")
        with self._lock:
            if self._given_up:
                # Nobody will read the error whose traceback keeps this connection open.
                connected.close()
                raise GivenUpError
            self.connected = True
            # A duplicate: TLS takes the original apart, and a number that is reused must not be cut.
            self._sockets.append(socket.socket(fileno=os.dup(connected.fileno())))

    def _give_up(self) -> None:
        with self._lock:
            self._given_up = True
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._close_sockets()

    def _close_sockets(self) -> None:
        with self._lock:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()


def _read(response: httpx.Response, limit: int) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise AtomError(codes.NO_ANSWER, "the response is compressed although it was asked for as it is")
    data = bytearray()
    for chunk in response.iter_raw():
        data += chunk
        if len(data) > limit:
            raise AtomError(codes.TOO_LARGE, f"more than {limit} bytes")
    return bytes(data)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
