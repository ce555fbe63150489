"""Objects in a folder: written once, whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from atomctl.errors import AtomError, Code
from atomctl.objects import codes
from atomctl.objects.folder import FolderStore

KEY = "packages/ab/abcdef"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "objects"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


def _refusal(code: Code, action: object) -> None:
    with pytest.raises(AtomError) as caught:
        action()  # type: ignore[operator]  # a lambda
    assert caught.value.code is code


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_was_put_comes_back(store: FolderStore) -> None:
    assert not store.exists(KEY)
    store.put(KEY, b"bytes")
    assert store.exists(KEY)
    assert store.get(KEY) == b"bytes"


def test_the_same_bytes_again_are_a_success(store: FolderStore, root: Path) -> None:
    store.put(KEY, b"bytes")
    before = (root / KEY).stat()
    store.put(KEY, b"bytes")
    assert (root / KEY).stat() == before
    assert _files(root) == [KEY]


def test_other_bytes_under_the_same_key_are_a_conflict_and_change_nothing(store: FolderStore, root: Path) -> None:
    store.put(KEY, b"bytes")
    _refusal(codes.CONFLICT, lambda: store.put(KEY, b"others"))
    assert store.get(KEY) == b"bytes"
    assert _files(root) == [KEY]


def test_nobody_else_can_read_the_objects(store: FolderStore, root: Path) -> None:
    store.put(KEY, b"bytes")
    assert (root / KEY).stat().st_mode & 0o777 == 0o600
    for folder in (root, root / "packages", root / "packages" / "ab"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_what_was_never_stored_is_missing(store: FolderStore) -> None:
    _refusal(codes.MISSING, lambda: store.get(KEY))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        ".hid",
        "a/.b",
        "a\x00b",
        "a b",
        "a\n",
        "a/" * 16 + "a",
        "x" * 129,
    ],
)
def test_a_key_cannot_lead_out_of_the_folder(key: str, store: FolderStore, root: Path) -> None:
    for action in (lambda: store.put(key, b""), lambda: store.get(key), lambda: store.exists(key)):
        _refusal(codes.BAD_KEY, action)
    assert not root.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_half_written(
    number: int, store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    root.joinpath("packages", "ab").mkdir(parents=True)
    _refusal(codes.FULL, lambda: store.put(KEY, b"bytes"))
    assert _files(root) == []
    monkeypatch.undo()
    store.put(KEY, b"bytes")
    assert store.get(KEY) == b"bytes"


def test_a_folder_in_the_way_is_said_to_be_unusable(store: FolderStore, root: Path) -> None:
    (root / KEY).mkdir(parents=True)
    _refusal(codes.DENIED, lambda: store.put(KEY, b"bytes"))
    _refusal(codes.DENIED, lambda: store.get(KEY))


def test_a_file_in_place_of_a_folder_is_said_to_be_unusable(store: FolderStore, root: Path) -> None:
    root.mkdir(parents=True)
    (root / "packages").write_bytes(b"")
    _refusal(codes.DENIED, lambda: store.put(KEY, b"bytes"))
    _refusal(codes.DENIED, lambda: store.exists(KEY))


def test_a_folder_that_may_not_be_written_is_said_to_be_unusable(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    # Root may write everywhere, so that the refusal is made here.
    monkeypatch.setattr(Path, "mkdir", denied)
    _refusal(codes.DENIED, lambda: store.put(KEY, b"bytes"))


def test_of_writers_at_the_same_time_one_wins_and_the_others_are_told(store: FolderStore, root: Path) -> None:
    start, refused = threading.Barrier(8), []

    def write(number: int) -> None:
        start.wait()
        try:
            store.put(KEY, bytes([number]) * 1000)
        except AtomError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [codes.CONFLICT] * 7
    assert len(set(store.get(KEY))) == 1
    assert _files(root) == [KEY]
