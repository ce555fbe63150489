"""What people do with runs: cancel in every state, resume, run again, and the gates in front of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.yard import Yard, manifest, until

from atomctl.canonical import digest_json
from atomctl.errors import AtomError
from atomctl.registry import service as registry
from atomctl.registry.model import Coordinates
from atomctl.runs import service as runs
from atomctl.runs.model import Run, RunState
from atomctl.worker import Worker

SLOW = """
handlers:
  - {name: slow, type: shell, config: {command: [sleep, "60"]}}
  - {name: next, type: shell, config: {command: [echo, next]}}
"""
ONE = """
handlers:
  - {name: only, type: shell, config: {command: [echo, only]}}
"""
TOGGLE = {"scripts/step.sh": '#!/bin/sh\necho "$ATOM_PARAM_WORD"\n[ "$ATOM_PARAM_WORD" = good ]\n'}
BY_PARAMETER = """
parameters:
  type: object
  properties: {word: {type: string, default: good}}
handlers:
  - {name: one, type: shell, config: {command: [echo, one]}}
  - {name: two, type: shell, config: {script: scripts/step.sh}}
  - {name: three, type: shell, config: {command: [echo, three]}}
"""


def cancel(yard: Yard, run: Run) -> Run:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return runs.cancel(conn, yard.olga, run.id, "no longer wanted")


def test_cancelling_kills_the_running_step_and_nothing_more_starts(yard: Yard, worker: Worker) -> None:
    run = yard.start(yard.publish(manifest(SLOW)))
    until(lambda: yard.states(run)["slow"], lambda state: state in {"STARTING", "RUNNING"})
    assert cancel(yard, run).state is RunState.CANCELLING
    ended = yard.wait(run)
    assert (ended.state, ended.why) == (RunState.CANCELLED, "no longer wanted")
    assert yard.states(run) == {"slow": "CANCELLED", "next": "CANCELLED"}
    assert cancel(yard, run).state is RunState.CANCELLED


def test_a_run_that_waits_is_cancelled_at_once(yard: Yard) -> None:
    text = manifest(ONE).replace("approval_required: false", "approval_required: true")
    package = yard.publish(text)
    waiting = yard.request(package)
    queued = yard.start(package)
    assert (waiting.state, queued.state) == (RunState.AWAITING_APPROVAL, RunState.QUEUED)
    assert cancel(yard, waiting).state is cancel(yard, queued).state is RunState.CANCELLED
    with pytest.raises(AtomError) as caught:
        yard.vote(waiting, yard.paul)
    assert caught.value.code.id == "APR505"


def test_a_run_that_was_cancelled_in_the_queue_is_never_executed(yard: Yard) -> None:
    run = yard.start(yard.publish(manifest(ONE)))
    cancel(yard, run)
    assert yard.attempts(run) == []


def test_cancelling_a_rollback_says_what_is_left(yard: Yard, worker: Worker) -> None:
    spec = """
handlers:
  - {name: a, type: shell, config: {command: [echo, a]}}
  - {name: b, type: shell, config: {command: ["false"]}}
rollback:
  handlers:
    - {name: undo-a, type: shell, compensates: a, config: {command: [sleep, "60"]}}
