"""Whole runs of packages with k8s handlers: requested, approved, carried out by a worker, rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.yard import Yard, manifest, until, working
from tests.integration.kubernetes.bench import WEB, Bench
from tests.servers.kubernetes import Kubernetes

from atomctl.approvals.model import Choice
from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.kubernetes.connection import Cluster, Credentials
from atomctl.objects.folder import FolderStore
from atomctl.registry.model import PackageRecord
from atomctl.runs import service as runs
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.model import Run, RunState
from atomctl.runs.plan import Abilities
from atomctl.runs.refusals import RunRefusedError
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.kubernetes.opening import questions_to
from atomctl.runs.steps.kubernetes.place import Place
from atomctl.runs.steps.probe import prepare_site

ACCOUNT = "atom"
FAILS = "{name: check, type: shell, config: {command: [/bin/false]}}"
PEOPLE = "{name: check, type: approval, config: {message: is it well?}}"


@pytest.fixture
def account(kubernetes: Kubernetes, namespace: str, tmp_path: Path) -> Iterator[Place]:
    """The connection of the installation: an account that may work with Deployments of the namespace, and no more."""
    kubernetes.must("create", "serviceaccount", ACCOUNT, "-n", namespace)
    allow(kubernetes, namespace, "get,list,patch", "deployments,deployments/scale")
    place = Place.of(Cluster(Credentials(kubernetes.account_kubeconfig(tmp_path, namespace, ACCOUNT))))
    yield place
    place.cluster.close()


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path, account: Place) -> Yard:
    abilities = Abilities.at(questions_to(account), None)
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"), abilities)


@pytest.fixture
def worker(
    database: DatabaseAddress, yard: Yard, server_folder: Path, tmp_path: Path, account: Place
) -> Iterator[None]:
    scratch = server_folder / f"scratch-{tmp_path.name}"
    steps = StepExecutor(prepare_site(scratch, IsolationPolicy.PREFERRED), account)
    with working(database, yard, steps, scratch):
        yield


def test_a_run_that_fails_puts_the_prior_object_back(bench: Bench, yard: Yard, worker: None) -> None:
    bench.web(replicas=0)
    before = bench.look(WEB)["spec"]
    run = yard.wait(yard.start(package(yard, bench, check=FAILS)))
    assert run.state is RunState.ROLLED_BACK, (run.why, yard.log(run))
    assert yard.states(run) == {"up": "COMPENSATED", "check": "FAILED", "down": "SUCCEEDED"}
    assert bench.look(WEB)["spec"] == before


def test_the_audit_log_names_what_was_changed_by_digests_of_before_and_after(
    bench: Bench, yard: Yard, worker: None
) -> None:
    bench.web(replicas=0)
    run = yard.wait(yard.start(package(yard, bench, check=FAILS)))
    (up,) = entries(yard, run, "step.succeeded", "up")
    (down,) = entries(yard, run, "step.succeeded", "down")
    ((there,), (back,)) = (up["objects"], down["objects"])
    assert there["object"] == back["object"] == f"Deployment {bench.namespace}/web"
    assert (there["before"], there["after"]) == (back["after"], back["before"])
    assert there["before"] != there["after"]


def test_the_approval_is_bound_to_the_preview(bench: Bench, yard: Yard) -> None:
    bench.web(replicas=0)
    run = yard.request(package(yard, bench, approval=True))
    assert run.state is RunState.AWAITING_APPROVAL
    with yard.sessions.tenant(yard.tenant_id) as conn:
        preview = runs.preview_of(conn, yard.tenant_id, run.id)
        row = conn.execute("SELECT bound FROM atom.approvals WHERE id = %s", (run.approval_id,)).fetchone()
    assert preview is not None
    (item,) = preview["steps"][0]["objects"]
    assert item["differences"] == [{"path": "spec.replicas", "before": "0", "after": "1"}]
    assert row is not None
    assert row["bound"]["preview"] == str(run.preview_digest)


def test_an_object_that_changes_after_the_approval_is_left_alone(bench: Bench, yard: Yard, worker: None) -> None:
    bench.web(replicas=0)
    waiting = yard.request(package(yard, bench, approval=True))
    assert waiting.state is RunState.AWAITING_APPROVAL
    bench.change(WEB, {"spec": {"minReadySeconds": 7}})
    run = yard.wait(yard.approve(waiting))
    assert (run.state, run.code) == (RunState.ROLLED_BACK, "RUN681")
    assert bench.look(WEB)["spec"]["replicas"] == 0


def test_an_undo_over_somebody_elses_change_leaves_the_rollback_incomplete(
    bench: Bench, yard: Yard, worker: None
) -> None:
    bench.web(replicas=0)
    run = yard.start(package(yard, bench, check=PEOPLE))
    asked(yard, run)
    bench.change(WEB, {"spec": {"replicas": 2}})
    yard.vote(run, yard.paul, Choice.REJECT)
    ended = yard.wait(run)
    assert (ended.state, ended.left_over) == (RunState.ROLLBACK_INCOMPLETE, ("up",))
    assert "somebody else changed spec.replicas" in (yard.steps(run).rollback["down"].error or "")
    assert bench.look(WEB)["spec"]["replicas"] == 2


def test_missing_permissions_are_named_and_the_run_is_not_made(bench: Bench, yard: Yard) -> None:
    bench.web(replicas=0)
    with pytest.raises(RunRefusedError) as refused:
        yard.request(package(yard, bench, requires="[deployments/get, secrets/get, pods/log/get]"))
    assert refused.value.code.id == "KUB030"
    assert f"secrets/get in namespace {bench.namespace}" in refused.value.why
    assert f"pods/log/get in namespace {bench.namespace}" in refused.value.why
    assert "deployments/get" not in refused.value.why


def test_what_a_handler_does_is_asked_for_even_if_the_package_does_not_declare_it(bench: Bench, yard: Yard) -> None:
    with pytest.raises(RunRefusedError) as refused:
        yard.request(package(yard, bench, kind="StatefulSet"))
    assert refused.value.code.id == "KUB030"
    assert "statefulsets/scale/patch" in refused.value.why


def test_a_permission_that_is_taken_away_before_the_start_blocks_the_run(
    bench: Bench, yard: Yard, worker: None
) -> None:
    bench.web(replicas=0)
    waiting = yard.request(package(yard, bench, approval=True))
    bench.kubernetes.must("delete", "rolebinding", "--all", "-n", bench.namespace)
    run = yard.wait(yard.approve(waiting))
    assert (run.state, run.code) == (RunState.BLOCKED, "KUB030")
    assert all(state == "PENDING" for state in yard.states(run).values())
    assert bench.look(WEB)["spec"]["replicas"] == 0


def test_a_dry_run_shows_the_preview_and_changes_nothing(bench: Bench, yard: Yard) -> None:
    bench.web(replicas=0)
    run = yard.request(package(yard, bench), dry_run=True)
    assert (run.state, run.preview_digest is not None) == (RunState.SUCCEEDED, True)
    assert bench.look(WEB)["spec"]["replicas"] == 0


def test_a_rerun_puts_back_what_the_first_run_changed(bench: Bench, yard: Yard, worker: None) -> None:
    """The first run was cancelled after it had scaled; the second one goes on from there, fails, and rolls back."""
    bench.web(replicas=0)
    first = yard.start(package(yard, bench, check=PEOPLE))
    asked(yard, first)
    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.cancel(conn, yard.olga, first.id, "the test says so")
        again = runs.rerun(conn, yard.objects, yard.olga, first.id, from_step="check", abilities=yard.abilities)
    assert bench.look(WEB)["spec"]["replicas"] == 1
    asked(yard, again)
    yard.vote(again, yard.paul, Choice.REJECT)
    assert yard.wait(again).state is RunState.ROLLED_BACK
    assert bench.look(WEB)["spec"]["replicas"] == 0


def test_a_step_that_waits_is_cancelled_at_once(bench: Bench, yard: Yard, worker: None) -> None:
    bench.web(ready=False)
    text = manifest(
        f"""
