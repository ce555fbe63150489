import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.errors import AtomError, Code
from atomctl.secrets import codes
from atomctl.secrets.local import KEPT, LocalSource

OURS, THEIRS = UUID(int=1), UUID(int=2)
CANARY = "canary-5f2b9c-value"


@pytest.fixture
def store(tmp_path: Path) -> LocalSource:
    return LocalSource(tmp_path / "secrets", tmp_path / "keys" / "secrets.key")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "secrets.key"


def refused(code: Code, do: Callable[[], object]) -> AtomError:
    with pytest.raises(AtomError) as caught:
        do()
    assert caught.value.code is code
    return caught.value


def test_what_was_written_is_read_and_every_version_stays(store: LocalSource) -> None:
    assert store.write(OURS, "db/main", {"password": CANARY}, expected_version=0) == 1
    assert store.write(OURS, "db/main", {"password": "another-one"}, expected_version=1) == 2
    assert store.read(OURS, "db/main").values == {"password": "another-one"}
    first = store.read(OURS, f"secret/{OURS}/db/main", version=1)
    assert (first.version, first.values, first.path) == (1, {"password": CANARY}, f"secret/{OURS}/db/main")
    assert [version.version for version in store.versions(OURS, "db/main")] == [1, 2]


def test_a_value_appears_in_no_repr(store: LocalSource) -> None:
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    assert CANARY not in repr(store.read(OURS, "db"))


@pytest.mark.parametrize("expected", [0, 2, 7])
def test_a_write_that_follows_another_version_changes_nothing(store: LocalSource, expected: int) -> None:
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    refused(codes.CONFLICT, lambda: store.write(OURS, "db", {"password": "other-value"}, expected_version=expected))
    assert store.read(OURS, "db").values == {"password": CANARY}
    assert len(store.versions(OURS, "db")) == 1


def test_of_many_writers_one_gets_each_version(store: LocalSource) -> None:
    won: list[int] = []
    lost: list[Code] = []
    together = threading.Barrier(8)

    def write(number: int) -> None:
        together.wait()
        try:
            store.write(OURS, "db", {"writer": str(number)}, expected_version=0)
        except AtomError as error:
            lost.append(error.code)
        else:
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert lost == [codes.CONFLICT] * 7
    assert store.read(OURS, "db").values == {"writer": str(won[0])}


def test_versions_beyond_the_kept_ones_go_the_oldest_first(store: LocalSource) -> None:
    for version in range(KEPT + 3):
        store.write(OURS, "db", {"number": str(version)}, expected_version=version)
    assert [version.version for version in store.versions(OURS, "db")] == list(range(4, KEPT + 4))
    refused(codes.NOT_FOUND, lambda: store.read(OURS, "db", version=1))


def test_tenants_see_their_own_paths(store: LocalSource) -> None:
    store.write(OURS, "db/main", {"password": CANARY}, expected_version=0)
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    assert store.paths(OURS) == ("db", "db/main")
    assert store.paths(THEIRS) == ()
    assert store.versions(THEIRS, "db") == ()
    refused(codes.NOT_FOUND, lambda: store.read(THEIRS, "db"))
    refused(codes.FOREIGN_PATH, lambda: store.read(THEIRS, f"secret/{OURS}/db"))


def test_no_file_holds_a_value_and_nobody_else_can_read_any(store: LocalSource, tmp_path: Path) -> None:
    store.write(OURS, "db/main", {"password": CANARY}, expected_version=0)
    for file in tmp_path.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_that_others_can_read_is_refused(store: LocalSource, key_file: Path, mode: int) -> None:
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    key_file.chmod(mode)
    assert "chmod 600" in refused(codes.BAD_KEY_FILE, lambda: store.read(OURS, "db")).hint
    refused(codes.BAD_KEY_FILE, lambda: store.write(OURS, "other", {"password": CANARY}, expected_version=0))


def test_a_lost_key_is_not_replaced_by_a_new_one(store: LocalSource, key_file: Path) -> None:
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    key_file.unlink()
    refused(codes.BAD_KEY_FILE, lambda: store.read(OURS, "db"))
    refused(codes.BAD_KEY_FILE, lambda: store.write(OURS, "other", {"password": CANARY}, expected_version=0))
    assert not key_file.exists()


@pytest.mark.parametrize("text", ["", "not hex", "00" * 31, "00" * 33])
def test_what_is_no_key_is_refused(store: LocalSource, key_file: Path, text: str) -> None:
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    key_file.write_text(text)
    refused(codes.BAD_KEY_FILE, lambda: store.read(OURS, "db"))


def test_a_version_moved_to_another_place_is_damage(store: LocalSource, tmp_path: Path) -> None:
    store.write(OURS, "db", {"password": CANARY}, expected_version=0)
    store.write(OURS, "other", {"password": "something-else"}, expected_version=0)
    store.write(THEIRS, "db", {"password": "something-else"}, expected_version=0)
    mine = (tmp_path / "secrets" / str(OURS) / "db" / "@1").read_bytes()
    for tenant, path, version in ((OURS, "other", 1), (THEIRS, "db", 1), (OURS, "db", 2)):
        file = tmp_path / "secrets" / str(tenant) / path / f"@{version}"
        file.write_bytes(mine)
        refused(codes.DAMAGED, partial(store.read, tenant, path, version=version))


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file is here")
    store = LocalSource(tmp_path / "secrets", tmp_path / "key")
    refused(codes.UNWRITABLE, lambda: store.write(OURS, "db", {"password": CANARY}, expected_version=0))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a b": "x"},
        {"../a": "x"},
        {"a": "zero\0byte"},
        {"a": "lone\ud800surrogate"},
        {"a": "x" * (256 * 1024 + 1)},
        {f"f{number}": "x" for number in range(65)},
    ],
)
def test_what_is_no_secret_is_not_stored(store: LocalSource, values: dict[str, str]) -> None:
    error = refused(codes.BAD_VALUE, lambda: store.write(OURS, "db", values, expected_version=0))
    assert "zero" not in error.why.replace("zero byte", "")
    assert store.versions(OURS, "db") == ()


def test_the_largest_secret_is_read_back(store: LocalSource) -> None:
    largest = {"a": "\u0001" * (256 * 1024)}
    store.write(OURS, "db", largest, expected_version=0)
    assert store.read(OURS, "db").values == largest
