"""One fixture per real server, started when the first test asks and stopped with the session.

What a machine lacks is a visible skip with the command that adds it (`tests/servers/requirement.py`). When a test
fails, the end of the log of each server it used is part of the report. A test that pauses, crashes or seals a server
starts its own: `with OpenBao(tmp_path) as bao`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from tests.servers.alertmanager import Alertmanager
from tests.servers.kubernetes import KUBECONFIG_VARIABLE, Kubernetes, KubernetesServer
from tests.servers.openbao import OpenBao
from tests.servers.postgres import QUICK
from tests.servers.postgres15 import Postgres15
from tests.servers.process import ServerProcess, log_tail
from tests.servers.prometheus import Prometheus
from tests.servers.s3 import S3Server
from tests.servers.webhook import WebhookReceiver

ONE_NODE = frozenset({"kubernetes", "kubernetes_server"})
"""Fixtures of which a machine has one."""
NODE_SECONDS = 900


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for used in item.funcargs.values():
            if isinstance(used, ServerProcess | Postgres15):
                report.sections.append((f"log of {used.name}", log_tail(used.log)))
            elif isinstance(used, Kubernetes):
                report.sections.append((f"last events of {used.name}", used.events()))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what uses the machine's one Kubernetes: processes side by side must be given one they share.

    Such a test may take long: it may be the one that has to wait until another session gives the node up.
    """
    for item in items:
        if isinstance(item, pytest.Function) and ONE_NODE.intersection(item.fixturenames):
            item.add_marker(pytest.mark.kubernetes)
            if "kubernetes_server" in item.fixturenames:
                item.add_marker(pytest.mark.own_node)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(NODE_SECONDS))


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A development server in memory; tests keep to paths and roles of their own."""
    with OpenBao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server; tests make buckets of their own."""
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def webhook() -> Iterator[WebhookReceiver]:
    """Where `alertmanager` sends; tests tell their alerts by labels of their own."""
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def alertmanager(tmp_path_factory: pytest.TempPathFactory, webhook: WebhookReceiver) -> Iterator[Alertmanager]:
    """An Alertmanager that notifies `webhook` at once."""
    with Alertmanager(tmp_path_factory.mktemp("alertmanager"), webhook.url) as server:
        yield server


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory, alertmanager: Alertmanager) -> Iterator[Prometheus]:
    """A Prometheus that notifies `alertmanager`; each test loads its own rules and targets."""
    with Prometheus(tmp_path_factory.mktemp("prometheus"), alertmanager=alertmanager.url) as server:
        yield server


@pytest.fixture(scope="session")
def postgres15(server_folder: Path) -> Iterator[Postgres15]:
    """An external PostgreSQL 15 with the empty database `atom`."""
    with Postgres15(server_folder / "postgres15", QUICK) as server:
        yield server


@pytest.fixture(scope="session")
def kubernetes_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesServer]:
    """The session's own node, for tests of starting and stopping; everybody else asks for `kubernetes`."""
    if named := os.environ.get(KUBECONFIG_VARIABLE):
        pytest.skip(f"{KUBECONFIG_VARIABLE}={named} is to be used, so no other node is started")
    with KubernetesServer(tmp_path_factory.mktemp("kubernetes"), wait=NODE_SECONDS / 3) as server:
        yield server


@pytest.fixture(scope="session")
def kubernetes(request: pytest.FixtureRequest) -> Kubernetes:
    """A one-node Kubernetes: the one that `ATOM_TEST_KUBECONFIG` names, else one of the session's own."""
    if named := os.environ.get(KUBECONFIG_VARIABLE):
        return Kubernetes(Path(named))
    server: KubernetesServer = request.getfixturevalue("kubernetes_server")
    return server.node


@pytest.fixture
def namespace(kubernetes: Kubernetes, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own on `kubernetes`, in which any pod may run. It goes away by itself afterwards."""
    name = kubernetes.create_namespace(request.node.name)
    yield name
    kubernetes.delete_namespace(name)


@pytest.fixture
def restricted_namespace(kubernetes: Kubernetes, request: pytest.FixtureRequest) -> Iterator[str]:
    """As `namespace`, and the API server refuses pods that are not `restricted`."""
    name = kubernetes.create_namespace(request.node.name, enforce="restricted")
    yield name
    kubernetes.delete_namespace(name)
