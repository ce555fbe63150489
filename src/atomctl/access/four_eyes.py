"""Four eyes: who may vote on what, decided without looking anything up.

The same rules stand in SQL (`db/migrations/sql/0001/40-approvals.sql`), so that code which forgets to ask is refused by
the database. A person is `(issuer, subject)`; a tenant has one principal for each.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID


def may_vote(voter: UUID, *, requester: UUID, excluded: Collection[UUID]) -> bool:
    """Whether `voter` is a second person: neither who asked, nor one of the excluded authors and editors."""
    return voter != requester and voter not in excluded


def bootstrap_allowed(deciders: Collection[UUID], actor: UUID, *, ever_had_two: bool) -> bool:
    """Whether `actor` may change trust rules alone.

    True while the tenant's only principal with `admin` or `security` is the actor and it never had two of them.

    Args:
        deciders: the principals that hold `admin` or `security` now.
        actor: who asks.
        ever_had_two: whether the tenant had two deciders at any time before.
    """
    return not ever_had_two and set(deciders) == {actor}
