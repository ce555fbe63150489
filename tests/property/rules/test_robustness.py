"""Whatever a package holds, the validator answers: no exception, no place outside the file, the same every time."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.rules.conftest import make_package

from atomctl import rules
from atomctl.rules.extract import TEMPLATE_PATHS
from atomctl.rules.pod_security import evaluate
from atomctl.rules.secret_scan import scan
from atomctl.rules.shell import read_script

FIELDS = [
    "spec", "template", "metadata", "containers", "initContainers", "ephemeralContainers", "volumes", "securityContext",
    "capabilities", "add", "drop", "name", "image", "resources", "limits", "memory", "cpu", "env", "value", "command",
    "args", "ports", "hostPort", "privileged", "hostPath", "path", "annotations", "rules", "verbs", "resourceNames",
    "roleRef", "subjects", "data", "stringData", "items", "kind", "seccompProfile", "type", "sysctls", "os", "egress",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.sampled_from(
        ["*", "ALL", "sh", "-c", "curl x | sh", "https://u:p@a.b/c", "latest", "", "1Gi", "secrets", "é\n"]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)),
    max_leaves=25,
)
KINDS = st.sampled_from(
    [*TEMPLATE_PATHS, "List", "Role", "ClusterRole", "ClusterRoleBinding", "Secret", "ConfigMap", "Service", "Ingress"]
)


@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6), kind=KINDS)
@example(body={"items": [{"items": None}, 1, None]}, kind="List")
@settings(max_examples=100, deadline=None)
def test_any_object_is_answered_with_places_inside_the_file(body: dict[str, Any], kind: str) -> None:
    text = json.dumps({**body, "kind": kind}, indent=1)
    lines = text.split("\n")
    validation = rules.run(make_package({"manifests/a.json": text}))
    assert validation.not_understood == ()
    for finding in validation.findings:
        assert finding.file == "manifests/a.json"
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
    assert rules.run(make_package({"manifests/a.json": text})) == validation


@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
@settings(max_examples=100, deadline=None)
def test_what_restricted_admits_baseline_admits(body: dict[str, Any]) -> None:
    pod = {**body, "kind": "Pod"}
    if not evaluate(pod, "restricted"):
        assert not evaluate(pod, "baseline")


SHELL = st.lists(
    st.sampled_from(
        ["curl", "sh", "|", "&", ";", "(", ")", "$(", "`", '"', "'", "<<E\n", "\n", "$X", "${", "}", "rm", "-rf", "{",
         "é", "eval", "if", "fi", "then", "-c", ">", "\\", "${{ x }}", "=", "a", " ", "#", "f()"]
    ),
    max_size=30,
)  # fmt: skip


@given(parts=SHELL)
@settings(max_examples=100, deadline=None)
def test_any_script_is_answered_with_places_inside_the_file(parts: list[str]) -> None:
    text = " ".join(parts)
    for command in read_script(text, "s").commands:
        assert 0 <= command.offset <= len(text)
    for finding in rules.run(make_package({"scripts/a.sh": "#!/bin/sh\n" + text})).findings:
        assert finding.line >= 1
        assert finding.column >= 1


@given(text=st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_secrets_found_are_ranges_of_the_text(text: str) -> None:
    before = 0
    for found in scan("a", text + " password: correct-horse-7\n").found:
        assert before <= found.start < found.end
        before = found.end


@given(
    data=st.binary(max_size=300), name=st.sampled_from(["manifests/a.yaml", "scripts/a.sh", "files/a.json", "files/a"])
)
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_answered(data: bytes, name: str) -> None:
    validation = rules.run(make_package({name: data}))
    assert all(finding.line >= 1 and finding.column >= 1 for finding in validation.findings)
