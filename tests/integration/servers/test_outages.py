"""Servers stop, pause, crash and come back as tests of outages need it, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.servers.openbao import DurableOpenBao, OpenBao
from tests.servers.postgres15 import Postgres15
from tests.servers.process import ServerProcess, StartError
from tests.servers.s3 import S3Server
from tests.servers.waiting import wait_until


def gone(pid: int) -> bool:
    """Whether no such process runs; one that died and was not collected yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except FileNotFoundError:
        return True


def test_a_stopped_server_is_gone_and_may_be_stopped_again(tmp_path: Path) -> None:
    with OpenBao(tmp_path) as bao:
        pid = bao.pid
    assert gone(pid)
    bao.stop()
    with pytest.raises(httpx.ConnectError):
        bao.request("GET", "sys/mounts")


def test_a_paused_server_is_silent_until_it_is_resumed(tmp_path: Path) -> None:
    with OpenBao(tmp_path) as bao:
        for _ in range(20):  # once would hardly meet a thread that runs on for a moment
            with httpx.Client(base_url=bao.url, trust_env=False, timeout=5) as client:
                assert client.get("/v1/sys/health").is_success
                bao.pause()
                with pytest.raises(httpx.ReadTimeout):
                    client.get("/v1/sys/health", timeout=0.1)
                bao.resume()
        assert bao.request("GET", "sys/health")["sealed"] is False


def test_a_paused_server_stops(tmp_path: Path) -> None:
    with OpenBao(tmp_path) as bao:
        pid = bao.pid
        bao.pause()
    assert gone(pid)


def test_a_sealed_server_refuses_and_a_restart_unseals_it_with_what_it_held(tmp_path: Path) -> None:
    with DurableOpenBao(tmp_path) as bao:
        bao.request("POST", "secret/data/kept", {"data": {"password": "canary-5821"}})
        bao.seal()
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            bao.request("GET", "secret/data/kept")
        bao.restart()
        assert bao.request("GET", "secret/data/kept")["data"]["data"] == {"password": "canary-5821"}
        audit = bao.audit_log.read_text()
        assert "secret/data/kept" in audit
        assert "canary-5821" not in audit


def test_objects_survive_a_crash(tmp_path: Path) -> None:
    with S3Server(tmp_path) as server:
        client = server.client()
        bucket = server.create_bucket("kept")
        client.put_object(Bucket=bucket, Key="record", Body=b"what happened")
        server.crash()
        assert not server.running
        server.start()
        assert client.get_object(Bucket=bucket, Key="record")["Body"].read() == b"what happened"
        client.close()


def test_the_external_database_survives_a_crash_and_a_pause(server_folder: Path) -> None:
    with Postgres15(server_folder / "outage") as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.crash()
        assert not server.running
        server.start()
        server.pause()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url, connect_timeout=2)
        server.resume()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


class Broken(ServerProcess):
    """Says why it cannot go on, and ends."""

    name = "broken"

    def command(self) -> Sequence[str]:
        return ["/bin/sh", "-c", "echo the disk is made of cheese; exit 3"]

    def ready(self) -> bool:
        return False


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"(?s)status 3.*made of cheese"):
        Broken(tmp_path).start()


OWNER = """
import sys
from pathlib import Path
from tests.servers.openbao import OpenBao

bao = OpenBao(Path(sys.argv[1]))
bao.start()
print(bao.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_dies_with_the_process_that_started_it_however_that_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait(10)
    wait_until(lambda: gone(pid), "the server died with its owner")
