"""PostgreSQL stops in the middle of runs and comes back: workers wait for it, and no run is left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.crew import Crew
from tests.fakes.yard import Yard, manifest, until

from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.runs.model import RunState

OUTAGE = 2.3
SPEC = """
handlers:
  - {name: one, type: shell, idempotency: safe, config: {command: [sleep, "0.3"]}}
  - {name: two, type: shell, idempotency: safe, config: {command: [sleep, "0.3"]}}
"""


@pytest.fixture
def own_server(server_folder: Path, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that only this test uses, so that it may stop it."""
    server = EmbeddedPostgres(server_folder / f"home-{tmp_path.name}", {"max_connections": "200"})
    with server as address:
        migrate(address, server.admin)
        yield server


@pytest.mark.slow
def test_a_database_that_is_away_for_two_seconds_leaves_no_run_behind(
    own_server: EmbeddedPostgres, server_folder: Path, tmp_path: Path
) -> None:
    address = own_server.admin.address
    folder = server_folder / tmp_path.name
    folder.mkdir(mode=0o711)
    crew = Crew(address, folder, tmp_path / "objects")
    try:
        with Sessions(address, DatabaseRole.APP, min_size=0, name="test app") as sessions:
            tenant_id = new_id()
            with sessions.tenant(tenant_id) as conn:
                conn.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'acme')", (tenant_id,))
            yard = Yard(sessions, tenant_id, FolderStore(tmp_path / "objects"))
            package = yard.publish(manifest(SPEC))
            worker = crew.hire()
            all_runs = [yard.start(package) for _ in range(24)]
            until(lambda: [yard.get(run).state for run in all_runs].count(RunState.SUCCEEDED), lambda n: n >= 4)
        own_server.stop()
        time.sleep(OUTAGE)  # the outage itself
        own_server.start()
        back = time.monotonic()
        with Sessions(address, DatabaseRole.APP, min_size=0, name="test app") as sessions:
            yard.sessions = sessions
            for run in all_runs:
                assert yard.wait(run, timeout=60).state is RunState.SUCCEEDED, crew.log_of(0)
            print(f"all ended {time.monotonic() - back:.1f} s after the database was back")
            assert set(crew.executed().values()) == {1}
            recorded = [attempt for run in all_runs for attempt in yard.attempts(run)]
            assert len(recorded) == 48, "a step whose result was held in memory is not repeated"
        assert worker.poll() is None
    finally:
        crew.dismiss()
