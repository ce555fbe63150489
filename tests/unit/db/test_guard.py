"""A role that row level security does not bind serves nobody."""

from __future__ import annotations

import pytest

from atomctl.db.guard import excess

BOUND = {
    "superuser": False,
    "bypasses": False,
    "creates_roles": False,
    "replicates": False,
    "becomes": False,
    "owns": False,
}


def test_a_bound_role_may_serve() -> None:
    assert excess(BOUND) is None


@pytest.mark.parametrize("fact", BOUND)
def test_each_right_beside_row_level_security_is_named(fact: str) -> None:
    assert excess({**BOUND, fact: True})
