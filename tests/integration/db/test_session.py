"""Transactions that belong to one tenant, on the embedded server."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from atomctl.db.session import Sessions


def test_a_tenant_sees_its_own_rows_and_no_other(sessions: Sessions, make_tenant: Callable[[str], UUID]) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    for tenant_id, name in ((acme, "acme"), (globex, "globex")):
        with sessions.tenant(tenant_id) as connection:
            rows = connection.execute("SELECT tenant_id, name FROM atom.tenants").fetchall()
        assert rows == [{"tenant_id": tenant_id, "name": name}]


def test_a_transaction_without_a_tenant_sees_no_tenant_row(
    sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    make_tenant("acme")
    with sessions.deployment() as connection:
        assert connection.execute("SELECT FROM atom.tenants").rowcount == 0
