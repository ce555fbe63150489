"""Taking a backup: from the server to the shelf, complete or not at all."""

from __future__ import annotations

import datetime
import io
import secrets
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from atomctl.audit.note import Signer
from atomctl.backup import codes, log_receiver
from atomctl.backup.base_copy import BaseCopy
from atomctl.backup.document import sign
from atomctl.backup.facts import Connection
from atomctl.backup.keys import KEY_BYTES, KeyWrapper
from atomctl.backup.log_receiver import LogReceiver
from atomctl.backup.lsn import missing_segments, segments
from atomctl.backup.manifest import Manifest, read_manifest
from atomctl.backup.marker import Marked, place_marker
from atomctl.backup.model import Parent, Server, Span, Statement, StoredStream, Stream
from atomctl.backup.plan import Plan, Wanted, make_plan
from atomctl.backup.programs import client_programs
from atomctl.backup.reading import Reader
from atomctl.backup.shelf import Shelf, Shelved
from atomctl.backup.site import Site
from atomctl.backup.streams import StreamWriter
from atomctl.canonical import digest
from atomctl.db import queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.binaries import Binaries
from atomctl.db.connections import connect
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError

LOCK = int.from_bytes(b"ATOM_BAK", "big")
"""The advisory lock of whoever takes a backup."""

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Taker:
    """All that taking a backup needs.

    Attributes:
        address: the database; the backup role logs in.
        shelf: where sets go.
        wrapper: wraps each set's data key.
        signer: opens the key that signs the statements.
        site: has the folder for the log that is received meanwhile.
        lock_for: how long a store that locks keeps what is stored; None where it is not to.
    """

    address: DatabaseAddress
    shelf: Shelf
    wrapper: KeyWrapper
    signer: Callable[[], Signer]
    site: Site
    lock_for: datetime.timedelta | None = None

    def plan(self, wanted: Wanted) -> Plan:
        """What `take` would do now; nothing is changed.

        Raises:
            AtomError: BAK010 the role may not take backups, BAK012 an incremental one is not possible, BAK019 there
                are tablespaces, DBA0xx the database or OBJ0xx the store does not answer.
        """
        with self._connect() as connection:
            server, summarizes = _server(connection)
        return make_plan(wanted, server, summarizes, self.shelf.shelved())

    def take(self, wanted: Wanted) -> Shelved:
        """Afterwards one more set is on the shelf; when it fails, none is, and what was stored is removed.

        Raises:
            AtomError: BAK001, BAK002 the backup key; BAK009 the server stopped; BAK010, BAK011, BAK012, BAK016, BAK017,
                BAK018, BAK019, BAK020; DBA0xx the database and OBJ0xx the store.
        """
        set_id = new_id()
        data_key = secrets.token_bytes(KEY_BYTES)
        wrapped = self.wrapper.wrap(data_key, set_id)
        started = datetime.datetime.now(datetime.UTC)
        retain_until = started + self.lock_for if self.lock_for else None
        with _translated(), self._connect() as session, self.site.work() as folder:
            server, summarizes = _server(session)
            plan = make_plan(wanted, server, summarizes, self.shelf.shelved())
            if not _sql.try_lock(session, key=LOCK):
                raise AtomError(codes.BUSY, "another process holds the lock of backups")
            _sql.hold_log(session, slot=f"atom_backup_{set_id.hex[-16:]}")
            with self._discarding(set_id):
                run = _Run(self, set_id, data_key, retain_until, folder, client_programs(server.major))
                copied = run.copy(plan.parent)
                statement = Statement(
                    id=set_id,
                    kind=plan.kind,
                    parent=Parent(plan.parent.statement.id, plan.parent.digest) if plan.parent else None,
                    started_at=started,
                    taken_at=copied.marked.at,
                    server=server,
                    span=Span(copied.manifest.start, copied.marked.lsn, marker_name(set_id)),
                    manifest=digest(copied.manifest_bytes),
                    facts=copied.marked.facts,
                    key=wrapped,
                    streams=run.store(copied, server),
                )
                signed = sign(statement, self.signer())
                self.shelf.add(statement, signed, retain_until)
        return Shelved(statement, digest(signed))

    def connect(self) -> Connection:
        """A connection of the backup role."""
        return self._connect()

    def _connect(self) -> Connection:
        return connect(
            self.address.dsn(DatabaseRole.BACKUP),
            application_name="atomctl backup",
            options="-c timezone=UTC -c search_path=pg_catalog -c statement_timeout=0",
        )

    @contextmanager
    def _discarding(self, set_id: UUID) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(AtomError):  # what is left is found by `Shelf.unfinished`; the first error is the one to tell
                self.shelf.remove(set_id)
            raise


