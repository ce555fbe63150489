from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import pytest

from atomctl.policy.risk import FACTORS, MAX_MULTIPLIER, UNITS_PER_POINT, Factor, Risk, score
from atomctl.rules.model import Compound, Severity
from atomctl.wpk.model import Mode


@dataclass(frozen=True, slots=True)
class Seen:
    rule: str
    severity: Severity
    object: str = "Deployment/web"
    file: str = "manifests/web.yaml"
    compound: frozenset[Compound] = field(default_factory=frozenset)


def risk(*findings: Seen, mode: Mode = Mode.MANUAL, has_mutating: bool = True, rollback: bool = True) -> Risk:
    return score(findings, mode=mode, has_mutating=has_mutating, rollback=rollback)


def one(severity: Severity, *parts: Compound, rule: str = "rule") -> Seen:
    return Seen(rule, severity, compound=frozenset(parts))


def test_nothing_found_scores_nothing() -> None:
    assert risk() == Risk(0, ())


@pytest.mark.parametrize(
    ("severity", "points"),
    [(Severity.CRITICAL, 25), (Severity.HIGH, 15), (Severity.MEDIUM, 10), (Severity.LOW, 5), (Severity.INFO, 0)],
)
def test_a_finding_weighs_by_its_severity(severity: Severity, points: int) -> None:
    assert risk(one(severity)).score == points


def test_different_rules_and_different_objects_add_up_whole() -> None:
    findings = [
        Seen("a", Severity.HIGH),
        Seen("b", Severity.HIGH),
        Seen("a", Severity.HIGH, object="Deployment/db"),
        Seen("a", Severity.HIGH, file="other.yaml"),
    ]
    assert risk(*findings).score == 60


def test_repeats_of_one_rule_on_one_object_weigh_a_half_then_a_quarter() -> None:
    assert [risk(*[one(Severity.CRITICAL)] * n).score for n in range(1, 8)] == [25, 38, 44, 47, 49, 50, 50]


def test_repeats_stop_adding_before_they_cost_anything() -> None:
    assert risk(*[one(Severity.CRITICAL)] * 5_000).score == 50


def test_of_repeats_the_heaviest_counts_whole() -> None:
    light, heavy = one(Severity.LOW), one(Severity.CRITICAL)
    assert risk(light, heavy).score == risk(heavy, light).score == 28


def test_the_score_ends_at_a_hundred() -> None:
    assert risk(*(one(Severity.CRITICAL, rule=f"rule-{n}") for n in range(9))).score == 100


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Compound.HOST_BREAKOUT, 15),
        (Compound.CLUSTER_ESCALATION, 13),
        (Compound.EXTERNAL_EGRESS, 12),
        (Compound.HARDCODED_SECRET, 14),
        (Compound.SECRET_READABLE, 10),
    ],
)
def test_a_compound_threat_multiplies_its_member(part: Compound, expected: int) -> None:
    assert risk(one(Severity.MEDIUM, part)).score == expected


def test_a_compound_threat_multiplies_its_members_only() -> None:
    assert risk(one(Severity.MEDIUM, Compound.HOST_BREAKOUT), one(Severity.MEDIUM, rule="other")).score == 25


def test_a_readable_secret_and_a_way_out_multiply_each_other_wherever_they_are() -> None:
    secret = Seen("secret", Severity.MEDIUM, "Deployment/a", compound=frozenset({Compound.SECRET_READABLE}))
    egress = Seen("egress", Severity.MEDIUM, "Deployment/b", compound=frozenset({Compound.EXTERNAL_EGRESS}))
    together = risk(secret, egress)
    assert together.score == 30
    assert {term.factors for term in together.terms} == {(Factor.SECRET_EXFILTRATION,)}
    assert risk(egress).terms[0].factors == (Factor.EXTERNAL_EGRESS,)


def test_the_product_of_a_findings_factors_ends_at_two() -> None:
    parts = (Compound.HOST_BREAKOUT, Compound.CLUSTER_ESCALATION, Compound.HARDCODED_SECRET)
    assert risk(one(Severity.MEDIUM, *parts)).score == 20
    assert risk(one(Severity.MEDIUM, Compound.HOST_BREAKOUT, Compound.CLUSTER_ESCALATION)).score == 20
    exact = risk(one(Severity.MEDIUM, Compound.HOST_BREAKOUT, Compound.CLUSTER_ESCALATION)).terms[0]
    assert exact.multiplier == 195


@pytest.mark.parametrize(
    ("mode", "has_mutating", "rollback", "expected"),
    [
        (Mode.AUTO, True, False, 14),
        (Mode.AUTO, True, True, 10),
        (Mode.AUTO, False, False, 10),
        (Mode.MANUAL, True, False, 10),
    ],
)
def test_running_alone_without_a_way_back_multiplies(
    mode: Mode, has_mutating: bool, rollback: bool, expected: int
) -> None:
    finding = one(Severity.MEDIUM, Compound.AUTO_WITHOUT_ROLLBACK)
    assert risk(finding, mode=mode, has_mutating=has_mutating, rollback=rollback).score == expected


def test_every_product_of_factors_below_the_cap_is_whole_hundredths() -> None:
    for left, right in itertools.combinations(FACTORS.values(), 2):
        assert left * right % 100 == 0
    for factors in itertools.combinations(FACTORS.values(), 3):
        assert math.prod(factors) > MAX_MULTIPLIER * 100 * 100


def test_the_terms_add_up_to_the_score() -> None:
    found = risk(
        one(Severity.CRITICAL, Compound.HOST_BREAKOUT),
        one(Severity.CRITICAL, Compound.HOST_BREAKOUT),
        one(Severity.LOW, rule="other"),
        one(Severity.INFO, rule="worth knowing"),
    )
    document = found.to_json()
    terms = document["terms"]
    assert isinstance(terms, list)
    total = sum(term["units"] for term in terms)  # type: ignore[index, call-overload, misc]  # JSON
    assert total == document["units"] == (37.5 + 18.75 + 5) * UNITS_PER_POINT
    assert found.score == 62
    assert len(terms) == 3


def test_the_units_fit_into_every_languages_integers() -> None:
    found = risk(*(one(Severity.CRITICAL, *Compound, rule=f"rule-{n}") for n in range(10_000)))
    assert found.units < 2**53
