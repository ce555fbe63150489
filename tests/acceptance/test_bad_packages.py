"""Files that are not what they should be: refused with a code and a remedy, and nothing is left half done."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.acceptance.command import Atomctl

AS_ORDINARY_USER = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root that is held to file permissions like everybody else."""


@pytest.fixture(scope="module")
def package(atomctl: Atomctl) -> Path:
    """A good package file with its bundle beside it."""
    atomctl("init", "bad-input", "--from", "hello-atom")
    atomctl("pack", "bad-input", "--out", "good.wpk")
    atomctl("sign", "good.wpk", "--key", "atom.key")
    return atomctl.work / "good.wpk"


@pytest.fixture(scope="module")
def confined(atomctl: Atomctl) -> Atomctl:
    """The command, held to file permissions."""
    if os.geteuid() != 0:
        return atomctl
    if shutil.which("setpriv") is None or subprocess.run([*AS_ORDINARY_USER, "true"], check=False).returncode:
        pytest.skip("root cannot give up its right to read every file here (setpriv)")
    return Atomctl(atomctl.home, atomctl.work, AS_ORDINARY_USER)


def stored(atomctl: Atomctl) -> list[str]:
    """What the registry holds."""
    return atomctl("packages", "list", "-o", "name").stdout.split()


def signed_as(package: Path, name: str, data: bytes) -> str:
    """A file of other bytes beside a copy of the good one's bundle."""
    (package.parent / name).write_bytes(data)
    bundle = package.with_name(f"{package.name}.sigstore.json")
    shutil.copy(bundle, package.with_name(f"{name}.sigstore.json"))
    return name


def changed(data: bytes) -> bytes:
    at = data.index(b"#!/bin/sh") + 2
    return data[:at] + b"?" + data[at + 1 :]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("truncated.wpk", lambda data: data[:3000]),
        ("longer.wpk", lambda data: data + b"\0" * 512),
        ("changed.wpk", changed),
        ("empty.wpk", lambda data: b""),
    ],
)
def test_a_pushed_archive_of_other_bytes_than_were_signed_is_tampered_with(
    atomctl: Atomctl, package: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    before = stored(atomctl)
    atomctl.refused("push", signed_as(package, name, change(package.read_bytes())), code="TRU205", expect=12)
    assert stored(atomctl) == before


def test_a_pushed_archive_without_a_bundle_is_unsigned(atomctl: Atomctl, package: Path) -> None:
    shutil.copy(package, package.with_name("unsigned.wpk"))
    said = atomctl.refused("push", "unsigned.wpk", code="TRU201", expect=10)
    assert "atomctl sign" in said


def test_what_is_no_archive_is_not_published(atomctl: Atomctl, package: Path) -> None:
    (package.parent / "noise.wpk").write_bytes(os.urandom(4096))
    atomctl.refused("push", "noise.wpk", code="REG411", expect=1)


def test_an_archive_beyond_the_limit_is_not_even_sent(atomctl: Atomctl, package: Path) -> None:
    with package.with_name("huge.wpk").open("wb") as stream:
        stream.truncate(10 << 30)  # a hole: 10 GiB that take no room
    atomctl.refused("push", "huge.wpk", code="WPK140", expect=1)
    atomctl.refused("verify", "huge.wpk", "--key", "atom.pub", code="WPK140", expect=1)


def test_a_folder_in_place_of_a_package_file_is_to_be_packed_first(atomctl: Atomctl, package: Path) -> None:
    said = atomctl.refused("push", "bad-input", code="CLI001", expect=2)
    assert "hint: atomctl pack bad-input" in said


def bomb() -> str:
    """Seven lines whose aliases stand for five million values."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in itertools.pairwise("abcdefg")]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (bomb(), "WPK105"),
        ("a: " + "[" * 5000 + "]" * 5000, "WPK104"),
        ("a" * 2_000_000, "WPK103"),
        ("apiVersion: atom/v1\napiVersion: atom/v1\n", "WPK106"),
        ("a: 1\r\n", "WPK101"),
    ],
    ids=["bomb", "deep", "large", "duplicate", "carriage-return"],
)
def test_a_hostile_manifest_is_refused_with_file_line_and_column(
    atomctl: Atomctl, package: Path, manifest: str, code: str
) -> None:
    folder = package.with_name(f"hostile-{code}")
    folder.mkdir()
    (folder / "wpk.yaml").write_text(manifest, newline="")
    said = atomctl.refused("validate", folder.name, code=code, expect=1)
    assert "wpk.yaml:" in said


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (("  safety:", "  safty:"), "WPK110", "did you mean `safety`?"),
        (("timeout: 30s", "timeout: [1]"), "WPK111", "must be text, not a list"),
        (("scripts/work.sh", "scripts/none.sh"), "WPK122", "scripts/none.sh"),
    ],
    ids=["unknown-field", "wrong-type", "missing-file"],
)
def test_a_mistake_in_a_manifest_is_told_where_it_stands(
    atomctl: Atomctl, package: Path, change: tuple[str, str], code: str, told: str
) -> None:
    folder = package.with_name(f"mistake-{code}")
    shutil.copytree(package.with_name("bad-input"), folder)
    manifest = folder / "wpk.yaml"
    manifest.write_text(manifest.read_text().replace(*change, 1))
    for verb in ("validate", "pack"):
        assert told in atomctl.refused(verb, folder.name, code=code, expect=1)
    assert list(atomctl.work.glob(f"{folder.name}*.wpk")) == []


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(atomctl: Atomctl, package: Path, kind: str) -> None:
    folder = package.with_name(f"no-file-{kind}")
    folder.mkdir()
    if kind == "link":
        (folder / "wpk.yaml").symlink_to("/etc/passwd")
    else:
        os.mkfifo(folder / "wpk.yaml")
    atomctl.refused("validate", folder.name, code="WPK134" if kind == "link" else "WPK135", expect=1)


def test_unreadable_files_are_named(confined: Atomctl, package: Path) -> None:
    folder = package.with_name("closed")
    shutil.copytree(package.with_name("bad-input"), folder)
    (folder / "wpk.yaml").chmod(0)
    said = confined.refused("validate", folder.name, code="WPK150", expect=2)
    assert "closed/wpk.yaml: Permission denied" in said
    folder.chmod(0)
    assert "'closed'" in confined.refused("validate", folder.name, code="CLI001", expect=2)


def test_where_nothing_may_be_written_nothing_is(confined: Atomctl, package: Path) -> None:
    folder = package.with_name("read-only")
    folder.mkdir(mode=0o500)
    for arguments in (
        ("pack", "bad-input", "--out", "read-only/x.wpk"),
        ("keys", "generate", "--out", "read-only/x"),
        ("init", "x", "--folder", "read-only/x"),
        ("audit", "export", "--out", "read-only/x"),
    ):
        said = confined.refused(*arguments, code="CLI006", expect=2)
        assert "read-only/x" in said, said
        assert "Permission denied" in said
    assert list(folder.iterdir()) == []


def test_an_existing_target_is_not_replaced(atomctl: Atomctl, package: Path) -> None:
    package.with_name("other.wpk").write_bytes(b"something else")
    atomctl.refused("pack", "bad-input", "--out", "other.wpk", code="CLI005", expect=5)
    atomctl.refused("keys", "generate", code="CLI005", expect=5)
    atomctl.refused("init", "bad-input", code="CLI005", expect=5)
    assert package.with_name("other.wpk").read_bytes() == b"something else"
