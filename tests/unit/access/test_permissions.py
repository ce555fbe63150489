"""The table of permissions: every cell, and the sentences of the design it must not contradict."""

from __future__ import annotations

import itertools
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.access import codes
from atomctl.access.model import Actor, Role
from atomctl.access.permissions import PERMISSIONS, Resource, Verb, allowed, require
from atomctl.access.permissions_page import PAGE, render
from atomctl.errors import AtomError

EVERYTHING = list(itertools.product(Verb, Resource, Role))
CHANGES = [verb for verb in Verb if verb not in {Verb.READ, Verb.EXPORT, Verb.VALIDATE, Verb.PLAN}]


def actor(*roles: Role) -> Actor:
    return Actor(UUID(int=1), UUID(int=2), "issuer", "alice", frozenset(roles))


@pytest.mark.parametrize("role", Role)
def test_every_cell_of_the_table_is_what_require_says(role: Role) -> None:
    for verb, resource in itertools.product(Verb, Resource):
        if role in PERMISSIONS.get((verb, resource), frozenset()):
            require(actor(role), verb, resource)
        else:
            with pytest.raises(AtomError) as caught:
                require(actor(role), verb, resource)
            assert caught.value.code == codes.FORBIDDEN


def test_who_has_no_role_may_do_nothing() -> None:
    assert not any(allowed(frozenset(), verb, resource) for verb, resource, _ in EVERYTHING)


def test_roles_add_up_and_never_subtract() -> None:
    for (first, second), verb, resource in itertools.product(itertools.combinations(Role, 2), Verb, Resource):
        together = allowed(frozenset({first, second}), verb, resource)
        assert together == any(allowed(frozenset({role}), verb, resource) for role in (first, second))


def test_nobody_can_change_the_audit_log() -> None:
    assert {verb for verb, resource in PERMISSIONS if resource is Resource.AUDIT} == {Verb.READ, Verb.EXPORT}


def test_an_admin_votes_on_overrides_and_rules_and_never_on_runs() -> None:
    votes = {resource for resource in Resource if allowed(frozenset({Role.ADMIN}), Verb.VOTE, resource)}
    assert votes == {Resource.OVERRIDE, Resource.EXCEPTION, Resource.TRUST_RULES}


def test_security_may_do_what_an_approver_does() -> None:
    for roles in PERMISSIONS.values():
        assert Role.APPROVER not in roles or Role.SECURITY in roles


def test_a_viewer_and_an_auditor_change_nothing() -> None:
    for role in (Role.VIEWER, Role.AUDITOR):
        assert not any(allowed(frozenset({role}), verb, resource) for verb in CHANGES for resource in Resource)


def test_an_auditor_reads_everything() -> None:
    assert all(
        allowed(frozenset({Role.AUDITOR}), verb, resource) for verb, resource in PERMISSIONS if verb is Verb.READ
    )


def test_only_an_admin_manages_people() -> None:
    assert PERMISSIONS[Verb.GRANT, Resource.PRINCIPAL] == {Role.ADMIN}


def test_the_refusal_names_who_could_and_what_you_have() -> None:
    with pytest.raises(AtomError, match=r"allowed to: operator; your roles: viewer"):
        require(actor(Role.VIEWER), Verb.START, Resource.RUN)


def test_the_reference_page_is_the_table() -> None:
    page = Path(__file__).parents[3] / PAGE
    assert page.read_text() == render(), "python -m atomctl.access.permissions_page > " + PAGE
