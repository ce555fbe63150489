"""Reading ahead changes when something is read and nothing else."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from atomctl.canonical import Json
from atomctl.dataset.ahead import batches_ahead, reading_ahead
from atomctl.dataset.model import Reason
from atomctl.dataset.record import Record
from atomctl.dataset.rejection import RejectedError


@pytest.fixture
def records(ended: Record) -> Callable[[int], Iterator[Record]]:
    return lambda count: (dataclasses.replace(ended, run_id=UUID(int=number)) for number in range(count))


def test_all_records_come_in_their_order(records: Callable[[int], Iterator[Record]]) -> None:
    for count in (0, 1, 9, 10, 11, 25):
        assert [each.run_id.int for each in batches_ahead(records(count), 10)] == list(range(count))


def test_no_more_than_two_batches_are_held(records: Callable[[int], Iterator[Record]]) -> None:
    handed = itertools.count()
    rows = batches_ahead((record for record in records(1_000) if next(handed) >= 0), 10)
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # it is a generator
    assert next(handed) <= 21


def test_what_fails_on_the_way_fails_where_it_is_read(records: Callable[[int], Iterator[Record]]) -> None:
    def broken() -> Iterator[Record]:
        yield from records(15)
        raise ConnectionError("gone")

    rows = batches_ahead(broken(), 10)
    assert [next(rows).run_id.int for _ in range(10)] == list(range(10))
    with pytest.raises(ConnectionError):
        next(rows)


def test_each_log_comes_with_its_record_and_so_does_its_rejection(records: Callable[[int], Iterator[Record]]) -> None:
    def read(record: Record) -> dict[str, Json]:
        if record.run_id.int == 70:
            raise RejectedError(Reason.LOG_DAMAGED)
        return {"head": str(record.run_id.int)}

    found: list[object] = []
    with reading_ahead(read) as ahead:
        for record in ahead.following(records(150)):
            try:
                found.append(ahead.of(record)["head"])
            except RejectedError as rejected:
                found.append(rejected.reason)
    assert found == [*map(str, range(70)), Reason.LOG_DAMAGED, *map(str, range(71, 150))]


def test_what_is_given_up_is_not_read_to_its_end(records: Callable[[int], Iterator[Record]]) -> None:
    reads, gate = itertools.count(), threading.Event()

    def read(_: Record) -> dict[str, Json]:
        next(reads)
        gate.wait(10)
        return {}

    with reading_ahead(read) as ahead:
        next(ahead.following(records(1_000)))
        gate.set()
    assert next(reads) <= 66
