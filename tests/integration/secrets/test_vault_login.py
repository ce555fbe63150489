"""Logging in to the real OpenBao, keeping the login, losing it, giving it back."""

import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.integration.secrets.conftest import BRIEF, OpensStores, code_of, policy
from tests.servers.openbao import OpenBao
from tests.servers.waiting import wait_until

from atomctl.secrets import codes
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_settings import VaultSettings

Settings = Callable[..., VaultSettings]


@pytest.fixture
def settings(openbao: OpenBao) -> Settings:
    def make(role_id: str, secret_id: str) -> VaultSettings:
        return VaultSettings(address=openbao.address, mount="secret", role_id=role_id, secret_id=secret_id)

    return make


def token_of(store: VaultSource) -> str:
    return str(store.session.ask("the token", lambda client: client.token))


def about(server: OpenBao, token: str) -> dict[str, object]:
    return dict(server.request("POST", "auth/token/lookup", {"token": token})["data"])


def is_gone(server: OpenBao, token: str) -> bool:
    try:
        about(server, token)
    except httpx.HTTPStatusError:
        return True
    return False


def test_a_wrapped_secret_id_opens_once(openbao: OpenBao, settings: Settings, tenant: UUID) -> None:
    role = openbao.app_role("opens-once", policy(tenant))
    first = VaultSource(settings(role.role_id, role.wrapping_token))
    assert first.versions(tenant, "db") == ()
    thief = VaultSource(settings(role.role_id, role.wrapping_token))
    for _ in range(2):
        assert code_of(lambda: thief.read(tenant, "db")) is codes.WRAPPED_USED
    assert first.versions(tenant, "db") == ()
    first.close()


def test_a_wrapping_token_that_is_too_old_is_refused(openbao: OpenBao, settings: Settings, tenant: UUID) -> None:
    role = openbao.app_role("too-old", policy(tenant), wrap="1s")
    wait_until(lambda: is_gone(openbao, role.wrapping_token), "the wrapping token expires")
    assert code_of(lambda: VaultSource(settings(role.role_id, role.wrapping_token)).read(tenant, "db")) is (
        codes.WRAPPED_USED
    )


def test_a_wrapping_token_that_was_exchanged_is_not_opened(openbao: OpenBao, settings: Settings, tenant: UUID) -> None:
    role = openbao.app_role("exchanged", policy(tenant))
    forged = openbao.request("POST", "sys/wrapping/wrap", {"secret_id": "mine"}, wrap="60s")["wrap_info"]["token"]
    store = VaultSource(settings(role.role_id, forged))
    assert code_of(lambda: store.read(tenant, "db")) is codes.WRAPPED_OTHER
    assert openbao.request("POST", "sys/wrapping/lookup", {"token": forged})["data"]["creation_path"]


@pytest.mark.parametrize(("role_id", "secret_id"), [("right", "0000-wrong"), ("wrong", "right")])
def test_a_role_and_secret_id_that_do_not_belong_together_are_refused(
    openbao: OpenBao, settings: Settings, tenant: UUID, role_id: str, secret_id: str
) -> None:
    role = openbao.app_role("together", policy(tenant))
    given = settings(
        role.role_id if role_id == "right" else "no-such-role",
        openbao.plain_secret_id("together") if secret_id == "right" else secret_id,
    )
    assert code_of(lambda: VaultSource(given).read(tenant, "db")) is codes.LOGIN_REFUSED


def test_a_token_that_is_not_valid_is_refused(openbao: OpenBao, tenant: UUID) -> None:
    given = VaultSettings(address=openbao.address, mount="secret", token="s.nobodysToken")
    assert code_of(lambda: VaultSource(given).read(tenant, "db")) is codes.EXPIRED


