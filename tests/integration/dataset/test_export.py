"""Exports of a real database, read again by code that shares nothing with what wrote them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from tests.fakes.past_runs import Archive, Past, ordinary
from tests.fakes.yard import Yard, manifest

from atomctl.audit.keys import FileKey, create_key
from atomctl.dataset.service import Delivery
from atomctl.dataset.verify import verify_dataset
from atomctl.errors import AtomError
from atomctl.objects.folder import FolderStore

Export = Callable[..., Delivery]
NOON = datetime(2026, 7, 3, 12, tzinfo=UTC)
_SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def payload(folder: Path) -> dict[str, Any]:
    envelope = json.loads((folder / "manifest.dsse.json").read_bytes())
    document: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return document


def rows(folder: Path) -> list[dict[str, Any]]:
    lines = b"".join(path.read_bytes() for path in sorted(folder.rglob("runs.jsonl"))).splitlines()
    return [json.loads(line) for line in lines]


def test_what_is_read_again_is_what_was_run(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    ids = archive.add(*ordinary(80))
    sequence()
    delivery = export(tmp_path / "out")

    told = payload(tmp_path / "out")
    assert told["rows"] == delivery.exported.manifest.rows == 80
    assert told["dropped"] == {}
    for partition in told["partitions"]:
        lines, digests = [], []
        for file in partition["files"]:
            data = (tmp_path / "out" / file["path"]).read_bytes()
            assert len(data) == file["size"]
            assert "sha256:" + hashlib.sha256(data).hexdigest() == file["digest"]
            if file["path"].endswith(".jsonl"):
                lines = data.splitlines()
                digests = [hashlib.sha256(line).hexdigest() + "\n" for line in lines]
        assert "sha256:" + hashlib.sha256("".join(digests).encode()).hexdigest() == partition["content"]
        table = pyarrow.parquet.read_table(tmp_path / "out" / partition["files"][1]["path"], partitioning=None)
        plain = [json.loads(line) for line in lines]
        assert table.num_rows == partition["rows"] == len(plain)
        assert table.column("run_id").to_pylist() == [row["run_id"] for row in plain]
        assert [row["head"] for row in table.column("logs").to_pylist()] == [row["logs"]["head"] for row in plain]
        assert [json.loads(text) for text in table.column("parameters").to_pylist()] == [
            row["parameters"] for row in plain
        ]
    found = rows(tmp_path / "out")
    assert [row["run_id"] for row in found] == [str(run_id) for run_id in ids]
    assert found[0]["execution_time"].startswith("2026-07-01T05:59:5")
    assert found[0]["parameters"].keys() == {"service", "replicas"}
    assert found[0]["parameters_withheld"] == 1
    assert found[9]["labels"] == {"success": False, "error_type": "step_failed", "performance_class": None}
    assert {row["labels"]["performance_class"] for row in found[30:]} == {"fast", "normal", "slow", None}
    assert found[0]["decision"]["outcome"] in {"allow", "require_approval"}
    assert found[0]["risk"]["score"] is not None


def test_a_repeat_gives_the_same_bytes_and_a_later_run_changes_only_its_day(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(*ordinary(15, every=timedelta(hours=6)))
    sequence()
    export(tmp_path / "one")
    sequence()  # the export itself was recorded
    first = tree(tmp_path / "one")
    assert export(tmp_path / "one").exported.kept == 4
    export(tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two") == first

    archive.add(Past(ended_at=datetime(2026, 7, 2, 23, 59, tzinfo=UTC)))
    sequence()
    watermark = payload(tmp_path / "one")["watermark"]
    assert export(tmp_path / "three", watermark=watermark).changed == ()
    assert tree(tmp_path / "three") == first
    export(tmp_path / "four")
    later = tree(tmp_path / "four")
    changed = {name for name in first if first[name] != later[name]}
    assert {name.split("/")[1] for name in changed if "/" in name} == {"day=2026-07-02"}


def test_a_run_whose_end_is_not_in_the_log_waits_for_the_next_export(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(Past(ended_at=NOON))
    sequence()
    archive.add(Past(ended_at=NOON + timedelta(minutes=1)))
    assert export(tmp_path / "early").exported.manifest.rows == 1
    sequence()
    assert export(tmp_path / "late").exported.manifest.rows == 2


def test_a_run_that_changed_after_an_export_is_told(
    archive: Archive, yard: Yard, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    _, failed = archive.add(Past(ended_at=NOON), Past(ended_at=NOON, state="FAILED"))
    archive.add(Past(ended_at=NOON + timedelta(hours=1)))
    sequence()
    before = export(tmp_path / "before").exported.manifest
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute("UPDATE atom.workflow_runs SET state = 'RUNNING', ended_at = NULL WHERE id = %s", (failed,))
    sequence()
    after = export(tmp_path / "after", watermark=before.watermark)
    assert after.changed == ("2026-07-03",)
    assert (before.rows, after.exported.manifest.rows) == (3, 2)


def test_only_the_days_asked_for_and_no_dry_run(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    midnight = datetime(2026, 7, 3, tzinfo=UTC)
    archive.add(
        Past(ended_at=midnight - timedelta(microseconds=1)),
        Past(ended_at=midnight),
        Past(ended_at=NOON, dry_run=True),
        Past(ended_at=midnight + timedelta(days=1)),
    )
    sequence()
    made = export(tmp_path / "out", since=date(2026, 7, 3), until=date(2026, 7, 4)).exported.manifest
    assert [str(partition.day) for partition in made.partitions] == ["2026-07-03"]
    assert (made.rows, made.dropped) == (1, {"dry_run": 1})
    nothing = export(tmp_path / "empty", since=date(2027, 1, 1)).exported.manifest
    assert (nothing.rows, nothing.watermark) == (0, None)
    assert verify_dataset(tmp_path / "empty").findings == ()


def test_a_run_with_a_damaged_log_is_counted_and_left_out(
    archive: Archive, yard: Yard, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    archive.add(Past(ended_at=NOON, log=[b"gone\n"]), Past(ended_at=NOON, log=[b"there\n"]))
    sequence()
    assert isinstance(yard.objects, FolderStore)
    chunks = sorted(yard.objects.keys("logs/"))
    yard.objects.remove(chunks[0])
    made = export(tmp_path / "out").exported.manifest
    assert (made.rows, made.dropped) == (1, {"log_damaged": 1})
    assert rows(tmp_path / "out")[0]["logs"]["head"] == "there\n"


def test_a_long_log_is_its_first_and_last_whole_lines(
    archive: Archive, sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    lines = [f"{number:07d}\n".encode() for number in range(40_000)]
    whole = b"".join(lines)
    archive.add(Past(ended_at=NOON, log=[whole[at : at + 65_536] for at in range(0, len(whole), 65_536)]))
    sequence()
    export(tmp_path / "out")
    log = rows(tmp_path / "out")[0]["logs"]
    assert (log["bytes"], log["truncated"]) == (320_000, True)
    assert log["head"].splitlines() == [line.decode().strip() for line in lines[:512]]
    assert log["tail"].splitlines() == [line.decode().strip() for line in lines[-511:]]


def test_another_tenants_runs_are_in_no_byte(
    archive: Archive, make_tenant: Callable[[str], Any], sequence: Callable[[], None], export: Export, tmp_path: Path
) -> None:
    other = Yard(archive.yard.sessions, make_tenant("other"), archive.yard.objects)
    theirs = Archive(other, other.publish(manifest(_SPEC, name="theirs")))
    foreign = theirs.add(*(Past(ended_at=NOON, log=[b"a word of theirs: zebrafinch\n"]) for _ in range(3)))
    own = archive.add(Past(ended_at=NOON))
    sequence()
    export(tmp_path / "out")
    assert [row["run_id"] for row in rows(tmp_path / "out")] == [str(own[0])]
    written = b"".join(tree(tmp_path / "out").values())
    for word in ["zebrafinch", "theirs", str(other.tenant_id), *map(str, foreign)]:
        assert word.encode() not in written


def test_an_export_is_verified_by_the_instances_key_and_by_no_other(
    archive: Archive, sequence: Callable[[], None], export: Export, audit_key: FileKey, tmp_path: Path
) -> None:
    archive.add(*ordinary(20))
    sequence()
    export(tmp_path / "out")
    verdict = verify_dataset(tmp_path / "out", trusted=[audit_key.vkey])
    assert (verdict.outcome, verdict.rows_read, int(verdict.exit_code)) == ("verified", 40, 0)
    unknown = verify_dataset(tmp_path / "out")
    assert (unknown.outcome, int(unknown.exit_code)) == ("self-consistent", 11)
    with pytest.raises(AtomError) as caught:
        verify_dataset(tmp_path / "out", trusted=[create_key(tmp_path / "elsewhere" / "audit.key").vkey])
    assert caught.value.code.id == "DAT811"
