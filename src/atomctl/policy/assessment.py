"""The assessment of a package: validated, scored, decided, and all of it in one canonical document.

The document, `atom.report/v1`, holds what everybody reads afterwards (formats are views of it) and the digests of what
decided. It holds no clock and no random value: the same package, rules, configuration and policies give the same bytes,
and a day matters only when a suppression expires on it.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import atomctl
from atomctl import rules
from atomctl.canonical import Digest, Json, canonical_json, digest, digest_json
from atomctl.policy import decision, risk
from atomctl.policy.complexity import complexity
from atomctl.policy.decision import Category, Decision, Facts, Reason
from atomctl.policy.risk import Risk
from atomctl.rules.effects import mutates
from atomctl.rules.model import Controls, Finding, RuleConfig, Severity, Validation
from atomctl.wpk.archive import Package

SCHEMA = "atom.report/v1"
_SETTINGS = tuple(field.name for field in dataclasses.fields(RuleConfig) if field.name != "today")
"""The clock is no policy: what it changes is visible in the findings."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was seen, how it weighs, what was decided, and the document that says so."""

    validation: Validation
    risk: Risk
    decision: Decision
    document: dict[str, Json]

    @property
    def report(self) -> bytes:
        """The document's canonical bytes: what is stored and can be signed."""
        return canonical_json(self.document)

    @property
    def digest(self) -> Digest:
        """The digest of `report`; approvals bind to it."""
        return digest(self.report)


def assess(
    package: Package,
    *,
    environment: str | None = None,
    today: datetime.date | None = None,
    config: RuleConfig | None = None,
    tightenings: Sequence[Reason] = (),
) -> Assessment:
    """Validates, scores and decides a package that was unpacked from verified bytes.

    Args:
        package: the package.
        environment: where it is to be used; recorded, and what it demands comes in `tightenings`.
        today: the day (UTC) that suppressions expire against; None = no suppression is honoured, unless `config` has a
            day. Only its effect shows in the document, so that the document does not change from day to day.
        config: what the deployment sets for the rules.
        tightenings: demands of the platform's, the tenant's and the environment's policies.
    """
    settings = config or RuleConfig()
    if today is not None:
        settings = dataclasses.replace(settings, today=today)
    validation = rules.run(package, settings)
    manifest = package.manifest
    mutating = any(mutates(handler) for handler in manifest.handlers)
    findings = (*validation.findings, *(each.finding for each in validation.suppressed))
    weighed = risk.score(findings, mode=manifest.safety.mode, has_mutating=mutating, rollback=manifest.rolls_back)
    facts = Facts(
        score=weighed.score,
        severities=frozenset(finding.severity for finding in validation.findings),
        suppressed=frozenset(each.finding.severity for each in validation.suppressed),
        not_understood=validation.not_understood,
        mode=manifest.safety.mode,
        has_mutating=mutating,
        rollback=manifest.rolls_back,
        approval_required=manifest.safety.approval_required,
        complexity=complexity(manifest),
    )
    decided = decision.decide(facts, tightenings=tightenings, evidence=_evidence(findings))
    policy = _policy(settings, tightenings)
    document = _document(package, validation, weighed, decided, environment=environment, policy=policy)
    return Assessment(validation, weighed, decided, document)


def _evidence(findings: Sequence[Finding]) -> list[Controls]:
    return [rules.CATALOG[rule].controls for rule in sorted({finding.rule for finding in findings})]


def _document(
    package: Package,
    validation: Validation,
    weighed: Risk,
    decided: Decision,
    *,
    environment: str | None,
    policy: Digest,
) -> dict[str, Json]:
    severities = Counter(finding.severity for finding in validation.findings)
    return {
        "schema": SCHEMA,
        "version": atomctl.__version__,
        "package": {"name": package.manifest.name, "version": package.manifest.version, "digest": package.digest},
        "environment": environment,
        "summary": {severity.value: severities[severity] for severity in Severity},
        "findings": [finding.to_json() for finding in validation.findings],
        "suppressed": [each.to_json() for each in validation.suppressed],
        "not_understood": list(validation.not_understood),
        "files": list(validation.files),
        "looked_at": dict(sorted(validation.counts.items())),
        "risk": weighed.to_json(),
        "decision": decided.to_json(),
        "digests": {
            "package": package.digest,
            "facts": validation.facts_digest,
            "rules": validation.rules_digest,
            "policy": policy,
            "decision": digest_json(decided.to_json()),
        },
    }


def _policy(config: RuleConfig, tightenings: Sequence[Reason]) -> Digest:
    """The digest of everything besides package and rules that took part in the decision."""
    return digest_json(
        {
            "points": {severity.value: points for severity, points in risk.POINTS.items()},
            "factors": {factor.value: percent for factor, percent in risk.FACTORS.items()},
            "votes": {each.value: [place.to_json() for place in decision.VOTES[each]] for each in Category},
            "config": {name: _plain(getattr(config, name)) for name in _SETTINGS},
            "tightenings": [reason.to_json() for reason in tightenings],
        }
    )


def _plain(value: Any) -> Json:
    """A setting of the rules as JSON."""
    match value:
        case bytes():
            return digest(value)
        case datetime.timedelta():
            return int(value.total_seconds())
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value  # type: ignore[no-any-return]  # text and numbers, which canonical JSON checks
