"""Whether a role may serve: it must be bound by row level security."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from atomctl.db import codes, queries
from atomctl.errors import AtomError


def require_bound(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """Returns when the connection's role can see no more than row level security lets it.

    Raises:
        AtomError: DBA003 it is a superuser, has BYPASSRLS, may create roles or replicate, owns a table of schema
            `atom`, or may become a role that does.
    """
    facts = queries.load(__file__).role_facts(connection)
    found = excess(facts)
    if found:
        raise AtomError(codes.UNSAFE_ROLE, f"{facts['role']} {found}")


def excess(facts: Mapping[str, Any]) -> str | None:
    """What the role can do that a serving role must not, in words; None if nothing."""
    for name, words in _EXCESS.items():
        if facts[name]:
            return words
    return None


_EXCESS = {
    "superuser": "is a superuser",
    "bypasses": "has BYPASSRLS",
    "creates_roles": "may create roles",
    "replicates": "may replicate the whole server",
    "becomes": "is a member of a role that row level security does not bind",
    "owns": "owns a relation of schema atom",
}
