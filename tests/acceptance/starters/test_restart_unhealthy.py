"""restart-unhealthy: a Deployment that broke is ready again; where a restart does not help, people are called."""

from __future__ import annotations

import pytest
from tests.acceptance.starters.story import Starter
from tests.acceptance.starters.surroundings import Surroundings
from tests.acceptance.starters.web import Web


@pytest.fixture(scope="module")
def starter(around: Surroundings) -> Starter:
    return around.starter("restart-unhealthy", "alertmanager")


@pytest.fixture
def web(around: Surroundings, starter: Starter, namespace: str) -> Web:
    starter.permit(around.kubernetes, namespace, around.account)
    found = Web(around.kubernetes, namespace)
    found.deploy()
    return found


def test_a_deployment_that_is_not_ready_is_restarted_and_is_ready(starter: Starter, web: Web) -> None:
    web.break_processes()
    ended = starter.run(namespace=web.namespace, deployment="web")
    assert ended.state == "SUCCEEDED", ended.document
    assert web.ready_replicas == web.replicas
    assert "error: the connection pool is exhausted" in ended.log
    assert "Unhealthy" in ended.log
    assert "restart" in {step["step"] for step in ended.plan["preview"]["steps"]}


def test_a_restart_that_does_not_help_is_taken_back_and_an_alert_is_raised(
    around: Surroundings, starter: Starter, web: Web
) -> None:
    before = web.object["spec"]["template"]
    web.break_processes()
    web.break_settings()
    web.give_up_after(5)
    ended = starter.run(namespace=web.namespace, deployment="web")
    assert ended.state == "ROLLED_BACK", ended.document
    assert "ProgressDeadlineExceeded" in ended.step("verify")["error"]["why"]
    assert web.object["spec"]["template"] == before
    alert = around.alert(alertname="RestartDidNotHelp", namespace=web.namespace, deployment="web")
    assert alert is not None
    assert alert["labels"]["severity"] == "critical"
