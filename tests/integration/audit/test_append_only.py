"""What the roles that serve can do to the log: add to its inbox, and read."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from atomctl.audit.sequencer import Sequencer
from atomctl.db.address import DatabaseAddress
from atomctl.db.connections import connect
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions

NoteDown = Callable[..., list[UUID]]

TABLES = ("audit_inbox", "audit_entries", "audit_tiles", "audit_heads", "audit_checkpoints", "personal_values")
KEYS = {
    "audit_inbox": "tenant_id, entry_id",
    "audit_entries": "tenant_id, entry_index",
    "audit_tiles": "tenant_id, level, tile",
    "audit_heads": "tenant_id",
    "audit_checkpoints": "tenant_id, size",
    "personal_values": "tenant_id, entry_id, field",
}
OVERRIDING = {"audit_inbox": "OVERRIDING SYSTEM VALUE"}


def _attacks(table: str) -> dict[str, str]:
    return {
        "update": f"UPDATE atom.{table} SET tenant_id = tenant_id",
        "delete": f"DELETE FROM atom.{table}",
        "truncate": f"TRUNCATE atom.{table}",
        "upsert": f"INSERT INTO atom.{table} {OVERRIDING.get(table, '')} SELECT * FROM atom.{table}"
        f" ON CONFLICT ({KEYS[table]}) DO UPDATE SET tenant_id = excluded.tenant_id",
        "drop": f"DROP TABLE atom.{table}",
        "trigger off": f"ALTER TABLE atom.{table} DISABLE TRIGGER ALL",
        "replica role": "SET session_replication_role = replica",
    }


ATTACKS = [(table, name, statement) for table in TABLES for name, statement in _attacks(table).items()]


@pytest.fixture
def filled(tenant: UUID, note_down: NoteDown, sequencer: Sequencer, sessions: Sessions) -> UUID:
    """A tenant with a row in every table of the audit log."""
    note_down(tenant, 3)
    sequencer.drain_once()
    (entry_id,) = note_down(tenant, 1)
    with sessions.tenant(tenant) as connection:
        connection.execute(
            "INSERT INTO atom.personal_values (tenant_id, entry_id, field, commitment, value, salt)"
            " VALUES (%s, %s, 'address', 'sha256:' || repeat('0', 64), 'x', 'y')",
            (tenant, entry_id),
        )
        for table in TABLES:
            assert connection.execute(f"SELECT 1 FROM atom.{table}").fetchone()
    return tenant


def _refused(connection: Connection, statement: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


@pytest.mark.parametrize("role", [DatabaseRole.APP, DatabaseRole.WORKER])
def test_seven_ways_to_rewrite_the_log_are_refused(role: DatabaseRole, filled: UUID, database: DatabaseAddress) -> None:
    with connect(database.dsn(role)) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, false)", (str(filled),))
        allowed = [(table, name) for table, name, statement in ATTACKS if not _refused(connection, statement)]
    assert allowed == []


def test_not_even_the_sequencer_changes_what_was_sequenced_or_signed(filled: UUID, database: DatabaseAddress) -> None:
    with connect(database.dsn(DatabaseRole.SEQUENCER)) as connection:
        allowed = [
            (table, name)
            for table, name, statement in ATTACKS
            if table in {"audit_entries", "audit_checkpoints"} and not _refused(connection, statement)
        ]
    assert allowed == []


def test_not_even_the_owner_does_so_by_mistake(filled: UUID, superuser: Connection) -> None:
    superuser.execute("SET session_replication_role = origin")
    for table in ("audit_entries", "audit_checkpoints"):
        for name in ("update", "delete", "truncate"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                superuser.execute(_attacks(table)[name])


def test_the_sequencer_sees_nothing_but_the_audit_tables(filled: UUID, database: DatabaseAddress) -> None:
    with connect(database.dsn(DatabaseRole.SEQUENCER)) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'atom'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
            " AND has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE')"
        ).fetchall()
    assert {row["relname"] for row in rows} == {*TABLES} - {"personal_values"} | {"alembic_version", "audit_anchors"}


def test_nobody_records_in_another_tenants_name(
    filled: UUID, make_tenant: Callable[[str], UUID], sessions: Sessions
) -> None:
    stranger = make_tenant("stranger")
    data = b'{"id":"%s","subject":"x/1","tenant":"%s"}'
    entry_id = new_id()
    with pytest.raises(psycopg.errors.InsufficientPrivilege), sessions.tenant(stranger) as connection:
        connection.execute(
            "INSERT INTO atom.audit_inbox (tenant_id, entry_id, subject, data) VALUES (%s, %s, 'x/1', %s)",
            (filled, entry_id, data % (str(entry_id).encode(), str(filled).encode())),
        )
