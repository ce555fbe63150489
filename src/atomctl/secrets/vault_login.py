"""Logging in: by AppRole, whose secret id comes wrapped, or with a token that somebody else made."""

from __future__ import annotations

from dataclasses import dataclass

import hvac

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.vault_answers import document, field, number, text, translated
from atomctl.secrets.vault_http import BoundedSession, Patience
from atomctl.secrets.vault_settings import VaultSettings


@dataclass(frozen=True, slots=True)
class Login:
    """A token in force. `lease` is in seconds from when it was given; None: it does not end."""

    client: hvac.Client
    lease: int | None
    renewable: bool


class Door:
    """Makes logins. Keeps the unwrapped secret id in memory, because the wrapping token cannot be opened again."""

    def __init__(self, settings: VaultSettings, patience: Patience) -> None:
        self._settings = settings
        self._patience = patience
        self._secret_id = None if settings.wrapped else settings.secret_id
        self._final: AtomError | None = None
        """Why no login will ever be possible again."""

    @property
    def own(self) -> bool:
        """Whether the tokens are made here, and are thus ours to revoke."""
        return bool(self._settings.role_id)

    def open(self) -> Login:
        """A new login.

        Raises:
            AtomError: SEC014 the token given is not valid, SEC015 and SEC016 the wrapping token, SEC017 the role or
                secret id; SEC010 to SEC012, SEC018, SEC019 no proper answer.
        """
        if self._final is not None:
            raise self._final
        try:
            return self._by_role() if self._settings.role_id else self._with_token()
        except AtomError as error:
            if error.code in {codes.WRAPPED_USED, codes.WRAPPED_OTHER}:
                self._final = error
            raise

    def _by_role(self) -> Login:
        if self._secret_id is None:
            self._secret_id = self._unwrap()
        with translated("the login by AppRole", refused=codes.LOGIN_REFUSED):
            answer = self._client("").auth.approle.login(
                role_id=self._settings.role_id,
                secret_id=self._secret_id,
                use_token=False,
                mount_point=self._settings.approle,
            )
        found = document(answer)
        renewable = field(found, "auth", "renewable", as_=lambda value: isinstance(value, bool))
        client = self._client(text(found, "auth", "client_token"))
        return Login(client, number(found, "auth", "lease_duration") or None, renewable)

    def _unwrap(self) -> str:
        """The secret id, out of a wrapping token that was made by the role's own endpoint and never opened."""
        wrapping = str(self._settings.secret_id)
        client = self._client(wrapping)
        with translated("the wrapped secret id", refused=codes.WRAPPED_USED):
            held = document(client.adapter.post("/v1/sys/wrapping/lookup", json={"token": wrapping}))
            made_by = text(held, "data", "creation_path")
            if not made_by.startswith(f"auth/{self._settings.approle}/role/") or not made_by.endswith("/secret-id"):
                raise AtomError(codes.WRAPPED_OTHER, f"it was made by {made_by[:120]}")
            answer = client.sys.unwrap()
        return text(document(answer), "data", "secret_id")

    def _with_token(self) -> Login:
        client = self._client(str(self._settings.token))
        with translated("the token given", refused=codes.EXPIRED):
            found = document(client.auth.token.lookup_self())
        renewable = field(found, "data", "renewable", as_=lambda value: isinstance(value, bool))
        return Login(client, number(found, "data", "ttl") or None, renewable)

    def _client(self, token: str) -> hvac.Client:
        session = BoundedSession(self._patience)
        session.verify = True if self._settings.ca_file is None else str(self._settings.ca_file)
        return hvac.Client(
            url=self._settings.address,
            token=token,  # never None: hvac would look into the environment and ~/.vault-token then
            verify=session.verify,
            session=session,
            namespace=self._settings.namespace,
        )
