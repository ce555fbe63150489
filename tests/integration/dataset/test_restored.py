"""Another server, restored from a dump of the first by PostgreSQL's own tools, gives the same bytes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.embedders import DigestEmbedder
from tests.fakes.past_runs import Past, ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard
from tests.servers.postgres import QUICK

from atomctl.access.model import Actor, Role
from atomctl.dataset.forget import forget_run
from atomctl.dataset.model import Format, Order
from atomctl.dataset.service import Delivery, Means, export_dataset
from atomctl.db.address import AdminLogin, DatabaseAddress, admin_from_credentials
from atomctl.db.binaries import wheel_binaries
from atomctl.db.bootstrap import bootstrap
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.session import Sessions


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def postgres_tool(name: str, admin: AdminLogin, *arguments: str | Path) -> None:
    login = ["--host", admin.address.host, "--port", str(admin.address.port), "--username", admin.user]
    done = subprocess.run(
        [wheel_binaries().program(name), *login, *arguments],
        env={**os.environ, "PGPASSWORD": admin.password or ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def elsewhere(server_folder: Path, tmp_path: Path) -> Iterator[AdminLogin]:
    """A server that has never seen ATOM's schema; it has the roles."""
    server = EmbeddedPostgres(server_folder / f"{tmp_path.name}-elsewhere", QUICK)
    with server:
        bootstrap(server.admin)
        yield server.admin


@pytest.fixture
def restored(elsewhere: AdminLogin, database: DatabaseAddress, tmp_path: Path) -> Callable[[], DatabaseAddress]:
    """Dumps the database of the test and restores it on the other server."""

    def dump_and_restore() -> DatabaseAddress:
        dump = tmp_path / "dump"
        postgres_tool("pg_dump", admin_from_credentials(database), "--format=custom", f"--file={dump}", database.dbname)
        postgres_tool("pg_restore", elsewhere, "--exit-on-error", f"--dbname={elsewhere.address.dbname}", dump)
        return elsewhere.address

    return dump_and_restore


@pytest.mark.slow
def test_the_same_partitions_come_out_of_a_database_that_was_restored_from_a_dump(
    add: Callable[..., list[UUID]],
    yard: Yard,
    means: Means,
    restored: Callable[[], DatabaseAddress],
    tmp_path: Path,
) -> None:
    forgotten, *_ = add(Past(ended_at=ordinary(1)[0].ended_at), *ordinary(60, every=timedelta(hours=1)))
    sid = log_in(yard.sessions, yard.tenant_id, "sid", Role.SECURITY)
    forget_run(means, sid, forgotten, "a person asked for it")
    add()
    made = exported(means, sid, tmp_path / "here", DigestEmbedder()).exported.manifest
    assert (made.rows, len(made.partitions)) == (60, 3)

    with Sessions(restored(), min_size=0) as sessions:
        there = Means(sessions, means.objects, means.audit_key, means.pseudonym_key)
        other_processor = DigestEmbedder(drift=0.01)
        again = exported(there, sid, tmp_path / "there", other_processor, watermark=made.watermark)
    assert other_processor.texts == [], "the vectors were in the dump"
    assert again.exported.kept == 0
    assert tree(tmp_path / "there") == tree(tmp_path / "here")


def exported(
    means: Means, actor: Actor, folder: Path, embedder: DigestEmbedder, watermark: int | None = None
) -> Delivery:
    order = Order(tenant_id=actor.tenant_id, since=date(2026, 7, 1), formats=tuple(Format), watermark=watermark)
    return export_dataset(means, actor, order, folder, embedder=embedder)
