"""Runs from the request to the last step, with a real database, engine, supervisor and sandbox."""

from __future__ import annotations

import json

import pytest
from tests.fakes.yard import Yard, manifest, until

from atomctl.approvals.model import Choice
from atomctl.errors import AtomError
from atomctl.runs.model import AttemptState, RunState
from atomctl.worker import Worker

OUTPUTS = {"scripts/count.sh": '#!/bin/sh\necho one\necho \'{"count": 2}\' >> "$ATOM_OUTPUT"\n'}


def test_steps_run_in_order_and_conditions_read_outputs(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: first, type: shell, config: {script: scripts/count.sh}}
  - {name: second, type: shell, when: "steps.first.outputs.count > 1", config: {command: [echo, two]}}
  - {name: third, type: shell, when: "steps.first.outputs.count > 5", config: {command: [echo, three]}}
"""
    run = yard.wait(yard.start(yard.publish(manifest(spec), OUTPUTS)))
    assert run.state is RunState.SUCCEEDED
    assert yard.states(run) == {"first": "SUCCEEDED", "second": "SUCCEEDED", "third": "SKIPPED"}
    assert yard.steps(run).forward["first"].outputs == {"count": 2}
    assert yard.log(run) == "one\ntwo\n"


def test_every_move_of_a_run_and_its_steps_is_in_the_audit_log(yard: Yard, worker: Worker) -> None:
    run = yard.wait(
        yard.start(yard.publish(manifest("handlers:\n  - {name: a, type: shell, config: {command: [echo]}}")))
    )
    with yard.sessions.tenant(yard.tenant_id) as conn:
        rows = conn.execute(
            "SELECT data FROM atom.audit_inbox WHERE subject = %s ORDER BY position", [f"run/{run.id}"]
        ).fetchall()
    entries = [json.loads(bytes(row["data"])) for row in rows]
    actions = [entry["action"] for entry in entries if entry["action"] != "step.running"]
    moves = ["run.received", "run.planning", "run.queued", "run.running"]
    assert [action for action in actions if action != "run.awaiting_approval"] == [
        *moves,
        "step.starting",
        "step.succeeded",
        "run.succeeded",
    ]
    running = next(entry for entry in entries if entry["action"] == "run.running")
    assert running["digests"] == {
        "package": run.package_digest,
        "parameters": run.parameters_digest,
        "plan": run.plan_digest,
        "policy": run.policy_digest,
    }


def test_a_step_gets_the_scratch_space_its_package_declares_and_no_more(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: little, type: shell, config: {command: "head -c 500000 /dev/zero > /tmp/x", shell: true}}
  - {name: much, type: shell, config: {command: "head -c 5000000 /dev/zero > /tmp/x", shell: true}}
"""
    text = manifest(spec).replace("{type: shell}", "{type: shell, requirements: {storage: 1Mi}}", 1)
    run = yard.wait(yard.start(yard.publish(text)))
    assert yard.states(run) == {"little": "SUCCEEDED", "much": "FAILED"}
    assert "No space left on device" in yard.log(run)


