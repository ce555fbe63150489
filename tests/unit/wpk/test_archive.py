"""What a package's archive looks like, to us and to other programs."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.fakes.raw_tar import MANIFEST

from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.archive import FileEntry, Source, extract, pack, unpack

FILES = {
    "wpk.yaml": FileEntry(MANIFEST),
    "scripts/run.sh": FileEntry(b"#!/bin/sh\n", executable=True),
    "files/é.txt": FileEntry(b"x" * 513),
    "files/" + "d" * 90 + "/" + "f" * 90: FileEntry(b""),
    "files/" + "n" * 150: FileEntry(b"long"),
}


def test_the_digest_of_a_known_package_never_changes() -> None:
    packed = pack(Source(FILES))
    assert packed.digest == "sha256:196e2b6110ed1ff07390d0ff728d4cf3ae200330bd9c4a3083f905beacb794d9"
    assert packed.digest == digest(packed.data)
    assert packed.file_name == "hello-1.0.0.wpk"


def test_what_was_packed_is_what_is_unpacked() -> None:
    packed = pack(Source(FILES))
    package = unpack(packed.data)
    assert package == packed.package
    assert package.files == FILES
    assert list(package.files) == sorted(FILES, key=str.encode)
    assert package.manifest_bytes == MANIFEST


def test_python_reads_the_archive_as_we_do() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack(Source(FILES)).data)) as other:
        members = other.getmembers()
        assert {member.name for member in members} == FILES.keys()
        for member in members:
            body = other.extractfile(member)
            assert body is not None
            assert body.read() == FILES[member.name].data
            assert member.mode == (0o755 if FILES[member.name].executable else 0o644)
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")


def test_a_pax_record_stands_only_where_the_header_cannot_hold_the_name() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack(Source(FILES)).data)) as other:
        with_record = {member.name for member in other.getmembers() if "path" in member.pax_headers}
    assert with_record == {"files/é.txt", "files/" + "n" * 150}


def test_the_tar_of_the_system_reads_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "a.wpk"
    archive.write_bytes(pack(Source(FILES)).data)
    listed = subprocess.run(["tar", "-tf", archive], check=True, capture_output=True, env={"LC_ALL": "C.UTF-8"})
    assert listed.stdout.decode().splitlines() == sorted(FILES, key=str.encode)
    assert listed.stderr == b""


def test_extracting_gives_the_files_with_their_modes_whatever_the_umask(tmp_path: Path) -> None:
    import os

    before = os.umask(0o077)
    try:
        extract(unpack(pack(Source(FILES)).data), tmp_path / "out")
    finally:
        os.umask(before)
    for name, entry in FILES.items():
        path = tmp_path / "out" / name
        assert path.read_bytes() == entry.data
        assert path.stat().st_mode & 0o7777 == (0o755 if entry.executable else 0o644)
    assert {path.stat().st_mode & 0o7777 for path in (tmp_path / "out").rglob("*") if path.is_dir()} == {0o755}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_extracting_over_something_is_refused(tmp_path: Path) -> None:
    package = pack(Source(FILES)).package
    target = tmp_path / "out"
    target.mkdir()
    extract(package, target)  # an empty folder is as good as none
    with pytest.raises(AtomError) as error:
        extract(package, target)
    assert error.value.code is codes.TARGET_EXISTS
    assert (target / "wpk.yaml").read_bytes() == MANIFEST


def test_extracting_through_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AtomError) as error:
        extract(pack(Source(FILES)).package, tmp_path / "out")
    assert error.value.code is codes.TARGET_EXISTS
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from atomctl.wpk import extraction

    written = 0

    def full(path: Path, entry: FileEntry) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise OSError(28, "No space left on device")
        path.write_bytes(entry.data)

    monkeypatch.setattr(extraction, "_write", full)
    with pytest.raises(AtomError, match="No space left on device") as error:
        extract(pack(Source(FILES)).package, tmp_path / "out")
    assert error.value.code is codes.UNWRITABLE
    assert list(tmp_path.iterdir()) == []


def test_a_target_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AtomError) as error:
        extract(pack(Source(FILES)).package, tmp_path / "no" / "out")
    assert error.value.code is codes.UNWRITABLE
