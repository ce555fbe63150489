"""Names of logs, and the chain of epochs from one name to the next."""

from __future__ import annotations

from uuid import UUID

import pytest

from atomctl.audit.chain import Chain, Epoch, EpochWatch, epoch_of
from atomctl.audit.leaf import leaf_bytes
from atomctl.audit.model import DEPLOYMENT, entry_bytes
from atomctl.audit.names import LogName

TENANT = UUID("01a20956-c33d-7bbd-bb02-5490b5be01a4")
TIME = "2026-11-23T12:00:00.000000Z"


def _epoch(number: int, first: int, anchored_size: int | None = None) -> Epoch:
    name = LogName("atomctl/a", TENANT)
    return Epoch(
        origin=str(name.in_epoch(number)),
        previous=str(name.in_epoch(number - 1)),
        first=first,
        root=bytes(32),
        reason="restored",
        anchor=None,
        anchored_size=anchored_size,
    )


def _leaf(epoch: Epoch) -> bytes:
    data = entry_bytes(epoch.to_entry(), entry_id=TENANT, tenant_id=TENANT, commitments={})
    return leaf_bytes(data, epoch.first, TIME)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("atomctl/a", LogName("atomctl/a", DEPLOYMENT)),
        (f"atomctl/a/{TENANT}", LogName("atomctl/a", TENANT)),
        ("atomctl/a/e2", LogName("atomctl/a", DEPLOYMENT, 2)),
        (f"atomctl/a/e31/{TENANT}", LogName("atomctl/a", TENANT, 31)),
        ("example.com/log", LogName("example.com/log", DEPLOYMENT)),
        ("atomctl/a/e1", LogName("atomctl/a/e1", DEPLOYMENT)),
        ("atomctl/a/e02", LogName("atomctl/a/e02", DEPLOYMENT)),
    ],
)
def test_a_name_has_one_spelling(origin: str, expected: LogName) -> None:
    assert LogName.parse(origin) == expected
    assert str(expected) == origin


@pytest.mark.parametrize("origin", ["", "a b", "a\n"])
def test_what_is_no_origin_line_is_no_name(origin: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        LogName.parse(origin)


def test_an_epoch_is_read_back_from_its_leaf() -> None:
    epoch = _epoch(2, 20, 30)
    assert epoch_of(_leaf(epoch)) == epoch
    assert epoch.lost == 10
    assert _epoch(2, 40, 30).lost == 0
    assert _epoch(2, 20).lost is None


@pytest.mark.parametrize(
    "leaf",
    [
        b"audit.epoch",
        leaf_bytes(b'{"action":"audit.epoch"}', 0, TIME),
        leaf_bytes(b'{"action":"audit.epoch","detail":3}', 0, TIME),
        leaf_bytes(
            b'{"action":"audit.epoch","detail":{"anchor":null,"anchored_size":1,"origin":"x","previous":[]}}', 0, TIME
        ),
        leaf_bytes(b'{"action":"test.happened","detail":{"said":"audit.epoch"}}', 0, TIME),
    ],
)
def test_what_only_looks_like_an_epoch_is_none(leaf: bytes) -> None:
    assert epoch_of(leaf) is None


def test_the_watch_changes_nothing_and_keeps_the_epochs() -> None:
    items = [(b"one", None), (_leaf(_epoch(2, 1)), b"hash"), (b"three", None)]
    watch = EpochWatch()
    assert list(watch.items(items)) == items
    assert watch.seen == [_epoch(2, 1)]


def test_a_chain_says_under_which_name_each_size_was_signed() -> None:
    chain = Chain([_epoch(2, 20), _epoch(3, 50)], _epoch(3, 50).origin)
    first, second, third = chain.names
    assert [chain.name_at(size) for size in (1, 20, 21, 50, 51)] == [first, first, second, second, third]
    assert chain.end_of(second) == _epoch(3, 50)
    assert chain.end_of(third) is None


def test_an_epoch_that_does_not_lead_to_the_newest_name_is_no_part_of_the_chain() -> None:
    stray = _epoch(7, 30)
    chain = Chain([_epoch(2, 20), stray], _epoch(2, 20).origin)
    assert chain.epochs == (_epoch(2, 20),)
    assert Chain([stray], "atomctl/a").epochs == ()
