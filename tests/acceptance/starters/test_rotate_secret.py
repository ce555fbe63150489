"""rotate-secret: the application moves to a new password, the old one is refused; else it moves back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from tests.acceptance.starters.logins import Logins
from tests.acceptance.starters.story import Starter
from tests.acceptance.starters.surroundings import Surroundings
from tests.acceptance.starters.web import Web
from tests.servers.postgres15 import Postgres15

SECRET = "web-login"


@pytest.fixture(scope="module")
def logins(around: Surroundings, postgres15: Postgres15) -> Logins:
    found = Logins(around.vault, postgres15, around.tenant)
    found.set_up()
    return found


@pytest.fixture(scope="module")
def starter(around: Surroundings, logins: Logins) -> Starter:
    around.atomctl("secrets", "put", "rotate-secret/vault", "token=-", given=logins.token())
    return around.starter("rotate-secret", "vault")


@pytest.fixture(scope="module")
def check_url(around: Surroundings, logins: Logins) -> Iterator[str]:
    with logins.asked_at(around.kubernetes.host_address) as url:
        yield url


@pytest.fixture
def web(around: Surroundings, starter: Starter, logins: Logins, check_url: str, namespace: str) -> Web:
    """It uses the user `blue`."""
    starter.permit(around.kubernetes, namespace, around.account)
    found = Web(around.kubernetes, namespace, secret=SECRET, environment={"CHECK_URL": check_url})
    login = {"username": "app_blue", "password": logins.password("blue")}
    found.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": login})
    found.deploy()
    return found


def login_of(web: Web) -> tuple[str, str]:
    data = web.kubernetes.request("GET", f"/api/v1/namespaces/{web.namespace}/secrets/{SECRET}")["data"]
    return base64.b64decode(data["username"]).decode(), base64.b64decode(data["password"]).decode()


def test_the_application_gets_a_new_password_and_the_old_one_is_refused(
    starter: Starter, logins: Logins, web: Web
) -> None:
    old, unused = login_of(web), logins.password("green")
    ended = starter.run(namespace=web.namespace, deployment="web", secret=SECRET, activate="green")
    assert ended.state == "SUCCEEDED", ended.document
    new = login_of(web)
    assert new == ("app_green", logins.password("green"))
    assert new[1] != unused
    assert logins.accepts(*new)
    assert not logins.accepts(*old)
    assert web.ready_replicas == web.replicas
    seen = json.dumps([ended.plan, ended.document, ended.log, ended.audit])
    assert not [password for password in (old[1], new[1], logins.password("blue")) if password in seen]
    read = {entry["subject"] for entry in ended.audit if entry["action"] == "secret.read"}
    assert f"secret/database/{logins.tenant}/static-creds/app-green" in read


def test_a_user_that_the_database_refuses_is_given_up_and_the_other_one_comes_back(
    starter: Starter, logins: Logins, web: Web
) -> None:
    before = login_of(web)
    logins.lock_out("green")
    web.give_up_after(15)
    ended = starter.run(namespace=web.namespace, deployment="web", secret=SECRET, activate="green")
    assert ended.state == "ROLLED_BACK", ended.document
    assert "ProgressDeadlineExceeded" in ended.step("verify")["error"]["why"]
    assert ended.step("verify-back")["state"] == "SUCCEEDED"
    assert login_of(web) == before
    assert logins.accepts(*before)
    assert web.ready_replicas == web.replicas
