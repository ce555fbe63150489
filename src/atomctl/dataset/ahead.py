"""Records and logs are read ahead by threads: the server works while rows are made, and no log is waited for alone."""

from __future__ import annotations

import itertools
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


def batches_ahead(records: Iterator[Record], size: int) -> Iterator[Record]:
    """The records in their order; while some are looked at, the next `size` are on their way.

    `records` is advanced by one other thread and by nobody else until this ends.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="dataset-records") as pool:
        coming = pool.submit(_take, records, size)
        while batch := coming.result():
            coming = pool.submit(_take, records, size)
            yield from batch


def _take(records: Iterator[Record], size: int) -> list[Record]:
    return list(itertools.islice(records, size))


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
