"""Letting go: what retention keeps, what the store keeps, and what those build on."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.locked_memory import LockedMemory
from tests.fakes.statements import TAKEN, make_statement

from atomctl.audit.keys import FileKey
from atomctl.backup.document import sign
from atomctl.backup.keys import FileWrapper
from atomctl.backup.ledger import Ledger
from atomctl.backup.model import Parent
from atomctl.backup.reading import Reader
from atomctl.backup.restoring import Restorer
from atomctl.backup.retention import Keep
from atomctl.backup.service import Backups
from atomctl.backup.shelf import Shelf
from atomctl.backup.site import Site
from atomctl.backup.taking import Taker
from atomctl.canonical import digest
from atomctl.db.address import DatabaseAddress

DAY = datetime.timedelta(days=1)


class Noted(Ledger):
    """A ledger on paper."""

    def __init__(self) -> None:
        self.removed: list[UUID] = []

    def note_removed(self, set_id: UUID) -> None:
        self.removed.append(set_id)


@pytest.fixture
def backups(store: LockedMemory, signer: FileKey, tmp_path: Path) -> Backups:
    """One set a day is kept, two days back."""
    shelf, site = Shelf(store, [signer.vkey]), Site(tmp_path)
    wrapper = FileWrapper(tmp_path / "backup.key")
    address = DatabaseAddress("/nowhere", 5432, "atom", tmp_path)
    return Backups(
        taker=Taker(address, shelf, wrapper, lambda: signer, site),
        restorer=Restorer(Reader(shelf, wrapper), site),
        ledger=Noted(),
        keep=Keep(0, 2, 0, 0, 0),
        last_anchor=lambda: None,
    )


def place(backups: Backups, day: int, parent: UUID | None = None) -> UUID:
    """A set of that day on the shelf."""
    named = Parent(parent, digest(b"signed")) if parent else None
    statement = dataclasses.replace(make_statement(parent=named), taken_at=TAKEN + day * DAY)
    for stream in statement.streams.values():
        for part in stream.parts:
            backups.shelf.store.put(part.key, b"sealed")
    backups.shelf.add(statement, sign(statement, backups.taker.signer()), None)
    return statement.id


def prune(backups: Backups) -> list[UUID]:
    gone = backups.prune(TAKEN + 100 * DAY)
    assert isinstance(backups.ledger, Noted)
    assert backups.ledger.removed == gone
    return gone


def test_what_no_rule_keeps_is_let_go_and_noted(backups: Backups, store: LockedMemory) -> None:
    sets = [place(backups, day) for day in range(4)]
    assert set(prune(backups)) == set(sets[:2])
    assert set(backups.shelf.ids()) == set(sets[2:])
    assert {key.split("/")[2] for key in store.keys("backups/sets/")} == {str(item) for item in sets[2:]}
    assert backups.prune(TAKEN + 100 * DAY) == []


def test_a_set_the_store_still_locks_stays_with_all_it_builds_on(backups: Backups, store: LockedMemory) -> None:
    full = place(backups, 0)
    middle = place(backups, 1, full)
    last = place(backups, 2, middle)
    newer = [place(backups, day) for day in (8, 9)]
    store.retained[f"backups/statements/{last}"] = store.now + DAY
    assert prune(backups) == []
    store.now += 2 * DAY
    assert prune(backups) == [last, middle, full]
    assert set(backups.shelf.ids()) == set(newer)


def test_a_set_under_legal_hold_stays_with_all_it_builds_on(backups: Backups, store: LockedMemory) -> None:
    full = place(backups, 0)
    held = place(backups, 1, full)
    dropped = place(backups, 2, held)
    for day in (8, 9):
        place(backups, day)
    store.hold(f"backups/statements/{held}")
    assert prune(backups) == [dropped]
    assert {full, held} <= set(backups.shelf.ids())


def test_a_set_nobody_vouches_for_is_never_let_go(backups: Backups, store: LockedMemory) -> None:
    unknown = place(backups, 0)
    store.objects[f"backups/statements/{unknown}"] = b"{}"
    for day in (8, 9):
        place(backups, day)
    assert prune(backups) == []
    assert unknown in backups.shelf.ids()
