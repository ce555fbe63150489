"""From the database into a file that a stranger verifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.audit import codes
from atomctl.audit.export import Exported, export_bundle
from atomctl.audit.keys import FileKey
from atomctl.audit.log import list_entries, waiting
from atomctl.audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from atomctl.audit.proofs import last_checkpoint, prove_consistency, prove_entry
from atomctl.audit.sequencer import Sequencer
from atomctl.audit.verdict import Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError

NoteDown = Callable[..., list[UUID]]


@pytest.fixture
def export(sessions: Sessions, tmp_path: Path) -> Callable[..., tuple[Path, Exported]]:
    """Exports a tenant's log, or a run of it, into a file."""

    def write(tenant_id: UUID, run_id: UUID | None = None) -> tuple[Path, Exported]:
        path = tmp_path / f"{new_id()}.atomaudit"
        with sessions.tenant(tenant_id) as connection, path.open("wb") as out:
            return path, export_bundle(connection, tenant_id, run_id=run_id, out=out)

    return write


Export = Callable[..., tuple[Path, Exported]]


def test_an_exported_log_is_verified_offline(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, export: Export, key: FileKey
) -> None:
    note_down(tenant, 1_500)
    sequencer.drain_once()
    path, exported = export(tenant)
    verdict = verify_bundle(path, trusted=[key.vkey])
    assert verdict.outcome is Outcome.VERIFIED
    assert verdict.entries == exported.entries == exported.size >= 1_500
    assert export(tenant)[0].read_bytes() == path.read_bytes()


def test_a_runs_entries_are_exported_with_their_proofs(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, export: Export, key: FileKey
) -> None:
    run = new_id()
    for _ in range(3):
        note_down(tenant, 100)
        note_down(tenant, 2, run)
    sequencer.drain_once()
    path, exported = export(tenant, run)
    verdict = verify_bundle(path, trusted=[key.vkey])
    assert (verdict.outcome, verdict.entries, verdict.run) == (Outcome.VERIFIED, 6, str(run))
    assert exported.entries == 6
    assert path.stat().st_size < 20_000


def test_an_export_waits_for_the_signature(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, export: Export
) -> None:
    run = new_id()
    with pytest.raises(AtomError) as caught:
        export(tenant)
    assert caught.value.code is codes.NOT_YET
    note_down(tenant, 1)
    sequencer.drain_once()
    with pytest.raises(AtomError) as caught:
        export(tenant, run)
    assert caught.value.code is codes.NO_ENTRY
    note_down(tenant, 1, run)
    with pytest.raises(AtomError) as caught:
        export(tenant, run)
    assert caught.value.code is codes.NOT_YET
    assert caught.value.code.retryable
    sequencer.drain_once()
    assert export(tenant, run)[1].entries == 1


def test_another_tenants_log_is_not_there(
    tenant: UUID,
    make_tenant: Callable[[str], UUID],
    note_down: NoteDown,
    sequencer: Sequencer,
    sessions: Sessions,
) -> None:
    (entry_id,) = note_down(tenant, 1)
    sequencer.drain_once()
    stranger = make_tenant("stranger")
    with sessions.tenant(stranger) as connection:
        with pytest.raises(AtomError) as caught:
            prove_entry(connection, tenant, entry_id)
        assert caught.value.code is codes.NO_ENTRY
        assert list_entries(connection, tenant) == []
        with pytest.raises(AtomError) as caught:
            last_checkpoint(connection, tenant)
        assert caught.value.code is codes.NOT_YET


def test_an_entry_proves_its_place_as_soon_as_it_is_signed(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, sessions: Sessions
) -> None:
    note_down(tenant, 300)
    (entry_id,) = note_down(tenant, 1)
    with sessions.tenant(tenant) as connection:
        assert waiting(connection, tenant) >= 301
        with pytest.raises(AtomError) as caught:
            prove_entry(connection, tenant, entry_id)
        assert caught.value.code is codes.NOT_YET
    sequencer.drain_once()
    with sessions.tenant(tenant) as connection:
        assert waiting(connection, tenant) == 0
        proof = prove_entry(connection, tenant, entry_id)
        point = last_checkpoint(connection, tenant)
    assert verify_inclusion(leaf_hash(proof.leaf), proof.index, point["size"], proof.proof, point["root"])
    assert proof.to_json()["leaf_hash"] == leaf_hash(proof.leaf).hex()


def test_a_later_log_proves_that_it_begins_with_the_earlier(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, sessions: Sessions
) -> None:
    points = []
    for count in (10, 600):
        note_down(tenant, count)
        sequencer.drain_once()
        with sessions.tenant(tenant) as connection:
            points.append(last_checkpoint(connection, tenant))
    old, new = points
    with sessions.tenant(tenant) as connection:
        proof = prove_consistency(connection, tenant, old["size"], new["size"])
        with pytest.raises(AtomError) as caught:
            prove_consistency(connection, tenant, new["size"], new["size"] + 5000)
    assert caught.value.code is codes.NO_ENTRY
    assert verify_consistency(old["size"], old["root"], new["size"], new["root"], proof)


def test_the_log_is_read_page_by_page_newest_first(
    tenant: UUID, note_down: NoteDown, sequencer: Sequencer, sessions: Sessions
) -> None:
    run = new_id()
    note_down(tenant, 5)
    ids = note_down(tenant, 3, run)
    sequencer.drain_once()
    with sessions.tenant(tenant) as connection:
        everything = list_entries(connection, tenant, limit=1_000)
        indexes = [item.index for item in everything]
        assert indexes == list(range(len(everything)))[::-1]
        first = list_entries(connection, tenant, limit=3)
        second = list_entries(connection, tenant, limit=3, before=first[-1].index)
        assert [*first, *second] == everything[:6]
        assert [item.entry_id for item in list_entries(connection, tenant, run_id=run)] == ids[::-1]
        assert [item.entry["subject"] for item in list_entries(connection, tenant, subject="thing/4")] == ["thing/4"]
    assert everything[0].to_json()["entry"] == everything[0].entry
