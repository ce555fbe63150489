"""Living through a database that is away for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import psycopg

from atomctl.db import codes as database
from atomctl.errors import AtomError
from atomctl.telemetry.logs import get_logger

_T = TypeVar("_T")
_log = get_logger(__name__)

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
PATIENCE = timedelta(minutes=10)
"""How long a result is held in memory before the worker gives up on recording it."""


def through_outages(do: Callable[[], _T], stop: threading.Event, patience: timedelta = PATIENCE) -> _T:
    """The result of `do`, which is called again as long as the database does not answer.

    `do` must be one transaction, or leave nothing behind when it fails: a commit whose answer was lost is repeated.

    Raises:
        AtomError: DBA001 `patience` is over, or `stop` was set while waiting.
    """
    deadline, pause = time.monotonic() + patience.total_seconds(), _FIRST_PAUSE
    while True:
        try:
            return do()
        except (AtomError, psycopg.OperationalError) as error:
            if not is_outage(error) or time.monotonic() > deadline or stop.wait(pause):
                raise
            _log.warning("database.away", why=str(error), again_in_seconds=pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def is_outage(error: BaseException) -> bool:
    """Whether the database was not there, as opposed to having said no."""
    if isinstance(error, AtomError):
        return error.code is database.UNAVAILABLE
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate[:2] in {"08", "57"} or error.sqlstate == "40P01"
    )
