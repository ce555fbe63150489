"""Who counts as dead: judged by one's own clock, from what one has seen oneself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from atomctl.runs.membership import Observer, Patience, lock_key

A, B = UUID(int=1), UUID(int=2)
PATIENCE = Patience(unlocked=timedelta(seconds=1), locked=timedelta(seconds=5))


def test_a_worker_whose_heart_beats_is_never_suspected() -> None:
    observer = Observer(PATIENCE)
    for second in range(100):
        observer.note({A: second}, float(second))
        assert observer.quiet(float(second)) == []


def test_a_silent_worker_is_suspected_after_the_short_patience_and_expires_after_the_lease() -> None:
    observer = Observer(PATIENCE)
    observer.note({A: 7}, 0.0)
    observer.note({A: 7}, 0.9)
    assert observer.quiet(0.9) == []
    observer.note({A: 7}, 1.0)
    assert observer.quiet(1.0) == [(A, 7)]
    assert not observer.expired(A, 4.9)
    assert observer.expired(A, 5.0)


def test_one_beat_starts_the_patience_anew() -> None:
    observer = Observer(PATIENCE)
    observer.note({A: 1, B: 1}, 0.0)
    observer.note({A: 2, B: 1}, 1.5)
    assert observer.quiet(1.5) == [(B, 1)]


def test_nobody_is_judged_by_a_time_in_which_nothing_could_be_seen() -> None:
    observer = Observer(PATIENCE)
    observer.note({A: 1}, 0.0)
    observer.forget()
    observer.note({A: 1}, 60.0)
    assert observer.quiet(60.0) == []


def test_a_worker_that_left_is_forgotten() -> None:
    observer = Observer(PATIENCE)
    observer.note({A: 1}, 0.0)
    observer.note({}, 9.0)
    assert observer.quiet(9.0) == []


def test_lock_keys_are_signed_sixty_four_bit_numbers_that_differ() -> None:
    keys = {lock_key(UUID(int=n)) for n in range(1000)}
    assert len(keys) == 1000
    assert all(-(2**63) <= key < 2**63 for key in keys)
