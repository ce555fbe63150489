"""An export that is killed in the middle goes on where it stopped and ends with the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.past_runs import Archive, Past, ordinary

from atomctl.access.model import Actor
from atomctl.dataset.service import Delivery
from atomctl.dataset.verify import verify_dataset
from atomctl.db.address import DatabaseAddress

SCRIPT = """
import json, os, signal, sys
from datetime import date
from pathlib import Path
from uuid import UUID
from atomctl.access.model import Actor, Role
from atomctl.audit.keys import load_key
from atomctl.dataset.model import Format, Order
from atomctl.dataset.service import Means, export_dataset
from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore

given = json.loads(sys.argv[1])
synced, left = os.fsync, given["syncs"]

def dying(descriptor):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    synced(descriptor)

os.fsync = dying
address = DatabaseAddress(given["host"], given["port"], given["dbname"], Path(given["credentials"]))
actor = Actor(UUID(given["tenant"]), UUID(given["principal"]), "test:issuer", "ute", frozenset({Role.AUDITOR}))
with Sessions(address, min_size=0) as sessions:
    means = Means(sessions, FolderStore(Path(given["objects"])), load_key(Path(given["key"])), bytes(range(32)))
    order = Order(tenant_id=actor.tenant_id, since=date(2026, 7, 1), formats=(Format.JSONL, Format.PARQUET))
    export_dataset(means, actor, order, Path(given["out"]), refresh=given["refresh"])
print(given["syncs"] - left)
"""
Die = Callable[..., int]
"""Exports into a folder in a process of its own that kills itself instead of flushing for the n-th time; returns how
often it flushed if it lived."""


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def export_and_die(
    archive: Archive, sequence: Callable[[], None], database: DatabaseAddress, auditor: Actor, tmp_path: Path
) -> Die:
    """The runs of four days, and what exports them until it is killed."""
    archive.add(*FOUR_DAYS)
    sequence()
    given = {
        "host": database.host,
        "port": database.port,
        "dbname": database.dbname,
        "credentials": str(database.credentials),
        "tenant": str(auditor.tenant_id),
        "principal": str(auditor.principal_id),
        "objects": str(tmp_path / "objects"),
        "key": str(tmp_path / "keys" / "audit.key"),
    }

    def run(out: Path, syncs: int = NEVER, *, refresh: bool = False) -> int:
        told = json.dumps({**given, "out": str(out), "syncs": syncs, "refresh": refresh})
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, told], timeout=60, check=False, capture_output=True, text=True
        )
        assert done.returncode == (0 if syncs == NEVER else -9), done.stderr
        return int(done.stdout or 0)

    return run


NEVER = 10**6
FOUR_DAYS = ordinary(15, every=timedelta(hours=6))
ONE_DAY_DONE, THREE_DAYS_DONE = 16, 34


def spread(flushes: int, places: int) -> list[int]:
    """From the first flush to the last, evenly."""
    return sorted({1 + (flushes - 1) * place // (places - 1) for place in range(places)})


def finished_days(out: Path) -> set[str]:
    return {path.stem for path in (out / ".atom-export").glob("2026-*.json")}


@pytest.mark.slow
def test_killed_anywhere_it_ends_with_the_same_bytes(
    export_and_die: Die, export: Callable[..., Delivery], tmp_path: Path
) -> None:
    flushes = export_and_die(tmp_path / "whole")
    seen = set()
    for place in spread(flushes, 10):
        out = tmp_path / f"killed-{place}"
        export_and_die(out, place)
        if published := (out / "manifest.dsse.json").exists():
            assert verify_dataset(out).findings == ()
        days = finished_days(out)
        files = [path.stat() for day in days for path in out.rglob(f"day={day}/**/runs.*")]
        kept = {(stat.st_ino, stat.st_mtime_ns) for stat in files}
        seen.add(len(days))
        assert export(out).exported.kept == (4 if published else len(days))
        assert tree(out) == tree(tmp_path / "whole")
        assert kept <= {(path.stat().st_ino, path.stat().st_mtime_ns) for path in out.rglob("runs.*")}
    assert seen == {0, 1, 2, 3, 4}, "every number of finished days was met"


@pytest.mark.slow
def test_killed_while_it_is_made_anew_the_finished_export_stays_until_the_new_one_is_there(
    archive: Archive,
    sequence: Callable[[], None],
    export_and_die: Die,
    export: Callable[..., Delivery],
    tmp_path: Path,
) -> None:
    for copy in ("rehearsal", "first", "second", "third", "fourth", "fifth"):
        export(tmp_path / copy)
    before = tree(tmp_path / "first")
    archive.add(Past(ended_at=FOUR_DAYS[5].ended_at + timedelta(seconds=1)))
    sequence()
    flushes = export_and_die(tmp_path / "rehearsal", refresh=True)
    after = tree(tmp_path / "rehearsal")
    for copy, place in zip(("first", "second", "third", "fourth", "fifth"), spread(flushes, 5), strict=True):
        out = tmp_path / copy
        export_and_die(out, place, refresh=True)
        found = {name: data for name, data in tree(out).items() if not name.startswith(".atom-export")}
        moved = {name for name in found if found[name] != before.get(name)}
        assert found["manifest.dsse.json"] == before["manifest.dsse.json"] or found == after
        assert all(found[name] == after[name] for name in moved)
        assert not moved or place > flushes // 2, "nothing is touched before everything is made"
        export(out, refresh=True)
        assert tree(out) == after
    assert {name for name in after if after[name] != before.get(name)} == {
        "README.md",
        "manifest.dsse.json",
        *(name for name in after if "day=2026-07-02" in name),
    }


def test_what_was_damaged_meanwhile_is_made_anew(
    export_and_die: Die, export: Callable[..., Delivery], tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    export_and_die(out, THREE_DAYS_DONE)
    finished = sorted(finished_days(out))
    assert len(finished) >= 2
    victim = next(out.rglob(f"day={finished[0]}/**/runs.jsonl"))
    victim.write_bytes(victim.read_bytes()[:-1])
    assert export(out).exported.kept == len(finished) - 1
    export(tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


def test_it_goes_on_up_to_the_watermark_it_began_with(
    archive: Archive,
    sequence: Callable[[], None],
    export_and_die: Die,
    export: Callable[..., Delivery],
    tmp_path: Path,
) -> None:
    export(tmp_path / "whole")
    out = tmp_path / "killed"
    export_and_die(out, ONE_DAY_DONE)
    archive.add(*ordinary(15, every=timedelta(hours=6), seed=8))
    sequence()
    export(out)
    assert tree(out) == tree(tmp_path / "whole")
    assert out.stat().st_mode & 0o777 == 0o700

    again = tmp_path / "killed and refreshed"
    export_and_die(again, ONE_DAY_DONE)
    archive.add(*ordinary(15, every=timedelta(hours=6), seed=9))
    sequence()
    assert export(again, refresh=True).exported.manifest.rows == 45
