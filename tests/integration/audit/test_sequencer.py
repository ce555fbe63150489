"""From the inbox into signed trees: gapless, in one writer's hand, and whole after every crash."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from atomctl.audit import batch, codes
from atomctl.audit.checkpoint import origin_of, parse_checkpoint
from atomctl.audit.keys import FileKey
from atomctl.audit.leaf import entry_of, place_of
from atomctl.audit.merkle import CompactRange, extend, leaf_hash
from atomctl.audit.model import DEPLOYMENT, Entry
from atomctl.audit.note import VerifierKey, signed_by
from atomctl.audit.record import record
from atomctl.audit.sequencer import Sequencer
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError

NoteDown = Callable[..., list[UUID]]
Another = Callable[..., Sequencer]
Running = Callable[..., AbstractContextManager[None]]


def _rows(connection: Connection, query: str, *values: object) -> list[dict[str, Any]]:
    return connection.execute(query, values).fetchall()


def _leaves(superuser: Connection, tenant: UUID) -> list[bytes]:
    rows = _rows(
        superuser, "SELECT entry_index, data FROM atom.audit_entries WHERE tenant_id = %s ORDER BY entry_index", tenant
    )
    assert [row["entry_index"] for row in rows] == list(range(len(rows)))
    return [row["data"] for row in rows]


def _checkpoints(superuser: Connection, tenant: UUID) -> list[dict[str, Any]]:
    return _rows(superuser, "SELECT * FROM atom.audit_checkpoints WHERE tenant_id = %s ORDER BY size", tenant)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        threading.Event().wait(0.01)


def test_what_was_recorded_becomes_a_gapless_log_under_a_signed_root(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, superuser: Connection, key: FileKey
) -> None:
    ids = note_down(tenant, 300)
    assert sequencer.drain_once() >= 300
    leaves = _leaves(superuser, tenant)
    mine = [entry_of(leaf)["id"] for leaf in leaves if entry_of(leaf)["action"] == "test.happened"]
    assert mine == [str(entry_id) for entry_id in ids]
    for index, leaf in enumerate(leaves):
        place = place_of(leaf)
        assert place is not None
        assert place.at == index
    (row,) = _checkpoints(superuser, tenant)
    checkpoint, note = parse_checkpoint(row["note"])
    assert checkpoint.size == len(leaves)
    assert checkpoint.root == extend(CompactRange(), map(leaf_hash, leaves)).root
    assert signed_by(note, VerifierKey(origin_of(key.public, tenant), key.public))
    assert row["vkey"] == str(VerifierKey(origin_of(key.public, tenant), key.public))


def test_a_log_that_grew_in_many_batches_is_the_same_tree(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, superuser: Connection
) -> None:
    for count in (1, 255, 1, 3, 700):
        note_down(tenant, count)
        sequencer.drain_once()
    root = extend(CompactRange(), map(leaf_hash, _leaves(superuser, tenant))).root
    assert _checkpoints(superuser, tenant)[-1]["root"] == root
    (head,) = _rows(superuser, "SELECT root FROM atom.audit_heads WHERE tenant_id = %s", tenant)
    assert head["root"] == root


def test_each_tenant_has_a_tree_of_its_own_and_the_deployment_holds_their_checkpoints(
    make_tenant: Callable[[str], UUID], note_down: NoteDown, sequencer: Sequencer, superuser: Connection
) -> None:
    tenants = [make_tenant("a"), make_tenant("b")]
    note_down(tenants[0], 2)
    note_down(tenants[1], 3)
    sequencer.drain_once()
    notes = {tenant: _checkpoints(superuser, tenant)[-1]["note"].decode() for tenant in tenants}
    held = {}
    for leaf in _leaves(superuser, DEPLOYMENT):
        entry: Any = entry_of(leaf)
        held[UUID(entry["subject"].removeprefix("tenant/"))] = entry["detail"]["checkpoint"]
    assert held == notes
    assert len(_checkpoints(superuser, DEPLOYMENT)) == 1


def test_an_entry_of_a_change_that_was_rolled_back_never_happened(
    tenant: UUID, sessions: Sessions, sequencer: Sequencer, superuser: Connection
) -> None:
    sequencer.drain_once()
    before = len(_leaves(superuser, tenant))
    with suppress(RuntimeError), sessions.tenant(tenant) as connection:
        record(connection, tenant, Entry(action="test.happened", subject="thing/1"))
        raise RuntimeError
    assert sequencer.drain_once() == 0
    assert len(_leaves(superuser, tenant)) == before


def test_a_transaction_that_commits_late_is_taken_late_and_not_lost(
    tenant: UUID, sessions: Sessions, note_down: NoteDown, sequencer: Sequencer, superuser: Connection
) -> None:
    with sessions.tenant(tenant) as slow:
        late = record(slow, tenant, Entry(action="test.late", subject="thing/1"))
        note_down(tenant, 5)
        sequencer.drain_once()
        assert str(late) not in {entry_of(leaf)["id"] for leaf in _leaves(superuser, tenant)}
    assert sequencer.drain_once() == 1
    assert entry_of(_leaves(superuser, tenant)[-1])["id"] == str(late)


def test_nothing_new_means_no_new_checkpoint(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, superuser: Connection
) -> None:
    note_down(tenant, 1)
    sequencer.drain_once()
    before = [_checkpoints(superuser, tenant), _checkpoints(superuser, DEPLOYMENT)]
    assert sequencer.drain_once() == 0
    assert [_checkpoints(superuser, tenant), _checkpoints(superuser, DEPLOYMENT)] == before


def test_time_never_runs_backwards_inside_a_log(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, superuser: Connection
) -> None:
    note_down(tenant, 1)
    sequencer.drain_once()
    superuser.execute("UPDATE atom.audit_heads SET sequenced_at = now() + interval '1 hour'")
    note_down(tenant, 1)
    sequencer.drain_once()
    times = [place.time for leaf in _leaves(superuser, tenant) if (place := place_of(leaf))]
    (head,) = _rows(
        superuser, "SELECT sequenced_at > now() AS ahead FROM atom.audit_heads WHERE tenant_id = %s", tenant
    )
    assert times == sorted(times)
    assert head["ahead"]


def test_while_one_leads_another_is_told_so(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, another: Another, running: Running
) -> None:
    with running(another()):
        _until(lambda: _refused(sequencer))
    note_down(tenant, 1)
    assert sequencer.drain_once() >= 1


def _refused(sequencer: Sequencer) -> bool:
    try:
        sequencer.drain_once()
    except AtomError as error:
        return error.code is codes.NOT_LEADING
    return False


def test_the_one_that_stands_by_takes_over_when_the_leaders_session_ends(
    tenant: UUID, note_down: NoteDown, another: Another, superuser: Connection, running: Running
) -> None:
    with running(another(), another()):
        for round_ in range(3):
            note_down(tenant, 50)
            _until(lambda: not _rows(superuser, "SELECT 1 FROM atom.audit_inbox WHERE tenant_id = %s", tenant))
            assert len(_leaves(superuser, tenant)) >= 50 * (round_ + 1)
            holders = _rows(
                superuser,
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            assert len(holders) == 1
            _rows(superuser, "SELECT pg_terminate_backend(%s)", holders[0]["pid"])
        size = len(_leaves(superuser, tenant))
        _until(lambda: [row["size"] for row in _checkpoints(superuser, tenant)][-1:] == [size])


def test_a_sequencer_that_is_told_to_stop_leaves_everything_signed(
    tenant: UUID, note_down: NoteDown, another: Another, superuser: Connection, running: Running
) -> None:
    with running(another(checkpoint_every=timedelta(hours=1))):
        note_down(tenant, 10)
        _until(lambda: len(_leaves(superuser, tenant)) >= 10)
    assert _checkpoints(superuser, tenant)[-1]["size"] == len(_leaves(superuser, tenant))


def test_a_head_that_moved_under_the_sequencer_rolls_the_batch_back(
    tenant: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    superuser: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note_down(tenant, 1)
    sequencer.drain_once()
    size = len(_leaves(superuser, tenant))
    note_down(tenant, 3)
    insert = batch._insert_entries

    def meanwhile(*args: Any) -> None:
        superuser.execute("UPDATE atom.audit_heads SET root = sha256('x') WHERE tenant_id = %s", (tenant,))
        insert(*args)

    monkeypatch.setattr(batch, "_insert_entries", meanwhile)
    with pytest.raises(AtomError) as caught:
        sequencer.drain_once()
    assert caught.value.code is codes.HEAD_MOVED
    assert len(_leaves(superuser, tenant)) == size
    assert len(_rows(superuser, "SELECT 1 FROM atom.audit_inbox WHERE tenant_id = %s", tenant)) == 3


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE atom.audit_tiles SET hashes = overlay(hashes placing '\\x00'::bytea from 1) WHERE level = 0",
        "UPDATE atom.audit_heads SET root = sha256('x')",
        "DELETE FROM atom.audit_tiles",
        "UPDATE atom.audit_heads SET size = 2, nodes = sha256('x')",
    ],
)
def test_a_head_that_does_not_extend_the_last_signed_one_is_never_signed(
    tampering: str, tenant: UUID, note_down: NoteDown, sequencer: Sequencer, superuser: Connection
) -> None:
    note_down(tenant, 5)
    sequencer.drain_once()
    before = _checkpoints(superuser, tenant)
    superuser.execute(tampering)
    note_down(tenant, 5)
    with suppress(AtomError):
        sequencer.drain_once()
    assert _checkpoints(superuser, tenant) == before


KILLED_BEFORE_SIGNING = """
import os, signal, sys
from pathlib import Path
from atomctl.audit import sequencer
from atomctl.audit.keys import load_key
sequencer.sign_heads = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sequencer.Sequencer(sys.argv[1], load_key(Path(sys.argv[2]))).drain_once()
"""


@pytest.fixture
def killed_before_signing(
    tenant: UUID, note_down: NoteDown, database: DatabaseAddress, key: FileKey, tmp_path: Path
) -> int:
    """A sequencer that was given 20 entries and died before it signed; its exit status."""
    note_down(tenant, 20)
    argv = [sys.executable, "-c", KILLED_BEFORE_SIGNING, database.dsn(DatabaseRole.SEQUENCER)]
    return subprocess.run([*argv, tmp_path / "keys" / "audit.key"], check=False).returncode


def test_a_sequencer_killed_between_commit_and_signature_loses_nothing_and_signs_the_same_head(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, killed_before_signing: int, superuser: Connection
) -> None:
    assert killed_before_signing == -signal.SIGKILL
    assert len(_leaves(superuser, tenant)) >= 20
    (head,) = _rows(superuser, "SELECT size, root FROM atom.audit_heads WHERE tenant_id = %s", tenant)
    assert _checkpoints(superuser, tenant) == []
    _until(lambda: not _refused(sequencer))
    (signed,) = _checkpoints(superuser, tenant)
    assert (signed["size"], signed["root"]) == (head["size"], head["root"])


def test_a_session_that_was_lost_is_opened_again(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, superuser: Connection, running: Running
) -> None:
    with running(sequencer):
        note_down(tenant, 1)
        _until(lambda: bool(_leaves(superuser, tenant)))
        _rows(superuser, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'atom_sequencer'")
        note_down(tenant, 2)
        _until(lambda: not _rows(superuser, "SELECT 1 FROM atom.audit_inbox WHERE tenant_id = %s", tenant))


def test_recorded_bytes_that_contradict_their_row_are_refused_by_the_database(tenant: UUID, sessions: Sessions) -> None:
    insert = "INSERT INTO atom.audit_inbox (tenant_id, entry_id, subject, data) VALUES (%s, gen_random_uuid(), %s, %s)"
    for data in (b"not json", b"{}", b'{"subject":"x/2"}'):
        with pytest.raises(psycopg.Error), sessions.tenant(tenant) as connection:
            connection.execute(insert, (tenant, "x/1", data))
