"""What is read from disk, and what is refused there."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from tests.fakes.raw_tar import MANIFEST

from atomctl.errors import AtomError, Code, ExitCode
from atomctl.wpk import codes, source
from atomctl.wpk.archive import load_source, pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "hello"
    (root / "scripts").mkdir(parents=True)
    (root / "wpk.yaml").write_bytes(MANIFEST)
    (root / "scripts" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "scripts" / "run.sh").chmod(0o755)
    return root


def refused(path: Path) -> Code:
    with pytest.raises(AtomError) as error:
        load_source(path)
    return error.value.code


def test_a_folder_is_read_with_what_its_owner_may_execute(folder: Path) -> None:
    found = load_source(folder).files
    assert {name: entry.executable for name, entry in found.items()} == {"wpk.yaml": False, "scripts/run.sh": True}


def test_a_single_file_is_a_package_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "hello.wpk.yaml"
    file.write_bytes(MANIFEST)
    file.chmod(0o755)
    packed = pack(load_source(file))
    assert list(packed.package.files) == ["wpk.yaml"]
    assert not packed.package.files["wpk.yaml"].executable


def test_what_pack_and_sign_leave_behind_is_not_packed_again(folder: Path) -> None:
    before = pack(load_source(folder))
    (folder / before.file_name).write_bytes(before.data)
    (folder / f"{before.file_name}.sigstore.json").write_text("{}")
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("*.wpk")
    assert pack(load_source(folder)).digest == before.digest


def test_a_path_that_does_not_exist_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    with pytest.raises(AtomError, match="No such file") as error:
        load_source(tmp_path / "nowhere")
    assert error.value.code is codes.UNREADABLE
    assert error.value.code.exit is ExitCode.USAGE


def test_a_path_below_a_file_is_unreadable(folder: Path) -> None:
    assert refused(folder / "wpk.yaml" / "x") is codes.UNREADABLE


def test_a_file_without_permission_is_unreadable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(AtomError, match="Permission denied") as error:
        load_source(folder)
    assert error.value.code is codes.UNREADABLE


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) is codes.NO_MANIFEST


def test_another_kind_of_file_is_refused(folder: Path) -> None:
    other = folder.parent / "hello.wpk"
    other.write_bytes(b"x")
    assert refused(other) is codes.LAYOUT


def test_a_link_is_refused_wherever_it_points(folder: Path) -> None:
    (folder / "files").mkdir()
    link = folder / "files" / "link"
    for target in ("../wpk.yaml", "/etc/passwd", "nowhere", "."):
        link.symlink_to(target)
        assert refused(folder) is codes.LINK
        link.unlink()


def test_a_folder_that_is_a_link_is_refused(folder: Path) -> None:
    (folder / "files").symlink_to("scripts")
    assert refused(folder) is codes.LINK


def test_a_fifo_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "scripts" / "pipe")
    assert refused(folder) is codes.DEVICE


def test_a_socket_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("scripts/sock")
        assert refused(folder) is codes.DEVICE


@pytest.mark.parametrize("name", ["notes.txt", "secrets.env", "bin/run", "scripts/.env", "README.md/x"])
def test_a_stray_file_is_refused_rather_than_left_out(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert refused(folder) is codes.LAYOUT


def test_a_name_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "scripts" / os.fsdecode(b"\xff")).touch()
    assert refused(folder) is codes.BAD_NAME


def test_folders_nested_without_end_are_refused(folder: Path) -> None:
    deep = folder / "files"
    for _ in range(30):
        deep /= "d"
    deep.mkdir(parents=True)
    assert refused(folder) is codes.TOO_DEEP


def test_reading_stops_where_a_package_would_be_too_large(folder: Path) -> None:
    (folder / "files").mkdir()
    with (folder / "files" / "huge").open("wb") as huge:
        huge.truncate(1 << 40)  # sparse: it takes no room, and must not be read either
    assert refused(folder) is codes.TOO_LARGE


def test_reading_stops_where_a_package_would_have_too_many_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_MEMBERS", 5)
    (folder / "files").mkdir()
    for number in range(4):
        (folder / "files" / str(number)).touch()
    assert refused(folder) is codes.TOO_MANY
