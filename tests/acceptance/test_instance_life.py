"""One instance is hit by what happens to instances: its processes die, somebody starts a second one, Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.command import Atomctl
from tests.acceptance.processes import one, processes_of, until
from tests.servers.process import await_stopped

from atomctl.db.roles import DatabaseRole

SERVER, WORKER, POSTGRES = "atomctl server", "atomctl worker", "postgres/data"
STAGES = ("starting PostgreSQL", "migrating the database", "starting the server and a worker", "Ctrl-C stops it")


@pytest.fixture(scope="module")
def hit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atomctl]:
    """The command beside an instance that the tests of this file hit, one after another."""
    from tests.acceptance.conftest import short_folder

    folder = short_folder()
    command = Atomctl(folder / "home", folder / "work")
    try:
        command("up", "--detach", "--port", "0")
        command("auth", "login", "--as", "bob", "--role", "approver")
        command("keys", "generate")
        command("keys", "register", "atom.pub", "--for", "*")
        command("init", "hello", "--from", "hello-atom")
        command("pack", "hello", "--out", "hello.wpk")
        command("sign", "hello.wpk", "--key", "atom.key")
        command("push", "hello.wpk")
        yield command
    finally:
        command("down")
        subprocess.run(["rm", "-rf", str(folder)], check=False)


def answers(command: Atomctl) -> bool:
    done = subprocess.run(command.argv("list"), env=command.env, cwd=command.work, capture_output=True, check=False)
    assert done.returncode in {0, 3}, done.stderr
    return done.returncode == 0


def run_to_its_end(command: Atomctl) -> str:
    """The state of a run that was requested and approved now."""
    run = command("run", "hello", "-o", "name").stdout.strip()
    command("--context", "bob", "approve", run)
    return str(command.json("status", run, "--wait", "--timeout", "1m")["state"])


def passwords(folder: Path) -> Path:
    """A folder with a password for each role, as a database of one's own comes with."""
    folder.mkdir(mode=0o700)
    for role in DatabaseRole:
        (folder / role.value).write_text("password")
        (folder / role.value).chmod(0o600)
    return folder


def test_a_second_up_in_the_same_home_is_refused(hit: Atomctl) -> None:
    said = hit.refused("up", "--port", "0", code="DBA004", expect=5)
    assert str(hit.home) in said
    assert "atomctl down" in said
    assert "DBA004" in hit("up", "--detach", "--port", "0", expect=3).stderr
    assert answers(hit)


def test_a_worker_that_is_killed_is_started_again(hit: Atomctl) -> None:
    worker = one(hit.home, WORKER)
    os.kill(worker, signal.SIGKILL)
    until(lambda: any(WORKER in line for pid, line in processes_of(hit.home).items() if pid != worker), "a new worker")
    assert run_to_its_end(hit) == "SUCCEEDED"
    assert "worker ended with status -9; starting it again" in (hit.home / "logs" / "up.log").read_text()


def test_a_server_that_is_killed_is_started_again_on_the_same_port(hit: Atomctl) -> None:
    server = one(hit.home, SERVER)
    os.kill(server, signal.SIGKILL)
    until(lambda: any(SERVER in line for pid, line in processes_of(hit.home).items() if pid != server), "a new server")
    until(lambda: answers(hit), "the server answers again")


def test_a_database_that_dies_is_told_and_comes_back_with_all_that_was_committed(hit: Atomctl) -> None:
    runs = hit("runs", "list", "-o", "name").stdout.split()
    os.kill(one(hit.home, SERVER), signal.SIGSTOP)  # so that the outage is seen before the database is back
    up, server, postgres = one(hit.home, "atomctl up"), one(hit.home, SERVER), one(hit.home, POSTGRES)
    os.kill(up, signal.SIGSTOP)
    await_stopped(server)
    await_stopped(up)
    os.kill(postgres, signal.SIGKILL)
    until(lambda: postgres not in processes_of(hit.home), "PostgreSQL is dead")
    os.kill(server, signal.SIGCONT)
    said = hit("list", expect=3).stderr
    assert "error[DBA001]" in said
    assert "\nhint: " in said
    os.kill(up, signal.SIGCONT)
    until(lambda: answers(hit), "the database is back")
    assert hit("runs", "list", "-o", "name").stdout.split() == runs
    assert run_to_its_end(hit) == "SUCCEEDED"


def test_ctrl_c_while_waiting_ends_the_waiting_and_says_how_to_come_back(hit: Atomctl) -> None:
    run = hit("run", "hello", "-o", "name").stdout.strip()
    with hit.started("status", run, "--wait") as (process, printed):
        assert "AWAITING_APPROVAL" in printed.readline()
        process.send_signal(signal.SIGINT)
        rest = printed.read()
        process.wait(30)
    assert process.returncode == 130
    assert "The run goes on. Come back with: atomctl" in rest
    assert "Traceback" not in rest
    assert hit.json("status", run)["state"] == "AWAITING_APPROVAL"


def test_what_up_started_does_not_outlive_it_and_the_next_up_takes_over(hit: Atomctl) -> None:
    runs = hit("runs", "list", "-o", "name").stdout.split()
    os.kill(one(hit.home, "atomctl up"), signal.SIGKILL)
    until(lambda: processes_of(hit.home) == {}, "no process is left")
    assert "error[API001]" in hit("list", expect=3).stderr
    assert "No instance" in hit("down").stderr
    hit("up", "--detach", "--port", "0")
    assert hit("runs", "list", "-o", "name").stdout.split() == runs
    assert run_to_its_end(hit) == "SUCCEEDED"
    assert hit.json("audit", "verify")["outcome"] == "verified"


def test_a_busy_port_is_told_before_anything_is_started(fresh: Atomctl) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = fresh.refused("up", "--port", port, code="CLI011", expect=5)
    assert f"port {port}" in said
    assert "--port 0" in said
    assert not fresh.home.exists()


def test_a_database_that_is_not_there_is_told_by_server_worker_and_migrate(fresh: Atomctl) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        port = nobody.getsockname()[1]
        away = {
            "ATOM_DATABASE_URL": f"postgresql://admin:secret@127.0.0.1:{port}/atom",
            "ATOM_DATABASE_CREDENTIALS": str(passwords(fresh.work / "credentials")),
        }
        for arguments in (("server", "--port", "0"), ("worker",), ("db", "migrate"), ("up", "--port", "0")):
            said = fresh(*arguments, env=away, expect=3).stderr
            assert "error[DBA001]" in said, said
            assert "secret" not in said


def test_ctrl_c_at_any_moment_of_up_leaves_nothing_running(fresh: Atomctl) -> None:
    for stage in STAGES:  # the first passes find a new home, the later ones what was left by those before
        seen = ""
        with fresh.started("up", "--port", "0") as (process, printed):
            for line in printed:
                seen += line
                if stage in line:
                    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the foreground
            process.wait(60)
        assert process.returncode == (0 if stage == STAGES[-1] else 130), seen
        assert "Traceback" not in seen, seen
        assert processes_of(fresh.home) == {}, seen


def test_nothing_of_a_stopped_instance_is_left_running_and_its_state_stays(fresh: Atomctl) -> None:
    fresh("up", "--detach", "--port", "0")
    tenant = fresh.json("auth", "status")["tenant"]["id"]
    assert "Stopped." in fresh("down").stderr
    assert processes_of(fresh.home) == {}
    assert Path(fresh.home / "tenant").read_text().strip() == tenant
    assert "No instance" in fresh("down").stderr
