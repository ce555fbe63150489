"""A worker is killed between a change of an object and its record: nothing is changed twice, all of it is put back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.chaos.crew import Crew
from tests.fakes.yard import Yard, manifest, until
from tests.integration.kubernetes.bench import deployment
from tests.servers.api_proxy import ApiProxy, Handler
from tests.servers.kubernetes import Kubernetes

from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.runs.model import AttemptState, RunState
from atomctl.runs.plan import Abilities
from atomctl.runs.steps.abilities import refusal


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    abilities = Abilities(functools.partial(refusal, kubernetes=True))
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"), abilities)


@pytest.fixture
def proxy(kubernetes: Kubernetes) -> Iterator[ApiProxy]:
    with ApiProxy(kubernetes) as running:
        yield running


@pytest.fixture
def crew(database: DatabaseAddress, server_folder: Path, tmp_path: Path, proxy: ApiProxy) -> Iterator[Crew]:
    folder = server_folder / tmp_path.name
    folder.mkdir(mode=0o711)
    hired = Crew(database, folder, tmp_path / "objects", proxy.kubeconfig(tmp_path))
    yield hired
    hired.dismiss()


@pytest.mark.slow
def test_a_change_whose_worker_was_killed_is_made_once_and_put_back(
    kubernetes: Kubernetes, namespace: str, yard: Yard, crew: Crew, proxy: ApiProxy
) -> None:
    web = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    before = kubernetes.request("POST", web, deployment(replicas=0))["spec"]
    target = f"kind: Deployment, namespace: {namespace}, name: web"
    package = yard.publish(
        manifest(
            f"""
handlers:
  - {{name: up, type: k8s, idempotency: safe, config: {{action: scale, {target}, replicas: 1}}, timeout: 60s}}
  - {{name: check, type: shell, config: {{command: [/bin/false]}}, timeout: 20s}}
rollback:
  handlers:
    - {{name: down, type: k8s, compensates: up, config: {{action: undo, {target}}}, timeout: 20s}}
"""
        )
    )
    proxy.misbehave = made_and_never_answered
    first = crew.hire()
    run = yard.start(package)
    until(proxy.writes, bool)
    until(lambda: kubernetes.request("GET", f"{web}/web")["spec"]["replicas"], lambda count: count == 1)
    first.kill()
    proxy.misbehave = lambda _: False
    crew.hire()

    ended = yard.wait(run, timeout=60)

    assert (ended.state, ended.code) == (RunState.ROLLED_BACK, "RUN655")
    tries = [attempt.state for attempt in yard.attempts(run) if attempt.step == "up"]
    assert tries == [AttemptState.LOST, AttemptState.SUCCEEDED]
    assert len([path for path in proxy.writes() if "/scale" in path]) == 1
    assert kubernetes.request("GET", f"{web}/web")["spec"] == before


def made_and_never_answered(handler: Handler) -> bool:
    """The change is made, and its answer does not come as long as anybody could wait for it."""
    if handler.command != "PATCH" or "dryRun" in handler.path:
        return False
    handler.ask()
    handler.server.proxy.stopping.wait(60)
    return True
