"""The four-eyes predicates."""

from __future__ import annotations

from uuid import UUID

import pytest

from atomctl.access.four_eyes import bootstrap_allowed, may_vote

ANNA, BEN, CLEO = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.mark.parametrize(
    ("voter", "excluded", "may"),
    [(BEN, [], True), (ANNA, [], False), (BEN, [BEN], False), (CLEO, [BEN], True), (ANNA, [BEN], False)],
)
def test_who_asked_or_wrote_cannot_vote(voter: UUID, excluded: list[UUID], may: bool) -> None:
    assert may_vote(voter, requester=ANNA, excluded=excluded) is may


@pytest.mark.parametrize(
    ("deciders", "had_two", "may"),
    [
        ([ANNA], False, True),
        ([ANNA], True, False),
        ([ANNA, BEN], False, False),
        ([BEN], False, False),
        ([], False, False),
    ],
)
def test_one_decides_alone_only_as_the_first_and_only_decider(deciders: list[UUID], had_two: bool, may: bool) -> None:
    assert bootstrap_allowed(deciders, ANNA, ever_had_two=had_two) is may
