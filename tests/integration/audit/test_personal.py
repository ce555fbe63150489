"""Personal values: committed to in the log, stored beside it, and erased without touching a proof."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.audit import codes
from atomctl.audit.erase import erase_value
from atomctl.audit.export import export_bundle
from atomctl.audit.keys import FileKey
from atomctl.audit.live import verify_live
from atomctl.audit.log import list_entries
from atomctl.audit.model import Entry
from atomctl.audit.proofs import prove_entry
from atomctl.audit.record import record
from atomctl.audit.sequencer import Sequencer
from atomctl.audit.verdict import Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.canonical import Digest, commitment
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError

LOGIN = Entry(action="auth.login", subject="principal/1", personal={"address": "192.0.2.7", "email": "ada@example.org"})


def _log_in(sessions: Sessions, tenant: UUID) -> UUID:
    with sessions.tenant(tenant) as connection:
        return record(connection, tenant, LOGIN)


def _erase(sessions: Sessions, tenant: UUID, value: str) -> int:
    with sessions.tenant(tenant) as connection:
        return erase_value(connection, tenant, value, actor=None, why="asked for by the person")


def test_the_log_holds_commitments_and_the_values_lie_beside_it(
    tenant: UUID, sessions: Sessions, sequencer: Sequencer, superuser: Connection
) -> None:
    entry_id = _log_in(sessions, tenant)
    sequencer.drain_once()
    rows = superuser.execute("SELECT data FROM atom.audit_entries WHERE entry_id = %s", (entry_id,)).fetchall()
    assert b"192.0.2.7" not in rows[0]["data"]
    assert b"ada@example.org" not in rows[0]["data"]
    with sessions.tenant(tenant) as connection:
        (logged,) = list_entries(connection, tenant, subject="principal/1")
    assert logged.personal == LOGIN.personal
    stored = superuser.execute("SELECT * FROM atom.personal_values WHERE field = 'address'").fetchall()[0]
    committed = logged.entry["personal"]
    assert isinstance(committed, dict)
    assert commitment(stored["salt"], "192.0.2.7") == committed["address"] == Digest(stored["commitment"])


def test_the_same_value_gives_another_commitment_each_time(
    tenant: UUID, sessions: Sessions, superuser: Connection
) -> None:
    for _ in range(3):
        _log_in(sessions, tenant)
    rows = superuser.execute(
        "SELECT DISTINCT commitment, salt FROM atom.personal_values WHERE field = 'email'"
    ).fetchall()
    assert len(rows) == 3


def test_after_erasing_leaf_and_proofs_hold_and_the_value_is_gone(
    *, tenant: UUID, sessions: Sessions, sequencer: Sequencer, superuser: Connection, key: FileKey, tmp_path: Path
) -> None:
    entry_id = _log_in(sessions, tenant)
    sequencer.drain_once()
    with sessions.tenant(tenant) as connection:
        before = prove_entry(connection, tenant, entry_id)
    assert _erase(sessions, tenant, "192.0.2.7") == 1
    with sessions.tenant(tenant) as connection:
        assert prove_entry(connection, tenant, entry_id) == before
        assert verify_live(connection, tenant, trusted=[key.vkey]).outcome is Outcome.VERIFIED
        (logged,) = list_entries(connection, tenant, subject="principal/1")
    assert logged.personal == {"address": None, "email": "ada@example.org"}
    sequencer.drain_once()
    path = tmp_path / "log.atomaudit"
    with sessions.tenant(tenant) as connection, path.open("wb") as out:
        export_bundle(connection, tenant, out=out)
    assert verify_bundle(path, trusted=[key.vkey]).outcome is Outcome.VERIFIED
    rows = superuser.execute("SELECT value, salt FROM atom.personal_values WHERE field = 'address'").fetchall()
    assert rows == [{"value": None, "salt": None}]


def test_erasing_is_recorded_without_repeating_the_value(
    tenant: UUID, sessions: Sessions, sequencer: Sequencer
) -> None:
    entry_id = _log_in(sessions, tenant)
    assert _erase(sessions, tenant, "ada@example.org") == 1
    assert _erase(sessions, tenant, "ada@example.org") == 0
    sequencer.drain_once()
    with sessions.tenant(tenant) as connection:
        second, first = (
            item.entry for item in list_entries(connection, tenant) if item.entry["action"] == "audit.erase"
        )
    assert first["detail"] == {"values": 1, "entries": [str(entry_id)]}
    assert second["detail"] == {"values": 0, "entries": []}
    assert "ada" not in str(first)


def test_nobody_erases_another_tenants_values(
    tenant: UUID, make_tenant: Callable[[str], UUID], sessions: Sessions, superuser: Connection
) -> None:
    _log_in(sessions, tenant)
    assert _erase(sessions, make_tenant("stranger"), "ada@example.org") == 0
    rows = superuser.execute("SELECT value FROM atom.personal_values WHERE field = 'email'").fetchall()
    assert rows == [{"value": "ada@example.org"}]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE atom.personal_values SET value = '198.51.100.1' WHERE field = 'address'",
        "UPDATE atom.personal_values SET commitment = 'sha256:' || repeat('0', 64) WHERE field = 'address'",
        "UPDATE atom.personal_values SET field = 'other' WHERE field = 'address'",
    ],
)
def test_a_changed_personal_value_is_no_longer_what_the_log_committed_to(
    *, tampering: str, tenant: UUID, sessions: Sessions, sequencer: Sequencer, superuser: Connection, key: FileKey
) -> None:
    _log_in(sessions, tenant)
    sequencer.drain_once()
    superuser.execute(tampering)
    with sessions.tenant(tenant) as connection:
        verdict = verify_live(connection, tenant, trusted=[key.vkey])
    assert verdict.code is codes.CHANGED


def test_an_entry_too_large_is_refused_and_with_it_the_change(tenant: UUID, sessions: Sessions) -> None:
    for entry in (
        Entry(action="test.happened", subject="thing/1", why="x" * 70_000),
        Entry(action="test.happened", subject="thing/1", personal={"name": "x" * 2_000}),
    ):
        with pytest.raises(AtomError) as caught, sessions.tenant(tenant) as connection:
            record(connection, tenant, entry)
        assert caught.value.code is codes.TOO_LARGE


def test_the_largest_entry_there_can_be_becomes_a_leaf(
    tenant: UUID, sessions: Sessions, sequencer: Sequencer, key: FileKey
) -> None:
    with sessions.tenant(tenant) as connection:
        record(connection, tenant, Entry(action="test.happened", subject="thing/1", why="x" * 65_200))
        record(connection, tenant, Entry(action="test.happened", subject="thing/2", detail={"x": "y" * 100_000}))
    sequencer.drain_once()
    with sessions.tenant(tenant) as connection:
        assert verify_live(connection, tenant, trusted=[key.vkey]).outcome is Outcome.VERIFIED
