"""Runs that read secrets: what reaches the step, what is recorded, and that the value is nowhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
import zstandard
from psycopg import sql
from psycopg.rows import tuple_row
from tests.fakes.yard import Yard, manifest, working
from tests.integration.secrets.conftest import BRIEF, OpensStores, refusal
from tests.servers.hostile_http import HostileServer
from tests.servers.openbao import OpenBao

from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.model import AttemptState, Run, RunState
from atomctl.runs.plan import Abilities
from atomctl.runs.secret_forms import forms
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.probe import prepare_site
from atomctl.secrets import codes
from atomctl.secrets.cache import CachedSource
from atomctl.secrets.local import LocalSource
from atomctl.secrets.model import SecretSource
from atomctl.worker import Worker

CANARY = 'cAnary"7/+&%-do-not-leak-9d3f'
DECLARED = "secrets: {token: {path: db/main, key: password}}"
SHOUTS = """\
#!/bin/sh
set -eu
file="$ATOM_SECRET_TOKEN_FILE"
echo "length $(wc -c < "$file")"
cat "$file"; echo
base64 < "$file"
od -An -v -tx1 "$file" | tr -d ' \\n'; echo
od -An -v -tx1 "$file" | tr -d '\\n' | sed 's/ /%/g'; echo
sed 's/"/\\\\"/g' "$file"; echo
cat "$file" >&2
printf '{"seen": "%s", "encoded": "%s"}\\n' "$(sed 's/"/\\\\"/g' "$file")" "$(base64 < "$file")" >> "$ATOM_OUTPUT"
env | grep -c do-not-leak || true
"""
SHOUT = (
    f"{DECLARED}\nhandlers:\n  - {{name: shout, type: shell, config: {{script: scripts/shout.sh, secrets: [token]}}}}"
)

Working = Callable[..., AbstractContextManager[Worker]]


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"), Abilities(secrets="secret"))


@pytest.fixture
def with_store(database: DatabaseAddress, yard: Yard, server_folder: Path, tmp_path: Path) -> Working:
    """A worker that reads its secrets from a store, and may reach `allow`."""

    def start(store: SecretSource | None, *allow: str) -> AbstractContextManager[Worker]:
        scratch = server_folder / f"scratch-{tmp_path.name}"
        site = prepare_site(scratch, IsolationPolicy.PREFERRED, allow)
        return working(database, yard, StepExecutor(site), scratch, secrets=store)

    return start


@pytest.fixture(params=["vault", "local"])
def store(request: pytest.FixtureRequest, yard: Yard, tmp_path: Path) -> Iterator[SecretSource]:
    """Both stores, each with the canary at `db/main`."""
    found: SecretSource
    if request.param == "local":
        found = LocalSource(tmp_path / "secrets", tmp_path / "keys" / "secrets.key")
    else:
        opens: OpensStores = request.getfixturevalue("open_store")
        found = opens(request.getfixturevalue("openbao"), yard.tenant_id)
    found.write(yard.tenant_id, "db/main", {"password": CANARY}, expected_version=0)
    yield CachedSource(found)
    found.close()


def reads(yard: Yard, run: Run) -> list[dict[str, Any]]:
    """What the audit log says about the run's reading of secrets."""
    with yard.sessions.tenant(yard.tenant_id) as conn:
        rows = conn.execute(
            "SELECT data FROM atom.audit_inbox WHERE run_id = %s ORDER BY position", [run.id]
        ).fetchall()
    entries = [json.loads(bytes(row["data"])) for row in rows]
    return [entry for entry in entries if entry["action"] == "secret.read"]


def every_table(postgres: EmbeddedPostgres, database: DatabaseAddress) -> Iterator[tuple[str, bytes]]:
    """All rows of all tables, the engine's and the catalogue's too, as the bytes their columns hold."""
    listing = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname <> 'information_schema'"
    with postgres.admin.connect(database.dbname) as conn:
        for schema, table in conn.cursor(row_factory=tuple_row).execute(listing).fetchall():
            yield f"{schema}.{table}", _copied(conn, schema, table)


def _copied(conn: psycopg.Connection[Any], schema: str, table: str) -> bytes:
    form = sql.SQL("text" if schema == "pg_catalog" else "binary")  # some of its types have no binary form
    statement = sql.SQL("COPY {} TO STDOUT (FORMAT {})").format(sql.Identifier(schema, table), form)
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(bytes(part) for part in copy)