handlers:
  - {{name: verify, type: k8s, config: {{action: wait, kind: Deployment, namespace: {bench.namespace}, name: web,
     condition: Available}}, timeout: 5m}}
"""
    )
    run = yard.start(yard.publish(text))
    yard.wait(run, RunState.RUNNING)
    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.cancel(conn, yard.olga, run.id, "the test says so")
    ended = yard.wait(run, timeout=15)
    assert (ended.state, yard.states(run)) == (RunState.CANCELLED, {"verify": "CANCELLED"})


def package(
    yard: Yard,
    bench: Bench,
    *,
    check: str = "{name: check, type: shell, config: {command: [/bin/true]}}",
    requires: str = "[deployments/get]",
    kind: str = "Deployment",
    approval: bool = False,
) -> PackageRecord:
    """Scales up, then checks; `undo` is the way back."""
    target = f"kind: {kind}, namespace: {bench.namespace}, name: web"
    text = manifest(
        f"""
handlers:
  - {{name: up, type: k8s, config: {{action: scale, {target}, replicas: 1}}, timeout: 20s}}
  - {check}
rollback:
  handlers:
    - {{name: down, type: k8s, compensates: up, config: {{action: undo, {target}}}, timeout: 20s}}
validation: {{required_permissions: {requires}}}
"""
    )
    return yard.publish(text.replace("approval_required: false", f"approval_required: {str(approval).lower()}"))


def asked(yard: Yard, run: Run) -> None:
    """The run has scaled, and waits for people."""
    until(lambda: yard.states(run)["check"], lambda state: state == "RUNNING")


def allow(kubernetes: Kubernetes, namespace: str, verbs: str, resources: str) -> None:
    kubernetes.must("create", "role", ACCOUNT, "-n", namespace, f"--verb={verbs}", f"--resource={resources}")
    bound = f"--serviceaccount={namespace}:{ACCOUNT}"
    kubernetes.must("create", "rolebinding", ACCOUNT, "-n", namespace, f"--role={ACCOUNT}", bound)


def entries(yard: Yard, run: Run, action: str, step: str) -> list[dict[str, Any]]:
    """The details of the run's audit entries about a step."""
    with yard.sessions.tenant(yard.tenant_id) as conn:
        rows = conn.execute("SELECT convert_from(data, 'UTF8')::jsonb AS entry FROM atom.audit_inbox").fetchall()
    found = [row["entry"] for row in rows]
    return [
        entry["detail"]
        for entry in found
        if entry["action"] == action and entry["subject"] == f"run/{run.id}" and entry["detail"].get("step") == step
    ]
