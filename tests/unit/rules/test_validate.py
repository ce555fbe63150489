"""The whole validation: what is looked at, what is not understood, and that nothing depends on chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atomctl import rules
from atomctl.rules.formats import text
from atomctl.rules.model import Compound, RuleConfig, Severity

if TYPE_CHECKING:
    from tests.unit.rules.conftest import Validate

DIGEST = "sha256:9f1003c480699be56815db0f8146ad2e22efea85129b5b5983d0e0fb52d9ab70"
WEB = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: app
          image: registry.example/web@{DIGEST}
          securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
          resources: {{limits: {{cpu: 500m, memory: 256Mi}}}}
"""


def test_a_hardened_deployment_has_no_findings(validate: Validate) -> None:
    assert validate({"manifests/web.yaml": WEB}).findings == ()


def test_a_plain_deployment_is_only_advised(validate: Validate) -> None:
    plain = WEB.replace(", seccompProfile: {type: RuntimeDefault}", "").replace(
        "          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n", ""
    )
    found = validate({"manifests/web.yaml": plain}).findings
    assert {finding.severity for finding in found} == {Severity.LOW}
    assert len(found) == 3


def test_what_was_looked_at_is_counted(validate: Validate) -> None:
    found = validate({"manifests/web.yaml": WEB, "scripts/a.sh": "#!/bin/sh\necho a\n"})
    assert found.counts == {"objects": 1, "packages": 1, "pods": 1, "scripts": 1}
    assert found.files == ("manifests/web.yaml", "scripts/a.sh", "wpk.yaml")


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ("a: 1\na: 2\n", 2, 1),
        ("a: [1\nb: 2\n", 2, 2),
        ("\tx: 1\n", 1, 1),
        ("a: !!python/object:x {}\n", 1, 4),
        (b"a: \xff\n", 1, 4),
        ("[" * 70, 1, 65),
    ],
)
def test_a_manifest_that_cannot_be_read_is_not_understood(
    validate: Validate, content: str | bytes, line: int, column: int
) -> None:
    found = validate({"manifests/a.yaml": content})
    assert found.not_understood == ("manifests/a.yaml",)
    finding = next(finding for finding in found.findings if finding.rule == "unreadable-manifest")
    assert (finding.line, finding.column) == (line, column)
    assert not finding.bypassable


def test_a_file_that_is_no_manifest_is_not_blamed_for_it(validate: Validate) -> None:
    assert validate({"files/notes.yaml": "a: [", "files/readme.md": "# kind"}).findings == ()


def test_a_binary_file_and_another_language_are_named(validate: Validate) -> None:
    found = validate({"files/tool": b"\x7fELF\0\0", "scripts/run.py": "#!/usr/bin/env python3\nprint()\n"})
    assert [(finding.rule, finding.file) for finding in found.findings] == [
        ("unread-file", "files/tool"),
        ("unread-file", "scripts/run.py"),
    ]


def test_an_unknown_kind_with_something_like_a_pod_is_named(validate: Validate) -> None:
    text_ = "kind: Backup\napiVersion: example.org/v1\nspec:\n  job:\n    containers: [{image: a}]\n"
    (finding,) = validate({"manifests/a.yaml": text_}).findings
    assert (finding.rule, finding.severity, finding.line) == ("unknown-kind-with-pod", Severity.INFO, 4)


@pytest.mark.parametrize(
    ("rule", "body", "expected"),
    [
        ("host-path", "volumes: [{name: a, hostPath: {path: /opt}}]", Severity.HIGH),
        ("host-path", "volumes: [{name: a, hostPath: {path: /var/run/docker.sock}}]", Severity.CRITICAL),
        ("host-path", "volumes: [{name: a, hostPath: {path: //etc/./}}]", Severity.CRITICAL),
        ("host-path", "volumes: [{name: a, hostPath: {path: /opt/../etc}}]", Severity.CRITICAL),
        (
            "dangerous-capability",
            "initContainers: [{name: a, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]",
            Severity.CRITICAL,
        ),
        (
            "dangerous-capability",
            "initContainers: [{name: a, securityContext: {capabilities: {add: [NET_RAW]}}}]",
            Severity.HIGH,
        ),
    ],
)
def test_a_way_to_the_node_weighs_more(validate: Validate, rule: str, body: str, expected: Severity) -> None:
    found = validate.manifest(f"kind: Pod\nspec:\n  {body}\n  containers: []\n")[rule]
    assert found.severity is expected
    if expected is Severity.CRITICAL:
        assert Compound.HOST_BREAKOUT in found.compound


