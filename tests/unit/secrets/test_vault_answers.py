from datetime import UTC, datetime

import pytest
import requests
from hvac import exceptions as vault

from atomctl.errors import AtomError, Code
from atomctl.secrets import codes
from atomctl.secrets.vault_answers import document, field, mapping, moment, number, text, translated

JSON = {"errors": ["said"]}


def code_of(error: Exception, refused: Code | None = None) -> Code:
    with pytest.raises(AtomError) as caught, translated("asking", refused):
        raise error
    assert caught.value.why.startswith("asking")
    assert "s.token" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (vault.Forbidden(errors=["permission denied"], json=JSON), codes.DENIED),
        (vault.Unauthorized(errors=["no"], json=JSON), codes.DENIED),
        (vault.InvalidPath(errors=[], json=JSON), codes.NOT_FOUND),
        (vault.RateLimitExceeded(errors=["later"], json=JSON), codes.SLOW),
        (vault.VaultNotInitialized(errors=["no"], json=JSON), codes.SEALED),
        (vault.VaultDown(errors=["Vault is sealed"], json=JSON), codes.SEALED),
        (vault.VaultDown("<html>busy"), codes.SERVER_ERROR),
        (vault.BadGateway("<html>"), codes.SERVER_ERROR),
        (vault.InternalServerError(errors=["s.token inside"], json=JSON), codes.SERVER_ERROR),
        (vault.InvalidRequest(errors=["something else"], json=JSON), codes.SERVER_ERROR),
        (vault.Forbidden("<html>waf"), codes.NONSENSE),
        (vault.InvalidPath("<html>404"), codes.NONSENSE),
        (vault.UnexpectedError("<html>418"), codes.NONSENSE),
        (
            vault.InvalidRequest(errors=["check-and-set parameter did not match the current version"], json=JSON),
            codes.CONFLICT,
        ),
        (requests.ConnectTimeout(), codes.DOWN),
        (requests.ReadTimeout(), codes.SLOW),
        (requests.ConnectionError("s.token"), codes.DOWN),
        (requests.exceptions.SSLError(), codes.NONSENSE),
        (requests.exceptions.InvalidURL("s.token"), codes.NONSENSE),
    ],
)
def test_each_refusal_and_failure_has_its_code(error: Exception, code: Code) -> None:
    assert code_of(error) is code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (vault.InvalidRequest(errors=["wrapping token is not valid"], json=JSON), codes.WRAPPED_USED),
        (vault.Forbidden(errors=["permission denied"], json=JSON), codes.WRAPPED_USED),
        (vault.Forbidden("<html>waf"), codes.NONSENSE),
        (vault.VaultDown(errors=["Vault is sealed"], json=JSON), codes.SEALED),
        (requests.ReadTimeout(), codes.SLOW),
    ],
)
def test_a_refusal_means_what_was_being_asked_and_an_outage_stays_one(error: Exception, code: Code) -> None:
    assert code_of(error, codes.WRAPPED_USED) is code


ANSWER = {"auth": {"client_token": "t", "lease_duration": 60, "renewable": True, "empty": "", "less": -1}}


def test_fields_are_found_by_path_and_kind() -> None:
    assert text(document(ANSWER), "auth", "client_token") == "t"
    assert number(ANSWER, "auth", "lease_duration") == 60
    assert mapping(ANSWER, "auth")["renewable"] is True


@pytest.mark.parametrize("path", [("auth", "empty"), ("auth", "none"), ("none", "client_token"), ("auth",), ()])
def test_what_is_missing_or_of_another_kind_is_nonsense(path: tuple[str, ...]) -> None:
    with pytest.raises(AtomError) as caught:
        text(ANSWER, *path)
    assert caught.value.code is codes.NONSENSE


@pytest.mark.parametrize("name", ["less", "renewable", "client_token"])
def test_a_number_is_whole_and_not_negative(name: str) -> None:
    with pytest.raises(AtomError) as caught:
        number(ANSWER, "auth", name)
    assert caught.value.code is codes.NONSENSE


@pytest.mark.parametrize("answer", [None, [], "text", requests.Response()])
def test_an_answer_that_is_no_object_is_nonsense(answer: object) -> None:
    with pytest.raises(AtomError) as caught:
        document(answer)
    assert caught.value.code is codes.NONSENSE
    with pytest.raises(AtomError):
        field(answer, "data", as_=bool)


def test_times_have_a_zone_and_nanoseconds() -> None:
    assert moment("2026-11-23T17:12:21.656380799Z") == datetime(2026, 11, 23, 17, 12, 21, 656380, tzinfo=UTC)
    for wrong in ("", "yesterday", "2026-11-23T17:12:21", None):
        with pytest.raises(AtomError) as caught:
            moment(wrong)
        assert caught.value.code is codes.NONSENSE
