from __future__ import annotations

from atomctl.trust.distinct import places_filled


def test_one_person_fills_one_place() -> None:
    assert places_filled([["alice"], ["alice"]]) == 1


def test_a_person_who_fits_two_places_goes_where_nobody_else_does() -> None:
    assert places_filled([["alice", "bob"], ["alice"]]) == 2
    assert places_filled([["alice"], ["alice", "bob"], ["bob", "carol"]]) == 3


def test_no_places_need_nobody() -> None:
    assert places_filled([]) == 0
    assert places_filled([[]]) == 0
