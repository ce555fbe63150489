"""Tenants with people who sync and ask, on a real PostgreSQL, with an embedder that needs no model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.embedders import WordEmbedder
from tests.fakes.people import log_in

from atomctl.access.model import Role
from atomctl.db.session import Sessions
from atomctl.knowledge.librarian import Librarian
from atomctl.knowledge.meaning import Meaning
from atomctl.objects.folder import FolderStore

Hire = Callable[..., Librarian]


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def tenant(make_tenant: Callable[[str], UUID]) -> UUID:
    return make_tenant("acme")


@pytest.fixture
def hire(sessions: Sessions, tenant: UUID, embedder: WordEmbedder, tmp_path: Path) -> Hire:
    """Somebody who acts in a tenant."""

    def librarian(*roles: Role, of: UUID = tenant, meaning: Meaning | None = None) -> Librarian:
        actor = log_in(sessions, of, f"reader-{'-'.join(roles)}", *roles)
        objects = FolderStore(tmp_path / "objects")
        return Librarian(actor, lambda: sessions.tenant(of), meaning or Meaning(lambda: embedder), objects)

    return librarian


@pytest.fixture
def author(hire: Hire) -> Librarian:
    return hire(Role.AUTHOR)
