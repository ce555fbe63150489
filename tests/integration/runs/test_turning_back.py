"""Runs that turn back: what was interrupted goes on backward, and what was cancelled can still be undone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.scripted import Scripted, badly, let_go, well
from tests.fakes.yard import Yard, manifest, working

from atomctl.approvals.model import Choice
from atomctl.db.address import DatabaseAddress
from atomctl.errors import AtomError
from atomctl.runs import service as runs
from atomctl.runs.model import Answer, Run, RunState
from atomctl.worker import WorkerOptions

FAST = WorkerOptions(poll=0.05, watch=0.05, recover=0.1, quiet=timedelta(milliseconds=300))
THREE = """
handlers:
  - {name: a, type: shell, config: {command: [echo, a]}}
  - {name: b, type: shell, config: {command: [echo, b]}}
  - {name: c, type: shell, config: {command: [echo, c]}}
rollback:
  handlers:
    - {name: undo-a, type: shell, compensates: a, config: {command: [echo, undo-a]}}
    - {name: undo-b, type: shell, compensates: b, config: {command: [echo, undo-b]}}
"""
ASKING = """
handlers:
  - {name: a, type: shell, config: {command: [echo, a]}}
  - {name: people, type: approval, config: {message: go on?}}
  - {name: b, type: shell, config: {command: [echo, b]}}
rollback:
  handlers:
    - {name: undo-a, type: shell, compensates: a, config: {command: [echo, undo-a]}}
"""


def lost_while_turning_back() -> Scripted:
    """`b` fails and is undone; the worker is gone while `undo-a` runs."""
    return Scripted(well, badly, well, let_go)


@pytest.mark.parametrize(("answer", "repeated"), [(Answer.AGAIN, ["undo-a"]), (Answer.DONE, [])])
def test_a_question_in_the_middle_of_a_rollback_is_answered_and_the_rollback_goes_on(
    yard: Yard, database: DatabaseAddress, scratch: Path, answer: Answer, repeated: list[str]
) -> None:
    scratch.mkdir()
    steps = lost_while_turning_back()
    with working(database, yard, steps, scratch, FAST):
        run = yard.start(yard.publish(manifest(THREE)))
        yard.wait(run, RunState.NEEDS_DECISION)
        with yard.sessions.tenant(yard.tenant_id) as conn:
            runs.resolve(conn, yard.olga, run.id, "undo-a", answer)
        assert yard.wait(run).state is RunState.ROLLED_BACK
    assert [request.step_name for request in steps.requests] == ["a", "b", "undo-b", "undo-a", *repeated]
    assert yard.states(run)["c"] == "PENDING"


def test_a_rollback_that_is_cancelled_at_its_question_is_incomplete_and_never_goes_forward(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    with working(database, yard, lost_while_turning_back(), scratch, FAST):
        run = yard.start(yard.publish(manifest(THREE)))
        yard.wait(run, RunState.NEEDS_DECISION)
        ended = cancel(yard, run)
    assert (ended.state, ended.left_over) == (RunState.ROLLBACK_INCOMPLETE, ("undo-a",))
    with pytest.raises(AtomError) as caught, yard.sessions.tenant(yard.tenant_id) as conn:
        runs.resume(conn, yard.olga, run.id)
    assert caught.value.code.id == "RUN602"


def test_a_run_that_was_cancelled_and_goes_on_can_still_be_rolled_back(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    steps = Scripted(well, badly)
    with working(database, yard, steps, scratch, FAST):
        run = yard.start(yard.publish(manifest(ASKING)))
        yard.wait(run, RunState.AWAITING_APPROVAL)
        assert cancel(yard, run).state is RunState.CANCELLED
        with yard.sessions.tenant(yard.tenant_id) as conn:
            runs.resume(conn, yard.olga, run.id)
        yard.wait(run, RunState.AWAITING_APPROVAL)
        yard.vote(run, yard.paul, Choice.APPROVE)
        assert yard.wait(run).state is RunState.ROLLED_BACK
    assert [request.step_name for request in steps.requests] == ["a", "b", "undo-a"]


def test_a_step_nobody_knows_about_is_not_repeated_because_its_run_was_cancelled_and_resumed(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    steps = Scripted(let_go)
    with working(database, yard, steps, scratch, FAST):
        run = yard.start(yard.publish(manifest(THREE)))
        yard.wait(run, RunState.NEEDS_DECISION)
        assert cancel(yard, run).state is RunState.CANCELLED
        assert yard.states(run)["a"] == "UNKNOWN"
        with yard.sessions.tenant(yard.tenant_id) as conn:
            assert runs.resume(conn, yard.olga, run.id).state is RunState.NEEDS_DECISION
            runs.resolve(conn, yard.olga, run.id, "a", Answer.DONE)
        assert yard.wait(run).state is RunState.SUCCEEDED
    assert [request.step_name for request in steps.requests] == ["a", "b", "c"]


def cancel(yard: Yard, run: Run) -> Run:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return runs.cancel(conn, yard.olga, run.id, "no longer wanted")
