from __future__ import annotations

from atomctl.policy.votes import VoteRequirement, places_left, strictest

ANY_ONE, ANY_TWO = (VoteRequirement(None, 1),), (VoteRequirement(None, 2),)
SECURITY = (VoteRequirement("security", 1),)
TWO_ONE_SECURITY = (VoteRequirement("security", 1), VoteRequirement(None, 1))
OVERRIDE = (VoteRequirement("admin", 1), VoteRequirement("security", 1))


def test_a_vote_of_security_is_also_a_vote_of_anybody() -> None:
    assert strictest([ANY_ONE, SECURITY]) == SECURITY
    assert strictest([ANY_TWO, SECURITY]) == TWO_ONE_SECURITY


def test_nothing_demanded_is_nothing() -> None:
    assert strictest([]) == ()
    assert strictest([(), ()]) == ()


def test_roles_of_several_demands_are_all_kept() -> None:
    assert strictest([OVERRIDE, SECURITY, ANY_TWO]) == OVERRIDE


def test_two_places_need_two_people_whatever_roles_one_holds() -> None:
    both = {"admin", "security", "approver"}
    assert places_left(OVERRIDE, [both]) == 1
    assert places_left(OVERRIDE, [both, both]) == 0
    assert places_left(TWO_ONE_SECURITY, [{"security"}]) == 1


def test_who_holds_the_role_is_not_wasted_on_a_place_for_anybody() -> None:
    assert places_left((VoteRequirement(None, 1), *SECURITY), [{"security"}, {"approver"}]) == 0
    assert places_left(TWO_ONE_SECURITY, [{"approver"}, {"approver"}]) == 1


def test_no_demand_is_fulfilled_by_nobody() -> None:
    assert places_left((), []) == 0
