"""People in the database: who a token speaks of, and which roles are in force."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.fakes.people import claims_of, log_in

from atomctl.access import codes, service
from atomctl.access.denials import record_denial
from atomctl.access.model import Actor, Role
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.model import DEPLOYMENT
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError


@pytest.fixture
def tenant(make_tenant: Callable[[str], UUID]) -> UUID:
    return make_tenant("acme")


def entries(sessions: Sessions, tenant_id: UUID) -> list[dict[str, Any]]:
    with sessions.tenant(tenant_id) as conn:
        rows = conn.execute("SELECT data FROM atom.audit_inbox ORDER BY position").fetchall()
    return [json.loads(bytes(row["data"])) for row in rows]


def actor(sessions: Sessions, claims: Any) -> Actor:
    with sessions.tenant(claims.tenant_id) as conn:
        return service.actor_for(conn, claims)


def test_the_first_token_of_a_person_makes_the_principal_and_later_ones_find_it(
    sessions: Sessions, tenant: UUID
) -> None:
    claims = claims_of(tenant, "anna@example.org", Role.AUTHOR)
    first = actor(sessions, claims)
    assert first.roles == {Role.AUTHOR}
    assert actor(sessions, claims) == first
    assert [entry["action"] for entry in entries(sessions, tenant)] == ["principal.create", "principal.login"]


def test_the_log_holds_a_commitment_and_never_the_name(sessions: Sessions, tenant: UUID) -> None:
    log_in(sessions, tenant, "anna@example.org", Role.AUTHOR)
    found = entries(sessions, tenant)
    assert "anna" not in json.dumps(found)
    assert found[0]["personal"]["subject"].startswith("sha256:")


def test_the_same_subject_of_another_issuer_is_another_person(sessions: Sessions, tenant: UUID) -> None:
    one = log_in(sessions, tenant, "anna", Role.AUTHOR)
    other = log_in(sessions, tenant, "anna", Role.AUTHOR, issuer="https://id.example")
    assert one.principal_id != other.principal_id


def test_the_same_person_in_another_tenant_is_another_principal(
    sessions: Sessions, tenant: UUID, make_tenant: Callable[[str], UUID]
) -> None:
    one = log_in(sessions, tenant, "anna", Role.ADMIN)
    other = log_in(sessions, make_tenant("other"), "anna", Role.VIEWER)
    assert one.principal_id != other.principal_id
    assert other.roles == {Role.VIEWER}


def test_a_newer_token_sets_the_roles_and_an_older_one_cannot_bring_them_back(sessions: Sessions, tenant: UUID) -> None:
    old = claims_of(tenant, "anna", Role.ADMIN, Role.AUTHOR)
    new = claims_of(tenant, "anna", Role.AUTHOR, Role.VIEWER)
    assert actor(sessions, old).roles == {Role.ADMIN, Role.AUTHOR}
    assert actor(sessions, new).roles == {Role.AUTHOR, Role.VIEWER}
    assert actor(sessions, old).roles == {Role.AUTHOR}
    assert actor(sessions, new).roles == {Role.AUTHOR, Role.VIEWER}


def test_a_token_with_fewer_roles_of_the_same_moment_has_just_those(sessions: Sessions, tenant: UUID) -> None:
    claims = claims_of(tenant, "anna", Role.ADMIN, Role.AUTHOR)
    actor(sessions, claims)
    assert actor(sessions, dataclasses.replace(claims, roles=frozenset({Role.AUTHOR}))).roles == {Role.AUTHOR}


def test_a_granted_role_stays_whatever_the_tokens_say(sessions: Sessions, tenant: UUID) -> None:
    adam = log_in(sessions, tenant, "adam", Role.ADMIN)
    anna = log_in(sessions, tenant, "anna", Role.VIEWER)
    with sessions.tenant(tenant) as conn:
        service.grant_role(conn, adam, anna.principal_id, Role.APPROVER)
        service.grant_role(conn, adam, anna.principal_id, Role.APPROVER)
    assert log_in(sessions, tenant, "anna").roles == {Role.APPROVER}
    with sessions.tenant(tenant) as conn:
        assert service.revoke_role(conn, adam, anna.principal_id, Role.APPROVER).roles == frozenset()
    assert [entry["action"] for entry in entries(sessions, tenant)].count("principal.grant") == 1


def test_nobody_grants_a_role_to_themselves_or_to_nobody(sessions: Sessions, tenant: UUID) -> None:
    adam = log_in(sessions, tenant, "adam", Role.ADMIN)
    viewer = log_in(sessions, tenant, "vera", Role.VIEWER)
    with sessions.tenant(tenant) as conn:
        for who, whom, code in (
            (adam, adam.principal_id, codes.FORBIDDEN),
            (adam, new_id(), codes.UNKNOWN_PRINCIPAL),
            (viewer, adam.principal_id, codes.FORBIDDEN),
        ):
            with pytest.raises(AtomError) as caught:
                service.grant_role(conn, who, whom, Role.SECURITY)
            assert caught.value.code == code


def test_a_tenant_that_does_not_exist_has_no_people(sessions: Sessions) -> None:
    with pytest.raises(AtomError) as caught:
        log_in(sessions, new_id(), "anna", Role.ADMIN)
    assert caught.value.code == codes.BAD_TENANT


def test_a_tenant_is_made_once(sessions: Sessions) -> None:
    tenant_id = new_id()
    with sessions.tenant(tenant_id) as conn:
        made = service.ensure_tenant(conn, tenant_id, "acme")
        assert service.ensure_tenant(conn, tenant_id, "another name") == made
    assert [entry["action"] for entry in entries(sessions, tenant_id)] == ["tenant.create"]


def test_first_logins_at_once_make_one_principal(sessions: Sessions, tenant: UUID) -> None:
    claims, found = claims_of(tenant, "anna", Role.AUTHOR, Role.VIEWER), []
    start = threading.Barrier(6)

    def begin() -> None:
        start.wait()
        found.append(actor(sessions, claims))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert [entry["action"] for entry in entries(sessions, tenant)].count("principal.create") == 1


def test_the_lone_decider_decides_alone_until_there_was_a_second(sessions: Sessions, tenant: UUID) -> None:
    def alone(who: Actor) -> bool:
        with sessions.tenant(tenant) as conn:
            return service.may_decide_alone(conn, who)

    adam = log_in(sessions, tenant, "adam", Role.ADMIN)
    assert alone(adam)
    assert not alone(log_in(sessions, tenant, "vera", Role.VIEWER))
    log_in(sessions, tenant, "sven", Role.SECURITY)
    assert not alone(adam)
    log_in(sessions, tenant, "sven", Role.VIEWER)
    assert not alone(adam)


def test_two_deciders_who_come_at_once_are_both_noticed(sessions: Sessions, tenant: UUID) -> None:
    start = threading.Barrier(2)

    def come(name: str) -> None:
        start.wait()
        log_in(sessions, tenant, name, Role.ADMIN)

    threads = [threading.Thread(target=come, args=(name,)) for name in ("adam", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sessions.tenant(tenant) as conn:
        assert service.read_tenant(conn, tenant).two_deciders_since is not None


def test_nobody_can_be_a_tenant_under_the_name_of_the_deployments_log(sessions: Sessions) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), sessions.tenant(DEPLOYMENT) as conn:
        service.ensure_tenant(conn, DEPLOYMENT, "impostor")


def test_a_denied_try_is_recorded_although_its_transaction_is_gone(sessions: Sessions, tenant: UUID) -> None:
    vera = log_in(sessions, tenant, "vera", Role.VIEWER)
    with pytest.raises(AtomError) as caught, sessions.tenant(tenant):
        require(vera, Verb.START, Resource.RUN)
    record_denial(sessions, vera, action="run.start", subject="workflow/hello", error=caught.value)
    entry = entries(sessions, tenant)[-1]
    assert (entry["action"], entry["result"], entry["code"]) == ("run.start", "refused", "AUT020")
    assert (entry["actor"], entry["detail"]["roles"]) == (str(vera.principal_id), ["viewer"])


def test_a_login_of_long_ago_is_no_reason_to_write(sessions: Sessions, tenant: UUID) -> None:
    claims = claims_of(tenant, "anna", Role.AUTHOR)
    actor(sessions, claims)
    before = entries(sessions, tenant)
    older = dataclasses.replace(claims, issued_at=claims.issued_at - timedelta(hours=1))
    actor(sessions, claims)
    actor(sessions, older)
    assert entries(sessions, tenant) == before
