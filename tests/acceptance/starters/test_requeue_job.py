"""requeue-job: what failed for a passing reason runs again; what would fail again is escalated."""

from __future__ import annotations

from typing import Any

import pytest
from tests.acceptance.starters.story import Starter
from tests.acceptance.starters.surroundings import Surroundings
from tests.servers.kubernetes import PYTHON_IMAGE, Kubernetes
from tests.servers.waiting import wait_until

WORKER = "import os, sys; print('item', os.environ['ITEM']); sys.exit(os.environ['ITEM'] == 'poison')"
OWN = {
    "registry.internal/queue/worker": "localhost/py",
    'args: [run, --item, "$(ITEM)"]': f'command: [python3, -c, "{WORKER}"]',
    "max_attempts: 2, backoff: 60s": "max_attempts: 1, backoff: 1s",
}
"""The worker of the user's own queue."""


@pytest.fixture(scope="module")
def starter(around: Surroundings) -> Starter:
    return around.starter("requeue-job", "alertmanager", changes=OWN)


@pytest.fixture(scope="module")
def digest(kubernetes: Kubernetes) -> str:
    return kubernetes.pinned(PYTHON_IMAGE).partition("@")[2]


@pytest.fixture
def batch(around: Surroundings, starter: Starter, namespace: str) -> str:
    starter.permit(around.kubernetes, namespace, around.account)
    return namespace


def fail(kubernetes: Kubernetes, namespace: str, name: str, last_words: str) -> None:
    """Afterwards a Job has failed, and its log ends so."""
    command = ["python3", "-c", f"import sys; print({last_words!r}); sys.exit(1)"]
    container = {"name": "worker", "image": PYTHON_IMAGE, "imagePullPolicy": "Never", "command": command}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    spec = {"backoffLimit": 0, "template": template}
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    kubernetes.request("POST", jobs, {"metadata": {"name": name}, "spec": spec})
    wait_until(lambda: "failed" in kubernetes.request("GET", f"{jobs}/{name}")["status"], f"{name} has failed", 60)
    wait_until(lambda: bool(conditions(kubernetes, namespace, name)), f"{name} says why", 60)


def conditions(kubernetes: Kubernetes, namespace: str, name: str) -> list[dict[str, Any]]:
    job = kubernetes.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
    return list(job["status"].get("conditions", []))


def jobs_of(kubernetes: Kubernetes, namespace: str) -> set[str]:
    items = kubernetes.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs")["items"]
    return {job["metadata"]["name"] for job in items if "deletionTimestamp" not in job["metadata"]}


def test_a_job_that_lost_its_connection_runs_again(
    around: Surroundings, starter: Starter, batch: str, digest: str
) -> None:
    fail(around.kubernetes, batch, "import-7", "psycopg.OperationalError: connection reset by peer")
    ended = starter.run(namespace=batch, job="import-7", item="orders", image_digest=digest)
    assert ended.state == "SUCCEEDED", ended.document
    assert ended.step("classify")["outputs"] == {"class": "transient"}
    assert ended.step("escalate")["state"] == "SKIPPED"
    again = conditions(around.kubernetes, batch, "import-7-again-1")
    assert "Complete" in {condition["type"] for condition in again}


def test_a_job_that_would_fail_again_is_escalated(
    around: Surroundings, starter: Starter, batch: str, digest: str
) -> None:
    fail(around.kubernetes, batch, "import-8", "ValueError: no such column")
    ended = starter.run(namespace=batch, job="import-8", item="orders", image_digest=digest)
    assert ended.state == "SUCCEEDED", ended.document
    assert ended.step("requeue")["state"] == "SKIPPED"
    alert = around.alert(alertname="JobNeedsAttention", namespace=batch, job="import-8")
    assert alert is not None
    assert jobs_of(around.kubernetes, batch) == {"import-8"}


def test_a_second_failure_leaves_no_job_behind(around: Surroundings, starter: Starter, batch: str, digest: str) -> None:
    fail(around.kubernetes, batch, "import-9", "the request timed out")
    ended = starter.run(namespace=batch, job="import-9", item="poison", image_digest=digest)
    assert ended.state == "ROLLED_BACK", ended.document
    assert ended.step("requeue")["error"]["code"] == "KUB022"
    assert ended.step("delete-requeued")["state"] == "SUCCEEDED"
    assert jobs_of(around.kubernetes, batch) == {"import-9"}
