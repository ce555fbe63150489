"""The home folder is the caller's alone, and run by one process at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from atomctl.db import codes
from atomctl.db.accounts import Account
from atomctl.db.home import HomeLock, prepare_home
from atomctl.db.sockets import LIMIT, prepare_socket_folder, socket_folder
from atomctl.errors import AtomError

ME = Account(os.geteuid(), os.getegid())
SOMEBODY = Account(12345, 12345)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_private(tmp_path: Path) -> None:
    prepare_home(tmp_path / "a" / "home", ME)
    assert mode(tmp_path / "a" / "home") == 0o700


def test_folders_above_the_home_keep_their_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    prepare_home(tmp_path / "home", ME)
    assert mode(tmp_path) == 0o750


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_the_servers_group_may_pass_through_the_home_and_nothing_more(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepare_home(home, SOMEBODY)
    assert mode(home) == 0o710
    assert home.stat().st_gid == SOMEBODY.gid
    assert home.stat().st_uid == 0


@pytest.mark.parametrize("open_mode", [0o777, 0o770, 0o702])
def test_a_home_that_others_can_write_is_refused_and_left_as_it_is(tmp_path: Path, open_mode: int) -> None:
    tmp_path.chmod(open_mode)
    with pytest.raises(AtomError) as refusal:
        prepare_home(tmp_path, ME)
    assert refusal.value.code is codes.HOME_UNUSABLE
    assert mode(tmp_path) == open_mode


def test_a_file_in_place_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(AtomError) as refusal:
        prepare_home(tmp_path / "home", ME)
    assert refusal.value.code is codes.HOME_UNUSABLE


def test_a_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AtomError) as refusal:
        prepare_home(tmp_path / "file" / "home", ME)
    assert refusal.value.code is codes.HOME_UNUSABLE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_no_home(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(AtomError) as refusal:
        prepare_home(tmp_path, ME)
    assert refusal.value.code is codes.HOME_UNUSABLE


def test_the_second_holder_is_refused_and_told_who_holds_the_home(tmp_path: Path) -> None:
    first = HomeLock(tmp_path)
    first.acquire()
    with pytest.raises(AtomError) as refusal:
        HomeLock(tmp_path).acquire()
    assert refusal.value.code is codes.HOME_IN_USE
    assert str(os.getpid()) in refusal.value.why
    first.release()
    first.release()
    second = HomeLock(tmp_path)
    second.acquire()
    second.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys; from atomctl.db.home import HomeLock;"
        "HomeLock(pathlib.Path(sys.argv[1])).acquire(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    lock = HomeLock(tmp_path)
    lock.acquire()
    lock.release()


def test_a_link_in_place_of_the_lock_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    (tmp_path / "up.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(AtomError) as refusal:
        HomeLock(tmp_path).acquire()
    assert refusal.value.code is codes.HOME_UNUSABLE
    assert (tmp_path / "precious").read_text() == "data"


def test_the_socket_lies_in_the_home_unless_its_path_is_too_long(tmp_path: Path) -> None:
    room = LIMIT - len("/socket/.s.PGSQL.5432")
    fits, too_long = Path("/" + "a" * (room - 1)), Path("/" + "a" * room)
    assert socket_folder(fits) == fits / "socket"
    assert len(os.fsencode(socket_folder(fits) / ".s.PGSQL.5432")) == LIMIT
    short = socket_folder(too_long)
    assert short.parent in (Path("/run"), Path("/tmp"))
    assert socket_folder(too_long) == short
    assert socket_folder(Path(f"{too_long}b")) != short


def test_a_socket_folder_that_somebody_prepared_is_refused(tmp_path: Path) -> None:
    link, wide = tmp_path / "link", tmp_path / "wide"
    link.symlink_to(tmp_path)
    wide.mkdir()
    wide.chmod(0o755)
    for folder in (link, wide):
        with pytest.raises(AtomError) as refusal:
            prepare_socket_folder(folder, ME)
        assert refusal.value.code is codes.HOME_UNUSABLE
    prepare_socket_folder(tmp_path / "new", ME)
    prepare_socket_folder(tmp_path / "new", ME)
    assert mode(tmp_path / "new") == 0o700
