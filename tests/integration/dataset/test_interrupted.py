"""An export that is killed in the middle goes on where it stopped and ends with the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.past_runs import Archive, ordinary

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
    export_dataset(means, actor, order, Path(given["out"]))
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def export_and_die(
    archive: Archive, sequence: Callable[[], None], database: DatabaseAddress, auditor: Actor, tmp_path: Path
) -> Callable[[Path, int], None]:
    """Exports four days in a process of its own that kills itself instead of flushing for the n-th time."""
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

    def run(out: Path, syncs: int) -> None:
        told = json.dumps({**given, "out": str(out), "syncs": syncs})
        assert subprocess.run([sys.executable, "-c", SCRIPT, told], timeout=60, check=False).returncode == -9

    return run


# The plan is flushed twice, the first partition nine times (three folders, two files, its
# entry), the others eight; then the card, the manifest, and the folder once it is cleaned up.
FOUR_DAYS = ordinary(15, every=timedelta(hours=6))
IN_THE_PLAN, IN_FILES, BETWEEN_FILE_AND_ENTRY, IN_THE_LAST_DAY, IN_THE_CARD, IN_THE_MANIFEST = 1, 14, 18, 32, 36, 38
CLEANING_UP = 40


def test_killed_anywhere_it_ends_with_the_same_bytes(
    export_and_die: Callable[[Path, int], None], export: Callable[..., Delivery], tmp_path: Path
) -> None:
    export(tmp_path / "whole")
    places = (IN_THE_PLAN, IN_FILES, BETWEEN_FILE_AND_ENTRY, IN_THE_LAST_DAY, IN_THE_CARD, IN_THE_MANIFEST)
    for syncs in places:
        out = tmp_path / f"killed-{syncs}"
        export_and_die(out, syncs)
        assert not (out / "manifest.dsse.json").exists()
        before = {path: path.stat() for path in out.rglob("runs.*")}
        finished = {path.stem for path in (out / ".atom-export").glob("2026-*.json")}
        assert len(finished) == max(0, min(4, (syncs - 4) // 8))
        assert export(out).exported.kept == len(finished)
        assert tree(out) == tree(tmp_path / "whole")
        for path, stat in before.items():
            if path.parts[-3].removeprefix("day=") in finished:
                assert (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)


def test_killed_after_its_manifest_it_is_whole_and_a_repeat_cleans_up(
    export_and_die: Callable[[Path, int], None], export: Callable[..., Delivery], tmp_path: Path
) -> None:
    export(tmp_path / "whole")
    out = tmp_path / "killed"
    export_and_die(out, CLEANING_UP - 1)
    assert (out / ".atom-export").exists()
    assert verify_dataset(out).findings == ()
    assert export(out).exported.kept == 4
    assert tree(out) == tree(tmp_path / "whole")


def test_what_was_damaged_meanwhile_is_made_anew(
    export_and_die: Callable[[Path, int], None], export: Callable[..., Delivery], tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    export_and_die(out, IN_THE_LAST_DAY)
    finished = sorted((out / ".atom-export").glob("2026-*.json"))
    assert len(finished) >= 2
    victim = next(out.rglob(f"day={finished[0].stem}/**/runs.jsonl"))
    victim.write_bytes(victim.read_bytes()[:-1])
    assert export(out).exported.kept == len(finished) - 1
    export(tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole")


def test_it_goes_on_up_to_the_watermark_it_began_with(
    archive: Archive,
    sequence: Callable[[], None],
    export_and_die: Callable[[Path, int], None],
    export: Callable[..., Delivery],
    tmp_path: Path,
) -> None:
    export(tmp_path / "whole")
    out = tmp_path / "killed"
    export_and_die(out, BETWEEN_FILE_AND_ENTRY)
    archive.add(*ordinary(15, every=timedelta(hours=6), seed=8))
    sequence()
    export(out)
    assert tree(out) == tree(tmp_path / "whole")
    assert out.stat().st_mode & 0o777 == 0o700
