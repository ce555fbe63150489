"""What an approval of an earlier run is worth for a new one, and for how long people may be waited for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.fakes.people import log_in
from tests.fakes.scripted import Scripted, badly, well
from tests.fakes.yard import Yard, manifest, working

from atomctl.access.model import Actor, Role
from atomctl.approvals.rows import read_approval
from atomctl.db.address import DatabaseAddress
from atomctl.runs import service as runs
from atomctl.runs.model import Run, RunState

ONE = "handlers:\n  - {name: only, type: shell, config: {command: [echo, only]}}"
ASKING = """
handlers:
  - {name: a, type: shell, config: {command: [echo, a]}}
  - {name: people, type: approval, timeout: 30m, config: {message: go on?}}
  - {name: b, type: shell, config: {command: [echo, b]}}
"""


def approved(yard: Yard) -> Run:
    """A run of `olga`'s that `paul` let start."""
    text = manifest(ONE).replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(text))
    yard.vote(run, yard.paul)
    return yard.get(run)


def rerun(yard: Yard, run: Run, actor: Actor, from_step: str | None = None) -> Run:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return runs.rerun(conn, yard.objects, actor, run.id, from_step=from_step)


def test_an_approval_counts_again_for_whoever_had_no_part_in_it(yard: Yard) -> None:
    assert rerun(yard, approved(yard), yard.olga).state is RunState.QUEUED


def test_who_voted_for_a_run_cannot_start_it_again_with_their_own_vote(yard: Yard) -> None:
    run = approved(yard)
    paul = log_in(yard.sessions, yard.tenant_id, "paul", Role.APPROVER, Role.OPERATOR)
    assert paul.principal_id == yard.paul.principal_id
    again = rerun(yard, run, paul)
    assert again.state is RunState.AWAITING_APPROVAL
    assert again.approval_id != run.approval_id


def test_people_are_asked_again_in_a_rerun_that_begins_behind_them(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    steps = Scripted(well, badly)
    with working(database, yard, steps, scratch):
        run = yard.start(yard.publish(manifest(ASKING)))
        yard.wait(run, RunState.AWAITING_APPROVAL)
        yard.vote(run, yard.paul)
        assert yard.wait(run).state is RunState.FAILED
        again = rerun(yard, run, yard.olga, from_step="b")
        yard.wait(again, RunState.AWAITING_APPROVAL)
    assert yard.states(again) == {"a": "SUCCEEDED", "people": "RUNNING", "b": "PENDING"}


def test_a_handler_waits_for_people_as_long_as_it_says(yard: Yard, database: DatabaseAddress, scratch: Path) -> None:
    scratch.mkdir()
    with working(database, yard, Scripted(), scratch):
        run = yard.start(yard.publish(manifest(ASKING)))
        yard.wait(run, RunState.AWAITING_APPROVAL)
    approval_id = yard.steps(run).forward["people"].approval_id
    assert approval_id is not None
    with yard.sessions.tenant(yard.tenant_id) as conn:
        approval = read_approval(conn, yard.tenant_id, approval_id)
    waits = approval.expires_at - approval.requested_at
    assert abs(waits - timedelta(minutes=30)) < timedelta(seconds=5)
