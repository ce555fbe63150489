"""Pods and the API server of the cluster are killed in the middle of runs: every run ends, each step is recorded once.

The release of the chart is the one that users install; its database is outside of the cluster.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.smoke.cluster import Release
from tests.acceptance.smoke.crowd import Crowd, gathered
from tests.acceptance.smoke.deployment import Deployment, Part
from tests.acceptance.smoke.signing import signed_package
from tests.servers.chart import installed_chart
from tests.servers.kubernetes import Kubernetes
from tests.servers.waiting import wait_until

from atomctl.client import Client
from atomctl.errors import AtomError

PACKAGE = Path(__file__).with_name("patient")
STEPS = {"one": 1, "two": 1, "three": 1}
RUNS = 3
_END_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Site:
    """A release under load.

    Attributes:
        cluster: the node.
        release: what Helm installed.
        crowd: who asks for runs and who agrees.
        package: the name of what is run.
    """

    cluster: Kubernetes
    release: Release
    crowd: Crowd
    package: str

    def client(self, part: Part) -> Client:
        """The API as somebody, at the Service's own address, which a killed pod does not take along."""
        return Client(self.crowd.deployment.base_url, self.crowd.tokens[part])

    def start(self, seconds: int) -> str:
        """The id of a new run that was agreed to."""
        body = {"workflow": self.package, "parameters": {"seconds": seconds}}
        with self.client(Part.AUTHOR) as ada, self.client(Part.APPROVER) as bob:
            run = ada.post("runs", body)
            bob.post(f"approvals/{run['approval_id']}/votes", {"choice": "approve"})
        return str(run["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """The run as it is now; asked again while the server is away."""
        deadline = time.monotonic() + _END_SECONDS
        while True:
            try:
                with self.client(Part.AUTHOR) as ada:
                    return ada.get(f"runs/{run_id}")
            except AtomError as error:
                if not error.code.retryable or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def running(self, run_id: str, step: str) -> bool:
        """Whether a step's attempt is under way in a container."""
        pods = self.pods(f"atomctl/run={run_id},atomctl/step={step}")
        return any(pod["status"]["phase"] == "Running" for pod in pods)

    def ended(self, runs: list[str]) -> list[dict[str, Any]]:
        """All the runs, once none of them goes on."""
        open_states = {"RECEIVED", "PLANNING", "AWAITING_APPROVAL", "QUEUED", "RUNNING", "PAUSED", "ROLLING_BACK"}
        wait_until(
            lambda: not any(self.run(each)["state"] in open_states for each in runs), "every run ends", _END_SECONDS
        )
        return [self.run(each) for each in runs]

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """The pods with these labels, those of steps too, which have a namespace of their own."""
        return self._listed("pods", selector)

    def jobs(self, run_id: str) -> list[dict[str, Any]]:
        """The Jobs of a run's steps that are still there."""
        return self._listed("jobs", f"atomctl/run={run_id}")

    def _listed(self, kind: str, selector: str) -> list[dict[str, Any]]:
        text = self.cluster.must("get", kind, "--all-namespaces", "--selector", selector, "--output", "json")
        items: list[dict[str, Any]] = json.loads(text)["items"]
        return items

    def kill_component(self, name: str) -> None:
        """A pod of the server or of the workers is gone, without a moment to put its things in order."""
        labels = f"app.kubernetes.io/instance={self.release.name},app.kubernetes.io/component={name}"
        mine = [pod for pod in self.pods(labels) if pod["metadata"]["namespace"] == self.release.namespace]
        self._kill(mine[0])

    def kill_step(self, run_id: str, step: str) -> None:
        """The pod of a step's attempt is gone in the same way."""
        self._kill(self.pods(f"atomctl/run={run_id},atomctl/step={step}")[0])

    def _kill(self, pod: Mapping[str, Any]) -> None:
        where = ("--namespace", pod["metadata"]["namespace"])
        self.cluster.must(
            *where, "delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false"
        )


@pytest.fixture(scope="module")
def site(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        chart = stack.enter_context(installed_chart(kubernetes, tmp_path_factory.mktemp("chart")))
        release = Release(chart.kubeconfig, chart.namespace, chart.release)
        crowd = stack.enter_context(gathered(Deployment(chart.base_url, release.beside())))
        package = stack.enter_context(signed_package(crowd, PACKAGE))
        crowd[Part.AUTHOR]("push", package.file)
        yield Site(kubernetes, release, crowd, package.name)


def assert_each_step_is_recorded_once(runs: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """The attempts of runs that all succeeded: of each step one succeeded, and what was lost says so."""
    attempts = [attempt for run in runs for step in run["steps"] for attempt in step["attempts"]]
    for run in runs:
        assert run["state"] == "SUCCEEDED", run
        won = Counter(
            step["name"] for step in run["steps"] for attempt in step["attempts"] if attempt["state"] == "SUCCEEDED"
        )
        assert won == STEPS
    return attempts


def assert_nothing_is_left(site: Site, runs: list[str]) -> None:
    """No Job of these runs is at work, and no pod of theirs."""
    wait_until(
        lambda: not any(job["status"].get("active") for run in runs for job in site.jobs(run)), "no orphan Job is left"
    )
    phases = {pod["status"]["phase"] for run in runs for pod in site.pods(f"atomctl/run={run}")}
    assert phases <= {"Succeeded", "Failed"}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_killed_worker_pod_costs_no_run_and_repeats_no_recorded_step(site: Site) -> None:
    runs = [site.start(3) for _ in range(RUNS)]
    wait_until(lambda: any(site.running(run, "two") for run in runs), "a second step is under way", 90)
    before = recorded(site, runs)
    site.kill_component("worker")
    ended = site.ended(runs)
    attempts = assert_each_step_is_recorded_once(ended)
    assert before <= {attempt["id"] for attempt in attempts if attempt["state"] == "SUCCEEDED"}
    assert {attempt["state"] for attempt in attempts} <= {"SUCCEEDED", "LOST"}
    assert_nothing_is_left(site, runs)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_killed_server_pod_costs_nothing_but_a_moment(site: Site) -> None:
    runs = [site.start(3) for _ in range(RUNS)]
    wait_until(lambda: any(site.running(run, "one") for run in runs), "a step is under way", 90)
    site.kill_component("server")
    attempts = assert_each_step_is_recorded_once(site.ended(runs))
    assert {attempt["state"] for attempt in attempts} == {"SUCCEEDED"}
    assert_nothing_is_left(site, runs)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_killed_pod_of_a_step_is_a_failed_attempt_with_a_reason_and_is_tried_again(site: Site) -> None:
    run = site.start(6)
    wait_until(lambda: site.running(run, "two"), "the second step is under way", 90)
    site.kill_step(run, "two")
    (ended,) = site.ended([run])
    attempts = assert_each_step_is_recorded_once([ended])
    (killed,) = [attempt for attempt in attempts if attempt["state"] != "SUCCEEDED"]
    assert killed["error"]["code"] == "RUN693"
    assert_nothing_is_left(site, [run])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_api_server_that_stops_and_comes_back_loses_no_run(site: Site) -> None:
    runs = [site.start(6) for _ in range(RUNS)]
    wait_until(lambda: any(site.running(run, "two") for run in runs), "a second step is under way", 90)
    before = recorded(site, runs)
    site.cluster.stop_api()
    try:
        time.sleep(10)  # as long as two steps take: they end while nobody can see them
    finally:
        site.cluster.start_api()
    attempts = assert_each_step_is_recorded_once(site.ended(runs))
    assert before <= {attempt["id"] for attempt in attempts if attempt["state"] == "SUCCEEDED"}
    assert_nothing_is_left(site, runs)


def recorded(site: Site, runs: list[str]) -> set[str]:
    """The attempts that are recorded as having succeeded."""
    attempts = [attempt for run in runs for step in site.run(run)["steps"] for attempt in step["attempts"]]
    return {attempt["id"] for attempt in attempts if attempt["state"] == "SUCCEEDED"}
