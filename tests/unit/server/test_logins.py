"""How many refused logins are recorded."""

from __future__ import annotations

from atomctl.server.budget import Budget


def test_a_budget_is_spent_and_comes_back_with_the_next_minute() -> None:
    budget = Budget(2)
    assert [budget.take(now) for now in (0, 1, 59.9, 60, 61, 62)] == [True, True, False, True, True, False]
