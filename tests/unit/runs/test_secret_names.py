from uuid import UUID

import pytest

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.activation import render_step
from atomctl.runs.secret_names import read_by, require_store
from atomctl.secrets import codes
from atomctl.wpk.model import Handler, HandlerType, SecretRef

TENANT = UUID(int=1)
DECLARED = {"token": SecretRef(path="db/main", key="token"), "other": SecretRef(path="db/main", key="other")}


def api(**config: Json) -> Handler:
    return Handler(name="call", type=HandlerType.API, config=config)


def test_a_shell_step_is_handed_what_it_lists() -> None:
    assert read_by(HandlerType.SHELL, {"command": ["x"], "secrets": ["token"]}, DECLARED) == {"token"}
    assert read_by(HandlerType.SHELL, {"command": ["x"]}, DECLARED) == frozenset()


def test_an_api_step_is_handed_what_its_templates_read() -> None:
    config: dict[str, Json] = {"url": "https://x", "headers": {"Authorization": "Bearer ${{ secrets.token }}"}}
    assert read_by(HandlerType.API, config, DECLARED) == {"token"}
    assert read_by(HandlerType.API, {"url": "https://x", "body": "secrets.token"}, DECLARED) == frozenset()


def test_a_step_that_computes_the_name_is_handed_all() -> None:
    config: dict[str, Json] = {"url": "https://x", "body": "${{ secrets[params.which] }}"}
    assert read_by(HandlerType.API, config, DECLARED) == {"token", "other"}


def test_a_field_that_reads_a_secret_waits_for_the_worker() -> None:
    handler = api(url="https://${{ params.host }}/", headers={"T": "${{ secrets.token }}"})
    activation: dict[str, Json] = {"params": {"host": "web"}}
    assert render_step(handler, activation) == {"url": "https://web/", "headers": {"T": "${{ secrets.token }}"}}
    filled = render_step(handler, {**activation, "secrets": {"token": "value-1"}})
    assert filled == {"url": "https://web/", "headers": {"T": "value-1"}}


def test_a_value_that_looks_like_a_secrets_template_stays_text() -> None:
    handler = api(url="https://x/${{ params.host }}", headers={"T": "${{ secrets.token }} ${{ params.host }}"})
    hostile = "${{ secrets.other }}"
    activation: dict[str, Json] = {"params": {"host": hostile}, "secrets": {"token": "value-1", "other": "value-2"}}
    filled = render_step(handler, activation)
    assert filled == {"url": f"https://x/{hostile}", "headers": {"T": f"value-1 {hostile}"}}


def test_a_package_without_secrets_needs_no_store() -> None:
    require_store({}, TENANT, None)
    require_store(DECLARED, TENANT, "secret")


def test_a_package_with_secrets_is_refused_where_there_is_no_store() -> None:
    with pytest.raises(AtomError) as caught:
        require_store(DECLARED, TENANT, None)
    assert caught.value.code is codes.NOT_CONFIGURED
    assert "other, token" in caught.value.why
    assert "ATOM_SECRETS=local" in caught.value.hint


@pytest.mark.parametrize(
    ("path", "code"),
    [(f"secret/{UUID(int=2)}/db", codes.FOREIGN_PATH), ("a/" * 17 + "a", codes.BAD_PATH)],
)
def test_a_path_the_tenant_may_not_name_is_refused_before_anything_starts(path: str, code: object) -> None:
    with pytest.raises(AtomError) as caught:
        require_store({"token": SecretRef(path=path, key="token")}, TENANT, "secret")
    assert caught.value.code is code
