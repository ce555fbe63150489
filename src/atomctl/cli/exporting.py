"""What the verbs about training data work with: the instance beside them, and whom their token speaks of."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from atomctl.cli.connection import settings_in_force
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from pathlib import Path

    from atomctl.access.model import Actor
    from atomctl.dataset.lineage_log import LineageLog
    from atomctl.dataset.service import Means
    from atomctl.embedding.model import Embedder
    from atomctl.settings import Settings


@contextmanager
def exporting() -> Iterator[tuple[Means, Actor]]:
    """What is exported with, and who exports; the audit log's key must be there.

    Raises:
        AtomError: AUT codes there is no token or it does not hold; DBA codes the database cannot be reached.
    """
    settings = settings_in_force()
    means = _means(settings)
    with means.sessions:
        yield means, _actor(settings, means)


def chosen_embedder() -> Embedder:
    """The embedder of the settings.

    Raises:
        AtomError: EMB codes there is none.
    """
    from atomctl.embedding.opening import load

    return load(settings_in_force())


def lineage_log(folder: Path) -> LineageLog:
    """Where the events of an export into `folder` go.

    Raises:
        AtomError: DAT819 the receiver of the settings cannot be used.
    """
    from atomctl.dataset.lineage_log import LineageLog, Receiver, beside

    settings = settings_in_force()
    url = settings.openlineage_url
    return LineageLog(beside(folder), Receiver.at(url, settings.openlineage_api_key) if url else None)


def _means(settings: Settings) -> Means:
    """The key of pseudonyms is made if there is none."""
    from atomctl.audit.keys import load_key as load_audit_key
    from atomctl.dataset.service import Means
    from atomctl.db.session import Sessions
    from atomctl.secrets.keyring import create_key, load_key
    from atomctl.wiring import database_address, object_store

    address = database_address(settings)
    signer = load_audit_key(settings.home / "keys" / "audit.key")
    file = settings.home / "keys" / "dataset.key"
    pseudonyms = load_key(file) if file.exists() else create_key(file)
    sessions = Sessions(address, max_size=2, name="atomctl dataset")
    host = "localhost" if address.host.startswith("/") else address.host
    source = (f"postgres://{host}:{address.port}", address.dbname)
    return Means(sessions, object_store(settings), signer, pseudonyms, source)


def _actor(settings: Settings, means: Means) -> Actor:
    """Whom the token of the chosen context speaks of."""
    from atomctl.access import codes
    from atomctl.access.service import actor_for
    from atomctl.access.tokens import Verifier
    from atomctl.cli.contexts import read_token
    from atomctl.wiring import issuer_of

    token = read_token(settings)
    if token is None:
        raise AtomError(codes.NO_TOKEN, "the chosen context has no token")
    claims = Verifier([issuer_of(settings).trusted]).verify(token, datetime.datetime.now(datetime.UTC))
    with means.sessions.tenant(claims.tenant_id) as conn:
        return actor_for(conn, claims)
