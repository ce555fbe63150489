"""Signals over HTTP: listing, handling, labels, questions, and what another tenant sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.insight.test_prometheus import Pretender, vector
from tests.servers.api import api_server
from tests.servers.waiting import wait_until

from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.model import Role
from atomctl.access.tokens import Verifier
from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.insight import service as insight
from atomctl.insight.figures import DatabaseFigures
from atomctl.insight.model import Candidate, Detector, Kind, Severity
from atomctl.objects.folder import FolderStore
from atomctl.settings import Settings
from atomctl.telemetry import catalog
from atomctl.wiring import Services

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def candidate(number: int = 1, kind: Kind = Kind.FAILURE_RATE) -> Candidate:
    return Candidate(
        kind=kind,
        subject=f"workflow/w{number}",
        detector=Detector("failure-rate"),
        window=(NOON, NOON),
        observed=0.5,
        baseline=0.05,
        score=4.0,
        severity=Severity.WARNING,
        summary="half of them failed",
        position=number,
    )


class Api:
    """A server over a database, and the means to be anybody in front of it."""

    def __init__(self, client: httpx.Client, services: Services, issuer: EmbeddedIssuer) -> None:
        self.client, self.services, self.issuer = client, services, issuer

    def ask(
        self, tenant: UUID, method: str, path: str, body: Any = None, *, role: Role = Role.OPERATOR, **params: Any
    ) -> httpx.Response:
        token = self.issuer.issue(tenant, f"somebody-{role}", [role], timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.request(method, f"/api/v1/{path}", json=body, headers=headers, params=params)


@pytest.fixture
def served(database: DatabaseAddress, sessions: Sessions, tmp_path: Path) -> Callable[[str | None], Any]:
    issuer = EmbeddedIssuer(tmp_path / "issuer.key")

    @contextmanager
    def serve(prometheus_url: str | None) -> Iterator[Api]:
        services = Services(
            settings=replace(Settings(home=tmp_path), prometheus_url=prometheus_url),
            address=database,
            sessions=sessions,
            objects=FolderStore(tmp_path / "objects"),
            verifier=Verifier([issuer.trusted]),
            audit_keys=(),
        )
        with api_server(services) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            yield Api(client, services, issuer)

    return serve


@pytest.fixture
def api(served: Any) -> Iterator[Api]:
    with served(None) as api:
        yield api


def raised(sessions: Sessions, tenant: UUID, *candidates: Candidate) -> list[UUID]:
    with sessions.tenant(tenant) as conn:
        found = [insight.raise_signal(conn, tenant, each) for each in candidates]
    return [signal.id for signal in found if signal]


def test_signals_are_listed_newest_first_in_pages_and_by_state(
    api: Api, sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    tenant = make_tenant("acme")
    ids = raised(sessions, tenant, *(candidate(n) for n in range(1, 4)), candidate(9, Kind.DURATION))
    first = api.ask(tenant, "GET", "signals", limit=3).json()
    rest = api.ask(tenant, "GET", "signals", limit=3, after=first["next"]).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [str(i) for i in reversed(ids)]
    assert rest["next"] is None
    api.ask(tenant, "POST", f"signals/{ids[0]}/acknowledge", {"comment": "mine"})
    assert len(api.ask(tenant, "GET", "signals", state="open").json()["items"]) == 3
    assert [s["comment"] for s in api.ask(tenant, "GET", "signals", state="acknowledged").json()["items"]] == ["mine"]
    assert len(api.ask(tenant, "GET", "signals", kind="duration").json()["items"]) == 1


def test_another_tenants_signal_looks_like_none_and_the_attempt_is_counted(
    api: Api, sessions: Sessions, worker_sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    ours, theirs = make_tenant("ours"), make_tenant("theirs")
    [foreign] = raised(sessions, theirs, candidate())
    nobodys = UUID(int=foreign.int ^ 1)
    figures = DatabaseFigures(worker_sessions)

    def counted() -> float:
        return next(r.value for r in figures() if r.metric is catalog.CROSS_TENANT_ATTEMPTS)

    for method, action in (("GET", ""), ("POST", "/acknowledge"), ("POST", "/close")):
        answers = [
            api.ask(ours, method, f"signals/{each}{action}", {} if method == "POST" else None)
            for each in (foreign, nobodys)
        ]
        assert [a.status_code for a in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    wait_until(lambda: counted() == 3, "the three attempts are counted, after their answers")
    assert api.ask(theirs, "GET", f"signals/{foreign}").status_code == 200
    assert counted() == 3


def test_a_viewer_reads_and_does_not_handle(api: Api, sessions: Sessions, make_tenant: Callable[[str], UUID]) -> None:
    tenant = make_tenant("acme")
    [signal] = raised(sessions, tenant, candidate())
    assert api.ask(tenant, "GET", f"signals/{signal}", role=Role.VIEWER).status_code == 200
    for path, body in ((f"{signal}/acknowledge", {}), (f"{signal}/label", {"label": "noise"})):
        refused = api.ask(tenant, "POST", f"signals/{path}", body, role=Role.VIEWER)
        assert (refused.status_code, refused.json()["code"]) == (403, "AUT020")
    probe = api.ask(tenant, "POST", "signals/probe", {"promql": "up", "threshold": 1}, role=Role.VIEWER)
    assert probe.json()["code"] == "AUT020"


def test_a_closed_signal_cannot_be_acknowledged(
    api: Api, sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    tenant = make_tenant("acme")
    [signal] = raised(sessions, tenant, candidate())
    assert api.ask(tenant, "POST", f"signals/{signal}/close", {}).json()["state"] == "closed"
    assert api.ask(tenant, "POST", f"signals/{signal}/acknowledge", {}).json()["code"] == "INS821"


def test_feedback_becomes_precision(
    api: Api, sessions: Sessions, worker_sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    tenant = make_tenant("acme")
    ids = raised(sessions, tenant, *(candidate(n) for n in range(1, 5)))
    for signal, label in zip(ids, ("useful", "useful", "useful", "noise"), strict=True):
        assert api.ask(tenant, "POST", f"signals/{signal}/label", {"label": label}).json()["label"] == label
    assert api.ask(tenant, "POST", f"signals/{ids[0]}/label", {"label": "great"}).status_code == 422
    [precision] = [r for r in DatabaseFigures(worker_sessions)() if r.metric is catalog.SIGNAL_PRECISION]
    assert (precision.value, precision.labels) == (0.75, {"kind": "failure_rate"})


def test_an_answer_beyond_the_threshold_becomes_a_signal(served: Any, make_tenant: Callable[[str], UUID]) -> None:
    tenant = make_tenant("acme")
    with Pretender(200, vector("3", "9")) as prometheus:
        url = f"http://127.0.0.1:{prometheus._server.server_port}"
        with served(url) as api:
            question = {"promql": "queue_length", "op": ">", "threshold": 5}
            found = api.ask(tenant, "POST", "signals/probe", question).json()
            quiet = api.ask(tenant, "POST", "signals/probe", {**question, "threshold": 50}).json()
            again = api.ask(tenant, "POST", "signals/probe", question).json()
    assert (found["exceeded"], found["value"], found["series"]) == (True, 9.0, 2)
    assert found["signal"]["kind"] == "metric"
    assert (quiet["exceeded"], quiet["signal"]) == (False, None)
    assert (again["signal"]["id"], again["signal"]["occurrences"]) == (found["signal"]["id"], 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"promql": "up"}, 422),
        ({"promql": "", "threshold": 1}, 422),
        ({"promql": "up", "threshold": "many"}, 422),
        ({"promql": "up", "threshold": 1, "op": "!="}, 422),
        ({"promql": "up", "threshold": 1, "url": "http://evil"}, 422),
        ({"promql": "up", "threshold": 1}, 503),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    api: Api, make_tenant: Callable[[str], UUID], body: dict[str, Any], status: int
) -> None:
    refused = api.ask(make_tenant("acme"), "POST", "signals/probe", body)
    assert refused.status_code == status
    if status == 503:
        assert refused.json()["code"] == "INS801"
