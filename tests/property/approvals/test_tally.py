"""Counting votes, against a reference that tries every seating of people in places."""

from __future__ import annotations

import itertools
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.access.model import Role
from atomctl.approvals.tally import adds, missing, votes_needed
from atomctl.policy.votes import VoteRequirement

ROLES = [Role.APPROVER, Role.SECURITY, Role.ADMIN]
requirements = st.lists(
    st.builds(VoteRequirement, st.sampled_from([None, *(role.value for role in ROLES)]), st.integers(1, 2)), max_size=3
)
ballots = st.dictionaries(
    st.integers(1, 6).map(lambda n: UUID(int=n)), st.sets(st.sampled_from(ROLES), min_size=1).map(frozenset), max_size=5
)


def most_filled(requirement: list[VoteRequirement], voters: list[frozenset[Role]]) -> int:
    places = [need.role for need in requirement for _ in range(need.count)]
    best = 0
    for seats in itertools.permutations(range(len(places)), min(len(places), len(voters))):
        for people in itertools.permutations(voters, len(seats)):
            fits = sum(places[seat] is None or places[seat] in roles for seat, roles in zip(seats, people, strict=True))
            best = max(best, fits)
        if best == min(len(places), len(voters)):
            break
    return best


@settings(max_examples=60, deadline=None)
@given(requirements, ballots)
def test_what_is_missing_is_what_no_seating_fills(
    requirement: list[VoteRequirement], votes: dict[UUID, frozenset[Role]]
) -> None:
    filled = votes_needed(requirement) - votes_needed(missing(requirement, votes))
    assert filled == most_filled(requirement, list(votes.values()))


@settings(max_examples=80, deadline=None)
@given(requirements, ballots)
def test_order_does_not_matter(requirement: list[VoteRequirement], votes: dict[UUID, frozenset[Role]]) -> None:
    shuffled = dict(sorted(votes.items(), key=lambda item: item[0].int % 5))
    assert votes_needed(missing(requirement, votes)) == votes_needed(missing(requirement[::-1], shuffled))


@settings(max_examples=80, deadline=None)
@given(requirements, ballots, st.sets(st.sampled_from(ROLES), min_size=1).map(frozenset))
def test_a_vote_that_adds_brings_the_decision_one_place_nearer(
    requirement: list[VoteRequirement], votes: dict[UUID, frozenset[Role]], roles: frozenset[Role]
) -> None:
    voter = UUID(int=99)
    before = votes_needed(missing(requirement, votes))
    after = votes_needed(missing(requirement, {**votes, voter: roles}))
    assert after == before - (1 if adds(requirement, votes, voter, roles) else 0)
    assert votes_needed(missing(requirement, {voter: roles})) <= votes_needed(requirement)


def test_one_person_never_fills_two_places() -> None:
    everything = {UUID(int=1): frozenset(Role)}
    needs = (VoteRequirement("admin", 1), VoteRequirement("security", 1), VoteRequirement(None, 1))
    assert votes_needed(missing(needs, everything)) == 2
