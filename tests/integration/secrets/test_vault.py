"""Secrets in the real OpenBao: versions, check-and-set, and whose paths may be read."""

from functools import partial
from uuid import UUID

import pytest
from tests.integration.secrets.conftest import OpensStores, code_of, policy, refusal
from tests.servers.openbao import OpenBao

from atomctl.secrets import codes
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_settings import VaultSettings

CANARY = "canary-8c1d77-value"


@pytest.fixture
def store(openbao: OpenBao, open_store: OpensStores, tenant: UUID) -> VaultSource:
    return open_store(openbao, tenant)


def test_what_was_written_is_read_with_its_version(store: VaultSource, tenant: UUID) -> None:
    assert store.write(tenant, "db/main", {"password": CANARY}, expected_version=0) == 1
    assert store.write(tenant, "db/main", {"password": "second-value"}, expected_version=1) == 2
    newest, first = store.read(tenant, "db/main"), store.read(tenant, f"secret/data/{tenant}/db/main", version=1)
    assert (newest.version, newest.values) == (2, {"password": "second-value"})
    assert (first.version, first.values) == (1, {"password": CANARY})
    assert first.path == newest.path == f"secret/{tenant}/db/main"
    assert CANARY not in repr(first)
    assert [(version.version, version.gone) for version in store.versions(tenant, "db/main")] == [
        (1, False),
        (2, False),
    ]


def test_a_write_that_follows_another_version_is_refused_by_the_server(store: VaultSource, tenant: UUID) -> None:
    store.write(tenant, "db", {"password": CANARY}, expected_version=0)
    for expected in (0, 2, 9):
        write = partial(store.write, tenant, "db", {"password": "other-value"}, expected_version=expected)
        assert code_of(write) is codes.CONFLICT
    assert store.read(tenant, "db").values == {"password": CANARY}


def test_a_foreign_path_is_refused_by_us_and_by_the_servers_policy(
    store: VaultSource, openbao: OpenBao, tenant: UUID, other: UUID
) -> None:
    openbao.request("POST", f"secret/data/{other}/db", {"data": {"password": CANARY}})
    for path in (f"secret/{other}/db", f"secret/data/{other}/db", f"{other}/db"):
        assert code_of(partial(store.read, tenant, path)) is codes.FOREIGN_PATH
    # Were our own check gone, the role's policy would still say no.
    assert code_of(lambda: store.read(other, "db")) is codes.DENIED
    assert code_of(lambda: store.write(other, "db", {"a": "some-value"}, expected_version=1)) is codes.DENIED
    assert code_of(lambda: store.versions(other, "db")) is codes.DENIED
    assert code_of(lambda: store.paths(other)) is codes.DENIED


def test_nothing_there_and_a_deleted_version_are_not_found(store: VaultSource, openbao: OpenBao, tenant: UUID) -> None:
    assert code_of(lambda: store.read(tenant, "db")) is codes.NOT_FOUND
    assert store.versions(tenant, "db") == ()
    store.write(tenant, "db", {"password": CANARY}, expected_version=0)
    assert code_of(lambda: store.read(tenant, "db", version=7)) is codes.NOT_FOUND
    openbao.request("DELETE", f"secret/data/{tenant}/db")
    assert code_of(lambda: store.read(tenant, "db")) is codes.NOT_FOUND
    assert [version.gone for version in store.versions(tenant, "db")] == [True]


def test_paths_are_listed_through_folders(store: VaultSource, tenant: UUID) -> None:
    assert store.paths(tenant) == ()
    for path in ("db/main", "db/replica", "api", "a/b/c/d"):
        store.write(tenant, path, {"password": CANARY}, expected_version=0)
    assert store.paths(tenant) == ("a/b/c/d", "api", "db/main", "db/replica")


def test_fields_that_are_not_text_are_given_as_json(store: VaultSource, openbao: OpenBao, tenant: UUID) -> None:
    openbao.request("POST", f"secret/data/{tenant}/db", {"data": {"port": 5432, "hosts": ["a", "b"], "tls": True}})
    assert store.read(tenant, "db").values == {"port": "5432", "hosts": '["a", "b"]', "tls": "true"}


def test_a_version_that_the_server_will_delete_soon_is_not_kept_beyond(openbao: OpenBao, tenant: UUID) -> None:
    settings = VaultSettings(address=openbao.address, mount="secret", token=openbao.root_token)
    openbao.request("POST", f"secret/metadata/{tenant}/db", {"delete_version_after": "60s"})
    store = VaultSource(settings)
    store.write(tenant, "db", {"password": CANARY}, expected_version=0)
    created = store.versions(tenant, "db")[0].created
    assert 59 <= (store.read(tenant, "db").expires_at - created).total_seconds() <= 61


def test_a_mount_that_is_not_there_is_denied_like_any_foreign_path(openbao: OpenBao, tenant: UUID) -> None:
    role = openbao.app_role("no-mount", policy(tenant))
    settings = VaultSettings(
        address=openbao.address, mount="nowhere", role_id=role.role_id, secret_id=role.wrapping_token
    )
    assert code_of(lambda: VaultSource(settings).read(tenant, "db")) is codes.DENIED


def test_no_refusal_repeats_a_value(store: VaultSource, tenant: UUID) -> None:
    store.write(tenant, "db", {"password": CANARY}, expected_version=0)
    error = refusal(lambda: store.write(tenant, "db", {"password": CANARY}, expected_version=0))
    assert CANARY not in f"{error} {error.hint} {error.__cause__!r}"
