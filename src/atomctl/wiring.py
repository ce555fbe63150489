"""The one place that builds adapters from settings: what the server and the worker work with."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from atomctl.access import service as access
from atomctl.access.issuer import EmbeddedIssuer
from atomctl.access.tokens import Verifier
from atomctl.approvals.model import Approval, SubjectKind
from atomctl.audit.keys import FileKey, load_or_create_key, read_vkeys
from atomctl.audit.note import VerifierKey
from atomctl.db.address import AdminLogin, DatabaseAddress, admin_from_credentials, external
from atomctl.db.embedded import embedded_address
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.files import replace_file
from atomctl.objects import opening
from atomctl.objects.locking import LockedStore
from atomctl.objects.model import ObjectStore
from atomctl.runs.steps.jobs.opening import open_jobs
from atomctl.runs.steps.kubernetes.opening import open_place, questions_to
from atomctl.settings import Settings

if TYPE_CHECKING:
    import socket
    import threading

    from atomctl.backup.service import Backups
    from atomctl.controls.site import Site
    from atomctl.runs.plan import Abilities, ClusterQuestions
    from atomctl.runs.steps.executors import StepExecutor
    from atomctl.runs.steps.jobs.place import JobPlace
    from atomctl.secrets.local import LocalSource
    from atomctl.secrets.model import SecretSource
    from atomctl.secrets.vault import VaultSource

Loop = Callable[["threading.Event"], None]
"""Runs until the event is set."""

FIRST_TENANT = "default"
_POOL = 20


@dataclass(frozen=True, slots=True)
class Services:
    """What the API server works with; `close()` gives back the database's connections."""

    settings: Settings
    address: DatabaseAddress
    sessions: Sessions
    objects: ObjectStore
    verifier: Verifier
    audit_keys: tuple[VerifierKey, ...]
    """Whose signatures under checkpoints are expected."""
    anchors: LockedStore | None = None
    """Where the audit log is anchored; None where it is not."""
    cluster: ClusterQuestions | None = None
    """The cluster of k8s steps; None where none is configured."""

    @property
    def abilities(self) -> Abilities:
        """What the workers beside this server can carry out; they read the same settings."""
        return _abilities(self.settings, self.cluster)

    def close(self) -> None:
        """Closes the connections; a second call does nothing."""
        self.sessions.close()


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker is built from; `scratch` is the parent of the folders of its attempts."""

    address: DatabaseAddress
    objects: ObjectStore
    steps: StepExecutor
    scratch: Path
    isolation: str
    follow: Callable[[Connection, Approval], None]
    secrets: SecretSource | None
    jobs: JobPlace | None
    abilities: Abilities
    background: tuple[Loop, ...]


def database(settings: Settings) -> tuple[DatabaseAddress, AdminLogin | None]:
    """Where the database is, and its administrator if one is known; the embedded one need not run for this.

    Raises:
        AtomError: DBA009 the embedded database was never started here, DBA010 a password file others can read, DBA011
            the URL cannot be used.
    """
    if settings.database_url is not None:
        return external(settings.database_url, settings.credentials or settings.home / "credentials")
    address = embedded_address(settings.home)
    return address, admin_from_credentials(address)


def database_address(settings: Settings) -> DatabaseAddress:
    """Where the database is, for processes that have no business with its administrator.

    Raises:
        AtomError: DBA010, DBA011 as for `database`.
    """
    if settings.database_url is not None:
        return external(settings.database_url, settings.credentials or settings.home / "credentials")[0]
    return embedded_address(settings.home)


def prepare_instance(settings: Settings) -> UUID:
    """The id of the instance's first tenant; it, the issuer's key and the audit log's key exist afterwards.

    The database must be migrated. A repeat changes nothing.

    Raises:
        AtomError: DBA001 nothing answers, AUT030 and AUD715 a key file cannot be used.
    """
    issuer_of(settings)
    audit_key(settings)
    file = settings.home / "tenant"
    if not file.exists():
        replace_file(file, f"{new_id()}\n".encode())
    tenant_id = UUID(file.read_text().strip())
    opened = Sessions(database_address(settings), min_size=0, name="atomctl prepare")
    with opened as sessions, sessions.tenant(tenant_id) as conn:
        access.ensure_tenant(conn, tenant_id, FIRST_TENANT)
    return tenant_id


def build_services(settings: Settings) -> Services:
    """What the API server works with.

    Raises:
        AtomError: DBA001, DBA002, DBA003 the database cannot be served; AUT030 the issuer's key file cannot be used;
            KUB001 the settings of the cluster cannot be used.
    """
    address = database_address(settings)
    verifier = Verifier([issuer_of(settings).trusted])
    anchors = opening.audit_store(settings)
    sessions = Sessions(address, DatabaseRole.APP, max_size=_POOL, name="atomctl server")
    cluster = questions_to(open_place(settings))
    keys = audit_keys(settings)
    return Services(settings, address, sessions, object_store(settings), verifier, keys, anchors, cluster)


def worker_parts(settings: Settings) -> WorkerParts:
    """What a worker is built from.

    Raises:
        AtomError: RUN650 no sandbox works and one is required; RUN677 ATOM_STEP_ALLOW cannot be read;
            AUD715 the audit log's key cannot be used; SEC020 the settings of the secret store cannot be used; KUB001
            those of the cluster cannot.
    """
    from atomctl.audit.sequencer import Sequencer
    from atomctl.runs.isolation import policy_of
    from atomctl.runs.steps.executors import StepExecutor
    from atomctl.runs.steps.model import IsolationLevel
    from atomctl.runs.steps.probe import prepare_site

    address = database_address(settings)
    scratch = settings.home / "packages"
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    site = prepare_site(settings.home / "steps", policy_of(settings), settings.step_allow)
    secrets, secret_loops = _secrets_in_memory(settings)
    place = open_place(settings)
    jobs = open_jobs(settings, place)
    sequencer = Sequencer(address.dsn(DatabaseRole.SEQUENCER), audit_key(settings))
    return WorkerParts(
        address=address,
        objects=object_store(settings),
        steps=StepExecutor(site, place, jobs),
        scratch=scratch,
        isolation=(IsolationLevel.JOB if settings.step_runtime == "k8s" else site.isolation.level).value,
        follow=follow_approval,
        secrets=secrets,
        jobs=jobs,
        abilities=_abilities(settings, questions_to(place)),
        background=(
            sequencer.run,
            *_anchor_loops(settings, address),
            *secret_loops,
            *_backup_loops(settings),
            *_control_loops(settings),
        ),
    )


def _abilities(settings: Settings, cluster: ClusterQuestions | None) -> Abilities:
    from atomctl.runs.plan import Abilities

    return Abilities.at(cluster, None if settings.secrets == "none" else settings.secrets_mount)


def _anchor_loops(settings: Settings, address: DatabaseAddress) -> tuple[Loop, ...]:
    """The loop that carries checkpoints to the locked bucket, if one is configured."""
    from atomctl.audit.anchors import Anchorer

    store = opening.audit_store(settings)
    if store is None:
        return ()
    return (Anchorer(address.dsn(DatabaseRole.SEQUENCER), store, settings.audit_retention).run,)


def insight_loops(settings: Settings, listener: socket.socket) -> tuple[Loop, ...]:
    """What a worker does beside its work: it patrols, watches series, and shows its metrics on `listener`.

    Raises:
        AtomError: DBA001, DBA002, DBA003 the database cannot be served; AUD715 a verifier key cannot be read; INS801,
            INS830 there are watches without a Prometheus, or the file of watches cannot be used.
    """
    from atomctl.backup.figures import BackupFigures
    from atomctl.insight.figures import DatabaseFigures
    from atomctl.insight.opening import open_watchman
    from atomctl.insight.patrol import Patrol
    from atomctl.insight.vault_state import VaultState
    from atomctl.telemetry.exposition import Exposition
    from atomctl.telemetry.metrics import page_with

    address = database_address(settings)
    patrolling, reading = (
        Sessions(address, DatabaseRole.WORKER, min_size=0, max_size=2, name=f"atomctl {name}")
        for name in ("insight", "metrics")
    )
    vault = [VaultState(settings.vault_addr, settings.vault_cacert)] if settings.vault_addr else []
    page = page_with([DatabaseFigures(reading), BackupFigures(reading), *vault])

    def show(stop: threading.Event) -> None:
        with reading:
            Exposition(listener, page, settings.home, "worker").run(stop)

    watchman = open_watchman(settings, address)
    return Patrol(patrolling, audit_keys(settings)).run, show, *([watchman.run] if watchman else [])


def backups(settings: Settings, trusted: tuple[VerifierKey, ...] = ()) -> Backups:
    """What takes and restores backups; neither the database nor the store is asked anything yet.

    Args:
        settings: what this process was told.
        trusted: the keys that may have signed backups; without any, this instance's own.

    Raises:
        AtomError: AUD715 a verifier key cannot be read, BAK024 the retention cannot be read, OBJ015 a bucket was named
            without credentials.
    """
    from atomctl.backup.opening import open_backups

    keys = trusted or audit_keys(settings)
    return open_backups(settings, database_address(settings), lambda: audit_key(settings), keys)


def _backup_loops(settings: Settings) -> tuple[Loop, ...]:
    """The loop that takes backups and drills them, unless both are switched off."""
    from atomctl.backup.schedule import Schedule, timetable

    times = timetable(settings.backup_every, settings.drill_every, embedded=settings.database_url is None)
    return (Schedule(backups(settings), times).run,) if times is not None else ()


def _control_loops(settings: Settings) -> tuple[Loop, ...]:
    """The loop that has the controls checked, on the machine that has the keys for it, unless it is switched off."""
    from atomctl.controls.schedule import Rhythm, Schedule

    if not settings.controls_every or not (settings.home / "keys" / "issuer.key").exists():
        return ()
    rhythm = Rhythm(every=settings.controls_every)
    return (Schedule(database_address(settings), settings.home / "reports" / "controls", rhythm).run,)


def secret_source(settings: Settings) -> VaultSource | LocalSource | None:
    """The secret store that is configured by name; None if none is. Nothing is sent and nothing is made yet.

    Raises:
        AtomError: SEC020 the settings cannot be used, SEC002 the mount is no path.
    """
    from atomctl.secrets.local import LocalSource
    from atomctl.secrets.vault import VaultSource
    from atomctl.secrets.vault_settings import VaultSettings

    if settings.secrets == "none":
        return None
    if settings.secrets == "local":
        return LocalSource(settings.home / "secrets", settings.home / "keys" / "secrets.key", settings.secrets_mount)
    return VaultSource(
        VaultSettings(
            address=settings.vault_addr or "",
            mount=settings.secrets_mount,
            namespace=settings.vault_namespace,
            ca_file=settings.vault_cacert,
            token=settings.vault_token,
            role_id=settings.vault_role_id,
            secret_id=settings.vault_secret_id,
        )
    )


def _secrets_in_memory(settings: Settings) -> tuple[SecretSource | None, tuple[Loop, ...]]:
    """The store behind a memory that outlives its short absences, and the loops that keep both."""
    from atomctl.secrets.cache import CachedSource
    from atomctl.secrets.vault import VaultSource

    source = secret_source(settings)
    if source is None:
        return None, ()
    memory = CachedSource(source)
    return memory, (memory.keep, source.session.keep) if isinstance(source, VaultSource) else (memory.keep,)


def issuer_of(settings: Settings) -> EmbeddedIssuer:
    """The instance's own issuer of tokens, whose key is made if there is none.

    Raises:
        AtomError: AUT030 the key file cannot be used.
    """
    return EmbeddedIssuer(settings.home / "keys" / "issuer.key")


def audit_key(settings: Settings) -> FileKey:
    """The key that signs the audit log's checkpoints, made if there is none.

    Raises:
        AtomError: AUD715 the key file cannot be used.
    """
    return load_or_create_key(settings.home / "keys" / "audit.key")


def audit_keys(settings: Settings) -> tuple[VerifierKey, ...]:
    """The public halves of the keys that may have signed the audit log; none where they are kept elsewhere.

    Raises:
        AtomError: AUD715 a line of the file is no verifier key.
    """
    file = settings.home / "keys" / "audit.vkey"
    return read_vkeys(file.read_text()) if file.exists() else ()


def object_store(settings: Settings) -> ObjectStore:
    """Where packages and logs lie.

    Raises:
        AtomError: OBJ015 a bucket was named without credentials.
    """
    return opening.object_store(settings)


def follow_approval(conn: Connection, approval: Approval) -> None:
    """What the end of an approval leads to, by its subject; in the transaction that decided it."""
    from atomctl.registry import service as registry
    from atomctl.runs import service as runs

    match approval.subject_kind:
        case SubjectKind.RUN:
            runs.on_approval(conn, approval)
        case SubjectKind.OVERRIDE | SubjectKind.EXCEPTION | SubjectKind.TRUST_RULES:
            registry.on_approval(conn, approval)


@contextmanager
def control_site(settings: Settings) -> Iterator[Site]:
    """The deployment as a check of its controls reaches it; nothing of its scratch twin is left afterwards.

    Raises:
        AtomError: DBA010, DBA011 as for `database`; SEC020 the settings of the secret store cannot be used.
    """
    from atomctl.controls.site import Instance, Site
    from atomctl.controls.twin import Twin

    address = database_address(settings)
    try:
        admin = database(settings)[1]
    except AtomError:
        admin = None  # no administrator is known here: the controls that need one say so
    instance = Instance.read(settings.home)
    scratch = Path(tempfile.mkdtemp(prefix="atom-"))
    scratch.chmod(0o711)  # the twin's database runs as a user of its own, who must pass
    twin = Twin(scratch)
    try:
        yield Site(
            settings=settings,
            api_url=settings.api_url or (instance.api_url if instance else None),
            address=address,
            admin=admin,
            secrets=secret_source(settings),
            backups=lambda: backups(settings),
            twin=twin,
        )
    finally:
        twin.stop()
        shutil.rmtree(scratch, ignore_errors=True)
