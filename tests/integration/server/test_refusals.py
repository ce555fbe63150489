"""What the API says when it says no: form, headers, limits; never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.fakes.packages import harmless

from atomctl.access.model import Role
from atomctl.audit.model import DEPLOYMENT
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.server.shell import HEADERS, LARGE, SMALL

FIELDS = {"type", "title", "status", "detail", "code", "meaning", "exit", "hint", "docs", "retryable"}


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) >= FIELDS
    assert (body["code"], body["status"]) == (code, status)
    assert "Traceback" not in answer.text
    return body


def test_a_request_without_a_token_names_nobody(api: Any) -> None:
    for headers in ({}, {"Authorization": "Basic b2xnYTpzZWNyZXQ="}, {"Authorization": "Bearer"}):
        answer = api.http.get("/api/v1/packages", headers=headers)
        problem(answer, 401, "AUT001")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_that_is_not_believed_is_401_with_its_reason(api: Any, tenant: Any) -> None:
    token = api.person(tenant, "olga").headers["Authorization"]
    for header, code in (
        ("Bearer x", "AUT002"),
        (token[:-20] + "A" * 20, "AUT007"),
        ("Bearer " + "x" * 9000, "AUT002"),
    ):
        problem(api.http.get("/api/v1/packages", headers={"Authorization": header}), 401, code)


def test_a_refused_login_is_recorded_in_the_deployments_log_without_what_the_token_says(api: Any, tenant: Any) -> None:
    token = api.person(tenant, "olga").headers["Authorization"]
    problem(api.http.get("/api/v1/packages", headers={"Authorization": token[:-20] + "A" * 20}), 401, "AUT007")
    with api.services.sessions.tenant(DEPLOYMENT) as conn:
        rows = conn.execute("SELECT data FROM atom.audit_inbox").fetchall()
    entry = json.loads(bytes(rows[-1]["data"]))
    assert (entry["action"], entry["code"], entry["result"]) == ("login.refuse", "AUT007", "refused")
    assert "olga" not in str(entry)
    assert "127.0.0.1" not in str(entry)


def test_a_large_body_is_not_read_from_whoever_has_no_token(api: Any, owner: Any) -> None:
    large = b'{"archive": "' + b"A" * SMALL + b'"}'
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {owner.headers['Authorization']}"}):
        problem(api.http.post("/api/v1/packages", content=large, headers=headers), 413, "API013")
    problem(api.http.post("/api/v1/validate", content=large, headers=owner.headers), 422, "API012")


def test_a_token_for_a_tenant_that_does_not_exist_is_401(api: Any) -> None:
    problem(api.person(new_id(), "olga", Role.ADMIN).ask("GET", "packages"), 401, "AUT010")


def test_every_answer_carries_the_security_headers_and_an_id(api: Any, owner: Any) -> None:
    answers = [api.http.get("/livez"), api.http.get("/nowhere"), owner.ask("GET", "packages")]
    answers.append(owner.ask("POST", "packages", {}))
    for answer in answers:
        for name, value in HEADERS:
            assert answer.headers[name.decode()] == value.decode()
        assert len(answer.headers["x-request-id"]) == 36
        assert "server" not in answer.headers


def test_unknown_paths_and_methods_are_problems_too(api: Any, owner: Any) -> None:
    problem(api.http.get("/"), 404, "API010")
    problem(api.http.get("/api/v1/packages/"), 404, "API010")
    problem(owner.ask("DELETE", "packages"), 405, "API011")


def test_a_body_of_another_form_is_422_and_says_where(owner: Any) -> None:
    for path, body in (
        ("packages", {}),
        ("packages", {"archive": "AAAA", "bundles": [], "colour": "red"}),
        ("packages", {"archive": 7, "bundles": []}),
        ("packages", [1]),
        ("packages", None),
        ("packages", {"archive": "AAAA", "bundles": ["x"] * 33}),
        ("packages", {"archive": "AAAA", "bundles": [], "name": "hello"}),
        ("packages", {"archive": "AAAA", "bundles": [], "version": "1.0.0"}),
        ("trust/rules", {"document": [], "reason": "because"}),
        ("trust/keys", {"public_key": "x", "valid_to": "2026-01-01T00:00:00"}),
        (f"approvals/{new_id()}/votes", {"choice": "maybe"}),
        ("approvals/not-an-id/votes", {"choice": "approve"}),
    ):
        assert problem(owner.ask("POST", path, body), 422, "API012")["detail"]


def test_json_that_cannot_be_read_is_refused(owner: Any) -> None:
    for content in (b"{", b"\xff\xfe", b'{"archive":' + b"[" * 100_000):
        headers = {**owner.headers, "content-type": "application/json"}
        problem(owner.api.http.post("/api/v1/packages", content=content, headers=headers), 422, "API012")


def test_a_parameter_out_of_range_is_422(owner: Any) -> None:
    for query in ("limit=0", "limit=201", "limit=x", "state=odd", "kind=odd"):
        problem(owner.ask("GET", f"approvals?{query}"), 422, "API012")


def test_a_cursor_of_another_list_is_refused(owner: Any) -> None:
    for after in ("x", "%00", "....", "bm90LWFuLWlk", "é", "a" * 300):
        problem(owner.ask("GET", f"approvals?after={after}"), 422, "API014")


def test_a_body_over_the_limit_is_cut_off_whether_it_says_so_or_not(owner: Any) -> None:
    http, headers = owner.api.http, {**owner.headers, "content-type": "application/json"}
    large = b'{"reason": "' + b"x" * SMALL + b'"}'
    path = "/api/v1/packages/hello/1.0.0/yank"
    problem(http.post(path, content=large, headers=headers), 413, "API013")
    problem(http.post(path, content=iter([large]), headers=headers), 413, "API013")
    said = {**headers, "content-length": str(LARGE + 1)}
    request = http.build_request("POST", "/api/v1/packages", content=b"{}", headers=said)
    assert request.headers["content-length"] == str(LARGE + 1)


def test_a_large_package_is_read_where_packages_are_taken(owner: Any) -> None:
    big = json.dumps({"archive": "A" * (2 * SMALL), "bundles": []})
    headers = {**owner.headers, "content-type": "application/json"}
    problem(owner.api.http.post("/api/v1/packages", content=big, headers=headers), 422, "REG411")


def test_a_failure_inside_is_500_with_an_id_and_nothing_else(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atomctl.registry import service

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(service, "list_packages", broken)
    with capture_logs() as logs:
        answer = owner.ask("GET", "packages")
    assert [log["event"] for log in logs] == ["request.failed"]
    body = problem(answer, 500, "API020")
    assert "hunter2" not in answer.text
    assert body["detail"] == f"request {answer.headers['x-request-id']}"


def test_a_database_that_is_away_is_503_and_may_be_tried_again(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atomctl.db import codes
    from atomctl.registry import service

    def away(*_: object, **__: object) -> None:
        raise AtomError(codes.UNAVAILABLE, "no connection")

    monkeypatch.setattr(service, "list_packages", away)
    answer = owner.ask("GET", "packages")
    assert problem(answer, 503, "DBA001")["retryable"] is True
    assert answer.headers["retry-after"]


def test_a_refused_change_is_recorded_with_who_tried_it(owner: Any, api: Any, tenant: Any, sequence: Any) -> None:
    viewer = api.person(tenant, "vera", Role.VIEWER)
    problem(viewer.ask("POST", "packages/hello/1.0.0/yank", {"reason": "I do not like it"}), 403, "AUT020")
    sequence()
    entry = owner.get("audit/entries", limit=1)["items"][0]
    assert (entry["result"], entry["code"], entry["action"]) == ("refused", "AUT020", "api.post")
    assert entry["actor"] == viewer.get("auth/whoami")["principal"]["id"]


def newest_entry(api: Any, tenant: Any) -> Any:
    with api.services.sessions.tenant(tenant) as conn:
        row = conn.execute("SELECT data FROM atom.audit_inbox ORDER BY position DESC LIMIT 1").fetchone()
    return json.loads(bytes(row["data"]))


def test_a_refused_run_is_recorded_with_the_package_it_was_about(owner: Any, key: Any, api: Any, tenant: Any) -> None:
    package = owner.push(harmless(), key)
    body = {"workflow": "hello", "parameters": {"colour": "red"}}
    problem(owner.ask("POST", "runs", body), 422, "WPK121")
    entry = newest_entry(api, tenant)
    assert (entry["action"], entry["result"], entry["code"]) == ("run.request", "refused", "WPK121")
    assert (entry["subject"], entry["digests"]["package"]) == ("package/hello@1.0.0", package["digest"])
    assert "red" not in str(entry)


def test_bytes_that_were_swapped_are_recorded_whoever_reads_or_runs_them(
    owner: Any, key: Any, api: Any, tenant: Any, tmp_path: Path
) -> None:
    package = owner.push(harmless(), key)
    hexadecimal = package["digest"].removeprefix("sha256:")
    stored = tmp_path / "objects" / "packages" / hexadecimal[:2] / hexadecimal
    stored.chmod(0o600)
    stored.write_bytes(b"something else")
    problem(owner.ask("GET", "packages/hello/1.0.0/archive"), 500, "REG413")
    assert newest_entry(api, tenant)["code"] == "REG413"
    problem(owner.ask("POST", "runs", {"workflow": "hello"}), 500, "REG413")
    entry = newest_entry(api, tenant)
    assert (entry["action"], entry["code"]) == ("run.request", "REG413")
