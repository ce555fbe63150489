"""Tenants over HTTP: what belongs to another one does not exist."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.fakes.packages import harmless, privileged

from atomctl.access.model import Role
from atomctl.db.ids import new_id
from atomctl.insight import probing
from atomctl.insight import service as insight
from atomctl.server.app import build_app

EVERYTHING = (Role.ADMIN, Role.AUTHOR, Role.OPERATOR, Role.AUDITOR)


@pytest.fixture
def ids(owner: Any, key: Any, sequence: Any) -> dict[str, str]:
    """One of everything, in the first tenant."""
    owner.push(harmless(), key)
    owner.push(privileged(), key)
    run = owner.post("runs", {"workflow": "hello"}, 202)
    with owner.api.services.sessions.tenant(owner.tenant_id) as conn:
        question = probing.Question("up", probing.Comparison.ABOVE, 1.0)
        beyond = probing.candidate(question, probing.Answer(True, 2.0, 1), datetime.now(UTC))
        signal = insight.raise_signal(conn, owner.tenant_id, beyond)
    assert signal is not None
    sequence()
    auditor = owner.api.person(owner.tenant_id, "otto", Role.AUDITOR)
    return {
        "name": "hello",
        "version": "1.0.0",
        "approval_id": run["approval_id"],
        "run_id": run["id"],
        "key_id": key.public_key.key_id,
        "principal_id": owner.get("auth/whoami")["principal"]["id"],
        "entry_id": auditor.get("audit/entries", limit=1)["items"][0]["id"],
        "signal_id": str(signal.id),
        "role": "viewer",
    }


NOWHERE = {
    "name": "hello",
    "version": "9.9.9",
    "approval_id": str(new_id()),
    "run_id": str(new_id()),
    "key_id": "sha256:" + "0" * 64,
    "principal_id": str(new_id()),
    "entry_id": str(new_id()),
    "signal_id": str(new_id()),
    "role": "viewer",
}
BODIES: dict[str, Any] = {
    "yank": {"reason": "does not matter"},
    "override": {"reason": "does not matter"},
    "exception": {"reason": "does not matter"},
    "votes": {"choice": "approve"},
    "withdraw": {"reason": "does not matter"},
    "retire": {"reason": "does not matter"},
    "revoke": {"reason": "does not matter"},
    "cancel": {},
    "acknowledge": {},
    "close": {},
    "label": {"label": "noise"},
    "resume": {},
    "rerun": {},
    "resolve": {"step": "say-hello", "action": "done", "reason": "seen"},
}


def routes_with_an_id() -> list[tuple[str, str]]:
    paths = build_app().openapi()["paths"]
    return [
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, methods in paths.items()
        if "{" in path
        for method in methods
    ]


def test_a_foreign_id_is_answered_byte_for_byte_like_one_that_does_not_exist(
    api: Any, owner: Any, ids: dict[str, str], make_tenant: Any
) -> None:
    stranger = api.person(make_tenant("stranger"), "sam", *EVERYTHING, Role.SECURITY)
    routes = routes_with_an_id()
    assert len(routes) > 20
    for method, path in routes:
        body = BODIES.get(path.rsplit("/", 1)[1]) if method == "POST" else None
        foreign = stranger.ask(method, path.format(**ids), body)
        absent = stranger.ask(method, path.format(**NOWHERE), body)
        assert foreign.status_code == 404, (method, path, foreign.text)
        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content), (method, path)


def test_the_owner_finds_what_a_stranger_does_not(owner: Any, ids: dict[str, str]) -> None:
    for method, path in routes_with_an_id():
        if method == "GET" and "audit" not in path:
            assert owner.ask(method, path.format(**ids)).status_code == 200, path


def test_lists_hold_the_own_rows_alone(api: Any, owner: Any, ids: dict[str, str], make_tenant: Any) -> None:
    stranger = api.person(make_tenant("stranger"), "sam", *EVERYTHING)
    for path in ("packages", "workflows", "runs", "approvals", "trust/keys", "trust/rules/versions", "signals"):
        assert stranger.get(path)["items"] == [], path
        assert owner.get(path)["items"] != [], path


def test_tenants_interleaved_on_few_connections_never_see_each_other(api: Any, make_tenant: Any) -> None:
    people = [api.person(make_tenant(f"t{n}"), f"person-{n}", *EVERYTHING) for n in range(20)]

    def ask(person: Any) -> bool:
        identity = person.get("auth/whoami")
        return bool(identity["tenant"]["id"] == str(person.tenant_id))

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(ask, people * 5))


def test_an_admin_grants_a_role_and_takes_it_back_and_never_to_themselves(api: Any, owner: Any, tenant: Any) -> None:
    bob = api.person(tenant, "bob", Role.VIEWER)
    identity = bob.get("auth/whoami")["principal"]["id"]
    path = f"principals/{identity}/roles/approver"
    assert owner.ask("PUT", path).json()["roles"] == ["approver", "viewer"]
    assert bob.get("auth/whoami")["roles"] == ["approver", "viewer"]
    assert owner.ask("DELETE", path).json()["roles"] == ["viewer"]
    myself = owner.get("auth/whoami")["principal"]["id"]
    assert owner.ask("PUT", f"principals/{myself}/roles/approver").json()["code"] == "AUT020"
    assert [person["subject"] for person in owner.get("principals")["items"]] == ["bob", "olga"]
    assert bob.ask("GET", "principals").json()["code"] == "AUT020"
