"""A disk without room: told with a code, and what was there before is still whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.command import Atomctl
from tests.acceptance.conftest import short_folder


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 6 MiB of its own."""
    folder = short_folder()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0711", "atom-test", folder], capture_output=True, check=False
        )
        mounted = done.returncode == 0
    if not mounted:
        folder.rmdir()
        pytest.skip("a full disk needs a tmpfs of its own, and nothing may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


def fill(folder: Path) -> None:
    """No byte is free afterwards."""
    with (folder / "ballast").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"\xff" * 4096)
    assert shutil.disk_usage(folder).free == 0


def test_pack_and_sign_leave_nothing_half_written(atomctl: Atomctl, small_disk: Path) -> None:
    atomctl("init", "full-disk", "--from", "hello-atom")
    target = small_disk / "full.wpk"
    atomctl("pack", "full-disk", "--out", target)
    before = target.read_bytes()
    manifest = atomctl.work / "full-disk" / "wpk.yaml"
    manifest.write_text(manifest.read_text().replace("Greets somebody", "Greets everybody"))
    fill(small_disk)
    said = atomctl.refused("pack", "full-disk", "--out", target, "--force", code="CLI006", expect=2)
    assert f"{target}: No space left on device" in said
    atomctl.refused("sign", target, "--key", "atom.key", code="CLI006", expect=2)
    atomctl.refused("audit", "export", "--out", small_disk / "x.atomaudit", code="CLI006", expect=2)
    assert target.read_bytes() == before
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "full.wpk"]


def test_up_says_that_the_disk_is_full_and_can_be_repeated(small_disk: Path, instance_folder: Path) -> None:
    command = Atomctl(small_disk / "home", instance_folder / "work")
    said = command.refused("up", "--port", "0", code="DBA006", expect=3)
    assert "No space left on device" in said
    assert not (command.home / "postgres" / "data").exists()
    assert list((command.home / "postgres").glob("data*")) == []


def test_push_to_a_server_whose_objects_have_no_room_stores_nothing(small_disk: Path, fresh: Atomctl) -> None:
    fresh("up", "--detach", "--port", "0")
    fresh("keys", "generate")
    fresh("keys", "register", "atom.pub", "--for", "*")
    fresh("init", "hello", "--from", "hello-atom")
    fresh("pack", "hello", "--out", "hello.wpk")
    fresh("sign", "hello.wpk", "--key", "atom.key")
    objects = fresh.home / "objects"
    shutil.rmtree(objects, ignore_errors=True)
    (small_disk / "objects").mkdir(mode=0o700)
    objects.symlink_to(small_disk / "objects")
    fill(small_disk)
    said = fresh("push", "hello.wpk", expect=3).stderr
    assert "error[OBJ" in said
    assert "\nhint: " in said
    assert fresh("packages", "list", "-o", "name").stdout == ""
    assert [path for path in (small_disk / "objects").rglob("*") if path.is_file()] == []
    (small_disk / "ballast").unlink()
    fresh("push", "hello.wpk")
    assert fresh("packages", "list", "-o", "name").stdout.split() == ["hello@1.0.0"]
