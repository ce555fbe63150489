"""Who is calling, and the transaction they act in. Every route but the health checks goes through here."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from atomctl.access import codes
from atomctl.access.claims import Claims
from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.access.service import actor_for
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.wiring import Services

_bearer = HTTPBearer(auto_error=False, description="A JWT of a configured issuer; it names tenant, subject and roles.")

BEARER = "bearer"


def services_of(request: Request) -> Services:
    """What the application was built with."""
    services: Services = request.app.state.services
    return services


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are, for one request."""

    services: Services
    claims: Claims
    actor: Actor

    def reading(self, resource: Resource) -> AbstractContextManager[Connection]:
        """A transaction of the caller's tenant, for whoever may read `resource`; someone without any role may not.

        Raises:
            AtomError: AUT020 none of the caller's roles may.
        """
        require(self.actor, Verb.READ, resource)
        return self.transaction()

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction of the caller's tenant."""
        return self.services.sessions.tenant(self.actor.tenant_id)


def authenticate(
    request: Request,
    services: Annotated[Services, Depends(services_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """The caller behind the bearer token; its first use makes the principal, in a transaction of its own.

    Raises:
        AtomError: AUT001 no token, AUT002 to AUT011 a token that is not believed.
    """
    if credentials is None:
        raise AtomError(codes.NO_TOKEN, "send the header Authorization: Bearer TOKEN")
    claims = services.verifier.verify(credentials.credentials, datetime.now(UTC))
    with services.sessions.tenant(claims.tenant_id) as conn:
        actor = actor_for(conn, claims)
    request.state.actor = actor
    return Caller(services, claims, actor)


def carries_a_valid_token(services: Services, authorization: str) -> bool:
    """Whether the header holds a token that is believed now; reads no database, so it may stand before everything."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != BEARER:
        return False
    try:
        services.verifier.verify(token.strip(), datetime.now(UTC))
    except AtomError:
        return False
    return True


CallerOf = Annotated[Caller, Depends(authenticate)]
