from uuid import UUID

import pytest

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.paths import check_mount, locate, place_of, stored
from atomctl.wpk.model import SecretRef

OURS = UUID("0190a1b2-0000-7000-8000-00000000000a")
THEIRS = UUID("0190a1b2-0000-7000-8000-00000000000b")


def refusal(path: str, mount: str = "secret") -> str:
    with pytest.raises(AtomError) as caught:
        locate(mount, OURS, path)
    return caught.value.code.id


@pytest.mark.parametrize(
    "path",
    ["db/main", f"{OURS}/db/main", f"secret/{OURS}/db/main", f"secret/data/{OURS}/db/main"],
)
def test_a_name_and_the_whole_path_as_tools_print_it_mean_the_same_place(path: str) -> None:
    place = locate("secret", OURS, path)
    assert str(place) == f"secret/{OURS}/db/main"
    assert place.inner == f"{OURS}/db/main"


@pytest.mark.parametrize("path", ["db", "a.b/c-d/e_f", "data/x", "a" * 512, "/".join("abcdefghijklmnop")])
def test_a_name_lies_below_the_tenants_prefix_whatever_it_is(path: str) -> None:
    assert locate("secret", OURS, path).inner.startswith(f"{OURS}/")


@pytest.mark.parametrize(
    "path",
    [
        f"{THEIRS}/db",
        f"secret/{THEIRS}/db",
        f"secret/data/{THEIRS}/db",
        f"{str(OURS).upper()}/db",
        "secret/db",
        "secret",
        "secret/data",
        "secret/data/acme/db",
        f"secret/metadata/{OURS}/db",
    ],
)
def test_another_tenants_path_and_nobodys_are_refused(path: str) -> None:
    assert refusal(path) == codes.FOREIGN_PATH.id


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/db",
        "db/",
        "db//main",
        "../db",
        "db/../../x",
        "db/./x",
        ".hidden",
        "-flag",
        "db\0",
        "db\nx",
        "db/%2e%2e/x",
        "db?version=1",
        "db#x",
        "db main",
        "db\\main",
        "dÃ¼",
        "db/\u2024\u2024/x",
        "a" * 513,
        "/".join("abcdefghijklmnopq"),
        "@1",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    assert refusal(path) == codes.BAD_PATH.id


@pytest.mark.parametrize("path", [str(OURS), f"secret/{OURS}", f"secret/data/{OURS}"])
def test_the_prefix_itself_is_no_secret(path: str) -> None:
    assert refusal(path) == codes.BAD_PATH.id


def test_a_mount_of_several_parts_is_recognised_as_a_whole() -> None:
    assert locate("kv/team", OURS, f"kv/team/data/{OURS}/db").name == "db"
    assert locate("kv/team", OURS, "kv/other").name == "kv/other"
    assert refusal(f"kv/team/{THEIRS}/db", "kv/team") == codes.FOREIGN_PATH.id


@pytest.mark.parametrize("mount", ["", "/secret", "secret/", "..", "a b"])
def test_a_mount_is_a_path_too(mount: str) -> None:
    with pytest.raises(AtomError) as caught:
        check_mount(mount)
    assert caught.value.code is codes.BAD_PATH


def test_only_what_the_package_declares_has_a_place() -> None:
    declared = {"token": SecretRef(path="db/main", key="token")}
    assert place_of("secret", OURS, declared, "token").name == "db/main"
    with pytest.raises(AtomError) as caught:
        place_of("secret", OURS, declared, "other")
    assert caught.value.code is codes.NOT_LISTED


def test_what_the_package_declares_is_still_held_to_its_tenant() -> None:
    declared = {"token": SecretRef(path=f"secret/data/{THEIRS}/db", key="token")}
    with pytest.raises(AtomError) as caught:
        place_of("secret", OURS, declared, "token")
    assert caught.value.code is codes.FOREIGN_PATH


@pytest.mark.parametrize("path", ["database/static-creds/app", f"database/{OURS}/static-creds/app"])
def test_a_database_engine_is_the_tenants_own(path: str) -> None:
    place = locate("secret", OURS, path)
    assert str(place) == f"database/{OURS}/static-creds/app"
    assert place.of_database


def test_another_tenants_database_engine_is_refused() -> None:
    assert refusal(f"database/{THEIRS}/static-creds/app") == codes.FOREIGN_PATH.id


@pytest.mark.parametrize(
    "path", ["database/main", "database/static-creds", "database/static-creds/a/b", "db/static-creds"]
)
def test_what_only_looks_like_an_engine_is_stored_like_anything_else(path: str) -> None:
    place = stored("secret", OURS, path)
    assert str(place) == f"secret/{OURS}/{path}"
    assert not place.of_database


def test_a_store_that_is_mounted_at_database_holds_what_lies_there() -> None:
    assert not locate("database", OURS, f"database/{OURS}/static-creds/app").of_database


def test_what_an_engine_makes_cannot_be_written() -> None:
    with pytest.raises(AtomError) as caught:
        stored("secret", OURS, "database/static-creds/app")
    assert caught.value.code is codes.BAD_PATH