def stored_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            yield str(file), data
            if file.suffix == ".zst":
                yield f"{file}, decompressed", zstandard.decompress(data)


def leaks(places: Iterator[tuple[str, bytes]]) -> list[str]:
    """Where the canary is, in whatever form."""
    known = {*forms(CANARY), CANARY.encode(), quote(CANARY).encode(), json.dumps(CANARY)[1:-1].encode()}
    return [name for name, data in places if any(form in data for form in known)]


def test_a_secret_reaches_its_step_and_no_other_place(  # noqa: PLR0917 - everything it could leak to is a fixture
    yard: Yard,
    store: SecretSource,
    with_store: Working,
    postgres: EmbeddedPostgres,
    database: DatabaseAddress,
    tmp_path: Path,
    server_folder: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with with_store(store):
        run = yard.wait(yard.start(yard.publish(manifest(SHOUT), {"scripts/shout.sh": SHOUTS})))
    log = yard.log(run)
    assert run.state is RunState.SUCCEEDED, log
    assert f"length {len(CANARY)}" in log  # the step had it
    assert log.count("***") >= 6
    assert "\n0\n" in log  # and not in its environment
    outputs = yard.steps(run).forward["shout"].outputs
    assert outputs["seen"] == "***"
    assert str(outputs["encoded"]).startswith("***")
    tables = dict(every_table(postgres, database))
    assert len(tables["atom.audit_inbox"]) > 1000
    assert len(tables["engine.workflow_status"]) > 100
    assert leaks(iter(tables.items())) == []
    assert leaks(stored_files(tmp_path)) == []
    assert leaks(stored_files(server_folder / f"scratch-{tmp_path.name}")) == []
    printed = capfd.readouterr()
    said = {"log": caplog.text, "output": printed.out, "errors": printed.err}
    assert leaks((name, text.encode()) for name, text in said.items()) == []


def test_the_search_for_the_canary_finds_it_where_it_is(
    yard: Yard, postgres: EmbeddedPostgres, database: DatabaseAddress
) -> None:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute("UPDATE atom.tenants SET name = %s", [f"x {CANARY}"])
    assert leaks(every_table(postgres, database)) == ["atom.tenants"]


def test_each_read_is_audited_by_path_and_version_in_the_runs_tenant(
    yard: Yard, store: SecretSource, with_store: Working
) -> None:
    store.write(yard.tenant_id, "db/main", {"password": CANARY, "user": "some-user"}, expected_version=1)
    two = "secrets: {token: {path: db/main, key: password}, user: {path: db/main, key: user}}"
    step = "{name: a, type: shell, config: {command: [echo], secrets: [token, user]}}"
    with with_store(store):
        run = yard.wait(yard.start(yard.publish(manifest(f"{two}\nhandlers:\n  - {step}"))))
    assert run.state is RunState.SUCCEEDED
    (entry,) = reads(yard, run)
    assert entry["subject"] == f"secret/secret/{yard.tenant_id}/db/main"
    assert entry["tenant"] == str(yard.tenant_id)
    assert entry["run"] == str(run.id)
    (attempt,) = yard.attempts(run)
    assert entry["detail"] == {
        "store": store.name,
        "step": "a",
        "attempt": str(attempt.id),
        "version": 2,
        "from": "store",
    }


def test_an_api_step_sends_what_its_template_reads(yard: Yard, store: SecretSource, with_store: Working) -> None:
    with HostileServer() as server:
        spec = f"""
{DECLARED}
handlers:
  - name: call
    type: api
    config: {{url: "{server.url("echo")}", method: POST, headers: {{X-Token: "T ${{{{ secrets.token }}}}"}}}}
"""
        with with_store(store, server.address):
            run = yard.wait(yard.start(yard.publish(manifest(spec))))
        assert run.state is RunState.SUCCEEDED, yard.log(run)
        assert f": T {CANARY}\r\n".encode() in server.requests[0]
    echoed = yard.steps(run).forward["call"].outputs["body"]
    assert "***" in str(echoed)
    assert CANARY not in str(echoed)
    assert len(reads(yard, run)) == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_without_a_store_a_package_that_reads_secrets_is_refused(yard: Yard, dry_run: bool) -> None:
    yard.abilities = Abilities()
    package = yard.publish(manifest(SHOUT), {"scripts/shout.sh": SHOUTS})
    error = refusal(lambda: yard.request(package, dry_run=dry_run))
    assert error.code is codes.NOT_CONFIGURED
    assert "ATOM_SECRETS=local" in error.hint
    with yard.sessions.tenant(yard.tenant_id) as conn:
        assert conn.execute("SELECT id FROM atom.workflow_runs").fetchall() == []


def test_a_package_cannot_name_another_tenants_path(yard: Yard, make_tenant: Callable[[str], UUID]) -> None:
    other = make_tenant("other")
    spec = SHOUT.replace("path: db/main", f"path: secret/data/{other}/db/main")
    package = yard.publish(manifest(spec), {"scripts/shout.sh": SHOUTS})
    assert refusal(lambda: yard.request(package)).code is codes.FOREIGN_PATH


def test_a_worker_without_the_store_refuses_the_step(yard: Yard, with_store: Working) -> None:
    with with_store(None):
        run = yard.wait(yard.start(yard.publish(manifest(SHOUT), {"scripts/shout.sh": SHOUTS})))
    assert run.state is RunState.FAILED
    assert yard.steps(run).forward["shout"].code == codes.NOT_CONFIGURED.id
    (attempt,) = yard.attempts(run)
    assert attempt.state is AttemptState.REFUSED


@pytest.mark.parametrize(
    ("ref", "code"),
    [("{path: db/other, key: password}", codes.NOT_FOUND), ("{path: db/main, key: pin}", codes.NO_FIELD)],
)
def test_a_secret_that_is_not_there_fails_the_step_before_it_starts(
    yard: Yard, store: SecretSource, with_store: Working, ref: str, code: Any
) -> None:
    spec = SHOUT.replace("{path: db/main, key: password}", ref)
    with with_store(store):
        run = yard.wait(yard.start(yard.publish(manifest(spec), {"scripts/shout.sh": SHOUTS})))
    assert run.state is RunState.FAILED
    assert yard.steps(run).forward["shout"].code == code.id
    assert yard.log(run) == ""
    (entry,) = reads(yard, run)
    refused = code is codes.NOT_FOUND
    assert (entry["result"], entry.get("code")) == (("refused", code.id) if refused else ("ok", None))


def test_a_store_that_is_killed_is_outlived_by_what_was_read_and_then_fails_steps(
    yard: Yard, with_store: Working, open_store: OpensStores, tmp_path: Path
) -> None:
    other = SHOUT.replace("path: db/main", "path: db/other").replace(
        "secrets: [token]}}", "secrets: [token]}, retry: {max_attempts: 2, backoff: 10ms}}"
    )
    with OpenBao(tmp_path / "bao") as server:
        store = CachedSource(open_store(server, yard.tenant_id, patience=BRIEF))
        store.write(yard.tenant_id, "db/main", {"password": CANARY}, expected_version=0)
        files = {"scripts/shout.sh": SHOUTS}
        package = yard.publish(manifest(SHOUT), files)
        unread = yard.publish(manifest(other, name="other"), files)
        with with_store(store):
            first = yard.wait(yard.start(package))
            server.crash()
            second = yard.wait(yard.start(package))
            third = yard.wait(yard.start(unread))
    assert (first.state, second.state, third.state) == (RunState.SUCCEEDED, RunState.SUCCEEDED, RunState.FAILED)
    assert [entry["detail"]["from"] for entry in (*reads(yard, first), *reads(yard, second))] == ["store", "memory"]
    assert yard.steps(third).forward["shout"].code == codes.DOWN.id
    assert [attempt.state for attempt in yard.attempts(third)] == [AttemptState.FAILED] * 2
    assert [(entry["result"], entry["code"]) for entry in reads(yard, third)] == [("failed", codes.DOWN.id)] * 2


def test_a_rotated_secret_is_what_the_next_run_is_handed(yard: Yard, store: SecretSource, with_store: Working) -> None:
    package = yard.publish(manifest(SHOUT), {"scripts/shout.sh": SHOUTS})
    with with_store(store):
        yard.wait(yard.start(package))
        store.write(yard.tenant_id, "db/main", {"password": f"{CANARY}-and-longer"}, expected_version=1)
        run = yard.wait(yard.start(package))
    assert f"length {len(CANARY) + 11}" in yard.log(run)
    assert [entry["detail"]["version"] for entry in reads(yard, run)] == [2]
