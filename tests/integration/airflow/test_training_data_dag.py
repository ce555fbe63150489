"""The DAG under deploy/airflow, run by a real Airflow against a real PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.past_runs import Archive, Past, ordinary
from tests.fakes.yard import Yard, manifest
from tests.servers.airflow import Airflow

from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.model import Role
from atomctl.audit.keys import create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.dataset.verify import DatasetVerdict, verify_dataset
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"
DAYS = [f"2026-07-0{number}" for number in range(1, 5)]

# Notes each call. The first export of 2026-07-03 fails as if the database had been away for a moment.
CALLED = """\
#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in *"--partition 2026-07-03"*) [ -e "$CALLS.away" ] || { : > "$CALLS.away"; exit 3; } ;; esac
exec "$PROGRAM" "$@"
"""


class Site:
    """A home with keys and a token, a tenant with four days of runs, and an Airflow beside them."""

    def __init__(self, folder: Path, address: DatabaseAddress, yard: Yard) -> None:
        self.root, self._calls = folder / "training", folder / "calls"
        self.archive = Archive(yard, yard.publish(manifest(SPEC)))
        home = folder / "home"
        self._key = create_key(home / "keys" / "audit.key")
        self._sequencer = Sequencer(address.dsn(DatabaseRole.SEQUENCER), self._key)
        issuer = EmbeddedIssuer(home / "keys" / "issuer.key")
        token = folder / "token"
        token.write_text(issuer.issue(yard.tenant_id, "airflow", [Role.AUDITOR], timedelta(hours=1)))
        called = folder / "atomctl"
        called.write_text(CALLED)
        called.chmod(0o755)
        self.airflow = Airflow(
            folder / "airflow",
            {
                "ATOM_HOME": str(home),
                "ATOM_TOKEN_FILE": str(token),
                "ATOM_DATABASE_URL": f"host={address.host} port={address.port} dbname={address.dbname}",
                "ATOM_DATABASE_CREDENTIALS": str(address.credentials),
                "ATOM_ATOMCTL": str(called),
                "ATOM_DATASET_ROOT": str(self.root),
                "ATOM_DATASET_SINCE": "2026-07-01",
                "ATOM_DATASET_RETRY_SECONDS": "0.1",
                "CALLS": str(self._calls),
                "PROGRAM": str(Path(sys.executable).with_name("atomctl")),
            },
        )

    def add(self, *runs: Past) -> None:
        """The runs ended, and the audit log says so."""
        self.archive.add(*runs)
        while self._sequencer.drain_once():
            pass

    def exported(self) -> list[str]:
        """The days that exports were called for since this was asked last, in order."""
        calls = [line.split() for line in self._calls.read_text().splitlines()]
        self._calls.write_text("")
        return sorted(words[words.index("--partition") + 1] for words in calls if "export" in words)

    def verdict(self, day: str) -> DatasetVerdict:
        return verify_dataset(self.root / day, trusted=[self._key.vkey])

    def bytes_of(self, day: str) -> dict[str, bytes]:
        folder = self.root / day
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def site(database: DatabaseAddress, sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Site:
    yard = Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "home" / "objects"))
    return Site(tmp_path, database, yard)


def test_each_day_is_a_task_that_fails_alone_and_nothing_is_done_twice(site: Site) -> None:
    site.add(*ordinary(15, every=timedelta(hours=6)))
    stranger = site.root / "2026-07-02" / "notes.txt"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("not an export")

    first = site.airflow.run("atom_training_data")
    assert first.exit_code == 1, first.log
    assert first.states("export") == ["success", "failed", "success", "success"], first.log
    assert [task.tries for task in first.tasks if task.task == "export"] == [1, 4, 2, 1]
    assert site.exported() == sorted([*DAYS, *["2026-07-02"] * 3, "2026-07-03"])
    for day in DAYS[:1] + DAYS[2:]:
        assert site.verdict(day).outcome == "verified"
    assert stranger.read_text() == "not an export"

    stranger.unlink()
    site.add(Past(ended_at=datetime(2026, 7, 1, 12, tzinfo=UTC)))
    before = {day: site.bytes_of(day) for day in DAYS}
    second = site.airflow.run("atom_training_data")
    assert second.exit_code == 0, second.log
    assert site.exported() == ["2026-07-01", "2026-07-02"]
    assert {day for day in DAYS if site.bytes_of(day) != before[day]} == {"2026-07-01", "2026-07-02"}
    assert [site.verdict(day).manifest.rows for day in DAYS] == [4, 4, 4, 4]

    third = site.airflow.run("atom_training_data")
    assert third.exit_code == 0, third.log
    assert site.exported() == []
    assert third.states("export") == ["skipped"]
