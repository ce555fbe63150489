"""Explanations over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.packages import harmless

from atomctl.access.model import Role
from atomctl.db.ids import new_id


@pytest.fixture
def hello(owner: Any, key: Any) -> Any:
    return owner.push(harmless(), key)


def test_a_run_that_waits_says_for_whose_vote_and_how_to_give_it(owner: Any, api: Any, tenant: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    viewer = api.person(tenant, "vera", Role.VIEWER)
    found = viewer.get(f"runs/{run['id']}/explanation")
    assert (found["schema"], found["run_id"], found["state"]) == ("atom.explanation/v1", run["id"], "AWAITING_APPROVAL")
    assert found["waits_for"]["kind"] == "votes"
    assert found["waits_for"]["text"] == "the vote of 1 more person who may approve"
    assert found["waits_for"]["until"] > found["waits_for"]["since"]
    assert found["next"][0]["command"] == f"atomctl approve {run['id']}"
    assert (found["failing"], found["at_work"], found["since_success"], found["signals"]) == ([], None, None, [])


def test_a_run_of_another_tenant_is_answered_like_one_that_does_not_exist(
    owner: Any, api: Any, make_tenant: Any, hello: Any
) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    stranger = api.person(make_tenant("other"), "eve", Role.ADMIN)
    foreign = stranger.ask("GET", f"runs/{run['id']}/explanation")
    unknown = stranger.ask("GET", f"runs/{new_id()}/explanation")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "RUN601")
    assert foreign.json() == unknown.json()


def test_whoever_has_no_role_is_told_nothing(owner: Any, api: Any, tenant: Any, hello: Any) -> None:
    run = owner.post("runs", {"workflow": "hello"}, 202)
    answer = api.person(tenant, "nina").ask("GET", f"runs/{run['id']}/explanation")
    assert (answer.status_code, answer.json()["code"]) == (403, "AUT020")
