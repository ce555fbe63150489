"""Long polls."""

from __future__ import annotations

import threading

import pytest

from atomctl.server import waiting


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK_EVERY", 0.001)


def test_what_is_there_is_answered_at_once() -> None:
    looks = iter([1, 2])
    assert waiting.wait_until(lambda: next(looks), lambda n: n == 1, 30) == 1


def test_it_looks_until_it_is_enough() -> None:
    looks = iter(range(100))
    assert waiting.wait_until(lambda: next(looks), lambda n: n == 7, 30) == 7


def test_when_the_time_is_over_the_last_look_is_the_answer() -> None:
    looks = iter(range(10_000))
    assert waiting.wait_until(lambda: next(looks), lambda _: False, 0.02) >= 1


def test_without_a_wait_one_look_is_taken() -> None:
    looks = iter([1])
    assert waiting.wait_until(lambda: next(looks), lambda _: False, 0) == 1


def test_who_comes_when_all_places_are_taken_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(waiting, "_places", full)
    looks = iter([1])
    assert waiting.wait_until(lambda: next(looks), lambda _: False, 30) == 1


def test_a_place_is_given_back_when_looking_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(waiting, "_places", places)
    looks = iter([1])
    with pytest.raises(RuntimeError):  # a generator that is used up
        waiting.wait_until(lambda: _next(looks), lambda _: False, 30)
    assert places.acquire(blocking=False)


def _next(looks: object) -> int:
    for value in looks:  # type: ignore[attr-defined]  # an iterator
        return int(value)
    raise RuntimeError("nothing left to look at")


def test_a_process_that_ends_answers_who_waits_and_who_comes_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_ending", threading.Event())
    looks = iter(range(10_000))
    first = next(looks)

    def look() -> int:
        waiting.end_waiting()
        return next(looks)

    assert waiting.wait_until(look, lambda _: False, 30) == first + 1
    assert waiting.wait_until(look, lambda _: False, 30) == first + 2
