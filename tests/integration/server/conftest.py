"""The API server over a real database, asked over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.fakes.packages import new_key, rules_for, signed
from tests.servers.api import api_server

from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.model import Role
from atomctl.access.tokens import Verifier
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.settings import Settings
from atomctl.trust.signers import FileSigner
from atomctl.wiring import Services
from atomctl.wpk.archive import Packed


class Api:
    """A server and the means to be anybody in front of it."""

    def __init__(self, client: httpx.Client, services: Services, issuer: EmbeddedIssuer) -> None:
        self.http, self.services, self.issuer = client, services, issuer

    def person(self, tenant_id: UUID, subject: str, *roles: Role) -> Person:
        token = self.issuer.issue(tenant_id, subject, roles, timedelta(hours=1))
        return Person(self, tenant_id, {"Authorization": f"Bearer {token}"})


class Person:
    """Somebody with a token."""

    def __init__(self, api: Api, tenant_id: UUID, headers: dict[str, str]) -> None:
        self.api, self.tenant_id, self.headers = api, tenant_id, headers

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.api.http.request(method, f"/api/v1/{path}", json=body, headers=headers, **options)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def trust(self, key: FileSigner, **rule: Any) -> None:
        """Registers a key as this person's own, and the rule that lets it sign."""
        self.post("trust/keys", {"public_key": key.public_key.to_pem().decode()}, 201)
        self.post("trust/rules", {"document": rules_for(key, **rule), "reason": "the test needs it"}, 201)

    def push(self, packed: Packed, key: FileSigner, status: int = 201) -> Any:
        return self.post("packages", upload(packed, key), status)


def upload(packed: Packed, key: FileSigner) -> dict[str, Any]:
    return {"archive": base64.b64encode(packed.data).decode(), "bundles": [signed(key, packed).decode()]}


@pytest.fixture
def audit_key(tmp_path: Path) -> FileKey:
    return create_key(tmp_path / "keys" / "audit.key")


@pytest.fixture
def sequence(database: DatabaseAddress, audit_key: FileKey) -> Callable[[], int]:
    """Moves and signs what was recorded, as a worker does all the time."""
    return Sequencer(database.dsn(DatabaseRole.SEQUENCER), audit_key).drain_once


@pytest.fixture
def api(database: DatabaseAddress, sessions: Sessions, audit_key: FileKey, tmp_path: Path) -> Iterator[Api]:
    issuer = EmbeddedIssuer(tmp_path / "keys" / "issuer.key")
    services = Services(
        settings=Settings(home=tmp_path),
        address=database,
        sessions=sessions,
        objects=FolderStore(tmp_path / "objects"),
        verifier=Verifier([issuer.trusted]),
        audit_keys=(audit_key.vkey,),
    )
    with api_server(services) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield Api(client, services, issuer)


@pytest.fixture
def tenant(make_tenant: Callable[[str], UUID]) -> UUID:
    return make_tenant("acme")


@pytest.fixture
def owner(api: Api, tenant: UUID) -> Person:
    """The only person who decides; also an author and operator."""
    return api.person(tenant, "olga", Role.ADMIN, Role.AUTHOR, Role.OPERATOR)


@pytest.fixture
def key(owner: Person) -> FileSigner:
    """A key of the owner that is trusted for every name."""
    key = new_key()
    owner.trust(key)
    return key
