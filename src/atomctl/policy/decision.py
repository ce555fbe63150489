"""The decision: allow, require approval or block, as the strictest of everything that has a say.

Each thing that speaks (score, findings, mode, the manifest's own demands, policies, the environment) gives a `Reason`
with a category; none can take another's away. So a decision can be explained by listing its reasons, and adding one can
only make it stricter.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atomctl.canonical import Json
from atomctl.policy import compliance
from atomctl.policy.complexity import Complexity
from atomctl.policy.votes import ADMIN, SECURITY, VoteRequirement, strictest
from atomctl.rules.model import Controls, Severity
from atomctl.wpk.model import Mode

__all__ = ["Category", "Decision", "Facts", "Outcome", "Reason", "Tightening", "VoteRequirement", "decide"]


class Outcome(enum.StrEnum):
    """What happens next."""

    ALLOW = "allow"
    REQUIRE_APPROVAL = "require_approval"
    BLOCK = "block"


class Category(enum.StrEnum):
    """The rows of the matrix, in the order of strictness."""

    ROUTINE = "routine"
    REVIEW = "review"
    SECURITY_REVIEW = "security-review"
    BLOCKED = "blocked"

    @property
    def rank(self) -> int:
        """0 for routine to 3 for blocked."""
        return _RANK[self]


_RANK = {category: rank for rank, category in enumerate(Category)}


class Automation(enum.StrEnum):
    """How much of it happens without a person."""

    AUTOMATIC = "automatic"
    """A trigger starts it and nobody is asked."""
    ATTENDED = "attended"
    """A person starts it and nobody else is asked."""
    APPROVED = "approved"
    """Other people agree first."""
    NONE = "none"


VOTES: dict[Category, tuple[VoteRequirement, ...]] = {
    Category.ROUTINE: (),
    Category.REVIEW: (VoteRequirement(None, 1),),
    Category.SECURITY_REVIEW: (VoteRequirement(SECURITY, 1), VoteRequirement(None, 1)),
    Category.BLOCKED: (VoteRequirement(SECURITY, 1), VoteRequirement(None, 1)),
}
"""What a run needs; a blocked one once an override has lifted the block: the next strictest row, never less."""
OVERRIDE_VOTES = (VoteRequirement(ADMIN, 1), VoteRequirement(SECURITY, 1))
"""What lifts a block, for `OVERRIDE_LIFETIME`, and marks the package version for ever."""
OVERRIDE_LIFETIME = datetime.timedelta(hours=24)
_CONTROLS = {
    Outcome.ALLOW: (compliance.DECIDED,),
    Outcome.REQUIRE_APPROVAL: (compliance.DECIDED, compliance.APPROVED_BY_OTHERS),
    Outcome.BLOCK: (compliance.DECIDED, compliance.BLOCKED),
}
_SCORE_ROWS = ((76, Category.BLOCKED), (51, Category.SECURITY_REVIEW), (26, Category.REVIEW), (0, Category.ROUTINE))


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that had a say: who, what it demands, and why in one sentence."""

    source: str
    category: Category
    why: str
    votes: tuple[VoteRequirement, ...] = ()
    """More votes than the category's own, where it demands them."""

    def to_json(self) -> dict[str, Json]:
        """The reason as decisions list it."""
        return {
            "source": self.source,
            "category": self.category.value,
            "why": self.why,
            "votes": [place.to_json() for place in self.votes],
        }


