"""An export is killed again and again while runs are added and forgotten: in the end each run stands there once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.past_runs import Archive, ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard, manifest

from atomctl.access.model import Actor, Role
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.dataset.forget import forget_run
from atomctl.dataset.lineage_log import beside
from atomctl.dataset.service import Means
from atomctl.dataset.verify import verify_dataset
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole

SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"
SCRIPT = """
import json, sys
from datetime import date
from pathlib import Path
from uuid import UUID
from tests.fakes.embedders import DigestEmbedder
from atomctl.access.model import Actor, Role
from atomctl.audit.keys import load_key
from atomctl.dataset.model import Format, Order
from atomctl.dataset.service import Means, export_dataset
from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore

given = json.loads(sys.argv[1])
address = DatabaseAddress(given["host"], given["port"], given["dbname"], Path(given["credentials"]))
actor = Actor(UUID(given["tenant"]), UUID(given["principal"]), "test:issuer", "sid", frozenset({Role.SECURITY}))
with Sessions(address, min_size=0) as sessions:
    means = Means(sessions, FolderStore(Path(given["objects"])), load_key(Path(given["key"])), bytes(range(32)))
    order = Order(tenant_id=actor.tenant_id, since=date(2026, 7, 1), formats=(Format.JSONL, Format.PARQUET))
    print("begins", flush=True)
    export_dataset(means, actor, order, Path(given["out"]), refresh=True, embedder=DigestEmbedder())
"""
KILLS = 12
SECONDS = 0.8
"""About as long as an export of these days takes once it has begun."""


@pytest.fixture
def audit_key(tmp_path: Path) -> FileKey:
    return create_key(tmp_path / "keys" / "audit.key")


@pytest.fixture
def add(yard: Yard, database: DatabaseAddress, audit_key: FileKey) -> Callable[[int, int], list[UUID]]:
    """Puts so many runs, three hours apart, into the past and their ends into the log."""
    archive = Archive(yard, yard.publish(manifest(SPEC)))

    def put(count: int, seed: int) -> list[UUID]:
        ids = archive.add(*ordinary(count, every=timedelta(hours=3), seed=seed))
        while Sequencer(database.dsn(DatabaseRole.SEQUENCER), audit_key).drain_once():
            pass
        return ids

    return put


@pytest.fixture
def sid(yard: Yard) -> Actor:
    return log_in(yard.sessions, yard.tenant_id, "sid", Role.SECURITY)


@pytest.fixture
def export_for(database: DatabaseAddress, sid: Actor, tmp_path: Path) -> Callable[[Path, float], int]:
    """Exports in a process of its own, which is killed so many seconds after it has begun; its exit code."""
    given = {
        "host": database.host,
        "port": database.port,
        "dbname": database.dbname,
        "credentials": str(database.credentials),
        "tenant": str(sid.tenant_id),
        "principal": str(sid.principal_id),
        "objects": str(tmp_path / "objects"),
        "key": str(tmp_path / "keys" / "audit.key"),
    }

    def run(out: Path, seconds: float) -> int:
        command = [sys.executable, "-c", SCRIPT, json.dumps({**given, "out": str(out)})]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        return process.returncode

    return run


def exported_ids(out: Path) -> Counter[str]:
    lines = [line for path in out.rglob("runs.jsonl") for line in path.read_text().splitlines()]
    return Counter(json.loads(line)["run_id"] for line in lines)


@pytest.fixture
def means(yard: Yard, audit_key: FileKey) -> Means:
    return Means(yard.sessions, yard.objects, audit_key, bytes(range(32)))


@pytest.mark.slow
def test_killed_while_runs_come_and_are_forgotten_it_loses_none_and_repeats_none(
    add: Callable[[int, int], list[UUID]],
    export_for: Callable[[Path, float], int],
    means: Means,
    sid: Actor,
    tmp_path: Path,
) -> None:
    chance, out = random.Random(7), tmp_path / "out"
    runs, forgotten, killed = add(48, 0), set[UUID](), 0
    for number in range(1, KILLS + 1):
        killed += export_for(out, chance.uniform(0, SECONDS)) == -signal.SIGKILL
        if number % 3 == 0:
            runs += add(4, number)
            unwanted = runs[chance.randrange(len(runs))]
            forget_run(means, sid, unwanted, "a person asked for it")
            forgotten.add(unwanted)
    assert killed >= KILLS // 3, "it was over too soon too often"
    assert export_for(out, 60) == 0

    assert verify_dataset(out, trusted=[means.audit_key.vkey]).outcome == "verified"
    assert exported_ids(out) == Counter({str(run_id): 1 for run_id in runs if run_id not in forgotten})
    assert not (out / ".atom-export").exists()
    events = [json.loads(line)["eventType"] for line in beside(out).read_text().splitlines()]
    assert events.count("START") == KILLS + 1
    assert events[-1] == "COMPLETE"
    print(f"killed {killed} times of {KILLS}")
