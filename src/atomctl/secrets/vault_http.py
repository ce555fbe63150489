"""The HTTP session under hvac: an answer comes whole, small and in time, from the server that was named, or not at all.

hvac itself bounds neither the size of an answer nor the time it takes in all, follows redirects with the token, and
lets the environment choose proxies and passwords.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import requests
import urllib3

_LARGEST = 2 * 1024 * 1024
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a connection, for silence in the middle of an answer, and for the whole answer."""

    connect: float = 3.0
    silence: float = 5.0
    whole: float = 10.0


class TooLargeError(requests.RequestException):
    """The answer has more bytes than any that a store gives."""


class BoundedSession(requests.Session):
    """Reads every answer to its end before handing it on, within its bounds; asks no proxy and no `.netrc`."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"  # what is compressed anyway is no JSON and is refused as that
        self._patience = patience

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]  # hvac passes everything by name
        """As `requests.Session.request`, with bounds.

        Raises:
            requests.RequestException: `Timeout`, `TooLargeError`, or whatever broke.
        """
        deadline = time.monotonic() + self._patience.whole
        bounds = {"timeout": (self._patience.connect, self._patience.silence), "allow_redirects": False}
        response = super().request(method, url, **{**options, **bounds, "stream": True})
        with response:
            body = _whole(response.raw, deadline)
        response.raw = io.BytesIO(body)
        return response


def _whole(raw: urllib3.HTTPResponse, deadline: float) -> bytes:
    """The body, read as it arrives: a server that sends a byte a second is as slow as one that is silent."""
    body = bytearray()
    while chunk := _piece(raw):
        body += chunk
        if len(body) > _LARGEST:
            raise TooLargeError(f"more than {_LARGEST} bytes")
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("no complete answer in time")
    return bytes(body)


def _piece(raw: urllib3.HTTPResponse) -> bytes:
    try:
        return raw.read1(_READ)
    except urllib3.exceptions.TimeoutError as error:
        raise requests.ReadTimeout("silence in the middle of an answer") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise requests.ConnectionError("the answer broke off") from error