@dataclass(frozen=True, slots=True)
class _Copied:
    """What came from the server: the base is stored already, the log lies in files."""

    base: StoredStream
    manifest_bytes: bytes
    manifest: Manifest
    marked: Marked
    log: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class _Run:
    """One backup in the making."""

    taker: Taker
    set_id: UUID
    data_key: bytes
    retain_until: datetime.datetime | None
    folder: Path
    programs: Binaries

    def copy(self, parent: Shelved | None) -> _Copied:
        """Base backup, marker and log."""
        dsn = self.taker.address.dsn(DatabaseRole.BACKUP)
        received = self.folder / "log"
        received.mkdir(mode=0o700)
        receiver = LogReceiver(self.programs, dsn, received)
        try:
            receiver.start()
            base_copy = BaseCopy(self.programs, dsn, self._manifest_of(parent) if parent else None)
            base = self._writer(Stream.BASE).write_all(base_copy.pieces())
            manifest = read_manifest(base_copy.manifest)
            marked = place_marker(self.taker.connect, marker_name(self.set_id))
            receiver.finish(marked.lsn)
        finally:
            receiver.stop()
        return _Copied(base, base_copy.manifest, manifest, marked, receiver.files)

    def store(self, copied: _Copied, server: Server) -> dict[Stream, StoredStream]:
        """Stores the log and the manifest beside the base."""
        wanted = segments(server.timeline, copied.manifest.start, copied.marked.lsn, server.segment_size)
        if missing := missing_segments(copied.log, wanted):
            raise AtomError(codes.WAL_INCOMPLETE, f"segment {missing[0]} was not received")
        histories = [name for name in copied.log if name.endswith(".history")]
        files = {name: copied.log[name] for name in [*histories, *wanted]}
        return {
            Stream.BASE: copied.base,
            Stream.WAL: self._writer(Stream.WAL).write_all(_tar(files)),
            Stream.MANIFEST: self._writer(Stream.MANIFEST).write_all([copied.manifest_bytes]),
        }

    def _writer(self, stream: Stream) -> StreamWriter:
        return StreamWriter(self.taker.shelf.store, self.data_key, self.set_id, stream, self.retain_until)

    def _manifest_of(self, parent: Shelved) -> Path:
        """The parent's manifest in a file, as pg_basebackup wants it."""
        file = self.folder / "parent_manifest"
        file.write_bytes(Reader(self.taker.shelf, self.taker.wrapper).manifest(parent))
        return file


def marker_name(set_id: UUID) -> str:
    """The name of the set's restore point."""
    return f"atom-backup-{set_id}"


def _server(connection: Connection) -> tuple[Server, bool]:
    """What is backed up, and whether it keeps summaries."""
    found = _sql.server_facts(connection)
    if not found["permitted"]:
        raise AtomError(codes.NOT_PERMITTED, "atom_backup lacks REPLICATION, BYPASSRLS or pg_create_restore_point")
    if found["wal_level"] == "minimal" or found["recovering"]:
        why = "the server is a standby" if found["recovering"] else "wal_level is minimal"
        raise AtomError(codes.NOT_PERMITTED, why, hint="take the backup from a primary with wal_level = replica")
    if found["tablespaces"] > 2:  # pg_default and pg_global are always there
        raise AtomError(codes.TABLESPACES, f"there are {found['tablespaces'] - 2} tablespaces beside the default")
    server = Server(found["version"], found["system_id"], found["timeline"], found["segment_size"], found["database"])
    return server, found["summarizes"]


def _tar(files: Mapping[str, Path]) -> Iterator[bytes]:
    """The files as a tar, piece by piece."""
    sink = _Sink()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = path.stat().st_size, 0o600
            with path.open("rb") as stream:
                tar.addfile(info, stream)
            yield from sink.taken()
    yield from sink.taken()


class _Sink(io.RawIOBase):
    """What was written and not taken yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> Iterable[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise log_receiver.failure("PostgreSQL", f"error: {' '.join(str(error).split())}") from error
    except OSError as error:
        code = codes.NO_ROOM if error.errno in (28, 122) else codes.FOLDER_UNUSABLE
        raise AtomError(code, f"{error.filename or 'a file of the backup'}: {error.strerror}") from error
