"""A registry with a tenant, its people, a trusted key and a folder for the bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.packages import new_key, rules_for, signed
from tests.fakes.people import log_in

from atomctl.access.model import Actor, Role
from atomctl.approvals import service as approvals
from atomctl.approvals.model import Approval, Choice
from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.objects.folder import FolderStore
from atomctl.registry import service as registry
from atomctl.registry.model import Coordinates, Published
from atomctl.trust.signers import FileSigner
from atomctl.wpk.archive import Packed

REASON = "because the test says so"


class Shop:
    """One tenant's registry. `anna` writes, `adam` administers alone until somebody else may decide."""

    def __init__(self, sessions: Sessions, address: DatabaseAddress, tenant_id: UUID, folder: Path) -> None:
        self.address = address
        self.sessions, self.tenant_id, self.objects = sessions, tenant_id, FolderStore(folder)
        self.anna = self.person("anna", Role.AUTHOR)
        self.adam = self.person("adam", Role.ADMIN)
        self.key = new_key()
        self.register(self.key, owner=self.anna)
        self.set_rules(rules_for(self.key))

    def person(self, subject: str, *roles: Role) -> Actor:
        return log_in(self.sessions, self.tenant_id, subject, *roles)

    def register(self, key: FileSigner, *, owner: Actor, by: Actor | None = None) -> Any:
        pem = key.public_key.to_pem()
        with self.sessions.tenant(self.tenant_id) as conn:
            return registry.register_key(
                conn, by or self.adam, public_key=pem, now=datetime.now(UTC), owner=owner.principal_id
            )

    def set_rules(self, document: Any, *, by: Actor | None = None) -> Any:
        with self.sessions.tenant(self.tenant_id) as conn:
            return registry.propose_rules(conn, by or self.adam, document, REASON)

    def push(self, packed: Packed | bytes, bundles: Sequence[bytes] | None = None, **given: Any) -> Published:
        data = packed if isinstance(packed, bytes) else packed.data
        if bundles is None:
            assert isinstance(packed, Packed)
            bundles = [signed(self.key, packed, str(self.tenant_id))]
        given = {"actor": self.anna, "now": datetime.now(UTC), "environment": "test", **given}
        return registry.push(self.sessions, self.objects, given.pop("actor"), data=data, bundles=bundles, **given)

    def vote(self, voter: Actor, approval: Approval, choice: Choice = Choice.APPROVE) -> Approval:
        with self.sessions.tenant(self.tenant_id) as conn:
            decided = approvals.vote(conn, voter, approval.id, choice)
            registry.on_approval(conn, decided)
            return decided

    def verdict(self, name: str, version: str) -> Any:
        with self.sessions.tenant(self.tenant_id) as conn:
            record = registry.show(conn, self.tenant_id, Coordinates(name, version))
            return registry.verify_now(conn, self.tenant_id, record)

    def entries(self, action: str) -> list[dict[str, Any]]:
        with self.sessions.tenant(self.tenant_id) as conn:
            rows = conn.execute("SELECT data FROM atom.audit_inbox ORDER BY position").fetchall()
        found = [json.loads(bytes(row["data"])) for row in rows]
        return [entry for entry in found if entry["action"] == action]

    def count(self, table: str) -> int:
        with self.sessions.tenant(self.tenant_id) as conn:
            row = conn.execute(f"SELECT count(*) AS n FROM atom.{table}".encode()).fetchone()
        assert row is not None
        return int(row["n"])


@pytest.fixture
def shop(sessions: Sessions, database: DatabaseAddress, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Shop:
    return Shop(sessions, database, make_tenant("acme"), tmp_path / "objects")


@pytest.fixture
def refusal() -> Callable[[Callable[[], object]], str]:
    def code_of(call: Callable[[], object]) -> str:
        with pytest.raises(AtomError) as caught:
            call()
        return caught.value.code.id

    return code_of
