"""Runs over HTTP, up to the moment a worker takes over."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.fakes.packages import harmless

from atomctl.access.model import Role
from atomctl.db.ids import new_id


@pytest.fixture
def hello(owner: Any, key: Any) -> Any:
    return owner.push(harmless(), key)


@pytest.fixture
def approver(api: Any, tenant: Any) -> Any:
    return api.person(tenant, "otto", Role.APPROVER)


def vote(person: Any, run: Any, choice: str = "approve", status: int = 200) -> Any:
    return person.post(f"approvals/{run['approval_id']}/votes", {"choice": choice, "comment": "seen"}, status)


def test_a_run_waits_for_a_second_person_and_then_for_a_worker(owner: Any, approver: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello", "parameters": {}, "reason": "the greeting is due"}, 202)
    assert (run["schema"], run["state"], run["version"]) == ("atom.run/v1", "AWAITING_APPROVAL", "1.0.0")
    assert [(step["name"], step["kind"], step["state"]) for step in run["steps"]] == [("say-hello", "step", "PENDING")]
    assert approver.get(f"approvals/{run['approval_id']}")["reason"] == "the greeting is due"
    olga = owner.api.person(owner.tenant_id, "olga", Role.APPROVER)
    assert vote(olga, run, status=403)["code"] == "APR502"
    approval = vote(approver, run)
    assert (approval["state"], approval["kind"], approval["subject_ref"]) == ("approved", "run", run["id"])
    assert approver.get(f"runs/{run['id']}")["state"] == "QUEUED"


def test_a_rejected_run_ends(owner: Any, approver: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    assert vote(approver, run, "reject")["state"] == "rejected"
    assert owner.get(f"runs/{run['id']}")["state"] == "REJECTED"


def test_a_withdrawn_request_ends_its_run(owner: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    owner.post(f"approvals/{run['approval_id']}/withdraw", {"reason": "wrong host"})
    assert owner.get(f"runs/{run['id']}")["state"] == "CANCELLED"


def test_a_dry_run_shows_the_plan_and_the_votes_and_runs_nothing(owner: Any, hello: Any) -> None:
    plan = owner.post("runs", {"workflow": "hello", "dry_run": True})
    assert plan["approvals_needed"] == [{"role": None, "count": 1}]
    assert [step["name"] for step in plan["plan"]["steps"]] == ["say-hello"]
    assert plan["plan"]["package"]["digest"] == hello["digest"]
    run = owner.post("runs", {"workflow": "hello"}, 202)
    assert owner.get(f"runs/{run['id']}/plan")["digest"] == plan["digest"]


def test_a_cancelled_run_ends_and_says_why(owner: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    cancelled = owner.post(f"runs/{run['id']}/cancel", {"reason": "not today"}, 202)
    assert cancelled["state"] == "CANCELLED"
    assert cancelled["error"]["why"] == "not today"


def test_a_wait_ends_as_soon_as_the_state_is_another(owner: Any, approver: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    answers = []

    def wait() -> None:
        answers.append(owner.get(f"runs/{run['id']}", wait=20, unless="AWAITING_APPROVAL"))

    waiter = threading.Thread(target=wait)
    waiter.start()
    vote(approver, run)
    waiter.join(15)
    assert [answer["state"] for answer in answers] == ["QUEUED"]


def test_a_log_without_lines_is_empty_and_not_ended(owner: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    log = owner.get(f"runs/{run['id']}/logs", offset=0, wait=0)
    assert log == {"schema": "atom.log/v1", "items": [], "next_offset": 0, "ended": False}
    owner.post(f"runs/{run['id']}/cancel", {}, 202)
    assert owner.get(f"runs/{run['id']}/logs", wait=20)["ended"] is True


def test_runs_are_listed_by_workflow_and_state(owner: Any, hello: Any) -> None:
    made = [owner.post("runs", {"workflow": "hello"}, 202)["id"] for _ in range(3)]
    owner.post(f"runs/{made[0]}/cancel", {}, 202)
    waiting = owner.get("runs", state="AWAITING_APPROVAL", workflow="hello")["items"]
    assert [run["id"] for run in waiting] == [made[2], made[1]]
    assert owner.get("runs", workflow="other")["items"] == []


def test_the_same_idempotency_key_never_starts_a_second_run(owner: Any, hello: Any) -> None:
    headers = {"Idempotency-Key": str(new_id())}
    runs = [owner.ask("POST", "runs", {"workflow": "hello"}, headers=headers).json()["id"] for _ in range(3)]
    assert len(set(runs)) == 1
    assert len(owner.get("runs")["items"]) == 1


def test_what_cannot_be_run_is_refused_with_its_code(owner: Any, api: Any, tenant: Any, hello: Any) -> None:
    for body, status, code in (
        ({"workflow": "hello", "parameters": {"colour": "red"}}, 422, "WPK121"),
        ({"workflow": "nothing"}, 404, "REG402"),
        ({"workflow": "hello", "version": "9.9.9"}, 404, "REG401"),
        ({"workflow": "hello", "environment": "development"}, 422, "API012"),
    ):
        answer = owner.ask("POST", "runs", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    viewer = api.person(tenant, "vera", Role.VIEWER)
    assert viewer.post("runs", {"workflow": "hello"}, 403)["code"] == "AUT020"
    owner.post("packages/hello/1.0.0/yank", {"reason": "says hello to the wrong people"})
    answer = owner.ask("POST", "runs", {"workflow": "hello", "version": "1.0.0"})
    assert (answer.status_code, answer.json()["exit"]) == (409, 13), answer.text
