"""What a superuser does to the tables is seen by the live verification and in every bundle exported afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.audit import codes
from atomctl.audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from atomctl.audit.export import export_bundle
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.live import verify_live
from atomctl.audit.proofs import last_checkpoint, prove_entry
from atomctl.audit.sequencer import Sequencer
from atomctl.audit.verdict import AuditVerdict, Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError, Code

NoteDown = Callable[..., list[UUID]]
Live = Callable[..., AuditVerdict]

CHANGE = """
UPDATE atom.audit_entries SET data = convert_to(replace(convert_from(data, 'UTF8'), 'thing/4', 'thing/5'), 'UTF8')
WHERE subject = 'thing/4'
"""
CHANGE_COLUMN = "UPDATE atom.audit_entries SET subject = 'thing/99' WHERE subject = 'thing/4'"
REMOVE = "DELETE FROM atom.audit_entries WHERE subject = 'thing/4'"
CUT_OFF = "DELETE FROM atom.audit_entries WHERE entry_index >= (SELECT max(entry_index) - 2 FROM atom.audit_entries)"
SWAP = """
UPDATE atom.audit_entries a SET data = b.data, entry_id = b.entry_id, subject = b.subject
FROM atom.audit_entries b
WHERE a.tenant_id = b.tenant_id AND a.subject IN ('thing/4', 'thing/7') AND b.subject IN ('thing/4', 'thing/7')
  AND a.subject <> b.subject
"""
BACKDATE = "UPDATE atom.audit_entries SET sequenced_at = sequenced_at - interval '1 day' WHERE subject = 'thing/4'"
REPEAT = """
UPDATE atom.audit_entries a SET data = b.data FROM atom.audit_entries b
WHERE a.tenant_id = b.tenant_id AND a.subject = 'thing/5' AND b.subject = 'thing/4'
"""


@pytest.fixture
def log(tenant: UUID, note_down: NoteDown, sequencer: Sequencer) -> UUID:
    """A tenant's log of some entries, signed."""
    note_down(tenant, 20)
    sequencer.drain_once()
    return tenant


@pytest.fixture
def live(sessions: Sessions, key: FileKey) -> Live:
    def verify(tenant_id: UUID, *witnessed: bytes) -> AuditVerdict:
        with sessions.tenant(tenant_id) as connection:
            return verify_live(connection, tenant_id, trusted=[key.vkey], witnessed=witnessed)

    return verify


@pytest.fixture
def checkpoint(sessions: Sessions) -> Callable[[UUID], bytes]:
    """The newest signed checkpoint of a log, kept elsewhere."""

    def keep(tenant_id: UUID) -> bytes:
        with sessions.tenant(tenant_id) as connection:
            return bytes(last_checkpoint(connection, tenant_id)["note"])

    return keep


def test_a_log_nobody_touched_is_verified(log: UUID, live: Live, checkpoint: Callable[[UUID], bytes]) -> None:
    verdict = live(log)
    assert verdict.outcome is Outcome.VERIFIED
    assert verdict.warnings == (codes.UNANCHORED,)
    anchored = live(log, checkpoint(log))
    assert (anchored.outcome, anchored.warnings) == (Outcome.VERIFIED, ())


def test_without_a_known_key_the_live_log_is_only_self_consistent(log: UUID, sessions: Sessions) -> None:
    with sessions.tenant(log) as connection:
        assert verify_live(connection, log).outcome is Outcome.SELF_CONSISTENT


def test_what_waits_in_the_inbox_is_not_held_against_the_log(log: UUID, note_down: NoteDown, live: Live) -> None:
    note_down(log, 5)
    assert live(log).outcome is Outcome.VERIFIED


