"""Tenants with roles of their own at the real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol
from uuid import UUID

import pytest
from tests.servers.openbao import OpenBao

from atomctl.db.ids import new_id
from atomctl.errors import AtomError, Code
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_http import Patience
from atomctl.secrets.vault_settings import VaultSettings

BRIEF = Patience(connect=0.5, silence=0.4, whole=0.8)
"""How long tests wait for servers that do not answer."""


def policy(*tenants: UUID) -> str:
    """What lets a role at the secrets of these tenants, and at no others."""
    return "".join(
        f'path "secret/data/{tenant}/*" {{ capabilities = ["create", "read", "update"] }}\n'
        f'path "secret/metadata/{tenant}/*" {{ capabilities = ["read", "list"] }}\n'
        for tenant in tenants
    )


def refusal(do: Callable[[], object]) -> AtomError:
    """What `do` is refused with."""
    with pytest.raises(AtomError) as caught:
        do()
    return caught.value


def code_of(do: Callable[[], object]) -> Code:
    """The code of what `do` is refused with."""
    return refusal(do).code


class OpensStores(Protocol):
    """Makes a source whose login is the AppRole `tenants` name."""

    def __call__(
        self, server: OpenBao, *tenants: UUID, lease: str = "1h", patience: Patience | None = None
    ) -> VaultSource: ...


@pytest.fixture
def tenant() -> UUID:
    return new_id()


@pytest.fixture
def other() -> UUID:
    return new_id()


@pytest.fixture
def open_store() -> Iterator[OpensStores]:
    """Sources on a server; they are closed after the test."""
    with ExitStack() as opened:

        def make(server: OpenBao, *tenants: UUID, lease: str = "1h", patience: Patience | None = None) -> VaultSource:
            role = server.app_role(f"role-{new_id()}", policy(*tenants), lease=lease)
            settings = VaultSettings(
                address=server.address, mount="secret", role_id=role.role_id, secret_id=role.wrapping_token
            )
            source = VaultSource(settings, patience)
            opened.callback(source.close)
            return source

        yield make
