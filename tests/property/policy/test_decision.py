"""What must hold of any decision: everything that speaks can only make it stricter."""

from __future__ import annotations

import dataclasses
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.policy.decision import Category, Decision, Facts, Outcome, Reason, VoteRequirement, decide
from atomctl.policy.votes import places_left, strictest
from atomctl.rules.model import Severity
from atomctl.wpk.model import Mode

ROLE = st.sampled_from([None, "security", "admin", "approver"])
REQUIREMENT = st.lists(st.builds(VoteRequirement, ROLE, st.integers(1, 3)), max_size=3, unique_by=lambda v: v.role).map(
    tuple
)
SEVERITIES = st.frozensets(st.sampled_from(list(Severity)))
FACTS = st.builds(
    Facts,
    score=st.integers(0, 100),
    severities=SEVERITIES,
    suppressed=SEVERITIES,
    not_understood=st.sampled_from([(), ("odd.yaml",)]),
    mode=st.sampled_from(list(Mode)),
    has_mutating=st.booleans(),
    rollback=st.booleans(),
    approval_required=st.booleans(),
)
REASON = st.builds(
    Reason, st.sampled_from(["platform", "tenant"]), st.sampled_from(list(Category)), st.just("why"), REQUIREMENT
)
VOTERS = st.lists(st.frozensets(st.sampled_from(["security", "admin", "approver"])), max_size=5)


def at_least_as_strict(after: Decision, before: Decision, voters: list[frozenset[str]]) -> bool:
    order = list(Outcome)
    if order.index(after.outcome) < order.index(before.outcome) or after.category.rank < before.category.rank:
        return False
    if after.outcome is Outcome.BLOCK:
        return True
    return places_left(after.votes, voters) > 0 or places_left(before.votes, voters) == 0


@settings(deadline=None, max_examples=100)
@given(FACTS, st.lists(REASON, max_size=2), REASON, VOTERS)
def test_one_more_demand_never_makes_it_laxer(
    facts: Facts, demands: list[Reason], more: Reason, voters: list[frozenset[str]]
) -> None:
    before, after = decide(facts, tightenings=demands), decide(facts, tightenings=[*demands, more])
    assert at_least_as_strict(after, before, voters)


@settings(deadline=None, max_examples=100)
@given(FACTS, st.integers(0, 100), VOTERS)
def test_a_higher_score_never_makes_it_laxer(facts: Facts, other: int, voters: list[frozenset[str]]) -> None:
    low, high = sorted((facts.score, other))
    before = decide(dataclasses.replace(facts, score=low))
    after = decide(dataclasses.replace(facts, score=high))
    assert at_least_as_strict(after, before, voters)


@settings(deadline=None, max_examples=60)
@given(FACTS, st.sampled_from(list(Severity)), VOTERS)
def test_one_more_severity_never_makes_it_laxer(facts: Facts, more: Severity, voters: list[frozenset[str]]) -> None:
    after = decide(dataclasses.replace(facts, severities=facts.severities | {more}))
    assert at_least_as_strict(after, decide(facts), voters)


@settings(deadline=None, max_examples=60)
@given(FACTS, st.permutations([Reason("platform", each, each.value) for each in Category]))
def test_the_order_of_demands_does_not_matter(facts: Facts, demands: list[Reason]) -> None:
    assert decide(facts, tightenings=demands) == decide(facts, tightenings=demands[::-1])


@settings(deadline=None, max_examples=100)
@given(st.lists(REQUIREMENT, max_size=4), VOTERS)
def test_the_strictest_is_fulfilled_only_if_every_single_one_is(
    requirements: list[tuple[VoteRequirement, ...]], voters: list[frozenset[str]]
) -> None:
    if places_left(strictest(requirements), voters) == 0:
        assert all(places_left(each, voters) == 0 for each in requirements)


@settings(deadline=None, max_examples=100)
@given(REQUIREMENT, VOTERS)
def test_places_are_filled_exactly_if_some_seating_fills_them(
    requirement: tuple[VoteRequirement, ...], voters: list[frozenset[str]]
) -> None:
    places = [place.role for place in requirement for _ in range(place.count)][:5]
    short = tuple(VoteRequirement(role, 1) for role in places)
    seatings = itertools.permutations(range(len(voters)), len(places)) if len(places) <= len(voters) else iter(())
    possible = any(
        all(role is None or role in voters[voter] for role, voter in zip(places, seating, strict=True))
        for seating in seatings
    )
    assert (places_left(short, voters) == 0) is possible