Tightening = Reason
"""What a platform's, a tenant's or an environment's policy demands on top; it has no way to demand less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a decision reads of a package."""

    score: int
    severities: frozenset[Severity] = frozenset()
    """Of the findings that are not suppressed."""
    suppressed: frozenset[Severity] = frozenset()
    not_understood: tuple[str, ...] = ()
    """Files that could not be read as what they claim to be."""
    mode: Mode
    has_mutating: bool
    rollback: bool
    approval_required: bool
    complexity: Complexity = Complexity.SIMPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided and every reason for it; the strictest come first."""

    outcome: Outcome
    category: Category
    automation: Automation
    complexity: Complexity
    votes: tuple[VoteRequirement, ...]
    """What a run needs; when blocked, what it needs after an override, and before that nothing lets it run."""
    reasons: tuple[Reason, ...]
    controls: Controls = Controls()
    """Ids of controls this decision is evidence for; never a claim of compliance."""

    @property
    def override_votes(self) -> tuple[VoteRequirement, ...]:
        """What an override of a block needs; empty when there is no block."""
        return OVERRIDE_VOTES if self.outcome is Outcome.BLOCK else ()

    def to_json(self) -> dict[str, Json]:
        """The decision record, `atom.decision/v1`."""
        return {
            "schema": "atom.decision/v1",
            "outcome": self.outcome.value,
            "category": self.category.value,
            "automation": self.automation.value,
            "complexity": self.complexity.value,
            "approval": self._approval_json(),
            "reasons": [reason.to_json() for reason in self.reasons],
            "supports_evidence_for": {
                "soc2": list(self.controls.soc2),
                "iso27001": list(self.controls.iso27001),
                "nist80053": list(self.controls.nist80053),
            },
        }

    def _approval_json(self) -> Json:
        match self.outcome:
            case Outcome.ALLOW:
                return None
            case Outcome.REQUIRE_APPROVAL:
                return {"subject": "run", "votes": [place.to_json() for place in self.votes]}
            case Outcome.BLOCK:
                lifetime = int(OVERRIDE_LIFETIME.total_seconds())
                places: list[Json] = [place.to_json() for place in self.override_votes]
                return {"subject": "override", "votes": places, "lifetime_seconds": lifetime}


def decide(facts: Facts, *, tightenings: Sequence[Reason] = (), evidence: Iterable[Controls] = ()) -> Decision:
    """The decision on a package.

    Args:
        facts: what is known of it.
        tightenings: demands of policies and of the environment.
        evidence: the controls that the rules which looked at the package are evidence for.
    """
    reasons = sorted((*_reasons(facts), *tightenings), key=lambda r: (-r.category.rank, r.source, r.why))
    category = max((reason.category for reason in reasons), key=lambda each: each.rank)
    votes = strictest([*(VOTES[reason.category] for reason in reasons), *(reason.votes for reason in reasons)])
    outcome = _outcome(category, votes)
    return Decision(
        outcome=outcome,
        category=category,
        automation=_automation(outcome, facts.mode),
        complexity=facts.complexity,
        votes=votes,
        reasons=tuple(reasons),
        controls=compliance.combined((*_CONTROLS[outcome], *evidence)),
    )


def _outcome(category: Category, votes: Sequence[VoteRequirement]) -> Outcome:
    if category is Category.BLOCKED:
        return Outcome.BLOCK
    return Outcome.REQUIRE_APPROVAL if votes else Outcome.ALLOW


def _automation(outcome: Outcome, mode: Mode) -> Automation:
    match outcome:
        case Outcome.BLOCK:
            return Automation.NONE
        case Outcome.REQUIRE_APPROVAL:
            return Automation.APPROVED
        case Outcome.ALLOW:
            return Automation.AUTOMATIC if mode is Mode.AUTO else Automation.ATTENDED


def _reasons(facts: Facts) -> Iterable[Reason]:
    """What the matrix says; the row of the score always speaks, so there is always a reason."""
    row = next(category for floor, category in _SCORE_ROWS if facts.score >= floor)
    yield Reason("score", row, f"the risk score is {facts.score}")
    if Severity.CRITICAL in facts.severities:
        yield Reason("findings", Category.BLOCKED, "a critical finding is not suppressed")
    if Severity.CRITICAL in facts.suppressed:
        yield Reason("findings", Category.SECURITY_REVIEW, "a critical finding is suppressed by the author")
    if Severity.HIGH in facts.severities | facts.suppressed:
        yield Reason("findings", Category.REVIEW, "there is a finding of high severity")
    for file in facts.not_understood:
        yield Reason("validator", Category.BLOCKED, f"{file} is not fully understood")
    if facts.mode is Mode.AUTO and facts.has_mutating and not facts.rollback:
        yield Reason("mode", Category.REVIEW, "it runs automatically, changes something and cannot be rolled back")
    if facts.approval_required:
        yield Reason("manifest", Category.REVIEW, "the manifest demands an approval")
