"""Votes a decision demands: places, each to be filled by another person, some of them by a person with a role."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from atomctl.canonical import Json
from atomctl.trust.distinct import places_filled

SECURITY = "security"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class VoteRequirement:
    """`count` places for people who hold `role`; None = whoever may vote on the subject at all.

    A requirement is a tuple of these, and no person fills two places: one vote each of `security` and anybody means two
    people, of whom one at least has the security role.
    """

    role: str | None
    count: int

    def to_json(self) -> dict[str, Json]:
        """The places as decisions list them."""
        return {"role": self.role, "count": self.count}


def strictest(requirements: Iterable[Sequence[VoteRequirement]]) -> tuple[VoteRequirement, ...]:
    """The fewest places that satisfy every one of the requirements, roles in alphabetical order, anybody last.

    A place with a role serves as a place for anybody, so demanding two votes and demanding one of security together
    demand two votes, one of them of security.
    """
    roles: dict[str, int] = {}
    total = 0
    for requirement in requirements:
        total = max(total, sum(place.count for place in requirement))
        for place in requirement:
            if place.role is not None:
                roles[place.role] = max(roles.get(place.role, 0), place.count)
    anybody = total - sum(roles.values())
    places = [VoteRequirement(role, count) for role, count in sorted(roles.items()) if count]
    return (*places, VoteRequirement(None, anybody)) if anybody > 0 else tuple(places)


def places_left(requirement: Sequence[VoteRequirement], voters: Sequence[Collection[str]]) -> int:
    """How many places are still open; 0 = approved.

    Args:
        requirement: the places.
        voters: for each person who voted in favour, once, the roles they hold.
    """
    places = [
        [n for n, roles in enumerate(voters) if place.role is None or place.role in roles]
        for place in requirement
        for _ in range(place.count)
    ]
    return len(places) - places_filled(places)
