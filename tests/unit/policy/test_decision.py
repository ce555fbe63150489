from __future__ import annotations

from typing import Any

import pytest

from atomctl.policy.complexity import Complexity
from atomctl.policy.decision import (
    OVERRIDE_VOTES,
    Automation,
    Category,
    Decision,
    Facts,
    Outcome,
    Reason,
    Tightening,
    VoteRequirement,
    decide,
)
from atomctl.rules.model import Controls, Severity
from atomctl.wpk.model import Mode

ONE = (VoteRequirement(None, 1),)
TWO_ONE_SECURITY = (VoteRequirement("security", 1), VoteRequirement(None, 1))
AUTO: dict[str, Any] = {"mode": Mode.AUTO}


def facts(**changed: Any) -> Facts:
    calm: dict[str, Any] = {
        "score": 0,
        "mode": Mode.MANUAL,
        "has_mutating": True,
        "rollback": True,
        "approval_required": False,
    }
    return Facts(**{**calm, **changed})


def decided(*tightenings: Reason, **changed: Any) -> Decision:
    return decide(facts(**changed), tightenings=tightenings)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    ("score", "outcome", "category", "votes"),
    [
        (0, Outcome.ALLOW, Category.ROUTINE, ()),
        (25, Outcome.ALLOW, Category.ROUTINE, ()),
        (26, Outcome.REQUIRE_APPROVAL, Category.REVIEW, ONE),
        (50, Outcome.REQUIRE_APPROVAL, Category.REVIEW, ONE),
        (51, Outcome.REQUIRE_APPROVAL, Category.SECURITY_REVIEW, TWO_ONE_SECURITY),
        (75, Outcome.REQUIRE_APPROVAL, Category.SECURITY_REVIEW, TWO_ONE_SECURITY),
        (76, Outcome.BLOCK, Category.BLOCKED, TWO_ONE_SECURITY),
        (100, Outcome.BLOCK, Category.BLOCKED, TWO_ONE_SECURITY),
    ],
)
def test_the_score_chooses_the_row(
    mode: Mode, score: int, outcome: Outcome, category: Category, votes: tuple[VoteRequirement, ...]
) -> None:
    found = decided(score=score, mode=mode)
    assert (found.outcome, found.category, found.votes) == (outcome, category, votes)


def test_automatic_and_routine_runs_alone_and_manual_needs_a_person_to_start_it() -> None:
    assert decided(mode=Mode.AUTO).automation is Automation.AUTOMATIC
    assert decided(mode=Mode.MANUAL).automation is Automation.ATTENDED
    assert decided(score=30).automation is Automation.APPROVED
    assert decided(score=80).automation is Automation.NONE


@pytest.mark.parametrize("where", ["severities", "suppressed"])
def test_a_high_finding_needs_a_review_even_if_suppressed(where: str) -> None:
    found = decided(score=15, **{where: frozenset({Severity.HIGH})})
    assert (found.category, found.votes) == (Category.REVIEW, ONE)


def test_automatic_without_a_way_back_needs_a_review() -> None:
    assert decided(**AUTO, rollback=False).category is Category.REVIEW
    assert decided(**AUTO, rollback=False, has_mutating=False).category is Category.ROUTINE
    assert decided(rollback=False).category is Category.ROUTINE


def test_a_critical_finding_blocks_and_a_suppressed_one_needs_security() -> None:
    critical = frozenset({Severity.CRITICAL})
    assert decided(score=25, severities=critical).outcome is Outcome.BLOCK
    suppressed = decided(score=25, suppressed=critical)
    assert (suppressed.category, suppressed.votes) == (Category.SECURITY_REVIEW, TWO_ONE_SECURITY)


def test_what_is_not_understood_blocks_and_is_named() -> None:
    found = decided(not_understood=("manifests/odd.yaml",))
    assert found.outcome is Outcome.BLOCK
    assert "manifests/odd.yaml" in found.reasons[0].why


def test_a_deny_rule_blocks() -> None:
    assert decided(Tightening("tenant", Category.BLOCKED, "no changes on Fridays")).outcome is Outcome.BLOCK


def test_the_manifests_own_demand_is_heard() -> None:
    assert decided(approval_required=True).votes == ONE


def test_a_policy_may_demand_more_votes_than_its_category() -> None:
    more = Tightening(
        "platform", Category.ROUTINE, "finance asks for two of security", (VoteRequirement("security", 2),)
    )
    assert decided(more).votes == (VoteRequirement("security", 2),)
    assert decided(more, score=60).votes == (VoteRequirement("security", 2),)
    three = Tightening("tenant", Category.REVIEW, "three people", (VoteRequirement(None, 3),))
    assert decided(more, three).votes == (VoteRequirement("security", 2), VoteRequirement(None, 1))


def test_a_policy_cannot_demand_less() -> None:
    harmless = Tightening("tenant", Category.ROUTINE, "all is well")
    assert decided(harmless, score=60).votes == TWO_ONE_SECURITY
    assert decided(harmless, score=80).outcome is Outcome.BLOCK


def test_the_strictest_reason_is_named_first() -> None:
    found = decided(score=30, severities=frozenset({Severity.CRITICAL}), approval_required=True)
    assert [reason.category.rank for reason in found.reasons] == [3, 1, 1]


def test_a_block_names_the_override_that_lifts_it() -> None:
    document: dict[str, Any] = decided(score=90).to_json()
    assert decided(score=90).override_votes == OVERRIDE_VOTES
    assert document["approval"] == {
        "subject": "override",
        "votes": [{"role": "admin", "count": 1}, {"role": "security", "count": 1}],
        "lifetime_seconds": 24 * 3600,
    }
    assert decided().override_votes == ()


def test_an_override_does_not_lift_what_else_is_demanded() -> None:
    more = Tightening("tenant", Category.ROUTINE, "three people", (VoteRequirement(None, 3),))
    assert decided(more, score=90).votes == (VoteRequirement("security", 1), VoteRequirement(None, 2))


def test_the_record_of_a_decision_carries_everything_it_rests_on() -> None:
    found = decide(
        facts(score=30, complexity=Complexity.COMPLEX), evidence=[Controls(("CC6.1",), ("A.8.9",), ("CM-6",))]
    )
    document: dict[str, Any] = found.to_json()
    assert document["schema"] == "atom.decision/v1"
    assert (document["outcome"], document["category"]) == ("require_approval", "review")
    assert (document["automation"], document["complexity"]) == ("approved", "complex")
    assert document["approval"] == {"subject": "run", "votes": [{"role": None, "count": 1}]}
    assert document["reasons"][0]["why"] == "the risk score is 30"
    assert document["supports_evidence_for"] == {
        "soc2": ["CC5.1", "CC6.1", "CC8.1"],
        "iso27001": ["A.5.3", "A.8.32", "A.8.9"],
        "nist80053": ["AC-5", "CM-3", "CM-4", "CM-6"],
    }
    assert "compliant" not in str(document).lower()
