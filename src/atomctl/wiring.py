"""The one place that builds adapters from settings."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never
from uuid import UUID

from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.service import ensure_tenant
from atomctl.access.tokens import Verifier
from atomctl.approvals.model import Approval, SubjectKind
from atomctl.audit.keys import load_or_create_key
from atomctl.audit.note import VerifierKey
from atomctl.audit.sequencer import Sequencer
from atomctl.db import address as addresses
from atomctl.db.address import AdminLogin, DatabaseAddress
from atomctl.db.embedded import embedded_address
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.files import replace_file
from atomctl.objects.folder import FolderStore
from atomctl.objects.model import ObjectStore
from atomctl.registry import service as registry
from atomctl.runs import service as runs
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.probe import prepare_site
from atomctl.settings import Settings

FIRST_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Services:
    """What the API server works with."""

    settings: Settings
    sessions: Sessions
    objects: ObjectStore
    verifier: Verifier
    audit_key: VerifierKey

    def close(self) -> None:
        """Gives the database connections back."""
        self.sessions.close()


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker works with."""

    address: DatabaseAddress
    objects: ObjectStore
    steps: StepExecutor
    scratch: Path
    isolation: str
    sequencer: Callable[[threading.Event], None]
    ready_file: Path


def database(settings: Settings) -> tuple[DatabaseAddress, AdminLogin | None]:
    """Where the database is, and its administrator if one is known here.

    Raises:
        AtomError: DBA010 a password file can be read by others, DBA011 the URL cannot be used.
    """
    folder = settings.credentials or settings.home / "credentials"
    if settings.database_url is not None:
        return addresses.external(settings.database_url, folder)
    address = embedded_address(settings.home)
    try:
        return address, addresses.admin_from_credentials(address)
    except AtomError:
        return address, None  # the roles' own password files are enough for everything but bootstrap


def object_store(settings: Settings) -> ObjectStore:
    """Where packages and logs lie: a folder of the home."""
    return FolderStore(settings.home / "objects")


def build_services(settings: Settings) -> Services:
    """The API server's services, connected.

    Raises:
        AtomError: DBA0xx the database cannot be used or its role could bypass row level security, AUT030 the issuer's
            key or AUD715 the log's key cannot be used.
    """
    address, _ = database(settings)
    keys = settings.home / "keys"
    return Services(
        settings=settings,
        sessions=Sessions(address, DatabaseRole.APP, name="atom-server"),
        objects=object_store(settings),
        verifier=Verifier([EmbeddedIssuer(keys / "issuer.key").trusted]),
        audit_key=load_or_create_key(keys / "audit.key").vkey,
    )


def build_worker_parts(settings: Settings) -> WorkerParts:
    """A worker's parts; each worker gets a scratch folder of its own.

    Raises:
        AtomError: RUN650 no sandbox works and one is required, AUD715 the log's key cannot be used, DBA0xx.
    """
    address, _ = database(settings)
    scratch = settings.home / "work" / str(os.getpid())
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    site = prepare_site(scratch / "steps", isolation_policy(settings))
    sequencer = Sequencer(address.dsn(DatabaseRole.SEQUENCER), load_or_create_key(settings.home / "keys" / "audit.key"))
    return WorkerParts(
        address=address,
        objects=object_store(settings),
        steps=StepExecutor(site),
        scratch=scratch,
        isolation=site.isolation.level.value,
        sequencer=sequencer.run,
        ready_file=settings.home / "worker.ready",
    )


def isolation_policy(settings: Settings) -> IsolationPolicy:
    """What was set; else preferred for an embedded instance that only this machine reaches, else required."""
    if settings.isolation is not None:
        return IsolationPolicy(settings.isolation)
    alone = settings.database_url is None and settings.loopback
    return IsolationPolicy.PREFERRED if alone else IsolationPolicy.REQUIRED


def prepare_instance(settings: Settings) -> UUID:
    """The id of the instance's first tenant, which exists afterwards, as do the issuer's and the log's key.

    A repeat changes nothing.

    Raises:
        AtomError: DBA0xx the database cannot be used, AUT030 or AUD715 a key cannot.
    """
    keys = settings.home / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    EmbeddedIssuer(keys / "issuer.key")
    load_or_create_key(keys / "audit.key")
    tenant_id = _first_tenant_id(settings.home / "tenant")
    address, _ = database(settings)
    opened = Sessions(address, DatabaseRole.APP, min_size=0, name="atom-prepare")
    with opened as sessions, sessions.tenant(tenant_id) as conn:
        ensure_tenant(conn, tenant_id, FIRST_TENANT)
    return tenant_id


def follow(conn: Connection, approval: Approval) -> None:
    """What follows the end of an approval, in the transaction of the deciding vote."""
    match approval.subject_kind:
        case SubjectKind.RUN:
            runs.on_approval(conn, approval)
        case SubjectKind.OVERRIDE | SubjectKind.EXCEPTION | SubjectKind.TRUST_RULES:
            registry.on_approval(conn, approval)
        case _:
            assert_never(approval.subject_kind)


def _first_tenant_id(file: Path) -> UUID:
    """Row level security hides a tenant from whoever does not know its id, so the home remembers the first one's."""
    if file.exists():
        return UUID(file.read_text(encoding="ascii").strip())
    tenant_id = new_id()
    replace_file(file, f"{tenant_id}\n".encode())
    return tenant_id
