"""Plans: order, what is known already, what is missing, and the digest that is approved."""

from __future__ import annotations

from typing import Any

import pytest

from atomctl.canonical import Digest, digest
from atomctl.errors import AtomError
from atomctl.runs.plan import Abilities, Plan, When, make_plan
from atomctl.wpk.manifest import parse_manifest

PACKAGE: Digest = digest(b"package")
HEAD = """\
apiVersion: atom/v1
kind: WorkflowPackage
metadata: {name: plan, version: 1.0.0}
spec:
  parameters: {type: object, properties: {host: {type: string}, force: {type: boolean}}}
"""


def plan(spec: str, **parameters: Any) -> Plan:
    text = HEAD + "".join(f"  {line}\n" for line in spec.strip("\n").splitlines())
    return make_plan(parse_manifest(text.encode()), PACKAGE, parameters, Abilities())


def test_steps_come_after_what_they_need_and_else_in_the_order_of_the_manifest() -> None:
    found = plan("""
handlers:
  - {name: late, type: shell, needs: [early], config: {command: [a]}}
  - {name: first, type: shell, needs: [], config: {command: [a]}}
  - {name: early, type: shell, needs: [], config: {command: [a]}}
""")
    assert [step.name for step in found.steps] == ["first", "early", "late"]


def test_a_condition_on_parameters_is_decided_and_one_on_outputs_waits() -> None:
    found = plan(
        """
handlers:
  - {name: a, type: shell, when: "params.force", config: {command: [a]}}
  - {name: b, type: shell, when: "!params.force", config: {command: [a]}}
  - {name: c, type: shell, when: "params.force && steps.a.outputs.n > 1", config: {command: [a]}}
  - {name: d, type: shell, config: {command: [a]}}
""",
        force=True,
    )
    assert [step.when for step in found.steps] == [When.RUNS, When.SKIPPED, When.DECIDED_LATER, When.RUNS]


def test_values_that_are_known_are_shown_and_those_of_other_steps_stay_as_written() -> None:
    found = plan(
        """
handlers:
  - name: a
    type: api
    config: {url: "https://${{ params.host }}/x", headers: {X-Count: "${{ steps.b.outputs.n }}"}}
    needs: [b]
  - {name: b, type: shell, needs: [], config: {command: [a]}}
""",
        host="example.org",
    )
    config = next(step.config for step in found.steps if step.name == "a")
    assert config["url"] == "https://example.org/x"
    assert config["headers"] == {"X-Count": "${{ steps.b.outputs.n }}"}


def test_a_parameter_that_looks_like_a_template_is_shown_as_what_it_is() -> None:
    spec = 'handlers:\n  - {name: a, type: api, config: {url: "https://${{ params.host }}/"}}'
    hostile = "${{ steps.a.outputs.n }}"
    assert plan(spec, host=hostile).steps[0].config["url"] == f"https://{hostile}/"


def test_what_cannot_be_executed_here_is_said_step_by_step() -> None:
    found = plan("""
handlers:
  - {name: a, type: k8s, config: {action: get, kind: Pod, name: web}}
  - {name: b, type: approval, config: {message: "sure?"}}
""")
    assert [step.name for step in found.steps if step.missing] == ["a"]
    assert all(what.startswith("a: ") for what in found.missing)


def test_the_digest_covers_parameters_and_package_and_nothing_else_changes_it() -> None:
    spec = "handlers:\n  - {name: a, type: shell, config: {command: [a]}}"
    assert plan(spec, host="x").digest == plan(spec, host="x").digest
    assert plan(spec, host="x").digest != plan(spec, host="y").digest


def test_an_expression_that_fails_on_parameters_is_a_refusal_of_the_plan() -> None:
    with pytest.raises(AtomError) as caught:
        plan('handlers:\n  - {name: a, type: shell, when: "params.force", config: {command: [a]}}')
    assert caught.value.code.id == "RUN609"


def test_only_rollbacks_that_are_enabled_are_planned() -> None:
    spec = """
handlers:
  - {name: a, type: shell, config: {command: [a]}}
rollback:
  enabled: false
  handlers: [{name: undo, type: shell, compensates: a, config: {command: [a]}}]
"""
    assert plan(spec).rollback == ()
    assert [step.name for step in plan(spec.replace("false", "true")).rollback] == ["undo"]
