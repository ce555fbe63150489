"""What a tar may hold, where it is written, and the file that is caught as it streams by."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from atomctl.backup import codes
from atomctl.backup.contents import Folder, Nowhere, walk
from atomctl.backup.manifest import NAME, Listed
from atomctl.backup.watch import TarWatch
from atomctl.canonical import sha256
from atomctl.errors import AtomError, Code


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as opened:
        for info, data in members:
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return target.getvalue()


def plain(name: str, data: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), data


def special(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b""


def refusal(data: bytes) -> Code:
    with pytest.raises(AtomError) as caught:
        walk(io.BytesIO(data), Nowhere())  # type: ignore[arg-type]  # BytesIO reads like a raw stream
    return caught.value.code


def test_files_are_digested_on_their_way_to_a_folder(tmp_path: Path) -> None:
    data = tar(special("base", tarfile.DIRTYPE), plain("base/1", b"one"), plain(NAME, b"the manifest"))
    found = walk(io.BytesIO(data), Folder(tmp_path))  # type: ignore[arg-type]  # as above
    assert found.files["base/1"] == Listed(3, sha256(b"one").hex())
    assert found.manifest == b"the manifest"
    assert (tmp_path / "base/1").read_bytes() == b"one"
    assert (tmp_path / "base/1").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "base").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "member",
    [
        plain("../up"),
        plain("/etc/passwd"),
        plain("a/../../up"),
        special("link", tarfile.SYMTYPE, "/etc"),
        special("hard", tarfile.LNKTYPE, "base"),
        special("pipe", tarfile.FIFOTYPE),
        special("device", tarfile.CHRTYPE),
    ],
    ids=lambda member: member[0].name,
)
def test_only_plain_files_and_folders_below_are_unpacked(member: tuple[tarfile.TarInfo, bytes]) -> None:
    assert refusal(tar(plain("first"), member)) is codes.CHANGED


def test_a_tablespaces_link_is_its_own_refusal() -> None:
    assert refusal(tar(special("pg_tblspc/16400", tarfile.SYMTYPE, "/mnt"))) is codes.TABLESPACES


@pytest.mark.parametrize("data", [b"no tar at all" * 100, tar(plain("a", b"y" * 5000))[:3000]])
def test_what_is_no_whole_tar_is_refused(data: bytes) -> None:
    assert refusal(data) is codes.CHANGED


def test_a_file_that_exists_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        walk(io.BytesIO(tar(plain("a"))), Folder(tmp_path))  # type: ignore[arg-type]  # as above
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_the_watch_catches_one_member() -> None:
    watch = TarWatch("wanted", limit=100)
    watch.feed(tar(plain("a", b"y" * 1000), plain("wanted", b"the content"), plain("z")))
    assert watch.content == b"the content"


def test_the_watch_has_nothing_before_the_member_has_passed_whole() -> None:
    watch = TarWatch("wanted", limit=2000)
    data = tar(plain("wanted", b"c" * 1500))
    watch.feed(data[: 512 + 1499])
    assert watch.content is None
    watch.feed(data[512 + 1499 :])
    assert watch.content == b"c" * 1500


def test_the_watch_keeps_nothing_larger_than_its_limit() -> None:
    with pytest.raises(ValueError, match="has 101 bytes"):
        TarWatch("wanted", limit=100).feed(tar(plain("wanted", b"c" * 101)))


def test_the_watch_reads_sizes_of_8_gib_and_more() -> None:
    header = bytearray(tar(plain("huge"))[:512])
    header[124:136] = b"\x80" + (9 << 30).to_bytes(11, "big")
    watch = TarWatch("wanted", limit=10)
    watch.feed(bytes(header))
    assert watch._body == 9 << 30