def test_a_failing_step_is_tried_as_often_as_its_policy_grants(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - name: flaky
    type: shell
    config: {command: [cat, /package/none]}
    retry: {max_attempts: 3, backoff: 10ms}
"""
    run = yard.wait(yard.start(yard.publish(manifest(spec))))
    assert run.state is RunState.FAILED
    assert [attempt.try_number for attempt in yard.attempts(run)] == [1, 2, 3]
    assert {attempt.state for attempt in yard.attempts(run)} == {AttemptState.FAILED}


def test_a_failure_rolls_back_what_was_started_in_reverse_order(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: a, type: shell, config: {command: [echo, a]}}
  - {name: b, type: shell, config: {command: [echo, b]}}
  - {name: c, type: shell, config: {command: ["false"]}}
  - {name: d, type: shell, config: {command: [echo, d]}}
rollback:
  handlers:
    - {name: undo-a, type: shell, compensates: a, config: {command: [echo, undo a]}}
    - {name: undo-b, type: shell, compensates: b, config: {command: [echo, undo b]}}
    - {name: undo-d, type: shell, compensates: d, config: {command: [echo, undo d]}}
"""
    run = yard.wait(yard.start(yard.publish(manifest(spec))))
    assert run.state is RunState.ROLLED_BACK
    assert yard.log(run) == "a\nb\nundo b\nundo a\n"
    assert yard.states(run) == {
        "a": "COMPENSATED",
        "b": "COMPENSATED",
        "c": "FAILED",
        "d": "PENDING",
        "undo-a": "SUCCEEDED",
        "undo-b": "SUCCEEDED",
        "undo-d": "SKIPPED",
    }


def test_a_failed_compensation_stops_its_dependents_and_the_rest_goes_on(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: a, type: shell, config: {command: [echo, a]}}
  - {name: b, type: shell, config: {command: [echo, b]}}
  - {name: c, type: shell, config: {command: [echo, c]}}
  - {name: d, type: shell, config: {command: ["false"]}}
rollback:
  handlers:
    - {name: undo-a, type: shell, compensates: a, config: {command: [echo, undo a]}}
    - {name: undo-b, type: shell, compensates: b, needs: [undo-c], config: {command: [echo, undo b]}}
    - {name: undo-c, type: shell, compensates: c, config: {command: ["false"]}}
"""
    run = yard.wait(yard.start(yard.publish(manifest(spec))))
    assert run.state is RunState.ROLLBACK_INCOMPLETE
    assert run.left_over == ("b", "c")
    assert yard.states(run)["a"] == "COMPENSATED"
    assert yard.states(run)["c"] == "COMPENSATION_FAILED"
    assert yard.states(run)["undo-b"] == "SKIPPED"


def test_a_step_that_takes_too_long_is_killed_and_the_run_timed_out(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: slow, type: shell, timeout: 300ms, config: {command: [sleep, "60"]}}
"""
    run = yard.wait(yard.start(yard.publish(manifest(spec))))
    assert run.state is RunState.TIMED_OUT
    assert yard.states(run) == {"slow": "TIMED_OUT"}


def test_votes_let_a_run_start_and_a_handler_wait_for_more(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: before, type: shell, config: {command: [echo, before]}}
  - {name: ask, type: approval, config: {message: "go on?"}}
  - {name: after, type: shell, config: {command: [echo, after]}}
"""
    text = manifest(spec).replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(text))
    assert run.state is RunState.AWAITING_APPROVAL
    yard.vote(run, yard.paul)
    until(lambda: yard.states(run)["ask"], lambda state: state == "RUNNING")
    assert yard.get(run).state is RunState.AWAITING_APPROVAL
    assert yard.states(run) == {"before": "SUCCEEDED", "ask": "RUNNING", "after": "PENDING"}
    yard.vote(run, yard.paul)
    assert yard.wait(run).state is RunState.SUCCEEDED
    assert yard.log(run) == "before\nafter\n"


def test_a_rejected_run_never_starts(yard: Yard, worker: Worker) -> None:
    spec = "handlers:\n  - {name: a, type: shell, config: {command: [echo, a]}}"
    text = manifest(spec).replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(text))
    yard.vote(run, yard.paul, Choice.REJECT)
    assert yard.get(run).state is RunState.REJECTED
    assert yard.attempts(run) == []


def test_a_rejection_in_the_middle_rolls_back(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: before, type: shell, config: {command: [echo, before]}}
  - {name: ask, type: approval, config: {message: "go on?"}}
rollback:
  handlers:
    - {name: undo, type: shell, compensates: before, config: {command: [echo, undo]}}
"""
    run = yard.start(yard.publish(manifest(spec)))
    until(lambda: yard.states(run)["ask"], lambda state: state == "RUNNING")
    yard.vote(run, yard.paul, Choice.REJECT)
    assert yard.wait(run).state is RunState.ROLLED_BACK
    assert yard.log(run) == "before\nundo\n"


def test_a_package_that_needs_kubernetes_is_refused_by_name_and_planned_all_the_same(yard: Yard) -> None:
    spec = """
handlers:
  - {name: look, type: k8s, config: {action: get, kind: Pod, name: web}}
"""
    package = yard.publish(manifest(spec))
    with pytest.raises(AtomError) as caught:
        yard.request(package)
    assert caught.value.code.id == "RUN606"
    assert "look: " in caught.value.why
    assert yard.request(package, dry_run=True).state is RunState.SUCCEEDED
