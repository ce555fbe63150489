import pytest

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.vault_settings import VaultSettings, checked

GOOD = VaultSettings(address="https://vault.example:8200", mount="secret", role_id="role", secret_id="s.wrapping")


@pytest.mark.parametrize(
    "settings",
    [
        GOOD,
        VaultSettings(address="https://vault.example", mount="secret", token="s.token"),
        VaultSettings(address="http://127.0.0.1:8200", mount="secret", token="s.token"),
        VaultSettings(address="http://[::1]:8200", mount="secret", token="s.token"),
        VaultSettings(address="http://localhost:8200", mount="secret", token="s.token"),
    ],
)
def test_what_can_be_used_is_accepted(settings: VaultSettings) -> None:
    assert checked(settings) is settings


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (VaultSettings(address="", mount="secret", token="s.token"), "VAULT_ADDR"),
        (VaultSettings(address="vault.example:8200", mount="secret", token="s.token"), "VAULT_ADDR"),
        (VaultSettings(address="https://user:pass@vault.example", mount="secret", token="s.token"), "VAULT_ADDR"),
        (VaultSettings(address="http://vault.example:8200", mount="secret", token="s.token"), "plain http"),
        (VaultSettings(address="http://10.0.0.1:8200", mount="secret", token="s.token"), "plain http"),
        (VaultSettings(address="https://vault.example", mount="secret"), "VAULT_TOKEN"),
        (VaultSettings(address="https://vault.example", mount="secret", role_id="role"), "VAULT_SECRET_ID"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(settings: VaultSettings, why: str) -> None:
    with pytest.raises(AtomError) as caught:
        checked(settings)
    assert caught.value.code is codes.BAD_SETTINGS
    assert why in caught.value.why


@pytest.mark.parametrize(("secret_id", "wrapped"), [("s.abc", True), ("hvs.abc", True), ("e4acd49b-bcbe", False)])
def test_a_wrapping_token_is_told_from_a_secret_id(secret_id: str, wrapped: bool) -> None:
    settings = VaultSettings(address="https://vault.example", mount="secret", role_id="role", secret_id=secret_id)
    assert settings.wrapped is wrapped


def test_no_credential_appears_in_a_repr() -> None:
    settings = VaultSettings(address="https://v", mount="m", token="s.token-value", secret_id="s.wrapping-value")
    assert "value" not in repr(settings)