def test_a_log_with_several_checkpoints_is_verified(
    log: UUID, note_down: NoteDown, sequencer: Sequencer, live: Live, checkpoint: Callable[[UUID], bytes]
) -> None:
    early = checkpoint(log)
    for count in (300, 1, 40):
        note_down(log, count)
        sequencer.drain_once()
    verdict = live(log, early)
    assert (verdict.outcome, verdict.warnings) == (Outcome.VERIFIED, ())


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (CHANGE, codes.CHANGED),
        (CHANGE_COLUMN, codes.CHANGED),
        (REMOVE, codes.MISSING),
        (CUT_OFF, codes.TRUNCATED),
        (SWAP, codes.REORDERED),
        (BACKDATE, codes.BACKDATED),
        (REPEAT, codes.DUPLICATED),
    ],
    ids=["changed", "changed column", "removed", "cut off", "swapped", "backdated", "repeated"],
)
def test_a_superusers_edit_is_named_for_what_it_is(
    tampering: str, expected: Code, log: UUID, live: Live, superuser: Connection
) -> None:
    assert superuser.execute(tampering).rowcount > 0
    verdict = live(log)
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.code is expected


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        (CHANGE, codes.CHANGED),
        (REMOVE, codes.MISSING),
        (CUT_OFF, codes.TRUNCATED),
        (SWAP, codes.REORDERED),
        (REPEAT, codes.DUPLICATED),
    ],
    ids=["changed", "removed", "cut off", "swapped", "repeated"],
)
def test_a_bundle_exported_after_the_edit_shows_it_offline(
    *,
    tampering: str,
    expected: Code,
    log: UUID,
    sessions: Sessions,
    superuser: Connection,
    key: FileKey,
    tmp_path: Path,
) -> None:
    superuser.execute(tampering)
    path = tmp_path / "log.atomaudit"
    with sessions.tenant(log) as connection, path.open("wb") as out:
        export_bundle(connection, log, out=out)
    verdict = verify_bundle(path, trusted=[key.vkey])
    assert verdict.outcome is Outcome.BROKEN
    assert verdict.code is expected


def test_a_changed_entry_gets_no_proof(
    log: UUID, note_down: NoteDown, sequencer: Sequencer, sessions: Sessions, superuser: Connection
) -> None:
    (entry_id,) = note_down(log, 1)
    sequencer.drain_once()
    superuser.execute("UPDATE atom.audit_entries SET data = data || ' '::bytea WHERE entry_id = %s", (entry_id,))
    with sessions.tenant(log) as connection, pytest.raises(AtomError) as caught:
        prove_entry(connection, log, entry_id)
    assert caught.value.code is codes.FORKED


def test_a_checkpoint_signed_by_another_key_is_a_bad_signature(
    log: UUID, live: Live, superuser: Connection, tmp_path: Path
) -> None:
    (row,) = superuser.execute("SELECT note FROM atom.audit_checkpoints WHERE tenant_id = %s", (log,)).fetchall()
    point, _ = parse_checkpoint(row["note"])
    forged = sign_checkpoint(point, create_key(tmp_path / "forger.key"))
    superuser.execute("UPDATE atom.audit_checkpoints SET note = %s WHERE tenant_id = %s", (forged, log))
    assert live(log).code is codes.BAD_SIGNATURE


def test_whoever_holds_the_key_and_signs_another_history_forks_the_log(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    live: Live,
    superuser: Connection,
    key: FileKey,
) -> None:
    (early,) = superuser.execute("SELECT * FROM atom.audit_checkpoints WHERE tenant_id = %s", (log,)).fetchall()
    note_down(log, 5)
    sequencer.drain_once()
    origin = parse_checkpoint(early["note"])[0].origin
    other = Checkpoint(origin, early["size"], bytes(32))
    note = sign_checkpoint(other, key)
    assert live(log, note).code is codes.FORKED
    superuser.execute(
        "UPDATE atom.audit_checkpoints SET root = %s, note = %s WHERE tenant_id = %s AND size = %s",
        (other.root, note, log, other.size),
    )
    assert live(log).code is codes.FORKED


def test_a_head_set_back_is_seen(log: UUID, live: Live, superuser: Connection) -> None:
    superuser.execute("UPDATE atom.audit_heads SET root = sha256('x') WHERE tenant_id = %s", (log,))
    assert live(log).code is codes.CHANGED


def test_damaged_tiles_are_seen(log: UUID, live: Live, superuser: Connection) -> None:
    superuser.execute("DELETE FROM atom.audit_tiles WHERE tenant_id = %s", (log,))
    assert live(log).code is codes.CHANGED
