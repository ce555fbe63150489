"""One fixture per real server, started when the first test asks and stopped with the session.

What a machine lacks is a visible skip with the command that adds it (`tests/servers/requirement.py`). When a test
fails, the end of the log of each server it used is part of the report. A test that pauses, crashes or seals a server
starts its own: `with OpenBao(tmp_path) as bao`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from tests.servers.alertmanager import Alertmanager
from tests.servers.openbao import OpenBao
from tests.servers.postgres import QUICK
from tests.servers.postgres15 import Postgres15
from tests.servers.process import ServerProcess, log_tail
from tests.servers.prometheus import Prometheus
from tests.servers.s3 import S3Server
from tests.servers.webhook import WebhookReceiver


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for used in item.funcargs.values():
            if isinstance(used, ServerProcess | Postgres15):
                report.sections.append((f"log of {used.name}", log_tail(used.log)))
    return report


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
