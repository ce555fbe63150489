"""Voting on a real database: who may, what counts, what is refused, and what the database refuses by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.fakes.people import log_in

from atomctl.access.model import Actor, Role
from atomctl.approvals import codes, service
from atomctl.approvals.model import Approval, Choice, State, SubjectKind
from atomctl.approvals.rows import read_approval
from atomctl.canonical import Digest, digest
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.policy.votes import VoteRequirement

APPROVE, REJECT = Choice.APPROVE, Choice.REJECT
ONE_VOTE = (VoteRequirement(None, 1),)
ADMIN_AND_SECURITY = (VoteRequirement("admin", 1), VoteRequirement("security", 1))
HOUR = timedelta(hours=1)


class Desk:
    """A tenant with somebody who requests and others who vote."""

    def __init__(self, sessions: Sessions, tenant_id: UUID) -> None:
        self.sessions, self.tenant_id = sessions, tenant_id
        self.requester = self.person("rita", Role.OPERATOR, Role.APPROVER)

    def person(self, subject: str, *roles: Role) -> Actor:
        return log_in(self.sessions, self.tenant_id, subject, *roles)

    def request(self, **changed: Any) -> Approval:
        package = digest(b"package")
        asked: dict[str, Any] = {
            "subject_kind": SubjectKind.RUN,
            "subject_digest": digest(new_id().bytes),
            "subject_ref": new_id(),
            "bound": {"package": package},
            "requirement": ONE_VOTE,
            "excluded": [],
            "reason": "restart what hangs",
            "lifetime": HOUR,
        }
        with self.sessions.tenant(self.tenant_id) as conn:
            return service.request(conn, self.requester, **{**asked, **changed})

    def vote(self, voter: Actor, approval: Approval, choice: Choice = APPROVE, comment: str = "") -> Approval:
        with self.sessions.tenant(self.tenant_id) as conn:
            return service.vote(conn, voter, approval.id, choice, comment)

    def read(self, approval: Approval) -> Approval:
        with self.sessions.tenant(self.tenant_id) as conn:
            return read_approval(conn, self.tenant_id, approval.id)

    def actions(self) -> list[str]:
        with self.sessions.tenant(self.tenant_id) as conn:
            rows = conn.execute("SELECT data FROM atom.audit_inbox ORDER BY position").fetchall()
        return [json.loads(bytes(row["data"]))["action"] for row in rows]


@pytest.fixture
def desk(sessions: Sessions, make_tenant: Callable[[str], UUID]) -> Desk:
    return Desk(sessions, make_tenant("acme"))


def refused(code: object, call: Callable[[], object]) -> None:
    with pytest.raises(AtomError) as caught:
        call()
    assert caught.value.code == code


def test_a_second_persons_vote_approves_and_the_vote_is_in_the_audit_log(desk: Desk) -> None:
    approval = desk.request()
    decided = desk.vote(desk.person("otto", Role.APPROVER), approval, comment="looks right")
    assert (approval.state, decided.state) == (State.PENDING, State.APPROVED)
    assert decided.decided_at is not None
    assert [vote.comment for vote in decided.votes] == ["looks right"]
    assert desk.actions()[-1] == "approval.vote"


def test_the_requester_cannot_vote_on_it_in_either_direction(desk: Desk) -> None:
    approval = desk.request()
    refused(codes.NOT_SECOND_PERSON, lambda: desk.vote(desk.requester, approval))
    refused(codes.NOT_SECOND_PERSON, lambda: desk.vote(desk.requester, approval, REJECT))
    assert desk.read(approval).votes == ()


def test_an_excluded_author_cannot_vote_and_the_exclusion_is_stored(desk: Desk) -> None:
    author = desk.person("anna", Role.APPROVER)
    approval = desk.request(excluded=[author.principal_id])
    assert approval.excluded == {author.principal_id}
    refused(codes.NOT_SECOND_PERSON, lambda: desk.vote(author, approval))


def test_an_admin_never_votes_on_a_run(desk: Desk) -> None:
    with pytest.raises(AtomError) as caught:
        desk.vote(desk.person("adam", Role.ADMIN), desk.request())
    assert caught.value.code.id == "AUT020"


def test_security_votes_where_an_approver_does(desk: Desk) -> None:
    assert desk.vote(desk.person("sven", Role.SECURITY), desk.request()).state is State.APPROVED


def test_one_person_with_both_roles_is_still_one_person(desk: Desk) -> None:
    approval = desk.request(subject_kind=SubjectKind.OVERRIDE, requirement=ADMIN_AND_SECURITY)
    both = desk.person("bea", Role.ADMIN, Role.SECURITY)
    assert desk.vote(both, approval).state is State.PENDING
    assert desk.vote(desk.person("adam", Role.ADMIN), approval).state is State.APPROVED


def test_a_vote_whose_role_is_not_demanded_any_more_is_refused(desk: Desk) -> None:
    approval = desk.request(requirement=(VoteRequirement(None, 1), VoteRequirement("security", 1)))
    assert desk.vote(desk.person("otto", Role.APPROVER), approval).state is State.PENDING
    refused(codes.WRONG_ROLE, lambda: desk.vote(desk.person("olga", Role.APPROVER), approval))
    assert desk.vote(desk.person("sven", Role.SECURITY), approval).state is State.APPROVED


def test_one_rejection_ends_it_and_keeps_the_reason(desk: Desk) -> None:
    approval = desk.request(requirement=(VoteRequirement(None, 2),))
    desk.vote(desk.person("otto", Role.APPROVER), approval)
    rejected = desk.vote(desk.person("olga", Role.APPROVER), approval, REJECT, "freeze until monday")
    assert (rejected.state, rejected.outcome) == (State.REJECTED, "freeze until monday")
    refused(codes.DECIDED, lambda: desk.vote(desk.person("sven", Role.SECURITY), approval))


def test_a_rejection_without_a_word_has_no_reason(desk: Desk) -> None:
    approval = desk.request()
    assert desk.vote(desk.person("olga", Role.APPROVER), approval, REJECT).outcome is None


def test_the_same_vote_again_is_a_success_and_changes_nothing(desk: Desk) -> None:
    otto = desk.person("otto", Role.APPROVER)
    approval = desk.request(requirement=(VoteRequirement(None, 2),))
    once = desk.vote(otto, approval)
    entries = desk.actions()
    assert desk.vote(otto, approval) == once
    assert desk.actions() == entries


def test_the_opposite_vote_is_a_conflict(desk: Desk) -> None:
    otto = desk.person("otto", Role.APPROVER)
    approval = desk.request(requirement=(VoteRequirement(None, 2),))
    desk.vote(otto, approval)
    refused(codes.ALREADY_VOTED, lambda: desk.vote(otto, approval, REJECT))


def test_an_overdue_approval_takes_no_vote_and_expires_once(desk: Desk) -> None:
    approval = desk.request(lifetime=timedelta(seconds=1))
    otto = desk.person("otto", Role.APPROVER)
    with desk.sessions.tenant(desk.tenant_id) as conn:
        conn.execute("SELECT pg_sleep_until(%s)", (approval.expires_at,))
    refused(codes.EXPIRED, lambda: desk.vote(otto, approval))
    with desk.sessions.tenant(desk.tenant_id) as conn:
        expired = service.expire_due(conn, desk.tenant_id, approval.expires_at)
        assert [one.id for one in expired] == [approval.id]
        assert service.expire_due(conn, desk.tenant_id, approval.expires_at) == []
    assert desk.read(approval).state is State.EXPIRED
    refused(codes.EXPIRED, lambda: desk.vote(otto, approval))


def test_what_is_not_due_stays_pending(desk: Desk) -> None:
    approval = desk.request()
    with desk.sessions.tenant(desk.tenant_id) as conn:
        assert service.expire_due(conn, desk.tenant_id, datetime.now(UTC)) == []
    assert desk.read(approval).state is State.PENDING


def test_a_change_voids_what_was_pending_and_what_was_granted(desk: Desk) -> None:
    run = new_id()
    granted = desk.request(subject_ref=run)
    desk.vote(desk.person("otto", Role.APPROVER), granted)
    pending = desk.request(subject_ref=run)
    with desk.sessions.tenant(desk.tenant_id) as conn:
        voided = service.void_of(conn, desk.tenant_id, SubjectKind.RUN, run, why="the plan changed")
    assert {one.id for one in voided} == {granted.id, pending.id}
    assert {one.state for one in voided} == {State.VOID}
    assert desk.actions().count("approval.void") == 2


def test_only_the_requester_withdraws(desk: Desk) -> None:
    approval = desk.request()
    otto = desk.person("otto", Role.APPROVER)
    with desk.sessions.tenant(desk.tenant_id) as conn:
        refused(codes.NOT_REQUESTER, lambda: service.withdraw(conn, otto, approval.id, "no"))
        withdrawn = service.withdraw(conn, desk.requester, approval.id, "wrong host")
    assert (withdrawn.state, withdrawn.outcome) == (State.VOID, "withdrawn: wrong host")


def test_asking_for_the_same_again_returns_the_open_request(desk: Desk) -> None:
    subject = digest(b"one run")
    first = desk.request(subject_digest=subject)
    assert desk.request(subject_digest=subject) == first


def test_asking_for_the_same_subject_with_other_demands_is_a_conflict(desk: Desk) -> None:
    subject = digest(b"one run")
    desk.request(subject_digest=subject)
    refused(codes.DIFFERENT, lambda: desk.request(subject_digest=subject, requirement=(VoteRequirement(None, 2),)))
    refused(codes.DIFFERENT, lambda: desk.request(subject_digest=subject, bound={"package": digest(b"other")}))


def test_a_request_for_no_vote_or_no_time_is_refused(desk: Desk) -> None:
    refused(codes.EMPTY, lambda: desk.request(requirement=()))
    refused(codes.EMPTY, lambda: desk.request(requirement=(VoteRequirement(None, 33),)))
    refused(codes.EMPTY, lambda: desk.request(lifetime=timedelta(0)))


def test_an_approval_of_another_tenant_does_not_exist(desk: Desk, make_tenant: Callable[[str], UUID]) -> None:
    approval = desk.request()
    stranger = log_in(desk.sessions, make_tenant("other"), "otto", Role.APPROVER)
    with desk.sessions.tenant(stranger.tenant_id) as conn:
        refused(codes.UNKNOWN, lambda: service.vote(conn, stranger, approval.id, APPROVE))


def test_votes_that_come_at_once_are_counted_one_after_another(desk: Desk) -> None:
    approval = desk.request(requirement=(VoteRequirement(None, 2),))
    voters = [desk.person(f"voter-{n}", Role.APPROVER) for n in range(6)]
    outcomes: list[State | str] = []
    start = threading.Barrier(len(voters))

    def cast(voter: Actor) -> None:
        start.wait()
        try:
            outcomes.append(desk.vote(voter, approval).state)
        except AtomError as error:
            outcomes.append(error.code.id)

    threads = [threading.Thread(target=cast, args=(voter,)) for voter in voters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted([State.PENDING, State.APPROVED, *[codes.DECIDED.id] * 4])
    assert len(desk.read(approval).votes) == 2


def raw_vote(desk: Desk, approval: Approval, voter: Actor, roles: list[str]) -> None:
    with desk.sessions.tenant(desk.tenant_id) as conn:
        conn.execute(
            "INSERT INTO atom.approval_votes (tenant_id, approval_id, principal_id, choice, roles, comment)"
            " VALUES (%s, %s, %s, 'approve', %s, '')",
            (desk.tenant_id, approval.id, voter.principal_id, roles),
        )


def test_the_database_itself_refuses_the_requesters_vote(desk: Desk) -> None:
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="second person"):
        raw_vote(desk, desk.request(), desk.requester, ["approver"])


def test_the_database_itself_refuses_an_excluded_authors_vote(desk: Desk) -> None:
    author = desk.person("anna", Role.APPROVER)
    approval = desk.request(excluded=[author.principal_id])
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="second person"):
        raw_vote(desk, approval, author, ["approver"])


def test_the_database_itself_refuses_roles_the_voter_does_not_hold(desk: Desk) -> None:
    viewer = desk.person("vera", Role.VIEWER)
    for roles in (["security"], ["viewer"]):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="does not hold"):
            raw_vote(desk, desk.request(), viewer, roles)


def test_the_database_itself_refuses_an_admins_vote_on_a_run(desk: Desk) -> None:
    admin = desk.person("adam", Role.ADMIN)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="does not hold"):
        raw_vote(desk, desk.request(), admin, ["admin"])


def test_the_database_itself_refuses_an_approval_without_its_votes(desk: Desk) -> None:
    approval = desk.request(requirement=ADMIN_AND_SECURITY, subject_kind=SubjectKind.OVERRIDE)
    both = desk.person("bea", Role.ADMIN, Role.SECURITY)
    desk.vote(both, approval)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="do not meet"):
        update(desk, approval, "state = 'approved', decided_at = now()")


def update(desk: Desk, approval: Approval, change: str) -> None:
    with desk.sessions.tenant(desk.tenant_id) as conn:
        conn.execute(f"UPDATE atom.approvals SET {change} WHERE id = %s".encode(), (approval.id,))


def test_the_database_itself_refuses_to_change_what_was_asked_or_decided(desk: Desk) -> None:
    approval = desk.request()
    desk.vote(desk.person("otto", Role.APPROVER), approval)
    for change in (
        "votes_needed = 0",
        "requirement = '[]'",
        "expires_at = now() + interval '1 year'",
        "bound = '{}'",
        "requested_by = (SELECT id FROM atom.principals WHERE subject = 'otto')",
        "state = 'pending', decided_at = NULL",
    ):
        with pytest.raises((psycopg.errors.IntegrityConstraintViolation, psycopg.errors.CheckViolation)):
            update(desk, approval, change)


def test_a_vote_is_never_changed_or_removed(desk: Desk) -> None:
    desk.vote(desk.person("otto", Role.APPROVER), desk.request())
    for statement in ("UPDATE atom.approval_votes SET choice = 'approve'", "DELETE FROM atom.approval_votes"):
        with desk.sessions.tenant(desk.tenant_id) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement.encode())


def test_an_approval_cannot_be_inserted_as_approved(desk: Desk) -> None:
    with desk.sessions.tenant(desk.tenant_id) as conn, pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        conn.execute(
            "INSERT INTO atom.approvals (tenant_id, id, subject_kind, subject_digest, subject_ref, bound, requirement,"
            " votes_needed, state, reason, requested_by, expires_at, decided_at)"
            " VALUES (%s, %s, 'run', %s, %s, '{}', '[]', 1, 'approved', '', %s, now() + interval '1 hour', now())",
            (desk.tenant_id, new_id(), Digest(digest(b"x")), new_id(), desk.requester.principal_id),
        )


def test_pages_run_from_newest_to_oldest_and_filter(desk: Desk) -> None:
    made = [desk.request() for _ in range(5)]
    desk.vote(desk.person("otto", Role.APPROVER), made[2])
    with desk.sessions.tenant(desk.tenant_id) as conn:
        pending = service.list_approvals(conn, desk.tenant_id, state=State.PENDING, limit=2)
        rest = service.list_approvals(conn, desk.tenant_id, state=State.PENDING, after=pending[-1].id)
        overrides = service.list_approvals(conn, desk.tenant_id, kind=SubjectKind.OVERRIDE)
    assert [one.id for one in pending + rest] == [made[n].id for n in (4, 3, 1, 0)]
    assert overrides == []


def test_a_vote_of_somebody_who_lost_the_role_since_counts_no_more(desk: Desk) -> None:
    paul, sara, otto = (desk.person(name, Role.APPROVER) for name in ("paul", "sara", "otto"))
    approval = desk.request(requirement=(VoteRequirement(None, 2),))
    desk.vote(paul, approval)
    desk.person("paul", Role.VIEWER)
    pending = desk.vote(sara, approval)
    assert pending.state is State.PENDING
    assert set(pending.approving()) == {sara.principal_id}
    assert len(pending.votes) == 2
    assert desk.vote(otto, approval).state is State.APPROVED


def test_the_database_itself_counts_no_vote_of_a_role_that_was_lost(desk: Desk) -> None:
    paul, sara = desk.person("paul", Role.APPROVER), desk.person("sara", Role.APPROVER)
    approval = desk.request(requirement=(VoteRequirement(None, 2),))
    desk.vote(paul, approval)
    desk.person("paul", Role.VIEWER)
    desk.vote(sara, approval)
    with pytest.raises(psycopg.IntegrityError, match="do not meet"), desk.sessions.tenant(desk.tenant_id) as conn:
        conn.execute("UPDATE atom.approvals SET state = 'approved', decided_at = now() WHERE id = %s", (approval.id,))


def test_a_decided_approval_stays_decided_whoever_loses_a_role(desk: Desk) -> None:
    paul = desk.person("paul", Role.APPROVER)
    approval = desk.request()
    assert desk.vote(paul, approval).state is State.APPROVED
    desk.person("paul", Role.VIEWER)
    assert set(desk.read(approval).approving()) == {paul.principal_id}
