"""What a scheduler is told, and what an export becomes that is brought up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.past_runs import Archive, Past, ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard

from atomctl.access.model import Actor, Role
from atomctl.dataset.model import Order
from atomctl.dataset.partitions import list_partitions
from atomctl.dataset.service import Delivery, Means
from atomctl.dataset.verify import verify_dataset
from atomctl.errors import AtomError

Export = Callable[..., Delivery]
JULY = date(2026, 7, 1)
NOON = datetime(2026, 7, 2, 12, tzinfo=UTC)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def states(means: Means, auditor: Actor) -> Callable[..., dict[str, str]]:
    def look(since: date = JULY, until: date | None = None) -> dict[str, str]:
        order = Order(tenant_id=auditor.tenant_id, since=since, until=until)
        found = [each.to_json() for each in list_partitions(means, auditor, order)]
        return {str(each["day"]): str(each["state"]) for each in found}

    return look


@pytest.fixture
def export_day(export: Export, tmp_path: Path) -> Callable[..., Any]:
    """Exports one day into its own folder, as a scheduler calls it."""

    def run(day: str, *, refresh: bool = True) -> Any:
        first = date.fromisoformat(day)
        return export(tmp_path / day, since=first, until=first + timedelta(days=1), refresh=refresh).exported

    return run


def test_a_day_is_new_then_current_then_due_when_a_run_is_added(
    archive: Archive,
    sequence: Callable[[], None],
    states: Callable[..., dict[str, str]],
    export_day: Callable[..., Any],
) -> None:
    assert states() == {}
    archive.add(*ordinary(15, every=timedelta(hours=6)))
    sequence()
    assert states() == dict.fromkeys(["2026-07-01", "2026-07-02", "2026-07-03", "2026-07-04"], "new")
    assert states(JULY, date(2026, 7, 2)) == {"2026-07-01": "new"}
    for day in states():
        assert export_day(day).kept == 0
    assert set(states().values()) == {"current"}
    assert export_day("2026-07-02").kept == 1

    archive.add(Past(ended_at=NOON))
    assert set(states().values()) == {"current"}, "the log has not taken it"
    sequence()
    assert states() == {**dict.fromkeys(states(), "current"), "2026-07-02": "due"}
    renewed = export_day("2026-07-02")
    assert (renewed.kept, renewed.manifest.rows) == (0, 5)
    assert set(states().values()) == {"current"}


def test_below_a_folder_a_day_is_judged_by_what_is_there_and_by_nothing_else(
    add: Callable[..., list[UUID]], means: Means, auditor: Actor, export: Export, tmp_path: Path
) -> None:
    add(*ordinary(8, every=timedelta(hours=6)))
    export(tmp_path / "elsewhere")
    root = tmp_path / "root"

    def states() -> list[str]:
        order = Order(tenant_id=auditor.tenant_id, since=JULY)
        return [each.state.value for each in list_partitions(means, auditor, order, root)]

    assert states() == ["new"] * 3
    export(root / "2026-07-01", since=JULY, until=date(2026, 7, 2))
    export(root / "2026-07-02", since=JULY, until=date(2026, 7, 2))
    assert states() == ["current", "new", "new"], "another day's export in a day's folder is none of it"
    add(Past(ended_at=datetime(2026, 7, 1, 23, tzinfo=UTC)))
    export(tmp_path / "elsewhere", refresh=True)
    assert states() == ["due", "new", "new"]
    export(root / "2026-07-01", since=JULY, until=date(2026, 7, 2), refresh=True)
    (root / "2026-07-03").mkdir()
    (root / "2026-07-03" / "manifest.dsse.json").write_bytes(b"{}")
    assert states() == ["current", "new", "new"]


def test_without_refresh_a_finished_export_stays_as_it_is(
    archive: Archive, sequence: Callable[[], None], export_day: Callable[..., Any], tmp_path: Path
) -> None:
    archive.add(Past(ended_at=NOON))
    sequence()
    export_day("2026-07-02")
    before = tree(tmp_path / "2026-07-02")
    archive.add(Past(ended_at=NOON, log=[b"another\n"]))
    sequence()
    assert export_day("2026-07-02", refresh=False).manifest.rows == 1
    assert tree(tmp_path / "2026-07-02") == before
    assert export_day("2026-07-02").manifest.rows == 2


def test_refreshing_makes_only_the_days_that_are_others_and_equals_an_export_of_today(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(*ordinary(9, every=timedelta(hours=6)))
    sequence()
    export(tmp_path / "out")
    before = tree(tmp_path / "out")
    archive.add(Past(ended_at=NOON), Past(ended_at=NOON + timedelta(days=3)))
    sequence()
    renewed = export(tmp_path / "out", refresh=True).exported
    assert (renewed.kept, len(renewed.manifest.partitions)) == (2, 4)
    assert [each.watermark == renewed.manifest.watermark for each in renewed.manifest.partitions] == [0, 1, 0, 1]
    assert verify_dataset(tmp_path / "out").findings == ()
    after = tree(tmp_path / "out")
    same = {name for name in before if before[name] == after[name]}
    assert {name.split("/")[1] for name in same} == {"day=2026-07-01", "day=2026-07-03"}

    export(tmp_path / "fresh")
    fresh = tree(tmp_path / "fresh")
    rows = {name for name in fresh if "/" in name}
    assert {name: after[name] for name in rows} == {name: fresh[name] for name in rows}


def test_a_day_whose_only_run_went_on_disappears_from_a_refreshed_export(
    archive: Archive, yard: Yard, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    _, failed = archive.add(Past(ended_at=NOON), Past(ended_at=NOON + timedelta(days=1), state="FAILED"))
    sequence()
    export(tmp_path / "out")
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute("UPDATE atom.workflow_runs SET state = 'RUNNING', ended_at = NULL WHERE id = %s", (failed,))
    assert len(export(tmp_path / "out").exported.manifest.partitions) == 2
    assert len(export(tmp_path / "out", refresh=True).exported.manifest.partitions) == 1
    assert not list((tmp_path / "out").rglob("day=2026-07-03/**/*.jsonl"))
    assert verify_dataset(tmp_path / "out").findings == ()


def test_who_may_not_export_is_not_told_which_days_there_are(means: Means, yard: Yard) -> None:
    viewer = log_in(yard.sessions, yard.tenant_id, "eve", Role.VIEWER, Role.OPERATOR)
    with pytest.raises(AtomError) as caught:
        list_partitions(means, viewer, Order(tenant_id=yard.tenant_id, since=JULY))
    assert caught.value.code.id == "AUT020"
