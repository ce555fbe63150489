"""`make stack` as its user meets it: a process that prints an environment and leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.servers.openbao import OpenBao
from tests.servers.prometheus import Prometheus
from tests.servers.s3 import S3Server
from tests.servers.waiting import wait_until

EVERYTHING = {"postgres", "bao", "versitygw", "prometheus", "prometheus-aler"}
"""What the kernel calls the servers' processes; it cuts names after 15 characters."""


def processes() -> Iterator[tuple[int, int, str]]:
    """Id, parent and name of every process that has not ended."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            name, (state, parent) = text.partition("(")[2].rpartition(")")[0], text.rpartition(")")[2].split()[:2]
            if state not in {"Z", "X"}:
                yield int(folder.name), int(parent), name


def descendants(ancestor: int) -> Mapping[int, str]:
    """The processes that `ancestor` started, directly or not, by id."""
    everyone = list(processes())
    found: dict[int, str] = {}
    family, grown = {ancestor}, True
    while grown:
        children = {pid: name for pid, parent, name in everyone if parent in family and pid not in found}
        found |= children
        family |= children.keys()
        grown = bool(children)
    return found


def alive(pids: Mapping[int, str]) -> Mapping[int, str]:
    return {pid: name for pid, _, name in processes() if pids.get(pid) == name}


@contextmanager
def stack(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The stack in a session of its own, as in a terminal; its folder lies in `folder`."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "tests.servers.stack"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)


def lines_until(stream: Iterator[str], last: str) -> list[str]:
    """The lines up to the one that contains `last`."""
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if last in line:
            return lines
    raise AssertionError(f"it ended after {lines}")


def announced(process: subprocess.Popen[str]) -> Mapping[str, str]:
    """The environment that a complete stack prints."""
    assert process.stdout is not None
    text = "".join(lines_until(iter(process.stdout), "ALERTMANAGER_URL"))
    pairs = (word for word in shlex.split(text) if word != "export")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


@pytest.fixture
def needs_every_server(prometheus: Prometheus, openbao: OpenBao, s3: S3Server, postgres15: object) -> None:
    """Skips visibly where one is missing, before a stack is started in vain."""


@pytest.mark.usefixtures("needs_every_server")
class TestStack:
    def test_its_environment_reaches_every_server_and_ctrl_c_stops_them_all(self, server_folder: Path) -> None:
        with stack(server_folder) as process:
            given = announced(process)
            started = descendants(process.pid)
            assert set(started.values()) >= EVERYTHING
            reach_every_server(given)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 0
        assert alive(started) == {}
        assert not list(server_folder.glob("atomctl-stack-*"))

    def test_ctrl_c_while_it_starts_leaves_nothing(self, server_folder: Path) -> None:
        with stack(server_folder) as process:
            wait_until(lambda: "postgres" in descendants(process.pid).values(), "the first server starts")
            started = descendants(process.pid)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 0
        assert alive(started) == {}
        assert not list(server_folder.glob("atomctl-stack-*"))

    def test_a_server_that_dies_ends_it_with_a_reason_and_keeps_the_logs(self, server_folder: Path) -> None:
        with stack(server_folder) as process:
            announced(process)
            started = descendants(process.pid)
            os.kill(next(pid for pid, name in started.items() if name == "prometheus"), signal.SIGKILL)
            assert process.wait(60) == 1
            assert process.stderr is not None
            assert "error: prometheus ended by itself" in process.stderr.read()
        assert alive(started) == {}
        assert list(server_folder.glob("atomctl-stack-*/prometheus/prometheus.log"))


def reach_every_server(given: Mapping[str, str]) -> None:
    with psycopg.connect(given["ATOM_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    vault = httpx.Client(base_url=given["VAULT_ADDR"], trust_env=False)
    login = {"role_id": given["VAULT_ROLE_ID"], "secret_id": given["VAULT_SECRET_ID"]}
    for _ in ("the server", "the worker"):
        assert vault.post("/v1/auth/approle/login", json=login).is_success
    vault.close()
    assert locks_objects(given)
    for name in ("PROMETHEUS_URL", "ALERTMANAGER_URL"):
        assert httpx.get(f"{given[name]}/-/ready", trust_env=False).is_success


def locks_objects(given: Mapping[str, str]) -> bool:
    """Whether the audit bucket has Object Lock and the other one has not."""
    import boto3
    from botocore.exceptions import ClientError

    client = boto3.client(
        "s3",
        endpoint_url=given["S3_ENDPOINT"],
        aws_access_key_id=given["S3_ACCESS_KEY"],
        aws_secret_access_key=given["S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    try:
        locked = client.get_object_lock_configuration(Bucket=given["S3_AUDIT_BUCKET"])
        with pytest.raises(ClientError):
            client.get_object_lock_configuration(Bucket=given["S3_BUCKET"])
    finally:
        client.close()
    return bool(locked["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled")
