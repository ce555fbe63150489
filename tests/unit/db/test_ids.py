"""Ids are UUIDv7 and increase."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from atomctl.db import ids
from atomctl.db.ids import new_id


def milliseconds(value: uuid.UUID) -> int:
    return value.int >> 80


def test_an_id_is_a_uuid_of_version_7_and_the_rfc_variant() -> None:
    made = new_id()
    assert made.version == 7
    assert made.variant == uuid.RFC_4122


def test_an_id_carries_the_time_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    assert before <= milliseconds(made) <= time.time_ns() // 1_000_000 + 1


def test_ids_increase_also_within_a_millisecond_and_across_threads() -> None:
    one_by_one = [new_id() for _ in range(20_000)]
    assert one_by_one == sorted(set(one_by_one))
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda _: new_id(), range(5_000)))
    assert len(set(together)) == 5_000


def test_ids_increase_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(ids, "_clock", lambda: 1)
    assert new_id() > first
