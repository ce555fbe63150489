"""Workers are killed while their steps' Pods run: the next worker goes on with the same Job, and every step is once."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.chaos.crew import Crew
from tests.fakes.yard import Yard, manifest, until
from tests.servers.kubernetes import Kubernetes

from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.runs.model import AttemptState, Run, RunState
from atomctl.runs.plan import Abilities
from atomctl.runs.steps.abilities import refusal

K8S = "runtime: {type: k8s, requirements: {cpu: 50m, memory: 32Mi, storage: 16Mi}}"
COUNT = """#!/bin/sh
i=0
while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); sleep 0.2; done
cat "$ATOM_PACKAGE/wpk.yaml" > /dev/null
echo '{"n": 30}' >> "$ATOM_OUTPUT"
"""
LINES = [f"line {number}" for number in range(30)]


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    abilities = Abilities(functools.partial(refusal, kubernetes=True))
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"), abilities)


@pytest.fixture
def crew(
    database: DatabaseAddress,
    server_folder: Path,
    tmp_path: Path,
    kubernetes: Kubernetes,
    restricted_namespace: str,
) -> Iterator[Crew]:
    folder = server_folder / tmp_path.name
    folder.mkdir(mode=0o711)
    hired = Crew(database, folder, tmp_path / "objects", kubernetes.kubeconfig, restricted_namespace)
    yield hired
    hired.dismiss()


def package_of(yard: Yard, *, idempotency: str = "unsafe") -> Any:
    spec = "handlers:\n  - {name: count, type: shell, idempotency: %s, config: {script: scripts/count.sh}}"
    text = manifest(spec % idempotency).replace("runtime: {type: shell}", K8S)
    return yard.publish(text, {"scripts/count.sh": COUNT})


def step_objects(kubernetes: Kubernetes, namespace: str, path: str) -> list[dict[str, Any]]:
    found = kubernetes.request("GET", path.format(namespace), labelSelector="app.kubernetes.io/managed-by=atomctl")
    return list(found["items"])


JOBS = "/apis/batch/v1/namespaces/{}/jobs"
PODS = "/api/v1/namespaces/{}/pods"


def made_pods(kubernetes: Kubernetes, namespace: str) -> list[str]:
    """The Pods that were ever made for Jobs."""
    events = kubernetes.request("GET", f"/api/v1/namespaces/{namespace}/events")["items"]
    return [event["message"] for event in events if event["reason"] == "SuccessfulCreate"]


def said(yard: Yard, run: Run) -> list[str]:
    """What the run's step printed."""
    return [line for line in yard.log(run).splitlines() if not line.startswith("atom: WARNING")]


def speaking(yard: Yard, run: Run) -> None:
    """Returns once the run's log holds something that its step said, in more than one chunk."""

    def stored() -> int:
        with yard.sessions.tenant(yard.tenant_id) as conn:
            row = conn.execute("SELECT count(*) AS n FROM atom.log_chunks WHERE run_id = %s", [run.id]).fetchone()
        assert row is not None
        return int(row["n"])

    until(stored, lambda count: count >= 2, 60)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_next_worker_goes_on_with_the_job_of_one_that_is_gone(
    how: signal.Signals, yard: Yard, crew: Crew, kubernetes: Kubernetes, restricted_namespace: str
) -> None:
    first = crew.hire()
    run = yard.start(package_of(yard))
    speaking(yard, run)
    first.send_signal(how)
    crew.hire()

    assert yard.wait(run, timeout=90).state is RunState.SUCCEEDED

    attempts = yard.attempts(run)
    assert [(attempt.state, attempt.outputs) for attempt in attempts] == [(AttemptState.SUCCEEDED, {"n": 30})]
    assert said(yard, run) == LINES, crew.log_of(1)
    assert len(made_pods(kubernetes, restricted_namespace)) == 1
    until(lambda: step_objects(kubernetes, restricted_namespace, JOBS), lambda found: not found)


@pytest.mark.slow
def test_a_killed_pod_fails_its_step_and_a_retry_is_another_job(
    yard: Yard, crew: Crew, kubernetes: Kubernetes, restricted_namespace: str
) -> None:
    crew.hire()
    spec = (
        "handlers:\n  - {name: count, type: shell, idempotency: safe, retry: {max_attempts: 2, backoff: 1s}, "
        "config: {script: scripts/count.sh}}"
    )
    text = manifest(spec).replace("runtime: {type: shell}", K8S)
    run = yard.start(yard.publish(text, {"scripts/count.sh": COUNT}))
    speaking(yard, run)
    pod = step_objects(kubernetes, restricted_namespace, PODS)[0]["metadata"]["name"]
    kubernetes.must("-n", restricted_namespace, "delete", "pod", pod, "--force", "--grace-period=0")

    assert yard.wait(run, timeout=90).state is RunState.SUCCEEDED

    states = [(attempt.state, attempt.code) for attempt in yard.attempts(run)]
    assert states == [(AttemptState.FAILED, "RUN693"), (AttemptState.SUCCEEDED, None)]
    until(lambda: step_objects(kubernetes, restricted_namespace, JOBS), lambda found: not found)


@pytest.mark.slow
def test_the_api_server_and_the_worker_may_both_die_while_steps_run(
    yard: Yard, crew: Crew, kubernetes: Kubernetes, restricted_namespace: str
) -> None:
    first = crew.hire()
    package = package_of(yard)
    all_runs = [yard.start(package) for _ in range(3)]
    for run in all_runs:
        speaking(yard, run)
    kubernetes.stop_api()
    first.kill()
    crew.hire()
    kubernetes.start_api()

    for run in all_runs:
        assert yard.wait(run, timeout=120).state is RunState.SUCCEEDED
        assert [attempt.state for attempt in yard.attempts(run)] == [AttemptState.SUCCEEDED]
        assert said(yard, run) == LINES, crew.log_of(1)
    assert len(made_pods(kubernetes, restricted_namespace)) == len(all_runs)
    until(lambda: step_objects(kubernetes, restricted_namespace, JOBS), lambda found: not found, 60)
