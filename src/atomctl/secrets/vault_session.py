"""A login that is kept alive: renewed at two thirds of its lease, made anew when it is lost, revoked at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import hvac

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.vault_answers import document, number, translated
from atomctl.secrets.vault_login import Door, Login
from atomctl.telemetry.logs import get_logger

_T = TypeVar("_T")
_log = get_logger(__name__)

_FRACTION = 2 / 3
_SHORTEST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0
"""Seconds between two looks of `keep`, so that a lost login is noticed before a step needs it."""


class VaultSession:
    """Shared by the threads of a process. Logs in when it is first used, or as soon as `keep` runs."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._first_lease = 0
        self._renew_at: float | None = None
        """On the monotonic clock; None: the login does not end."""

    def ask(self, what: str, do: Callable[[hvac.Client], _T]) -> _T:
        """What `do` returns with a client that is logged in; called a second time if the login had ended.

        Raises:
            AtomError: SEC014 the login ended and there is no other; as `Door.open`; as `translated`.
        """
        login = self._current()
        try:
            with translated(what):
                return do(login.client)
        except AtomError as error:
            if error.code is not codes.DENIED or self._stands(login):
                raise
        login = self._instead_of(login)
        with translated(what):
            return do(login.client)

    def keep(self, stop: threading.Event) -> None:
        """Keeps a login until `stop` is set, then revokes it. A store that is away is tried again and again."""
        while not stop.is_set():
            try:
                self.refresh()
            except AtomError as error:
                _log.warning("secrets.login-failed", code=error.code.id, why=error.why)
            stop.wait(self._pause())
        self.close()

    def refresh(self) -> None:
        """There is a login, renewed if two thirds of its lease are over.

        Raises:
            AtomError: there is none, or it could not be renewed; the old one is kept as long as it is good.
        """
        login = self._current()
        if self._renew_at is None or time.monotonic() < self._renew_at:
            return
        try:
            self._renew(login)
        except AtomError as error:
            if error.code.retryable:
                raise
            self._instead_of(login)

    def close(self) -> None:
        """The token is revoked, if it was made here; a second call does nothing."""
        with self._lock:
            login, self._login = self._login, None
        if login is None or not self._door.own:
            return
        try:
            with translated("revoking the login"):
                login.client.auth.token.revoke_self()
        except AtomError as error:
            _log.warning("secrets.revoke-failed", code=error.code.id)  # it ends with its lease

    def _current(self) -> Login:
        with self._lock:
            if self._login is None:
                self._take(self._door.open())
            assert self._login is not None
            return self._login

    def _instead_of(self, lost: Login) -> Login:
        """Another login; the one another thread has made meanwhile, if it has."""
        with self._lock:
            if self._login is lost:
                self._take(self._reopened())
            assert self._login is not None
            return self._login

    def _reopened(self) -> Login:
        try:
            return self._door.open()
        except AtomError as error:
            if error.code is codes.LOGIN_REFUSED:
                raise AtomError(codes.EXPIRED, "the token ended, and the secret id gives no other") from error
            raise

    def _take(self, login: Login) -> None:
        self._login, self._first_lease = login, login.lease or 0
        self._schedule(login.lease)

    def _schedule(self, lease: int | None) -> None:
        self._renew_at = None if lease is None else time.monotonic() + lease * _FRACTION

    def _renew(self, login: Login) -> None:
        """Raises a refusal where renewing leads nowhere any more: at the end of the longest life of a token."""
        if not login.renewable:
            raise AtomError(codes.EXPIRED, "the token cannot be renewed")
        with translated("renewing the login"):
            lease = number(document(login.client.auth.token.renew_self()), "auth", "lease_duration")
        with self._lock:
            if self._login is login:
                self._schedule(lease)
        if lease * 2 < self._first_lease:
            raise AtomError(codes.EXPIRED, "the token nears the end of its longest life")

    def _stands(self, login: Login) -> bool:
        """Whether the token is still good, so that a refusal was about the path."""
        try:
            with translated("the login"):
                login.client.auth.token.lookup_self()
        except AtomError as error:
            return error.code is not codes.DENIED
        return True

    def _pause(self) -> float:
        due = _LONGEST_PAUSE if self._renew_at is None else self._renew_at - time.monotonic()
        return min(max(due, _SHORTEST_PAUSE), _LONGEST_PAUSE)
