"""Password files: made once, private, refused when others can read them."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atomctl.db import codes
from atomctl.db.credentials import Login, ensure_password, password_file, read_login
from atomctl.errors import AtomError


def test_a_password_is_random_private_and_never_made_twice(tmp_path: Path) -> None:
    file = ensure_password(tmp_path / "credentials", "atom_app")
    first = read_login(file.parent, "atom_app")
    assert first.user == "atom_app"
    assert len(first.password) >= 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    ensure_password(file.parent, "atom_app")
    assert read_login(file.parent, "atom_app") == first
    assert read_login(ensure_password(file.parent, "atom_worker").parent, "atom_worker").password != first.password


def test_of_many_writers_at_once_one_wins_and_all_read_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ensure_password(tmp_path, "atom_app"), range(40)))
        seen = set(threads.map(lambda _: read_login(tmp_path, "atom_app"), range(8)))
    assert len(seen) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["atom_app"]


def test_a_password_stays_out_of_the_representation() -> None:
    assert "hunter2" not in repr(Login("atom_app", "hunter2"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    ensure_password(tmp_path, "atom_app").chmod(mode)
    with pytest.raises(AtomError) as refusal:
        password_file(tmp_path, "atom_app")
    assert refusal.value.code is codes.CREDENTIALS_UNSAFE
    assert f"{mode:04o}" in refusal.value.why


def test_a_missing_file_and_a_folder_in_its_place_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(AtomError) as refusal:
        password_file(tmp_path / "nowhere", "atom_app")
    assert refusal.value.code is codes.CREDENTIALS_MISSING
    (tmp_path / "atom_app").mkdir(mode=0o700)
    with pytest.raises(AtomError) as refusal:
        password_file(tmp_path, "atom_app")
    assert refusal.value.code is codes.CREDENTIALS_UNSAFE


def test_colons_and_backslashes_are_read_as_postgresql_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "atom_admin"
    file.write_text("db.example:5432:*:the\\:admin:pass\\:word\\\\1\n# a comment\n")
    file.chmod(0o600)
    assert read_login(tmp_path, "atom_admin") == Login("the:admin", "pass:word\\1")


@pytest.mark.parametrize("line", ["", "just-a-password\n", "*:*:*:atom_app:\n", "*:*:*:atom_app"])
def test_what_is_no_password_file_line_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "atom_app"
    file.write_text(line)
    file.chmod(0o600)
    with pytest.raises(AtomError) as refusal:
        read_login(tmp_path, "atom_app")
    assert refusal.value.code is codes.CREDENTIALS_MISSING
    assert "just-a-password" not in str(refusal.value)
