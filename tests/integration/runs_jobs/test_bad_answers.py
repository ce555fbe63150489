"""An API server that is busy, broken or slow while a Job is made and attended: the step runs once or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.runs_jobs.job_bench import JobBench
from tests.servers.api_proxy import ApiProxy, Handler, refuse, sleep, times
from tests.servers.kubernetes import Kubernetes
from tests.servers.waiting import wait_until

from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.runs.steps.jobs import execution
from atomctl.runs.steps.jobs.place import JobPlace
from atomctl.wpk.model import Runtime, RuntimeType

BUSY = refuse(429, "TooManyRequests", "too many requests", retry_after="1")
BROKEN = refuse(500, "InternalError", "etcdserver: leader changed")
SAYS_ONCE = "echo it ran"


@pytest.fixture
def proxy(kubernetes: Kubernetes) -> Iterator[ApiProxy]:
    with ApiProxy(kubernetes) as running:
        yield running


@pytest.fixture
def behind(bench: JobBench, proxy: ApiProxy, tmp_path: Path) -> Iterator[JobBench]:
    """The bench, with the misbehaving server in between."""
    place = JobPlace.of(Cluster(Credentials(proxy.kubeconfig(tmp_path))), bench.namespace, bench.place.rules)
    yield dataclasses.replace(bench, place=place)
    place.desk.cluster.close()


def ran_once(bench: JobBench) -> bool:
    return bench.log.said == "it ran\n" and len(bench.jobs()) == 1


def test_a_busy_or_broken_server_is_asked_again_and_the_step_runs_once(behind: JobBench, proxy: ApiProxy) -> None:
    for answer in (BUSY, BROKEN):
        for method in ("POST", "PATCH", "GET"):
            behind.log.text = ""
            proxy.misbehave = times(3, answer, only=method)
            request = behind.request(SAYS_ONCE)
            result = behind.execute(request)
            assert result.outcome == "succeeded", (method, result.error)
            assert ran_once(behind), (method, behind.log.text)
            execution.discard(behind.key(request), behind.place)
            wait_until(behind.nothing_left, "nothing is left")


def test_a_job_whose_making_was_not_confirmed_is_not_made_twice(behind: JobBench, proxy: ApiProxy) -> None:
    proxy.misbehave = times(6, Handler.do_and_cut, only="POST")
    assert behind.run(SAYS_ONCE).outcome == "succeeded"
    assert ran_once(behind)


def test_a_slow_server_delays_the_step_and_no_more(behind: JobBench, proxy: ApiProxy) -> None:
    proxy.misbehave = times(2, sleep(3.0))
    assert behind.run(SAYS_ONCE).outcome == "succeeded"
    assert ran_once(behind)


def test_a_server_that_stays_broken_while_the_job_is_made_leaves_nothing(
    behind: JobBench, proxy: ApiProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "_MAKING_SECONDS", 2.0)
    proxy.misbehave = times(10_000, BROKEN, only="POST")
    result = behind.run(SAYS_ONCE)
    assert (result.outcome, result.code) == ("failed", cluster_codes.SERVER_ERROR), result.error
    assert "leader changed" in str(result.error)
    assert behind.nothing_left()


def test_an_image_that_no_registry_gives_is_named_and_nothing_ran(bench: JobBench) -> None:
    image = f"127.0.0.1:1/nobody/there@sha256:{'0' * 64}"
    result = bench.run(SAYS_ONCE, runtime=Runtime(type=RuntimeType.K8S, image=image))
    assert (result.outcome, result.code) == ("failed", cluster_codes.NOT_STARTING), result.error
    assert "127.0.0.1:1/nobody/there" in str(result.error)
    wait_until(bench.nothing_left, "nothing is left")