def test_a_cluster_admin_binding_is_critical(validate: Validate) -> None:
    found = validate.manifest("kind: ClusterRoleBinding\nroleRef: {name: cluster-admin}\nsubjects: []\n")
    assert found["admin-binding"].severity is Severity.CRITICAL
    assert Compound.CLUSTER_ESCALATION in found["admin-binding"].compound


def test_the_deployments_settings_decide(validate: Validate) -> None:
    call = "#!/bin/sh\ncurl https://api.example.com/x\n"
    assert "script-reaches-internet" in validate.script(call)
    assert validate.script(call, RuleConfig(allowed_hosts=("*.example.com",))) == {}
    large = WEB.replace("cpu: 500m", "cpu: 5")
    assert "excessive-resources" in validate.manifest(large)
    assert validate.manifest(large, RuleConfig(cpu_limit_millicores=8000)) == {}


def test_the_same_package_gives_the_same_validation(validate: Validate) -> None:
    files = {"manifests/b.yaml": WEB.replace("drop: [ALL]", "add: [SYS_ADMIN]"), "scripts/a.sh": "#!/bin/sh\nsudo ls\n"}
    first, second = validate(files), validate(dict(reversed(files.items())))
    assert first == second
    assert list(first.findings) == sorted(first.findings, key=lambda finding: finding.order)


def test_the_facts_digest_follows_values_and_not_layout(validate: Validate) -> None:
    plain = validate({"manifests/a.yaml": "kind: Service\nspec: {type: ClusterIP}\n"}).facts_digest
    same = validate({"manifests/a.yaml": "# comment\n{spec: {'type': ClusterIP}, kind: Service}\n"}).facts_digest
    other = validate({"manifests/a.yaml": "kind: Service\nspec: {type: NodePort}\n"}).facts_digest
    assert plain == same
    assert plain != other


def test_the_catalogue_loads_by_name_alone() -> None:
    assert rules.CATALOG["sudo"].id == "sudo"
    with pytest.raises(AttributeError):
        rules.NOTHING  # noqa: B018  # the access is what is tested


def test_the_text_report_names_place_fix_score_and_decision() -> None:
    finding = {
        "file": "a.yaml",
        "line": 3,
        "column": 5,
        "severity": "high",
        "rule": "sudo",
        "object": "script a",
        "message": "takes rights",
        "remediation": "Do not.",
    }
    document = {
        "package": {"name": "p", "version": "1.0.0"},
        "summary": {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0},
        "findings": [finding],
        "suppressed": [{**finding, "suppression": {"reason": "a good reason", "until": "2026-01-01", "line": 2}}],
        "not_understood": ["b.yaml"],
        "risk": {
            "score": 15,
            "units_per_point": 2,
            "terms": [{"rule": "sudo", "object": "script a", "units": 30, "factors": ["external-egress"]}],
        },
        "decision": {"outcome": "require_approval", "reasons": [{"why": "a high finding"}]},
    }
    assert text.render(document).split("\n") == [
        "a.yaml:3:5: high sudo: script a takes rights",
        "    fix: Do not.",
        "a.yaml:3:5: suppressed sudo: script a takes rights",
        "    reason: a good reason (until 2026-01-01)",
        "b.yaml: not understood",
        "",
        "p 1.0.0: 1 high",
        "risk: 15 of 100",
        "   15.00  sudo on script a (external-egress)",
        "decision: require approval",
        "  a high finding",
    ]
