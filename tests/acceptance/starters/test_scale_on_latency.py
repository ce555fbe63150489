"""scale-on-latency: more replicas where Prometheus says that it is slow; fewer again where they did not help."""

from __future__ import annotations

import pytest
from tests.acceptance.starters.story import Starter
from tests.acceptance.starters.surroundings import Surroundings
from tests.acceptance.starters.traffic import Traffic
from tests.acceptance.starters.web import Web
from tests.servers.waiting import wait_until

WATCH = {"retry: {max_attempts: 6, backoff: 15s}": "retry: {max_attempts: 4, backoff: 2s}"}
"""How long the user wants to wait for it to get better."""


@pytest.fixture(scope="module")
def starter(around: Surroundings) -> Starter:
    return around.starter("scale-on-latency", "prometheus", changes=WATCH)


@pytest.fixture
def web(around: Surroundings, starter: Starter, namespace: str) -> Web:
    starter.permit(around.kubernetes, namespace, around.account)
    found = Web(around.kubernetes, namespace)
    found.deploy()
    return found


def wait_until_slow(around: Surroundings, web: Web) -> None:
    buckets = f'http_request_duration_seconds_bucket{{namespace="{web.namespace}",app="web"}}'
    latency = f"histogram_quantile(0.99,sum(rate({buckets}[5s]))by(le)) > 0.5"
    wait_until(lambda: bool(around.prometheus.query(latency)), "Prometheus sees that it is slow", 30)


def test_load_that_more_replicas_share_is_met_by_more_up_to_the_cap(
    around: Surroundings, starter: Starter, web: Web
) -> None:
    with Traffic(web, around.targets, lambda pods: 1.2 / max(pods, 1)):
        wait_until_slow(around, web)
        ended = starter.run(namespace=web.namespace, deployment="web", window="5s", factor=2.5, max_replicas=3)
    assert ended.state == "SUCCEEDED", ended.document
    assert float(ended.step("confirm-load")["outputs"]["body"]["data"]["result"][0]["value"][1]) > 0.5
    assert ended.step("scale-up")["outputs"]["object"]["spec"]["replicas"] == 3
    assert ended.step("watch")["state"] == "SUCCEEDED"
    assert web.ready_replicas == 3


def test_load_that_more_replicas_do_not_lessen_gets_the_old_number_back(
    around: Surroundings, starter: Starter, web: Web
) -> None:
    with Traffic(web, around.targets, lambda _: 0.7):
        wait_until_slow(around, web)
        ended = starter.run(namespace=web.namespace, deployment="web", window="5s")
    assert ended.state == "ROLLED_BACK", ended.document
    assert ended.step("scale-up")["outputs"]["object"]["spec"]["replicas"] == 3
    assert ended.step("watch")["error"]["code"] == "RUN674"
    assert ended.step("scale-back")["state"] == "SUCCEEDED"
    assert web.object["spec"]["replicas"] == 2
