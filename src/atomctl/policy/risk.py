"""The risk score: 0 to 100, in exact integer arithmetic, with terms that add up to it.

A finding weighs by its severity. Repeats of one rule on one object weigh 1, 1/2, 1/4, ...: the heaviest first, so the
order of findings cannot matter. A finding that is part of a compound threat is multiplied, by 2 at most. The score is
the sum, rounded up, at most 100. Adding a finding never lowers it: a heavier finding only pushes lighter ones down a
place, and every multiplier is at least 1.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from atomctl.canonical import Json
from atomctl.rules.model import Compound, Severity
from atomctl.wpk.model import Mode

POINTS = {Severity.CRITICAL: 25, Severity.HIGH: 15, Severity.MEDIUM: 10, Severity.LOW: 5, Severity.INFO: 0}
MAX_SCORE = 100
MAX_MULTIPLIER = 200
"""Hundredths. Any product of three factors is above it and any of two is a whole number of hundredths: no rounding."""
HALVINGS = 16
"""A repeat that would weigh less than 2**-16 weighs nothing."""
UNITS_PER_POINT = 100 << HALVINGS


class Factor(enum.StrEnum):
    """A compound threat, by what it is called in the terms."""

    HOST_BREAKOUT = "privileged-or-host-breakout"
    CLUSTER_ESCALATION = "cluster-escalation"
    SECRET_EXFILTRATION = "secret-with-external-egress"  # noqa: S105  # a name, not a secret
    EXTERNAL_EGRESS = "external-egress"
    HARDCODED_SECRET = "hardcoded-secret"  # noqa: S105  # a name, not a secret
    AUTO_WITHOUT_ROLLBACK = "auto-without-rollback"


FACTORS = {
    Factor.HOST_BREAKOUT: 150,
    Factor.CLUSTER_ESCALATION: 130,
    Factor.SECRET_EXFILTRATION: 150,
    Factor.EXTERNAL_EGRESS: 120,
    Factor.HARDCODED_SECRET: 140,
    Factor.AUTO_WITHOUT_ROLLBACK: 140,
}
"""Hundredths."""


class ScoredFinding(Protocol):
    """What the score reads of a finding."""

    @property
    def rule(self) -> str:
        """The rule's id."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...

    @property
    def file(self) -> str:
        """The file the object stands in."""
        ...

    @property
    def object(self) -> str:
        """What was looked at."""
        ...

    @property
    def compound(self) -> frozenset[Compound]:
        """The parts it plays in compound threats."""
        ...


@dataclass(frozen=True, slots=True)
class Term:
    """What one finding adds: `points` x `multiplier` / 100 / 2**`repeat`, which is `units` / `UNITS_PER_POINT`."""

    rule: str
    file: str
    object: str
    severity: Severity
    points: int
    factors: tuple[Factor, ...]
    multiplier: int
    """Hundredths, after the cap."""
    repeat: int
    """How many heavier or equal findings of the same rule on the same object come before it."""
    units: int

    def to_json(self) -> dict[str, Json]:
        """The term as reports list it."""
        return {
            "rule": self.rule,
            "file": self.file,
            "object": self.object,
            "severity": self.severity.value,
            "points": self.points,
            "factors": [factor.value for factor in self.factors],
            "multiplier_percent": self.multiplier,
            "repeat": self.repeat,
            "units": self.units,
        }


@dataclass(frozen=True, slots=True)
class Risk:
    """The score and the terms it is the sum of, the heaviest first."""

    score: int
    terms: tuple[Term, ...]

    @property
    def units(self) -> int:
        """The exact sum of the terms; `score` is it in points, rounded up, at most 100."""
        return sum(term.units for term in self.terms)

    def to_json(self) -> dict[str, Json]:
        """The score with its terms; whole numbers only, so that it can be added up again in any language."""
        return {
            "score": self.score,
            "units": self.units,
            "units_per_point": UNITS_PER_POINT,
            "terms": [term.to_json() for term in self.terms],
        }


def score(findings: Iterable[ScoredFinding], *, mode: Mode, has_mutating: bool, rollback: bool) -> Risk:
    """The risk of a package.

    Args:
        findings: all findings, the suppressed ones included: an author's comment never changes the score.
        mode: who may start it.
        has_mutating: whether any handler changes something.
        rollback: whether a failed run is rolled back.
    """
    known = list(findings)
    present = frozenset().union(*(finding.compound for finding in known))
    alone_and_irreversible = mode is Mode.AUTO and has_mutating and not rollback
    groups: dict[tuple[str, str, str], list[tuple[int, ScoredFinding, tuple[Factor, ...]]]] = defaultdict(list)
    for finding in known:
        factors = _factors(finding.compound, present, alone_and_irreversible=alone_and_irreversible)
        weight = POINTS[finding.severity] * _multiplier(factors)
        if weight:
            groups[finding.rule, finding.file, finding.object].append((weight, finding, factors))
    terms = [
        _term(finding, factors, repeat)
        for group in groups.values()
        for repeat, (_, finding, factors) in enumerate(sorted(group, key=_heaviest_first))
    ]
    terms.sort(key=lambda term: (-term.units, term.rule, term.file, term.object, term.repeat))
    whole_points = -(-sum(term.units for term in terms) // UNITS_PER_POINT)
    return Risk(min(MAX_SCORE, whole_points), tuple(terms))


def _factors(
    parts: frozenset[Compound], present: frozenset[Compound], *, alone_and_irreversible: bool
) -> tuple[Factor, ...]:
    """The compound threats a finding with these parts is a member of, in a package where `present` parts occur."""
    exfiltration = {Compound.SECRET_READABLE, Compound.EXTERNAL_EGRESS} <= present
    member = {
        Factor.HOST_BREAKOUT: Compound.HOST_BREAKOUT in parts,
        Factor.CLUSTER_ESCALATION: Compound.CLUSTER_ESCALATION in parts,
        Factor.SECRET_EXFILTRATION: exfiltration
        and not parts.isdisjoint({Compound.SECRET_READABLE, Compound.EXTERNAL_EGRESS}),
        Factor.EXTERNAL_EGRESS: Compound.EXTERNAL_EGRESS in parts and not exfiltration,
        Factor.HARDCODED_SECRET: Compound.HARDCODED_SECRET in parts,
        Factor.AUTO_WITHOUT_ROLLBACK: Compound.AUTO_WITHOUT_ROLLBACK in parts and alone_and_irreversible,
    }
    return tuple(factor for factor in Factor if member[factor])


def _multiplier(factors: Iterable[Factor]) -> int:
    product = 100
    for factor in factors:
        product = min(MAX_MULTIPLIER, product * FACTORS[factor] // 100)
    return product


def _heaviest_first(member: tuple[int, ScoredFinding, tuple[Factor, ...]]) -> tuple[int, int, tuple[Factor, ...]]:
    weight, finding, factors = member
    return -weight, finding.severity.rank, factors


def _term(finding: ScoredFinding, factors: tuple[Factor, ...], repeat: int) -> Term:
    points, multiplier = POINTS[finding.severity], _multiplier(factors)
    units = points * multiplier << (HALVINGS - repeat) if repeat <= HALVINGS else 0
    return Term(
        finding.rule, finding.file, finding.object, finding.severity, points, factors, multiplier, repeat, units
    )
