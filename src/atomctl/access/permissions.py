"""What each role may do: one table of verb x resource. What is not in it is refused to everybody.

The audit log has no verb that changes it, so nobody can be given one. An admin manages people, keys and rules and never
votes on a run; security may vote wherever an approver may, and is the second pair of eyes on rules and overrides.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from atomctl.access import codes
from atomctl.access.model import Actor, Role
from atomctl.errors import AtomError


class Verb(enum.StrEnum):
    """What somebody wants to do."""

    READ = "read"
    VALIDATE = "validate"
    PUBLISH = "publish"
    YANK = "yank"
    PLAN = "plan"
    START = "start"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    REQUEST = "request"
    VOTE = "vote"
    REGISTER = "register"
    RETIRE = "retire"
    REVOKE = "revoke"
    PROPOSE = "propose"
    GRANT = "grant"
    EXPORT = "export"
    FORGET = "forget"
    ACKNOWLEDGE = "acknowledge"
    PROBE = "probe"
    SYNC = "sync"


class Resource(enum.StrEnum):
    """What it would be done to."""

    WORKFLOW = "workflow"
    PACKAGE = "package"
    RUN = "run"
    RUN_APPROVAL = "run-approval"
    OVERRIDE = "override"
    EXCEPTION = "exception"
    TRUST_RULES = "trust-rules"
    SIGNING_KEY = "signing-key"
    PRINCIPAL = "principal"
    TENANT = "tenant"
    AUDIT = "audit"
    SIGNAL = "signal"
    DATASET = "dataset"
    KNOWLEDGE = "knowledge"


_EVERYBODY = frozenset(Role)


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


PERMISSIONS: Mapping[tuple[Verb, Resource], frozenset[Role]] = MappingProxyType(
    {
        (Verb.READ, Resource.WORKFLOW): _EVERYBODY,
        (Verb.READ, Resource.PACKAGE): _EVERYBODY,
        (Verb.VALIDATE, Resource.PACKAGE): _EVERYBODY - {Role.VIEWER, Role.AUDITOR},
        (Verb.PUBLISH, Resource.PACKAGE): _roles(Role.AUTHOR),
        (Verb.YANK, Resource.PACKAGE): _roles(Role.AUTHOR, Role.SECURITY, Role.ADMIN),
        (Verb.READ, Resource.RUN): _EVERYBODY,
        (Verb.PLAN, Resource.RUN): _roles(Role.AUTHOR, Role.OPERATOR),
        (Verb.START, Resource.RUN): _roles(Role.OPERATOR),
        (Verb.CANCEL, Resource.RUN): _roles(Role.OPERATOR, Role.SECURITY),
        (Verb.RESOLVE, Resource.RUN): _roles(Role.OPERATOR),
        (Verb.READ, Resource.RUN_APPROVAL): _EVERYBODY,
        (Verb.VOTE, Resource.RUN_APPROVAL): _roles(Role.APPROVER, Role.SECURITY),
        (Verb.READ, Resource.OVERRIDE): _EVERYBODY,
        (Verb.REQUEST, Resource.OVERRIDE): _roles(Role.AUTHOR, Role.OPERATOR),
        (Verb.VOTE, Resource.OVERRIDE): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.READ, Resource.EXCEPTION): _EVERYBODY,
        (Verb.REQUEST, Resource.EXCEPTION): _roles(Role.AUTHOR, Role.OPERATOR),
        (Verb.VOTE, Resource.EXCEPTION): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.READ, Resource.TRUST_RULES): _EVERYBODY,
        (Verb.PROPOSE, Resource.TRUST_RULES): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.VOTE, Resource.TRUST_RULES): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.READ, Resource.SIGNING_KEY): _EVERYBODY,
        (Verb.REGISTER, Resource.SIGNING_KEY): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.RETIRE, Resource.SIGNING_KEY): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.REVOKE, Resource.SIGNING_KEY): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.READ, Resource.PRINCIPAL): _roles(Role.SECURITY, Role.ADMIN, Role.AUDITOR),
        (Verb.GRANT, Resource.PRINCIPAL): _roles(Role.ADMIN),
        (Verb.READ, Resource.TENANT): _EVERYBODY,
        (Verb.READ, Resource.AUDIT): _roles(Role.SECURITY, Role.ADMIN, Role.AUDITOR),
        (Verb.EXPORT, Resource.AUDIT): _roles(Role.SECURITY, Role.AUDITOR),
        (Verb.EXPORT, Resource.DATASET): _roles(Role.SECURITY, Role.ADMIN, Role.AUDITOR),
        (Verb.FORGET, Resource.DATASET): _roles(Role.SECURITY, Role.ADMIN),
        (Verb.READ, Resource.SIGNAL): _EVERYBODY,
        (Verb.ACKNOWLEDGE, Resource.SIGNAL): _roles(Role.OPERATOR, Role.SECURITY),
        (Verb.PROBE, Resource.SIGNAL): _roles(Role.OPERATOR, Role.SECURITY),
        (Verb.READ, Resource.KNOWLEDGE): _EVERYBODY,
        (Verb.SYNC, Resource.KNOWLEDGE): _roles(Role.AUTHOR, Role.ADMIN),
    }
)


def allowed(roles: frozenset[Role], verb: Verb, resource: Resource) -> bool:
    """Whether any of `roles` may do `verb` to `resource`."""
    return not roles.isdisjoint(PERMISSIONS.get((verb, resource), frozenset()))


def require(actor: Actor, verb: Verb, resource: Resource) -> None:
    """Returns if the actor may, and only then.

    Raises:
        AtomError: AUT020 none of the actor's roles may.
    """
    if allowed(actor.roles, verb, resource):
        return
    able = ", ".join(sorted(PERMISSIONS.get((verb, resource), frozenset()))) or "nobody"
    held = ", ".join(sorted(actor.roles)) or "none"
    raise AtomError(codes.FORBIDDEN, f"{verb} {resource} is allowed to: {able}; your roles: {held}")
