"""What must hold of any score: monotone, independent of order, stable, exact."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.policy.risk import FACTORS, POINTS, UNITS_PER_POINT, score
from atomctl.rules.model import Compound, Severity
from atomctl.wpk.model import Mode


@dataclass(frozen=True, slots=True)
class Seen:
    rule: str
    severity: Severity
    object: str
    file: str
    compound: frozenset[Compound] = field(default_factory=frozenset)


FINDING = st.builds(
    Seen,
    rule=st.sampled_from(["a", "b", "c"]),
    severity=st.sampled_from(list(Severity)),
    object=st.sampled_from(["Deployment/x", "Deployment/y"]),
    file=st.sampled_from(["one.yaml", "two.yaml"]),
    compound=st.frozensets(st.sampled_from(list(Compound)), max_size=3),
)
FINDINGS = st.lists(FINDING, max_size=8)
CIRCUMSTANCES = st.fixed_dictionaries(
    {"mode": st.sampled_from(list(Mode)), "has_mutating": st.booleans(), "rollback": st.booleans()}
)


@settings(deadline=None, max_examples=100)
@given(FINDINGS, FINDING, CIRCUMSTANCES)
def test_adding_a_finding_never_lowers_the_score(findings: list[Seen], more: Seen, around: dict[str, bool]) -> None:
    before = score(findings, **around)  # type: ignore[arg-type]  # drawn
    after = score([*findings, more], **around)  # type: ignore[arg-type]  # drawn
    assert after.units >= before.units
    assert after.score >= before.score


@settings(deadline=None, max_examples=100)
@given(FINDINGS, CIRCUMSTANCES, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(
    findings: list[Seen], around: dict[str, bool], chance: random.Random
) -> None:
    shuffled = chance.sample(findings, len(findings))
    assert score(shuffled, **around) == score(findings, **around)  # type: ignore[arg-type]  # drawn


@settings(deadline=None, max_examples=60)
@given(FINDING, st.integers(2, 40), CIRCUMSTANCES)
def test_duplicates_stay_below_twice_the_first(finding: Seen, times: int, around: dict[str, bool]) -> None:
    single = score([finding], **around)  # type: ignore[arg-type]  # drawn
    many = score([finding] * times, **around)  # type: ignore[arg-type]  # drawn
    assert single.units <= many.units <= 2 * single.units
    assert many == score([finding] * times, **around)  # type: ignore[arg-type]  # drawn


def reference(findings: list[Seen], *, mode: Mode, has_mutating: bool, rollback: bool) -> Fraction:
    """The design's sentence in fractions, written without looking at the code."""
    present = {part for finding in findings for part in finding.compound}
    leak = {Compound.SECRET_READABLE, Compound.EXTERNAL_EGRESS} <= present
    groups: dict[tuple[str, str, str], list[Fraction]] = defaultdict(list)
    for finding in findings:
        product = Fraction(1)
        parts = finding.compound
        product *= Fraction(3, 2) if Compound.HOST_BREAKOUT in parts else 1
        product *= Fraction(13, 10) if Compound.CLUSTER_ESCALATION in parts else 1
        product *= Fraction(7, 5) if Compound.HARDCODED_SECRET in parts else 1
        if leak and parts & {Compound.SECRET_READABLE, Compound.EXTERNAL_EGRESS}:
            product *= Fraction(3, 2)
        elif Compound.EXTERNAL_EGRESS in parts:
            product *= Fraction(6, 5)
        if Compound.AUTO_WITHOUT_ROLLBACK in parts and mode is Mode.AUTO and has_mutating and not rollback:
            product *= Fraction(7, 5)
        weight = POINTS[finding.severity] * min(product, Fraction(2))
        groups[finding.rule, finding.file, finding.object].append(weight)
    return sum(
        (weight / 2**place for group in groups.values() for place, weight in enumerate(sorted(group, reverse=True))),
        Fraction(0),
    )


@settings(deadline=None, max_examples=100)
@given(FINDINGS, CIRCUMSTANCES)
def test_the_integers_are_exactly_the_fractions_of_the_definition(
    findings: list[Seen], around: dict[str, bool]
) -> None:
    found = score(findings, **around)  # type: ignore[arg-type]  # drawn
    exact = reference(findings, **around)  # type: ignore[arg-type]  # drawn
    assert Fraction(found.units, UNITS_PER_POINT) == exact
    assert found.score == min(100, math.ceil(exact))
    assert sum(term.units for term in found.terms) == found.units
    assert set(FACTORS.values()) == {150, 130, 120, 140}
