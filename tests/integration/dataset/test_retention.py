"""Exports that are too old are removed, whole; what somebody else put there is not."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.past_runs import ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard

from atomctl.access.model import Actor, Role
from atomctl.audit.keys import create_key
from atomctl.audit.log import list_entries
from atomctl.dataset.retention import prune
from atomctl.dataset.service import Delivery, Means
from atomctl.errors import AtomError

OLDEST = date(2026, 7, 3)


@pytest.fixture
def days(add: Callable[..., list[UUID]], export: Callable[..., Delivery], tmp_path: Path) -> Path:
    """Four days, each in its own folder below one."""
    add(*ordinary(15, every=timedelta(hours=6)))
    for number in range(1, 5):
        first = date(2026, 7, number)
        export(tmp_path / "root" / first.isoformat(), since=first, until=first + timedelta(days=1))
    return tmp_path / "root"


@pytest.fixture
def states(means: Means, auditor: Actor) -> Callable[..., dict[str, str]]:
    def look(root: Path, *, dry_run: bool = False, oldest: date = OLDEST) -> dict[str, str]:
        return {each.path.name: each.state.value for each in prune(means, auditor, root, oldest, dry_run=dry_run)}

    return look


def test_what_ends_before_the_oldest_day_is_removed_and_on_record(
    days: Path, states: Callable[..., dict[str, str]], yard: Yard, add: Callable[..., list[UUID]]
) -> None:
    expected = {"2026-07-01": "outdated", "2026-07-02": "outdated", "2026-07-03": "kept", "2026-07-04": "kept"}
    assert states(days, dry_run=True) == expected
    assert states(days, dry_run=True) == expected, "a look changes nothing"
    assert states(days) == {name: state.replace("outdated", "removed") for name, state in expected.items()}
    assert sorted(path.name for path in days.iterdir() if path.is_dir()) == ["2026-07-03", "2026-07-04"]
    assert set(states(days).values()) == {"kept"}
    add()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        entry = list_entries(conn, yard.tenant_id, limit=1)[0].entry
    assert entry["action"] == "dataset.prune"
    assert entry["detail"]["removed"] == 2  # type: ignore[index,call-overload]  # a JSON document


def test_what_nobody_signed_for_stays(days: Path, states: Callable[..., dict[str, str]]) -> None:
    (days / "2026-07-01" / "thesis.txt").write_text("all of it")
    assert states(days)["2026-07-01"] == "removed"
    assert [path.name for path in (days / "2026-07-01").rglob("*")] == ["thesis.txt"]


def test_a_removal_that_broke_off_is_ended_by_the_next_one(days: Path, states: Callable[..., dict[str, str]]) -> None:
    rows = next((days / "2026-07-01").rglob("runs.jsonl"))
    rows.unlink()
    rows.mkdir()  # what cannot be removed as a file
    with pytest.raises(AtomError) as caught:
        states(days)
    assert caught.value.code.id == "DAT805"
    rows.rmdir()
    assert states(days)["2026-07-01"] == "removed"
    assert not (days / "2026-07-01").exists()


def test_exports_of_others_and_changed_ones_are_left_alone(
    days: Path, states: Callable[..., dict[str, str]], means: Means, yard: Yard, tmp_path: Path
) -> None:
    manifest = days / "2026-07-01" / "manifest.dsse.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"a", b"b", 1))
    assert states(days)["2026-07-01"] == "foreign"
    other = Means(means.sessions, means.objects, create_key(tmp_path / "other.key"), means.pseudonym_key)
    auditor = log_in(yard.sessions, yard.tenant_id, "una", Role.AUDITOR)
    assert {each.state.value for each in prune(other, auditor, days, date(2030, 1, 1), dry_run=False)} == {"foreign"}
    assert list((days / "2026-07-01").rglob("runs.jsonl"))


def test_an_export_that_is_being_written_is_not_removed(days: Path, states: Callable[..., dict[str, str]]) -> None:
    descriptor = os.open(days / "2026-07-01", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(AtomError) as caught:
            states(days)
    finally:
        os.close(descriptor)
    assert caught.value.code.id == "DAT803"
    assert states(days)["2026-07-01"] == "removed"


def test_another_tenants_export_is_foreign(
    days: Path, means: Means, make_tenant: Callable[[str], UUID], yard: Yard
) -> None:
    stranger = log_in(yard.sessions, make_tenant("other"), "sue", Role.AUDITOR)
    assert {each.state.value for each in prune(means, stranger, days, date(2030, 1, 1), dry_run=False)} == {"foreign"}
