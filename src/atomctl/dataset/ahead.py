"""Logs are read ahead by a few threads, so that an export does not wait for an object store record by record."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeAlias
from uuid import UUID

from atomctl.canonical import Json
from atomctl.dataset.record import Record

Log: TypeAlias = dict[str, Json]

_THREADS = 8
_AHEAD = 64
"""Records; each keeps at most 8 KiB of its log, and while it is read the chunks that hold them."""


class LogsAhead:
    """Reads the logs of records that come soon."""

    def __init__(self, read: Callable[[Record], Log], pool: ThreadPoolExecutor) -> None:
        self._read, self._pool = read, pool
        self._answers: dict[UUID, Future[Log]] = {}

    def following(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records in their order; the logs of the next ones are on their way."""
        waiting: deque[Record] = deque()
        for record in records:
            self._answers[record.run_id] = self._pool.submit(self._read, record)
            waiting.append(record)
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting

    def of(self, record: Record) -> Log:
        """The record's log, once; waits for it.

        Raises:
            RejectedError, AtomError: what reading it raised.
        """
        return self._answers.pop(record.run_id).result()


@contextmanager
def reading_ahead(read: Callable[[Record], Log]) -> Iterator[LogsAhead]:
    """What reads ahead until the block ends; what is not under way by then is not read."""
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="dataset-logs")
    try:
        yield LogsAhead(read, pool)
    finally:
        pool.shutdown(cancel_futures=True)
