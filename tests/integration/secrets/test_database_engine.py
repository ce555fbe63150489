"""The password of a database user that the real OpenBao changes, in a tenant's own engine."""

from __future__ import annotations

import pytest
from tests.acceptance.starters.logins import Logins
from tests.integration.secrets.conftest import code_of
from tests.servers.openbao import OpenBao
from tests.servers.postgres15 import Postgres15

from atomctl.db.ids import new_id
from atomctl.secrets import codes
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_settings import VaultSettings

TENANT = new_id()
BLUE = "database/static-creds/app-blue"


@pytest.fixture(scope="module")
def logins(openbao: OpenBao, postgres15: Postgres15) -> Logins:
    found = Logins(openbao, postgres15, str(TENANT))
    found.set_up()
    return found


@pytest.fixture
def source(openbao: OpenBao, logins: Logins) -> VaultSource:
    policy = f'path "database/{logins.tenant}/static-creds/*" {{ capabilities = ["read"] }}'
    role = openbao.define_role("reads-static-creds", policy)
    secret_id = openbao.plain_secret_id("reads-static-creds")
    return VaultSource(VaultSettings(address=openbao.address, mount="secret", role_id=role, secret_id=secret_id))


def test_the_present_password_is_read_and_opens_the_database(source: VaultSource, logins: Logins) -> None:
    found = source.read(TENANT, BLUE)
    assert found.path == f"database/{TENANT}/static-creds/app-blue"
    assert found.values == {"username": "app_blue", "password": logins.password("blue")}
    assert logins.accepts(found.values["username"], found.values["password"])


def test_a_changed_password_is_read_at_once_and_the_old_one_is_refused(source: VaultSource, logins: Logins) -> None:
    old = source.read(TENANT, BLUE)
    logins.vault.request("POST", f"database/{TENANT}/rotate-role/app-blue")
    new = source.read(TENANT, BLUE)
    assert new.values["password"] != old.values["password"]
    assert new.version >= old.version
    assert not logins.accepts("app_blue", old.values["password"])


@pytest.mark.usefixtures("logins")
def test_another_tenants_engine_is_out_of_reach(source: VaultSource) -> None:
    other = new_id()
    assert code_of(lambda: source.read(other, f"database/{TENANT}/static-creds/app-blue")) is codes.FOREIGN_PATH
    assert code_of(lambda: source.read(other, BLUE)) is codes.DENIED


def test_what_is_not_there_and_what_cannot_be_written_are_named(source: VaultSource) -> None:
    assert code_of(lambda: source.read(TENANT, "database/static-creds/nobody")) is codes.NOT_FOUND
    assert code_of(lambda: source.read(TENANT, BLUE, version=1)) is codes.NOT_FOUND
    assert code_of(lambda: source.write(TENANT, BLUE, {"a": "b"}, expected_version=0)) is codes.BAD_PATH
    assert code_of(lambda: source.versions(TENANT, BLUE)) is codes.BAD_PATH
