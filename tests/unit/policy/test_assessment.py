from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from tests.fakes import packages

from atomctl.canonical import digest, digest_json
from atomctl.policy.assessment import assess
from atomctl.policy.decision import Automation, Category, Outcome, Reason, VoteRequirement
from atomctl.rules.model import RuleConfig
from atomctl.wpk.archive import FileEntry, Package, Source, pack, unpack

TODAY = datetime.date(2026, 3, 1)


def package(manifest: str, pod: str | None = None) -> Package:
    files = {"wpk.yaml": manifest} | ({"manifests/pod.yaml": pod} if pod else {})
    return unpack(pack(Source({name: FileEntry(text.encode()) for name, text in files.items()})).data)


READ_ONLY = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: look, version: 1.0.0}
spec:
  safety: {mode: MODE, approval_required: false, dry_run_required: false}
  handlers:
    - {name: look, type: k8s, config: {action: get, kind: Pod, namespace: shop, name: web-0}}
"""


def test_what_only_reads_is_allowed_and_may_run_alone() -> None:
    automatic = assess(package(READ_ONLY.replace("MODE", "auto")))
    assert automatic.decision.outcome is Outcome.ALLOW
    assert automatic.decision.automation is Automation.AUTOMATIC
    attended = assess(package(READ_ONLY.replace("MODE", "manual")))
    assert attended.decision.automation is Automation.ATTENDED


def test_a_package_that_demands_an_approval_gets_one() -> None:
    found = assess(unpack(packages.harmless().data))
    assert found.decision.outcome is Outcome.REQUIRE_APPROVAL
    assert found.decision.votes == (VoteRequirement(None, 1),)


def test_a_breakout_is_blocked_with_its_place() -> None:
    found = assess(unpack(packages.privileged().data))
    assert found.decision.outcome is Outcome.BLOCK
    critical = [finding for finding in found.validation.findings if finding.severity == "critical"]
    assert critical
    assert all(finding.line > 0 and finding.file == "manifests/pod.yaml" for finding in critical)


def test_the_same_package_gives_the_same_bytes() -> None:
    data = packages.privileged().data
    one, two = assess(unpack(data)), assess(unpack(data), today=TODAY)
    assert one.report == two.report
    assert one.digest == digest(one.report)
    assert json.loads(one.report) == one.document


def test_the_document_names_what_decided() -> None:
    found = assess(unpack(packages.harmless().data), environment="production")
    document: dict[str, Any] = found.document
    assert document["schema"] == "atom.report/v1"
    assert document["environment"] == "production"
    assert document["package"]["digest"] == document["digests"]["package"] == packages.harmless().digest
    assert document["digests"]["decision"] == digest_json(found.decision.to_json())
    assert document["risk"]["score"] == found.risk.score
    assert sum(term["units"] for term in document["risk"]["terms"]) == document["risk"]["units"]


def test_another_policy_or_configuration_has_another_digest() -> None:
    opened = unpack(packages.harmless().data)
    strict = Reason("tenant", Category.SECURITY_REVIEW, "all changes in spring")
    digests: list[Any] = [
        each.document["digests"]["policy"]  # type: ignore[index, call-overload]  # JSON
        for each in (
            assess(opened),
            assess(opened, tightenings=[strict]),
            assess(opened, config=RuleConfig(cpu_limit_millicores=1)),
            assess(opened, config=RuleConfig(fingerprint_salt=b"another")),
        )
    ]
    assert len(set(digests)) == 4
    assert assess(opened, tightenings=[strict]).decision.category is Category.SECURITY_REVIEW


SUPPRESSED = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: look, version: 1.0.0}
spec:
  safety: {mode: manual, approval_required: false, dry_run_required: false}
  handlers:
    - {name: apply, type: k8s, config: {action: apply, manifest: manifests/pod.yaml}}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: registry.example/web:latest  # atom:ignore RULE reason="being mended" until=2026-12-31
"""


@pytest.fixture
def suppressible() -> str:
    """A rule that sees the image and may be suppressed."""
    seen = assess(package(SUPPRESSED, POD)).validation.findings
    return next(finding.rule for finding in seen if finding.line == 7 and finding.bypassable)


def test_a_suppression_moves_a_finding_aside_and_leaves_the_score(suppressible: str) -> None:
    pod = POD.replace("RULE", suppressible)
    without_day = assess(package(SUPPRESSED, pod))
    with_day = assess(package(SUPPRESSED, pod), today=TODAY)
    assert [each.finding.rule for each in with_day.validation.suppressed] == [suppressible]
    assert without_day.validation.suppressed == ()
    terms = [(term.rule, term.units) for term in with_day.risk.terms]
    assert suppressible in dict(terms)
    assert set(terms) <= {(term.rule, term.units) for term in without_day.risk.terms}


def test_an_expired_suppression_is_not_honoured(suppressible: str) -> None:
    pod = POD.replace("RULE", suppressible)
    late = assess(package(SUPPRESSED, pod), today=datetime.date(2027, 1, 1))
    assert late.validation.suppressed == ()
