"""Whole runs whose shell steps are Jobs, by a worker on a real database and a real cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.yard import Yard, manifest, until, working
from tests.integration.runs_jobs.job_bench import JobBench

from atomctl.canonical import Json
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.kubernetes.calls import Patience
from atomctl.objects.folder import FolderStore
from atomctl.runs import service as runs
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.job_sweep import JobSweep
from atomctl.runs.model import RunState
from atomctl.runs.plan import Abilities
from atomctl.runs.steps.abilities import refusal
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.jobs import manifests
from atomctl.runs.steps.jobs.drafting import draft
from atomctl.runs.steps.probe import prepare_site
from atomctl.worker import Worker

K8S = "runtime: {type: k8s, requirements: {cpu: 100m, memory: 64Mi, storage: 16Mi}}"


def packed(spec: str) -> str:
    return manifest(spec).replace("runtime: {type: shell}", K8S)


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    abilities = Abilities(functools.partial(refusal, kubernetes=True))
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"), abilities)


@pytest.fixture
def worker(database: DatabaseAddress, yard: Yard, bench: JobBench, tmp_path: Path) -> Iterator[Worker]:
    scratch = tmp_path / "scratch"
    executor = StepExecutor(prepare_site(scratch, IsolationPolicy.PREFERRED), jobs=bench.place)
    with working(database, yard, executor, scratch, jobs=bench.place) as running:
        yield running


CHAIN = """
handlers:
  - {name: count, type: shell, idempotency: safe, config: {script: scripts/count.sh}}
  - name: tell
    type: shell
    idempotency: safe
    needs: [count]
    config:
      command: [sh, -c, "echo counted $COUNT"]
      env: {COUNT: "${{ steps.count.outputs.n }}"}
"""


@pytest.mark.usefixtures("worker")
def test_a_run_of_jobs_hands_outputs_on_and_leaves_nothing_in_the_cluster(yard: Yard, bench: JobBench) -> None:
    script = """#!/bin/sh\necho counting; echo '{"n": 3}' >> "$ATOM_OUTPUT"\n"""
    run = yard.start(yard.publish(packed(CHAIN), {"scripts/count.sh": script}))

    assert yard.wait(run, timeout=60).state is RunState.SUCCEEDED
    assert {attempt.isolation for attempt in yard.attempts(run)} == {"job"}
    said = [line for line in yard.log(run).splitlines() if not line.startswith("atom: WARNING")]
    assert said == ["counting", "counted 3"]
    until(bench.nothing_left, bool)


@pytest.mark.usefixtures("worker")
def test_a_failed_job_is_rolled_back_by_a_job(yard: Yard) -> None:
    spec = """
handlers:
  - {name: change, type: shell, idempotency: safe, config: {command: [sh, -c, "echo changed; exit 1"]}}
rollback:
  enabled: true
  handlers:
    - {name: change-back, type: shell, compensates: change, idempotency: safe, config: {command: [echo, back]}}
"""
    run = yard.start(yard.publish(packed(spec)))

    assert yard.wait(run, timeout=60).state is RunState.ROLLED_BACK
    assert yard.states(run) == {"change": "COMPENSATED", "change-back": "SUCCEEDED"}


@pytest.mark.usefixtures("worker")
def test_a_cancelled_run_takes_its_job_with_it(yard: Yard, bench: JobBench) -> None:
    spec = "handlers:\n  - {name: long, type: shell, idempotency: safe, config: {command: [sleep, '300']}}"
    run = yard.start(yard.publish(packed(spec)))
    until(bench.pods, bool)

    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.cancel(conn, yard.olga, run.id, "not needed")

    assert yard.wait(run, timeout=60).state is RunState.CANCELLED
    until(bench.nothing_left, bool)


def test_jobs_without_a_living_attempt_are_swept_and_those_of_others_are_left_alone(
    yard: Yard, bench: JobBench, worker_sessions: Sessions
) -> None:
    for tenant_id in (yard.tenant_id, new_id()):
        request = bench.request("true")
        design = draft(request, bench.place)
        labels: Json = {**design.labels, "atomctl/tenant": str(tenant_id)}
        job = manifests.job(design)
        job["metadata"] = {"name": design.name, "namespace": bench.namespace, "labels": labels}
        bench.place.desk.create(job, Patience.of(10.0))

    assert JobSweep(worker_sessions, bench.place).look() == 1

    left = until(bench.jobs, lambda found: len(found) == 1)
    assert left[0]["metadata"]["labels"]["atomctl/tenant"] != str(yard.tenant_id)
