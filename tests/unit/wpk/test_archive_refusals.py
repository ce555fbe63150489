"""Every way an archive can be hostile or merely different, and the code it is refused with."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from tests.fakes.raw_tar import END, MANIFEST, Member, archive, pax

from atomctl.errors import AtomError, Code
from atomctl.wpk import codes, tar
from atomctl.wpk.archive import FileEntry, Source, pack, unpack


def refused(data: bytes) -> Code:
    with pytest.raises(AtomError) as error:
        unpack(data)
    return error.value.code


def file(name: bytes, data: bytes = b"x", **fields: Any) -> Member:
    return Member(name, data, **fields)


def test_the_raw_archive_of_these_tests_is_accepted_when_nothing_is_wrong() -> None:
    package = unpack(archive(file(b"files/a"), file(b"scripts/run.sh", mode=b"0000755\0")))
    assert list(package.files) == ["files/a", "scripts/run.sh", "wpk.yaml"]
    assert package.files["scripts/run.sh"].executable
    assert not package.files["files/a"].executable


@pytest.mark.parametrize("cut", [1, 511, 512, 513, 1023, 1024, 1025, 1536, 2000])
def test_a_truncated_archive_is_refused(cut: int) -> None:
    whole = archive(file(b"files/a", b"x" * 700))
    assert refused(whole[:-cut]) is codes.TRUNCATED


def test_a_member_that_claims_more_than_the_archive_holds_is_truncated() -> None:
    assert refused(archive(file(b"files/a", size=b"77777777777\0"))) is codes.TRUNCATED


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"\x1f\x8b\x08" + bytes(600), MANIFEST, b"\xff" * 2048])
def test_what_is_no_tar_is_said_to_be_no_tar(data: bytes) -> None:
    assert refused(data) is codes.NOT_AN_ARCHIVE


def test_an_archive_without_a_manifest_is_refused() -> None:
    assert refused(END) is codes.NO_MANIFEST
    assert refused(Member(b"files/a", b"x").to_bytes() + END) is codes.NO_MANIFEST


@pytest.mark.parametrize("name", [b"/etc/passwd", b"//x", b"/wpk.yaml"])
def test_an_absolute_path_is_refused(name: bytes) -> None:
    assert refused(archive(file(name))) is codes.ABSOLUTE_PATH


@pytest.mark.parametrize("name", [b"../x", b"files/../../x", b"files/..", b"files/./x", b"files//x", b"files/", b""])
def test_a_path_that_leaves_the_archive_is_refused(name: bytes) -> None:
    assert refused(archive(file(name))) is codes.PARENT_PATH


def test_a_parent_path_hidden_in_the_prefix_field_is_refused() -> None:
    assert refused(archive(file(b"passwd", prefix=b"../../etc"))) is codes.PARENT_PATH


def test_a_parent_path_hidden_in_a_pax_record_is_refused() -> None:
    assert refused(archive(file(b"files/a", before=(pax((b"path", b"../../etc/passwd")),)))) is codes.PARENT_PATH


@pytest.mark.parametrize("kind", [b"1", b"2"])
def test_a_link_is_refused(kind: bytes) -> None:
    assert refused(archive(file(b"files/a", b"", kind=kind, link=b"/etc/passwd"))) is codes.LINK


@pytest.mark.parametrize("kind", [b"3", b"4", b"6"])
def test_a_device_is_refused(kind: bytes) -> None:
    assert refused(archive(file(b"files/a", b"", kind=kind))) is codes.DEVICE


@pytest.mark.parametrize("kind", [b"5", b"7", b"g", b"L", b"K", b"S", b"D", b"\0", b"A"])
def test_a_member_of_any_other_type_is_refused(kind: bytes) -> None:
    assert refused(archive(file(b"files/a", b"", kind=kind))) is codes.MEMBER_TYPE


def test_a_path_that_stands_twice_is_refused() -> None:
    assert refused(archive(file(b"files/a", b"one"), file(b"files/a", b"two"))) is codes.DUPLICATE_MEMBER


def test_a_second_manifest_is_refused() -> None:
    assert refused(archive(file(b"wpk.yaml", b"other"))) is codes.DUPLICATE_MEMBER


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("files/README", "files/readme"),
        ("files/Straße", "files/STRASSE"),
        ("files/Sub/a", "files/sub/b"),
        ("files/a", "files/a/b"),
        ("files/A", "files/a/b"),
    ],
)
def test_paths_that_some_file_systems_cannot_tell_apart_are_refused(left: str, right: str) -> None:
    with pytest.raises(AtomError) as error:
        tar.write({left: FileEntry(b""), right: FileEntry(b"")})
    assert error.value.code is codes.COLLISION


def test_two_unicode_forms_of_one_name_never_meet_because_only_nfc_is_allowed() -> None:
    decomposed = "files/e\N{COMBINING ACUTE ACCENT}"
    assert refused(archive(file(b"files/e", before=(pax((b"path", decomposed.encode())),)))) is codes.BAD_NAME


def test_more_than_ten_thousand_members_are_refused() -> None:
    many = b"".join(Member(b"files/%05d" % number).to_bytes() for number in range(10_001))
    assert refused(many + END) is codes.TOO_MANY


def test_ten_thousand_members_are_read() -> None:
    files = {f"files/{number:05d}": FileEntry(b"") for number in range(9_999)}
    packed = pack(Source({**files, "wpk.yaml": FileEntry(MANIFEST)}))
    assert len(unpack(packed.data).files) == 10_000


def test_more_than_64_mib_are_refused_before_they_are_read() -> None:
    assert refused(bytes(tar.MAX_BYTES + 1)) is codes.TOO_LARGE


def test_a_source_of_more_than_64_mib_is_refused() -> None:
    with pytest.raises(AtomError) as error:
        tar.write({"files/a": FileEntry(bytes(tar.MAX_BYTES - 1024))})
    assert error.value.code is codes.TOO_LARGE


@pytest.mark.parametrize("extra", [b"\0", bytes(512), bytes(10240 - 3072), b"PK\3\4 a zip behind the tar"])
def test_data_after_the_end_is_refused(extra: bytes) -> None:
    assert refused(archive() + extra) is codes.TRAILING_DATA


def test_a_second_archive_behind_the_first_is_refused() -> None:
    assert refused(archive() + archive()) is codes.TRAILING_DATA


def test_a_single_zero_block_does_not_end_an_archive() -> None:
    assert refused(archive(end=bytes(512) + Member(b"files/z").to_bytes())) is codes.NOT_CANONICAL


def test_more_than_sixteen_segments_are_refused() -> None:
    allowed, deeper = b"files" + b"/d" * 15, b"files" + b"/d" * 16
    assert allowed.decode() in unpack(archive(file(allowed))).files
    assert refused(archive(file(deeper))) is codes.TOO_DEEP


@pytest.mark.parametrize(
    "records",
    [
        [(b"path", b"files/b"), (b"size", b"1")],
        [(b"size", b"1")],
        [(b"linkpath", b"/etc/passwd")],
        [(b"uid", b"0")],
        [(b"mtime", b"1.5")],
        [(b"path", b"files/b"), (b"path", b"files/c")],
        [],
    ],
)
def test_a_pax_header_that_overrides_anything_but_one_path_is_refused(records: list[tuple[bytes, bytes]]) -> None:
    assert refused(archive(file(b"files/a", before=(pax(*records),)))) is codes.PAX_OVERRIDE


def test_a_pax_header_with_a_wrong_length_is_refused() -> None:
    wrong = Member(b"././@PaxHeader", b"99 path=files/b\n", kind=b"x")
    assert refused(archive(file(b"files/a", before=(wrong,)))) is codes.PAX_OVERRIDE


def test_a_huge_pax_header_is_refused_before_it_is_looked_at() -> None:
    assert refused(archive(file(b"files/a", before=(pax((b"comment", b"x" * 100_000)),)))) is codes.PAX_OVERRIDE


def test_a_pax_header_where_none_is_needed_is_refused() -> None:
    assert refused(archive(file(b"files/a", before=(pax((b"path", b"files/a")),)))) is codes.NOT_CANONICAL


def test_a_pax_header_before_a_pax_header_is_refused() -> None:
    twice = (pax((b"path", b"files/b")), pax((b"path", b"files/c")))
    assert refused(archive(file(b"files/a", before=twice))) is codes.MEMBER_TYPE


@pytest.mark.parametrize(
    "fields",
    [
        {"mtime": b"00000000001\0"},
        {"uid": b"0001750\0"},
        {"owner": b"root"},
        {"mode": b"0000600\0"},
        {"mode": b"0000777\0"},
        {"mode": b"0004755\0"},
        {"mode": b"000644 \0"},
        {"size": b"00000000001 "},
        {"link": b"files/b"},
        {"padding": b"x"},
        {"magic": b"ustar  \0"},
        {"checksum_offset": 1},
        {"size": b"\x80" + bytes(10) + b"\1"},
    ],
)
def test_a_header_in_another_form_than_pack_writes_is_refused(fields: dict[str, Any]) -> None:
    assert refused(archive(file(b"files/a", **fields))) is codes.NOT_CANONICAL


def test_members_in_another_order_are_refused() -> None:
    assert refused(archive(file(b"files/b"), file(b"files/a"))) is codes.NOT_CANONICAL


def test_a_long_name_in_the_form_of_another_tar_is_refused() -> None:
    name = "files/" + "d" * 60 + "/" + "f" * 60
    canonical = unpack(pack(Source({"wpk.yaml": FileEntry(MANIFEST), name: FileEntry(b"x")})).data)
    assert name in canonical.files
    by_pax = archive(file(b"files/x", before=(pax((b"path", name.encode())),)))
    assert refused(by_pax) is codes.NOT_CANONICAL


def test_the_same_files_in_an_archive_of_gnu_tar_have_another_form_and_are_refused() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as other:
        info = tarfile.TarInfo("wpk.yaml")
        info.size = len(MANIFEST)
        other.addfile(info, io.BytesIO(MANIFEST))
    assert refused(buffer.getvalue()) is codes.NOT_CANONICAL


@pytest.mark.parametrize(
    "name",
    [
        b"files/\xff\xfe",
        b"files/a\nb",
        b"files/a\x1bb",
        b"files/a\\b",
        "files/\N{ZERO WIDTH SPACE}".encode(),
        "files/\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe".encode(),
        "files/\N{LINE SEPARATOR}".encode(),
    ],
)
def test_a_name_with_invisible_or_broken_characters_is_refused(name: bytes) -> None:
    assert refused(archive(file(b"files/a", before=(pax((b"path", name)),)))) is codes.BAD_NAME


def test_a_name_that_is_too_long_is_refused() -> None:
    assert refused(archive(file(b"files/a", before=(pax((b"path", b"files/" + b"x" * 256)),)))) is codes.BAD_NAME


@pytest.mark.parametrize("name", [b"setup.py", b"bin/run", b".env", b"files/.ssh/id_rsa", b"Scripts/run.sh"])
def test_a_file_outside_the_folders_of_a_package_is_refused(name: bytes) -> None:
    assert refused(archive(file(name))) is codes.LAYOUT


def test_a_script_that_is_missing_is_refused() -> None:
    manifest = MANIFEST.replace(b"command: [echo, hello]", b"script: scripts/run.sh")
    with pytest.raises(AtomError, match=r"scripts/run\.sh, which is not in the package") as error:
        pack(Source({"wpk.yaml": FileEntry(manifest)}))
    assert error.value.code is codes.MISSING_FILE


def test_a_script_that_is_not_executable_is_refused() -> None:
    manifest = MANIFEST.replace(b"command: [echo, hello]", b"script: scripts/run.sh")
    with pytest.raises(AtomError, match="not executable") as error:
        pack(Source({"wpk.yaml": FileEntry(manifest), "scripts/run.sh": FileEntry(b"#!/bin/sh\n")}))
    assert error.value.code is codes.MISSING_FILE


def test_a_kubernetes_manifest_that_is_missing_is_refused() -> None:
    manifest = MANIFEST.replace(
        b"type: shell, config: {command: [echo, hello]}",
        b"type: k8s, config: {action: apply, manifest: manifests/job.yaml}",
    )
    with pytest.raises(AtomError) as error:
        pack(Source({"wpk.yaml": FileEntry(manifest)}))
    assert error.value.code is codes.MISSING_FILE