"""
    run = yard.start(yard.publish(manifest(spec)))
    until(lambda: yard.states(run)["undo-a"], lambda state: state in {"STARTING", "RUNNING"})
    cancel(yard, run)
    ended = yard.wait(run)
    assert ended.state is RunState.ROLLBACK_INCOMPLETE
    assert ended.left_over == ("undo-a",)


def test_a_finished_run_cannot_be_cancelled(yard: Yard, worker: Worker) -> None:
    run = yard.wait(yard.start(yard.publish(manifest(ONE))))
    with pytest.raises(AtomError) as caught:
        cancel(yard, run)
    assert caught.value.code.id == "RUN602"


def test_resuming_repeats_only_what_had_not_succeeded(yard: Yard, worker: Worker) -> None:
    run = yard.wait(yard.start(yard.publish(manifest(BY_PARAMETER), TOGGLE), {"word": "bad"}))
    assert run.state is RunState.FAILED
    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.resume(conn, yard.olga, run.id)
    again = yard.wait(run)
    assert again.state is RunState.FAILED
    assert [attempt.step for attempt in yard.attempts(run)] == ["one", "two", "two"]
    assert yard.steps(run).forward["two"].round == 2


def test_a_rerun_is_a_new_run_that_does_not_repeat_the_steps_before(yard: Yard, worker: Worker) -> None:
    run = yard.wait(yard.start(yard.publish(manifest(BY_PARAMETER), TOGGLE), {"word": "bad"}))
    with yard.sessions.tenant(yard.tenant_id) as conn:
        new = runs.rerun(conn, yard.objects, yard.olga, run.id, from_step="two")
    yard.approve(new)
    new = yard.wait(new)
    assert new.rerun_of == run.id
    assert [attempt.step for attempt in yard.attempts(new)] == ["two"]


def test_the_same_idempotency_key_gives_the_same_run(yard: Yard) -> None:
    package = yard.publish(manifest(BY_PARAMETER), TOGGLE)
    first = yard.request(package, idempotency_key="abc")
    assert yard.request(package, idempotency_key="abc").id == first.id
    with pytest.raises(AtomError) as caught:
        yard.request(package, {"word": "other"}, idempotency_key="abc")
    assert caught.value.code.id == "RUN617"
    elsewhere = runs.RunRequest(package_id=package.id, parameters={}, environment="dev", idempotency_key="abc")
    with yard.sessions.tenant(yard.tenant_id) as conn, pytest.raises(AtomError) as caught:
        runs.request_run(conn, yard.objects, yard.olga, elsewhere)
    assert caught.value.code.id == "RUN617"


def test_a_dry_run_comes_first_where_the_package_wants_it(yard: Yard) -> None:
    text = manifest(BY_PARAMETER).replace("dry_run_required: false", "dry_run_required: true")
    package = yard.publish(text, TOGGLE)
    with pytest.raises(AtomError) as caught:
        yard.request(package)
    assert caught.value.code.id == "RUN605"
    planned = yard.request(package, dry_run=True)
    assert planned.state is RunState.SUCCEEDED
    assert yard.attempts(planned) == []
    with pytest.raises(AtomError):
        yard.request(package, {"word": "other"})
    run = yard.request(package)
    assert run.plan_digest == planned.plan_digest
    with yard.sessions.tenant(yard.tenant_id) as conn:
        plan, decision = runs.documents_of(conn, yard.tenant_id, run.id)
    assert (digest_json(plan), digest_json(decision)) == (run.plan_digest, run.policy_digest)


def test_a_yanked_package_is_stopped_at_the_door_of_its_run(yard: Yard, worker: Worker) -> None:
    text = manifest(ONE).replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(text))
    with yard.sessions.tenant(yard.tenant_id) as conn:
        registry.yank(conn, yard.anna, Coordinates("work", "1.0.0"), "it is wrong")
    yard.approve(run)
    ended = yard.wait(run)
    assert (ended.state, ended.code) == (RunState.BLOCKED, "RUN603")
    assert yard.attempts(run) == []


def test_a_key_revoked_after_the_vote_stops_the_run(yard: Yard, worker: Worker) -> None:
    text = manifest(ONE).replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(text))
    with yard.sessions.tenant(yard.tenant_id) as conn:
        registry.revoke_key(conn, yard.sara, yard.key.public_key.key_id, reason="it leaked", revoked_from=None)
    yard.approve(run)
    ended = yard.wait(run)
    assert (ended.state, ended.code) == (RunState.BLOCKED, "RUN603")


def test_bytes_swapped_in_the_store_are_never_executed(yard: Yard, worker: Worker, tmp_path: Path) -> None:
    text = manifest(ONE).replace("approval_required: false", "approval_required: true")
    package = yard.publish(text)
    run = yard.request(package)
    file = tmp_path / "objects" / package.object_key
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"echo, only", b"echo, evil"))
    yard.approve(run)
    ended = yard.wait(run)
    assert (ended.state, ended.code) == (RunState.BLOCKED, "RUN603")
    assert yard.attempts(run) == []


def test_a_run_of_another_tenant_is_not_there(yard: Yard, make_tenant: Callable[[str], UUID]) -> None:
    run = yard.request(yard.publish(manifest(ONE)))
    other = make_tenant("other")
    with yard.sessions.tenant(other) as conn, pytest.raises(AtomError) as caught:
        runs.get(conn, other, run.id)
    assert caught.value.code.id == "RUN601"
