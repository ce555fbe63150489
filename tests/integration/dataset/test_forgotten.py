"""Runs that somebody had forgotten: in no export from now on, and taken out of those that had them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.embedders import DigestEmbedder
from tests.fakes.past_runs import Archive, Past
from tests.fakes.people import log_in
from tests.fakes.yard import Yard

from atomctl.access.model import Actor, Role
from atomctl.audit.log import list_entries
from atomctl.dataset.forget import Forgotten, forget_run
from atomctl.dataset.service import Delivery, Means
from atomctl.dataset.verify import verify_dataset
from atomctl.db.ids import new_id
from atomctl.errors import AtomError

Export = Callable[..., Delivery]
Add = Callable[..., list[UUID]]
Forget = Callable[[UUID, str], Forgotten]
NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)


@pytest.fixture
def sid(yard: Yard) -> Actor:
    return log_in(yard.sessions, yard.tenant_id, "sid", Role.SECURITY)


@pytest.fixture
def forget(means: Means, sid: Actor) -> Forget:
    return partial(forget_run, means, sid)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run_ids(folder: Path) -> list[str]:
    return [json.loads(line)["run_id"] for path in folder.rglob("*.jsonl") for line in path.read_text().splitlines()]


def test_a_finished_export_is_made_anew_without_the_run_at_once(
    add: Add, forget: Forget, export: Export, tmp_path: Path
) -> None:
    first, second, _ = add(
        Past(ended_at=NOON, log=[b"wilhelmine called\n"]),
        Past(ended_at=NOON + timedelta(minutes=1)),
        Past(ended_at=NOON + timedelta(days=1)),
    )
    export(tmp_path / "out")
    before = tree(tmp_path / "out")
    told = forget(first, "a person asked for it")
    assert (told.already, told.handed_out, str(told.day)) == (False, 1, "2026-07-03")

    again = export(tmp_path / "out").exported  # the sequencer has not run since
    assert (again.kept, again.manifest.rows, again.manifest.dropped) == (1, 2, {"forgotten": 1})
    assert again.manifest.partitions[0].to_json()["tombstones"] == [str(first)]
    after = tree(tmp_path / "out")
    assert {name.split("/")[1] for name in before if after[name] == before[name]} == {"day=2026-07-04"}
    assert str(first) not in run_ids(tmp_path / "out")
    assert str(second) in run_ids(tmp_path / "out")
    assert not any(b"wilhelmine" in data for data in after.values())
    assert verify_dataset(tmp_path / "out").findings == ()
    assert export(tmp_path / "out").exported.kept == 2


def test_an_old_watermark_does_not_bring_it_back(add: Add, forget: Forget, export: Export, tmp_path: Path) -> None:
    (run_id,) = add(Past(ended_at=NOON))
    watermark = export(tmp_path / "before").exported.manifest.watermark
    forget(run_id, "a person asked for it")
    delivery = export(tmp_path / "after", watermark=watermark)
    assert delivery.exported.manifest.rows == 0
    assert delivery.changed == (), "a tombstone is no surprise"


def test_what_is_forgotten_while_an_export_is_interrupted_is_not_in_its_end(
    add: Add, forget: Forget, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = add(Past(ended_at=NOON), Past(ended_at=NOON + timedelta(days=1)))
    with monkeypatch.context() as patch:
        patch.setattr("atomctl.dataset.export.card", raising)
        with pytest.raises(KeyboardInterrupt):
            export(tmp_path / "out")
    assert str(run_id) in run_ids(tmp_path / "out")
    forget(run_id, "a person asked for it")
    assert export(tmp_path / "out").exported.kept == 1
    assert str(run_id) not in run_ids(tmp_path / "out")


def raising(*_: Any) -> bytes:
    raise KeyboardInterrupt


def test_its_vector_leaves_the_cache_and_the_reason_is_on_record(
    add: Add, forget: Forget, export: Export, yard: Yard, tmp_path: Path
) -> None:
    first, _ = add(Past(ended_at=NOON, log=[b"one\n"]), Past(ended_at=NOON, log=[b"other\n"]))
    export(tmp_path / "out", embedder=DigestEmbedder())
    assert vectors(yard) == 2
    assert forget(first, "a person asked for it").vectors == 1
    assert vectors(yard) == 1
    again = forget(first, "and asked again")
    assert (again.already, again.vectors) == (True, 0)
    add()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        _, entry = (found.entry for found in list_entries(conn, yard.tenant_id, limit=2))
    assert (entry["action"], entry["why"]) == ("dataset.forget", "a person asked for it")
    assert entry["detail"]["run"] == str(first)  # type: ignore[index,call-overload]  # a JSON document


def vectors(yard: Yard) -> int:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return len(conn.execute("SELECT FROM atom.embeddings").fetchall())


def test_who_may_export_may_not_forget_and_a_run_of_nobody_is_none(
    archive: Archive, means: Means, auditor: Actor, sid: Actor, make_tenant: Callable[[str], Any]
) -> None:
    (run_id,) = archive.add(Past(ended_at=NOON))
    stranger = log_in(means.sessions, make_tenant("other"), "sue", Role.SECURITY)
    for actor, wanted, code in ((auditor, run_id, "AUT020"), (sid, new_id(), "RUN601"), (stranger, run_id, "RUN601")):
        with pytest.raises(AtomError) as caught:
            forget_run(means, actor, wanted, "because")
        assert caught.value.code.id == code
