"""Every finding stands exactly where what it speaks of is written, however deep that is."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.rules.conftest import Validate


PINNED = "x@sha256:9f1003c480699be56815db0f8146ad2e22efea85129b5b5983d0e0fb52d9ab70"


def place(text: str, mark: str, nth: int = 0) -> tuple[int, int]:
    """Line and column of the nth occurrence of a text."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(mark, at + 1)
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize(
    "text",
    [
        "kind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n  containers: []\n",
        "# a comment\n---\nkind: Service\n---\nkind: Pod\nspec: {hostPID: true, containers: []}\n",
        '{"kind": "Pod",\n "spec": {"containers": [],\n   "hostPID": true}}\n',
        "kind: List\nitems:\n  - kind: Pod\n    spec:\n      # é ü 漢字\n      'hostPID': true\n",
        "a: &spec\n  hostPID: true\n  containers: []\nkind: Pod\nspec: *spec\n",
    ],
)
def test_a_field_is_found_at_its_key(validate: Validate, text: str) -> None:
    finding = validate.manifest(text)["host-namespace"]
    line, column = place(text, "hostPID")
    quote = text[text.index("hostPID") - 1] in "\"'"
    assert (finding.line, finding.column) == (line, column - quote)


def test_a_missing_field_is_found_at_what_should_hold_it(validate: Validate) -> None:
    text = f"kind: Pod\nspec:\n  containers:\n    - name: app\n      image: {PINNED}\n      resources: {{}}\n"
    found = validate.manifest(text)
    assert (found["no-memory-limit"].line, found["no-memory-limit"].column) == place(text, "resources")
    assert (found["privilege-escalation"].line, found["privilege-escalation"].column) == place(text, "name: app")
    assert found["privilege-escalation"].object == "Pod container app"


@pytest.mark.parametrize("header", ["|", "|-", ">-", "|2", "|+2 # why"])
def test_yaml_in_a_block_is_found_in_the_outer_file(validate: Validate, header: str) -> None:
    body = "    kind: Pod\n\n    spec:\n\n      hostPID: true\n"  # blank lines: folding keeps the lines apart
    text = f"kind: ConfigMap\nmetadata: {{name: cm}}\ndata:\n  pod.yaml: {header}\n{body}"
    finding = validate.manifest(text)["host-namespace"]
    assert (finding.line, finding.column) == place(text, "hostPID")


@pytest.mark.parametrize("quote", ['"', "'"])
def test_json_in_a_quoted_string_is_found_in_the_outer_file(validate: Validate, quote: str) -> None:
    inner = '{"kind": "Pod", "spec": {"hostPID": true}}'
    written = inner.replace('"', '\\"') if quote == '"' else inner
    text = f"kind: ConfigMap\ndata: {{pod.json: {quote}{written}{quote}}}\n"
    finding = validate.manifest(text)["host-namespace"]
    line, column = place(text, "hostPID")
    assert (finding.line, finding.column) == (line, column - len('\\"' if quote == '"' else '"'))


def test_yaml_in_yaml_in_yaml_is_found_in_the_outermost_file(validate: Validate) -> None:
    inner = "kind: ConfigMap\ndata:\n  pod: |\n    kind: Pod\n    spec:\n      hostPID: true\n"
    text = "kind: ConfigMap\ndata:\n  cm: |\n" + "".join(f"    {line}\n" for line in inner.splitlines())
    finding = validate.manifest(text)["host-namespace"]
    assert (finding.line, finding.column) == place(text, "hostPID")


def test_a_script_in_a_config_map_is_found_in_the_manifest(validate: Validate) -> None:
    text = dedent(
        """\
        kind: ConfigMap
        data:
          run.sh: |
            #!/bin/sh
            if true; then
              sudo reboot
            fi
        """
    )
    finding = validate.manifest(text)["sudo"]
    assert (finding.line, finding.column) == place(text, "sudo")


def test_code_in_an_argument_is_found_inside_it(validate: Validate) -> None:
    text = f"kind: Pod\nspec: {{containers: [{{name: a, image: {PINNED}, command: [sh, -c, 'ls; sudo ls']}}]}}\n"
    finding = validate.manifest(text)["sudo"]
    assert (finding.line, finding.column) == place(text, "sudo")


def test_an_argument_is_found_at_itself(validate: Validate) -> None:
    text = f"kind: Pod\nspec: {{containers: [{{name: a, image: {PINNED}, command: [curl, -k, 'https://x.svc']}}]}}\n"
    finding = validate.manifest(text)["certificate-unchecked"]
    assert (finding.line, finding.column) == place(text, "-k")


HANDLERS = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: example, version: 1.0.0}
spec:
  handlers:
    - name: put
      type: k8s
      config:
        action: apply
        manifest: {kind: Pod, apiVersion: v1, metadata: {name: a}, spec: {hostPID: true, containers: []}}
    - name: mend
      type: k8s
      config:
        action: patch
        kind: Deployment
        namespace: shop
        name: web
        patch: {spec: {template: {spec: {containers: [{name: app, securityContext: {privileged: true}}]}}}}
    - name: run
      type: shell
      config:
        shell: true
        command: |
          cd /srv
          rm -rf "$FOLDER"
  rollback:
    handlers:
      - name: undo
        type: api
        config: {url: "http://169.254.169.254/", method: GET}
"""


def test_handlers_are_found_in_the_packages_manifest(validate: Validate) -> None:
    found = {finding.rule: finding for finding in validate({"wpk.yaml": HANDLERS}).findings}
    for rule, mark in (
        ("host-namespace", "hostPID"),
        ("privileged-container", "privileged"),
        ("rm-variable", '"$FOLDER"'),
        ("metadata-address", "url:"),
    ):
        assert (found[rule].file, (found[rule].line, found[rule].column)) == ("wpk.yaml", place(HANDLERS, mark))
    assert found["privileged-container"].object == "Deployment/web container app"


def test_a_patch_is_not_blamed_for_what_it_leaves_out(validate: Validate) -> None:
    found = [finding for finding in validate({"wpk.yaml": HANDLERS}).findings if "Deployment/web" in finding.object]
    assert [finding.rule for finding in found] == ["privileged-container"]


def test_no_finding_stands_at_line_or_column_zero(validate: Validate) -> None:
    for finding in validate({"wpk.yaml": HANDLERS, "manifests/x.yaml": "{", "scripts/x": "\0"}).findings:
        assert finding.line >= 1
        assert finding.column >= 1
