"""What is on the shelf, what is complete, what builds on what, and what is let go."""

from __future__ import annotations

import datetime
from uuid import UUID

import pytest
from tests.fakes.locked_memory import LockedMemory
from tests.fakes.statements import MakeStatement

from atomctl.audit.keys import FileKey
from atomctl.backup import codes
from atomctl.backup.document import sign
from atomctl.backup.model import Parent, Statement
from atomctl.backup.shelf import Shelf, Shelved, Unreadable, made_at
from atomctl.canonical import digest
from atomctl.db.ids import new_id
from atomctl.errors import AtomError, Code
from atomctl.objects import codes as object_codes


@pytest.fixture
def shelf(store: LockedMemory, signer: FileKey) -> Shelf:
    return Shelf(store, [signer.vkey])


def place(shelf: Shelf, statement: Statement, signer: FileKey) -> Shelved:
    for stream in statement.streams.values():
        for part in stream.parts:
            shelf.store.put(part.key, b"sealed")
    signed = sign(statement, signer)
    shelf.add(statement, signed, None)
    return Shelved(statement, digest(signed))


def refusal(shelf: Shelf, name: str | None) -> Code:
    with pytest.raises(AtomError) as caught:
        shelf.find(name)
    return caught.value.code


def test_a_set_is_listed_when_its_statement_is_there(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement
) -> None:
    first, second = make_statement(), make_statement()
    store.put(f"backups/sets/{new_id()}/base/000000", b"of a set that was never finished")
    assert shelf.look() == []
    placed = [place(shelf, item, signer) for item in (first, second)]
    assert shelf.look() == placed[::-1]
    assert shelf.find(None) == placed[1]


def test_a_set_is_found_by_either_end_of_its_id(shelf: Shelf, signer: FileKey, make_statement: MakeStatement) -> None:
    first, second = (place(shelf, make_statement(), signer) for _ in range(2))
    for item in (first, second):
        name = str(item.statement.id)
        assert shelf.find(name) == shelf.find(name[-8:].upper()) == shelf.find(name[:18]) == item
    assert refusal(shelf, "01") is codes.NO_SET
    assert refusal(shelf, "nothing") is codes.NO_SET


def test_an_empty_shelf_says_so(shelf: Shelf) -> None:
    assert refusal(shelf, None) is codes.NO_SET


def test_a_set_nobody_vouches_for_is_shown_and_not_used(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement
) -> None:
    good = place(shelf, make_statement(), signer)
    bad = new_id()
    store.objects[f"backups/statements/{bad}"] = b"{}"
    found = shelf.look()
    assert isinstance(found[0], Unreadable)
    assert found[0].id == bad
    assert found[0].problem.code is codes.STATEMENT_UNTRUSTED
    assert shelf.shelved() == [good]


def test_a_statement_under_another_sets_name_is_refused(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement
) -> None:
    statement, other = make_statement(), new_id()
    store.objects[f"backups/statements/{other}"] = sign(statement, signer)
    assert refusal(shelf, str(other)) is codes.STATEMENT_UNTRUSTED


def test_a_chain_leads_to_the_full_set(shelf: Shelf, signer: FileKey, make_statement: MakeStatement) -> None:
    full = place(shelf, make_statement(), signer)
    middle = place(shelf, make_statement(parent=Parent(full.statement.id, full.digest)), signer)
    last = place(shelf, make_statement(parent=Parent(middle.statement.id, middle.digest)), signer)
    assert shelf.chain(last) == [full, middle, last]
    assert shelf.chain(full) == [full]


@pytest.mark.parametrize("loss", ["removed", "exchanged", "unsigned"])
def test_a_chain_with_a_set_missing_or_exchanged_is_broken(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement, loss: str
) -> None:
    full = place(shelf, make_statement(), signer)
    last = place(shelf, make_statement(parent=Parent(full.statement.id, full.digest)), signer)
    key = f"backups/statements/{full.statement.id}"
    match loss:
        case "removed":
            del store.objects[key]
        case "exchanged":
            store.objects[key] = sign(make_statement(full.statement.id, timeline=2), signer)
        case _:
            store.objects[key] = b"{}"
    with pytest.raises(AtomError) as caught:
        shelf.chain(last)
    assert caught.value.code is codes.CHAIN_BROKEN
    assert str(full.statement.id) in caught.value.why


def test_a_store_that_is_away_is_not_a_broken_chain(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = place(shelf, make_statement(), signer)
    last = place(shelf, make_statement(parent=Parent(full.statement.id, full.digest)), signer)

    def away(key: str) -> bytes:
        raise AtomError(object_codes.DENIED, "away")

    monkeypatch.setattr(store, "get", away)
    with pytest.raises(AtomError) as caught:
        shelf.chain(last)
    assert caught.value.code is object_codes.DENIED


def test_removing_a_set_unlists_it_first(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = place(shelf, make_statement(), signer)
    order: list[str] = []
    remove = store.remove

    def noted(key: str) -> None:
        order.append(key)
        remove(key)

    monkeypatch.setattr(store, "remove", noted)
    shelf.remove(item.statement.id)
    assert order[0] == f"backups/statements/{item.statement.id}"
    assert store.objects == {}
    shelf.remove(item.statement.id)


def test_a_retained_set_stays_whole(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement
) -> None:
    item = place(shelf, make_statement(), signer)
    store.retained[f"backups/statements/{item.statement.id}"] = store.now + datetime.timedelta(days=1)
    before = dict(store.objects)
    with pytest.raises(AtomError) as caught:
        shelf.remove(item.statement.id)
    assert caught.value.code is object_codes.RETAINED
    assert store.objects == before


def test_what_was_begun_long_ago_and_never_finished_is_found(
    shelf: Shelf, store: LockedMemory, signer: FileKey, make_statement: MakeStatement
) -> None:
    place(shelf, make_statement(), signer)
    old = UUID("01900000-0000-7000-8000-000000000001")
    for number in range(2):
        store.put(f"backups/sets/{old}/base/{number:06d}", b"part")
    store.put(f"backups/sets/{new_id()}/base/000000", b"being taken now")
    store.put("backups/sets/elsewhere/file", b"not ours")
    assert list(shelf.unfinished(made_at(old) + datetime.timedelta(days=1))) == [old]
    assert list(shelf.unfinished(made_at(old))) == []


def test_an_id_knows_its_time() -> None:
    now = datetime.datetime.now(datetime.UTC)
    assert abs(made_at(new_id()) - now) < datetime.timedelta(seconds=1)
