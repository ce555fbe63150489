"""A worker's own page, with the figures of the deployment, down to an alert at the receiver."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.fakes.people import log_in
from tests.servers.openbao import OpenBao
from tests.servers.process import free_port
from tests.servers.prometheus import Prometheus
from tests.servers.waiting import wait_until
from tests.servers.webhook import WebhookReceiver
from tests.unit.telemetry.test_readings import samples

from atomctl.access.model import Role
from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.insight.figures import DatabaseFigures
from atomctl.insight.vault_state import VaultState
from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.render import rule_file
from atomctl.telemetry.exposition import Exposition


@pytest.fixture
def page(worker_sessions: Sessions, tmp_path: Path) -> Iterator[str]:
    """The address of a worker's page over a real database."""
    listener = socket.create_server(("127.0.0.1", 0))
    show = Exposition(listener, metrics.page_with([DatabaseFigures(worker_sessions)]), tmp_path, "worker")
    stop = threading.Event()
    thread = threading.Thread(target=show.run, args=(stop,))
    thread.start()
    wait_until(lambda: bool(list(tmp_path.glob("targets/worker-*.json"))), "the page is announced")
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def shown(page: str) -> dict[str, float]:
    answer = httpx.get(f"http://{page}/metrics", trust_env=False, timeout=10)
    assert answer.headers["content-type"] == metrics.CONTENT_TYPE
    return samples(answer.content)


def test_the_page_shows_the_deployment_and_no_tenant(
    page: str, worker_sessions: Sessions, sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    olga = log_in(sessions, make_tenant("acme-secret-name"), "olga", Role.OPERATOR)
    with worker_sessions.deployment() as conn:
        conn.execute(
            "INSERT INTO atom.workers (id, host, pid, version, isolation, state) "
            "VALUES (%s, 'host', 1, '1', 'test', 'ALIVE')",
            (new_id(),),
        )
    figures = shown(page)
    assert figures["atom_stored_read"] == 1
    assert figures["atom_workers alive"] == 1
    assert figures["atom_worker_heartbeat_age_seconds"] < 60
    assert figures["atom_audit_waiting"] > 0
    assert figures["atom_audit_oldest_waiting_seconds"] >= 0
    assert figures["atom_approvals_pending run"] == 0
    text = httpx.get(f"http://{page}/metrics", trust_env=False).text
    assert "acme-secret-name" not in text
    assert str(olga.tenant_id) not in text


def test_prometheus_is_told_where_the_page_is(page: str, tmp_path: Path) -> None:
    [file] = (tmp_path / "targets").glob("worker-*.json")
    assert json.loads(file.read_text())[0]["targets"] == [page]
    assert httpx.get(f"http://{page}/livez", trust_env=False).json() == {"status": "ok"}
    assert httpx.get(f"http://{page}/", trust_env=False).status_code == 404


def test_without_the_database_no_stale_figure_is_shown(
    page: str, postgres: EmbeddedPostgres, database: DatabaseAddress
) -> None:
    assert "atom_workers alive" in shown(page)
    with postgres.admin.connect("postgres") as conn:
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.dbname,))
        conn.execute(f"ALTER DATABASE {database.dbname} ALLOW_CONNECTIONS false")
        try:
            wait_until(lambda: shown(page)["atom_stored_read"] == 0, "the page says that it cannot read", 60)
            assert "atom_workers alive" not in shown(page)
            assert "atom_audit_entries_total" in shown(page)
        finally:
            conn.execute(f"ALTER DATABASE {database.dbname} ALLOW_CONNECTIONS true")
    wait_until(lambda: shown(page)["atom_stored_read"] == 1, "the figures come back", 60)


def test_a_client_that_says_nothing_keeps_nobody_away(page: str) -> None:
    host, port = page.split(":")
    with socket.create_connection((host, int(port))):
        assert "atom_stored_read" in shown(page)


def test_a_vault_is_ready_or_unreachable(openbao: OpenBao) -> None:
    def state(address: str) -> str:
        return next(reading.labels["state"] for reading in VaultState(address)() if reading.value)

    assert state(openbao.address) == "ready"
    assert state(f"http://127.0.0.1:{free_port()}") == "unreachable"
    assert state("nonsense") == "unreachable"


def test_a_shipped_alert_reaches_the_receiver_and_ends(
    page: str, prometheus: Prometheus, webhook: WebhookReceiver
) -> None:
    """The shipped rules with shorter windows: a failed run fires, and is resolved when the window has passed."""
    mark = str(new_id())
    rules = rule_file(ALERTS, scale=0.01, labels={"probe": mark})
    prometheus.load({"atom": rules}, [page])
    try:
        wait_until(
            lambda: bool(prometheus.query('atom_run_states_total{state="timed_out"}')), "the page is scraped", 30
        )
        assert not [a for a in prometheus.alerts() if a["labels"]["alertname"] == "AtomRunFailed"]
        metrics.increment(catalog.RUN_STATES, state="timed_out")
        wanted = {"alertname": "AtomRunFailed", "state": "timed_out", "probe": mark}
        fired = webhook.wait_for(lambda a: wanted.items() <= a["labels"].items() and a["status"] == "firing", 40)
        assert fired["annotations"]["summary"] == "Runs ended as timed_out within the last ten minutes."
        webhook.wait_for(lambda a: wanted.items() <= a["labels"].items() and a["status"] == "resolved", 40)
    finally:
        prometheus.load({}, [])
