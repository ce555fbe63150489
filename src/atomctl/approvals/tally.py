"""Counts votes against what is demanded: every place is filled by another person (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from atomctl.access.model import Role
from atomctl.policy.votes import VoteRequirement, places_left

Ballots = Mapping[UUID, frozenset[Role]]
"""Who voted for it, and with which roles."""


def missing(requirement: Sequence[VoteRequirement], ballots: Ballots) -> tuple[VoteRequirement, ...]:
    """The places nobody fills yet, named roles before "anybody"; empty when the votes are enough.

    One person fills one place, so `admin` and `security` demanded together are two people, whatever roles each holds.
    """
    places = [VoteRequirement(need.role, 1) for need in requirement for _ in range(need.count)]
    places.sort(key=lambda place: place.role is None)
    voters = list(ballots.values())
    taken: list[VoteRequirement] = []
    unfilled: Counter[str | None] = Counter()
    for place in places:
        if places_left([*taken, place], voters) == 0:
            taken.append(place)
        else:
            unfilled[place.role] += 1
    return tuple(VoteRequirement(role, count) for role, count in unfilled.items())


def adds(requirement: Sequence[VoteRequirement], ballots: Ballots, voter: UUID, roles: frozenset[Role]) -> bool:
    """Whether another vote for it, by `voter` with `roles`, fills a place that is open."""
    with_vote = {**ballots, voter: roles}
    return places_left(requirement, list(with_vote.values())) < places_left(requirement, list(ballots.values()))


def votes_needed(requirement: Sequence[VoteRequirement]) -> int:
    """How many people it takes in all."""
    return sum(need.count for need in requirement)
