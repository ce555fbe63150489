"""What a step in the sandbox can and cannot reach, asked from inside."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.integration.runs_steps.conftest import processes_with, until
from tests.servers.hostile_http import HostileServer

from atomctl.runs.steps import codes
from atomctl.runs.steps.model import IsolationLevel, Limits, Outcome

MEBIBYTE = 1024 * 1024


def test_the_sandbox_is_what_the_probe_found(sandboxed: Any) -> None:
    assert sandboxed.run("true").isolation is IsolationLevel.BUBBLEWRAP


def test_a_step_is_nobody_without_any_capability(sandboxed: Any) -> None:
    sandboxed.run("id -u; id -g; grep -i '^Cap\\|^NoNewPrivs' /proc/self/status")
    text = sandboxed.log.text()
    assert text.startswith("65534\n65534\n")
    assert text.count("0000000000000000") == 5
    assert "NoNewPrivs:\t1" in text


def test_a_step_sees_its_own_processes_and_nobody_elses(sandboxed: Any) -> None:
    sandboxed.run("ls -d /proc/[0-9]* | wc -l; hostname")
    count, name = sandboxed.log.text().split()
    assert int(count) <= 5
    assert name == "atom"


def test_a_step_sees_nothing_of_the_machine_but_its_programs(sandboxed: Any) -> None:
    sandboxed.run("ls -A / /etc /run /tmp; ls -A /root /home /var 2>&1")
    words = set(sandboxed.log.text().split())
    assert not words & {"shadow", "hosts", "hostname", "machine-id", "docker.sock", "passwd-"}
    assert "passwd" in words


@pytest.mark.skipif(os.geteuid() != 0, reason="only a root worker has a root to give up")
def test_a_root_worker_gives_its_real_user_up_before_the_sandbox(sandboxed: Any) -> None:
    """A user namespace that maps root to 65534 still reads root's files; giving the uid up first does not."""
    bwrap = shutil.which("bwrap")
    assert bwrap
    reading = [bwrap, "--unshare-user", "--uid", "65534", "--ro-bind", "/", "/", "--", "head", "-c1", "/etc/shadow"]
    mapped = subprocess.run(reading, capture_output=True, check=False, timeout=60)
    given_up = subprocess.run(
        reading, capture_output=True, check=False, timeout=60, user=65534, group=65534, extra_groups=[]
    )
    assert mapped.returncode == 0, "the trap this guards against is gone"
    assert given_up.returncode != 0
    assert b"Permission denied" in given_up.stderr
    marker = f"86{uuid4().int % 10**10:010d}"
    attempt = threading.Thread(target=sandboxed.run, args=(f"sleep {marker}",), daemon=True)
    attempt.start()
    until(lambda: processes_with(f"sleep\0{marker}"))
    (step,) = processes_with(f"sleep\0{marker}")
    assert "\nUid:\t65534\t65534\t65534\t65534\n" in Path(f"/proc/{step}/status").read_text()
    sandboxed.cancelled.set()
    attempt.join(30)
    assert not attempt.is_alive()
    assert not processes_with(marker)


@pytest.mark.skipif(os.geteuid() != 0, reason="only a root worker has a root to give up")
def test_a_root_worker_gives_its_real_user_up_without_a_sandbox_too(unisolated: Any) -> None:
    result = unisolated.run("cat /etc/shadow")
    assert result.outcome is Outcome.FAILED
    assert "Permission denied" in unisolated.log.text()


def test_the_package_may_lie_where_only_the_worker_can_go(sandboxed: Any, tmp_path: Path) -> None:
    closed = tmp_path / "home"
    (closed / "package").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "package").chmod(0o755)
    sandboxed.package = closed / "package"
    assert sandboxed.run("echo '{\"ok\": true}' >> $ATOM_OUTPUT").outputs == {"ok": True}


def test_a_step_reaches_no_server_of_the_machine(sandboxed: Any) -> None:
    with HostileServer() as server:
        result = sandboxed.run(f"exec 3<>/dev/tcp/127.0.0.1/{server.port}")
        result = sandboxed.run({"command": ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{server.port}"]})
        assert result.outcome is Outcome.FAILED
        assert not server.connected.is_set()


def test_a_step_cannot_make_namespaces_of_its_own(sandboxed: Any) -> None:
    assert sandboxed.run("unshare --user true").outcome is Outcome.FAILED


def test_the_sandboxs_own_program_is_not_influenced_by_the_packages_environment(sandboxed: Any) -> None:
    result = sandboxed.run("env | grep -c LD_PRELOAD", env={"LD_PRELOAD": "/package/evil.so"})
    assert "bwrap" not in sandboxed.log.text()
    assert result.outcome is Outcome.SUCCEEDED  # the variable is set inside, and was not outside


BOMB = "i=0; while [ $i -lt 200 ]; do sleep 4243 & i=$((i + 1)); done; echo all started"


def test_a_fork_bomb_ends_at_the_limit_and_leaves_nothing(sandboxed: Any) -> None:
    result = sandboxed.run(BOMB, limits=Limits(processes=50))
    assert result.outcome is Outcome.FAILED
    assert "Cannot fork" in sandboxed.log.text()


def test_a_fork_bomb_ends_at_the_limit_without_a_control_group(unisolated: Any) -> None:
    assert unisolated.site.hierarchies == ()
    result = unisolated.run(BOMB, limits=Limits(processes=50))
    assert result.outcome is Outcome.FAILED
    assert "Cannot fork" in unisolated.log.text()
    until(lambda: not processes_with("sleep\x004243"))


def test_memory_ends_at_the_limit(sandboxed: Any) -> None:
    result = sandboxed.run(
        {"command": ["bash", "-c", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"]},
        limits=Limits(memory_bytes=64 * MEBIBYTE),
    )
    assert result.outcome is Outcome.FAILED
    if any("memory" in hierarchy.controllers for hierarchy in sandboxed.site.hierarchies):
        assert result.code is codes.OUT_OF_MEMORY


def test_files_core_dumps_and_scratch_space_end_at_the_limit(sandboxed: Any) -> None:
    assert sandboxed.run("touch /dev/x /x /run/x; touch /dev/shm/x && rm /dev/shm/x").outcome is Outcome.SUCCEEDED
    assert sandboxed.log.text().count("Read-only file system") == 3
    sandboxed.log.pieces.clear()
    limits = Limits(file_bytes=MEBIBYTE, scratch_bytes=4 * MEBIBYTE, open_files=64)
    sandboxed.run(
        "ulimit -c; ulimit -n; df -k /tmp | tail -1; trap '' XFSZ; head -c 2000000 /dev/zero > /tmp/f", limits=limits
    )
    text = sandboxed.log.text().split()
    assert text[:2] == ["0", "64"]
    assert text[3] == "4096"
    assert "File too large" in sandboxed.log.text()
