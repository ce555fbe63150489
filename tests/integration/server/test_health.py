"""Probes, metrics and the API's description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atomctl.server.openapi import PAGE, render


def test_the_process_is_alive_whatever_the_database_does(api: Any) -> None:
    api.services.sessions.close()
    assert api.http.get("/livez").json() == {"status": "ok"}


def test_readiness_names_every_check(api: Any) -> None:
    ready = api.http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert [check["name"] for check in ready.json()["checks"]] == ["database", "migrations", "objects"]


def test_readiness_with_a_worker_waits_for_one(api: Any) -> None:
    answer = api.http.get("/readyz", params={"worker": "1"})
    assert answer.status_code == 503
    assert answer.json()["checks"][-1] == {"name": "worker", "ok": False, "detail": ""}


def test_metrics_count_requests_by_noun_and_never_by_id(api: Any, owner: Any) -> None:
    owner.get("packages")
    owner.ask("GET", "runs/0190abcd-0000-7000-8000-000000000001")
    page = api.http.get("/metrics").text
    assert 'atom_http_requests_total{method="GET",noun="packages",status="2xx"}' in page
    assert 'noun="runs",status="4xx"' in page
    assert "0190abcd" not in page


def test_the_committed_description_is_the_one_the_server_gives(api: Any) -> None:
    committed = (Path(__file__).parents[3] / PAGE).read_text()
    assert committed == render(), f"python -m atomctl.server.openapi > {PAGE}"
    served = api.http.get("/api/v1/openapi.json").json()
    assert served["openapi"].startswith("3.1")
