"""Every state of a run has a story, something it waits for or an end, and a command to type."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.fakes.runs_as_values import NOON, a_run, a_step, an_attempt

from atomctl.access.model import Role
from atomctl.approvals.model import Approval, Choice, State, SubjectKind, Vote
from atomctl.canonical import digest
from atomctl.db.ids import new_id
from atomctl.explanation.model import Waiting
from atomctl.explanation.next_commands import next_commands
from atomctl.explanation.steps_seen import Tried
from atomctl.explanation.story import story
from atomctl.explanation.waits import Standing, waits_for
from atomctl.policy.votes import VoteRequirement
from atomctl.runs.model import AttemptState, RunState, StepState
from atomctl.runs.states import ENDED

FAILED = Tried(a_step("deploy", StepState.FAILED, attempts=3), None)


@pytest.mark.parametrize("state", RunState)
def test_a_run_that_has_ended_waits_for_nothing_and_any_other_says_for_what(state: RunState) -> None:
    standing = Standing(run=a_run(state))
    assert (waits_for(standing) is None) == (state in ENDED)
    assert story(standing).endswith(".")
    commands = next_commands(standing)
    assert commands
    assert all(command.command.startswith("atomctl ") and command.why for command in commands)


def test_votes_that_are_missing_are_counted_by_role() -> None:
    requirement = (VoteRequirement("security", 1), VoteRequirement(None, 2))
    given = Vote(new_id(), Choice.APPROVE, frozenset({Role.APPROVER}), frozenset({Role.APPROVER}), "", NOON)
    approval = Approval(
        **{name: new_id() for name in ("id", "tenant_id", "subject_ref", "requested_by")},
        subject_kind=SubjectKind.RUN,
        subject_digest=digest(b""),
        bound={},
        requirement=requirement,
        state=State.PENDING,
        requested_at=NOON,
        expires_at=NOON + timedelta(days=1),
        decided_at=None,
        reason="",
        outcome=None,
        excluded=frozenset(),
        votes=(given,),
    )
    found = waits_for(Standing(run=a_run(RunState.AWAITING_APPROVAL), approval=approval))
    assert found is not None
    assert found.kind is Waiting.VOTES
    assert found.text == (
        "the vote of 1 more person with the role security, the vote of 1 more person who may approve; 1 given so far"
    )
    assert found.until == NOON + timedelta(days=1)


def test_a_queued_run_without_workers_says_so_and_what_helps() -> None:
    standing = Standing(run=a_run(RunState.QUEUED), workers=0)
    found = waits_for(standing)
    assert found is not None
    assert found.text == "a worker, and none is alive"
    assert next_commands(standing)[0].command == "atomctl doctor"
    busy = waits_for(Standing(run=a_run(RunState.QUEUED), workers=2))
    assert busy is not None
    assert "2 are alive" in busy.text


def test_a_running_run_names_its_step_and_since_when() -> None:
    step = a_step("deploy", StepState.RUNNING, attempts=2)
    attempt = an_attempt(step, AttemptState.STARTED, 7)
    found = waits_for(Standing(run=a_run(RunState.RUNNING), at_work=Tried(step, attempt)))
    assert found is not None
    assert (found.kind, found.text) == (Waiting.STEP, "step deploy, its try 2")
    assert found.since == attempt.started_at


def test_a_step_between_two_tries_is_what_a_run_waits_for() -> None:
    again = Tried(a_step("deploy", StepState.PENDING), None)
    standing = Standing(run=a_run(RunState.RUNNING), failing=[again], workers=1)
    found = waits_for(standing)
    assert found is not None
    assert found.text == "the next try of step deploy"
    assert story(standing) == "It runs; step deploy failed and is tried again."


def test_who_is_asked_about_an_unknown_step_is_given_all_three_answers() -> None:
    unknown = Tried(a_step("migrate", StepState.UNKNOWN), None)
    standing = Standing(run=a_run(RunState.NEEDS_DECISION), failing=[unknown])
    assert "migrate" in story(standing)
    answers = [command.command.split() for command in next_commands(standing)]
    assert [(words[4], words[5]) for words in answers] == [
        ("migrate", "done"),
        ("migrate", "rerun"),
        ("migrate", "rollback"),
    ]


def test_a_rollback_that_is_not_complete_says_what_is_left() -> None:
    run = a_run(RunState.ROLLBACK_INCOMPLETE, left_over=("deploy", "notify"))
    told = story(Standing(run=run, failing=[FAILED]))
    assert told == "Step deploy failed in 3 tries. Not everything could be undone: deploy, notify."


def test_only_a_run_that_had_begun_can_be_resumed_after_it_was_cancelled() -> None:
    before = next_commands(Standing(run=a_run(RunState.CANCELLED)))
    after = next_commands(Standing(run=a_run(RunState.CANCELLED, started_at=NOON)))
    assert [command.command.split()[2] for command in before] == ["rerun"]
    assert [command.command.split()[2] for command in after] == ["resume", "rerun"]


def test_an_override_is_offered_for_a_block_by_decision_alone() -> None:
    decided = next_commands(Standing(run=a_run(RunState.BLOCKED, code="RUN604")))
    yanked = next_commands(Standing(run=a_run(RunState.BLOCKED, code="RUN603")))
    assert any("packages override work@1.0.0" in command.command for command in decided)
    assert not any("override" in command.command for command in yanked)
