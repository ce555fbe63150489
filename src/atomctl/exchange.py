"""One question over HTTP and its whole answer: bounded in time and size, from the server that was named or not at all.

Redirects are not followed, proxies and passwords of the environment are not asked, no credentials are sent but what the
caller's own headers hold. What an answer means is the caller's business, and so is which error code a trouble is.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

_LONGEST_URL = 2_000


class Trouble(Enum):
    """Why there is no answer."""

    UNREACHABLE = "no connection, or it broke off"
    SLOW = "no whole answer in time"
    NOT_HTTP = "what answers does not speak HTTP"


class ExchangeError(Exception):
    """There is no whole answer; the message names the server and no more."""

    def __init__(self, trouble: Trouble, why: str) -> None:
        super().__init__(why)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a connection, for silence in the middle of an answer, and for the whole exchange."""

    connect: float = 3.0
    silence: float = 5.0
    whole: float = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the bytes behind it; `whole` is false where there were more than were read."""

    status: int
    body: bytes
    whole: bool


def address_of(url: str) -> SplitResult:
    """A base address in its parts.

    Raises:
        ValueError: it is not http or https with a host, or it holds a user name, a query or a fragment. The message
            does not repeat what may be a password.
    """
    parts = urlsplit(url[: _LONGEST_URL + 1])
    usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    if not usable or parts.username is not None or parts.query or parts.fragment or len(url) > _LONGEST_URL:
        raise ValueError(f"scheme {parts.scheme!r}, host {parts.hostname!r}")
    return parts


def post(
    address: SplitResult, path: str, body: bytes, headers: Mapping[str, str], *, patience: Patience, largest: int
) -> Answer:
    """The answer to one POST, of which at most `largest` bytes are read.

    Args:
        address: as `address_of` gives it; its own path goes before `path`.
        path: begins with a slash.
        body: what is sent.
        headers: what is said beside the length; the connection ends with the answer.
        patience: bounds of time.
        largest: bytes of an answer.

    Raises:
        ExchangeError: there is no whole answer.
    """
    said = {"accept-encoding": "identity", "connection": "close", **headers}
    with _connection(address, patience) as connection:
        connection.request("POST", f"{address.path.rstrip('/')}{path}", body, said)
        answer = connection.getresponse()
        data = answer.read(largest + 1)
    return Answer(answer.status, data[:largest], whole=len(data) <= largest)


@contextmanager
def _connection(address: SplitResult, patience: Patience) -> Iterator[HTTPConnection]:
    """A connection that is cut when the whole time is over: a server that sends a byte a second is slow, too."""
    host = address.hostname or ""
    connection = (
        HTTPSConnection(host, address.port, timeout=patience.connect)
        if address.scheme == "https"
        else HTTPConnection(host, address.port, timeout=patience.connect)
    )
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(patience.whole, cut)
    timer.daemon = True
    try:
        connection.connect()
        connection.sock.settimeout(patience.silence)
        timer.start()
        yield connection
    except TimeoutError as error:
        raise ExchangeError(Trouble.SLOW, f"{address.netloc} said nothing in time") from error
    except ssl.SSLError as error:
        raise ExchangeError(Trouble.UNREACHABLE, f"{address.netloc}: {error.reason or error}") from error
    except (OSError, HTTPException, ValueError) as error:
        if late.is_set():
            raise _late(address, patience) from error
        reached = not isinstance(error, OSError) and connection.sock is not None
        trouble = Trouble.NOT_HTTP if reached else Trouble.UNREACHABLE
        raise ExchangeError(trouble, f"{address.netloc}: {type(error).__name__}") from error
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise _late(address, patience)


def _late(address: SplitResult, patience: Patience) -> ExchangeError:
    return ExchangeError(Trouble.SLOW, f"no whole answer from {address.netloc} in {patience.whole:g} s")