def test_our_login_is_revoked_at_the_end_and_a_given_token_is_not(
    openbao: OpenBao, open_store: OpensStores, tenant: UUID
) -> None:
    ours = open_store(openbao, tenant)
    token = token_of(ours)
    assert not is_gone(openbao, token)
    ours.close()
    assert is_gone(openbao, token)
    ours.close()
    given = str(openbao.request("POST", "auth/token/create", {"ttl": "60s"})["auth"]["client_token"])
    theirs = VaultSource(VaultSettings(address=openbao.address, mount="secret", token=given))
    theirs.versions(tenant, "db")
    theirs.close()
    assert not is_gone(openbao, given)


def test_a_login_is_renewed_before_its_lease_ends(openbao: OpenBao, open_store: OpensStores, tenant: UUID) -> None:
    store, stop = open_store(openbao, tenant, lease="3s"), threading.Event()
    token = token_of(store)
    ends = about(openbao, token)["expire_time"]
    keeper = threading.Thread(target=store.session.keep, args=(stop,))
    keeper.start()
    try:
        wait_until(lambda: about(openbao, token)["expire_time"] != ends, "the login is renewed")
        wait_until(lambda: "last_renewal_time" in about(openbao, token), "the server says so")
        assert token_of(store) == token
    finally:
        stop.set()
        keeper.join(20)
    assert is_gone(openbao, token)


def test_a_lost_login_is_made_anew_from_the_secret_id_in_memory(
    openbao: OpenBao, open_store: OpensStores, tenant: UUID
) -> None:
    store = open_store(openbao, tenant)
    store.write(tenant, "db", {"password": "some-value"}, expected_version=0)
    lost = token_of(store)
    openbao.request("POST", "auth/token/revoke", {"token": lost})
    assert store.read(tenant, "db").values == {"password": "some-value"}
    assert token_of(store) != lost


def test_a_lost_login_whose_secret_id_is_used_up_has_expired(
    openbao: OpenBao, settings: Settings, tenant: UUID
) -> None:
    role_id = openbao.define_role("used-up", policy(tenant))
    openbao.request("POST", "auth/approle/role/used-up", {"secret_id_num_uses": 1, "token_policies": ["used-up"]})
    store = VaultSource(settings(role_id, openbao.wrapped_secret_id("used-up")))
    assert store.versions(tenant, "db") == ()
    openbao.request("POST", "auth/token/revoke", {"token": token_of(store)})
    for _ in range(2):
        assert code_of(lambda: store.read(tenant, "db")) is codes.EXPIRED


def test_a_lease_that_ended_without_renewal_is_noticed(openbao: OpenBao, settings: Settings, tenant: UUID) -> None:
    role_id = openbao.define_role("ended", policy(tenant), lease="1s")
    openbao.request(
        "POST",
        "auth/approle/role/ended",
        {"secret_id_num_uses": 1, "token_ttl": "1s", "token_max_ttl": "1s", "token_policies": ["ended"]},
    )
    store = VaultSource(settings(role_id, openbao.wrapped_secret_id("ended")))
    store.versions(tenant, "db")
    token = token_of(store)
    wait_until(lambda: is_gone(openbao, token), "the lease ends")
    assert code_of(lambda: store.versions(tenant, "db")) is codes.EXPIRED


def test_a_keeper_waits_for_a_server_that_comes_late(tmp_path: Path, tenant: UUID) -> None:
    with OpenBao(tmp_path) as server:
        role_id = server.define_role("late", policy(tenant))
        store = VaultSource(
            VaultSettings(
                address=server.address, mount="secret", role_id=role_id, secret_id=server.plain_secret_id("late")
            ),
            BRIEF,
        )
        stop = threading.Event()
        server.pause()
        keeper = threading.Thread(target=store.session.keep, args=(stop,))
        keeper.start()
        try:
            assert code_of(lambda: store.read(tenant, "db")) is codes.SLOW
            server.resume()
            wait_until(lambda: store.versions(tenant, "db") == (), "the login is made")
        finally:
            stop.set()
            keeper.join(20)
