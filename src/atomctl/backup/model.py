"""What a backup is: a set of sealed streams in the object store, and the statement about them."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from atomctl.backup.keys import WrappedKey
from atomctl.canonical import Digest


class Kind(enum.StrEnum):
    """How much a set holds."""

    FULL = "full"
    """Everything; restorable alone."""
    INCREMENTAL = "incremental"
    """What changed since its parent, which a restore needs too."""


class Stream(enum.StrEnum):
    """The streams of a set, each zstd-compressed and sealed by itself."""

    BASE = "base"
    """The tar that pg_basebackup sent, its manifest included."""
    WAL = "wal"
    """A tar of the write-ahead log's segments from the start of the base backup to the marker."""
    MANIFEST = "manifest"
    """The manifest alone: what the next incremental backup is compared with."""


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a stream: its key, its bytes and the digest of its sealed bytes."""

    key: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class StoredStream:
    """A stream as it lies in the store; `plain` is its size before compression, in bytes."""

    parts: tuple[Part, ...]
    plain: int

    @property
    def size(self) -> int:
        """Bytes in the store."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class Server:
    """The server a set was taken from, as far as a restore must know it.

    Attributes:
        version: as `server_version_num` counts, such as 180000.
        system_id: PostgreSQL's identifier of the cluster, which a restore keeps.
        timeline: grows with each restore.
        segment_size: bytes of a file of the write-ahead log.
        database: the one that holds ATOM's schema.
    """

    version: int
    system_id: str
    timeline: int
    segment_size: int
    database: str

    @property
    def major(self) -> int:
        """The major version."""
        return self.version // 10_000


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """The audit logs of all tenants at one moment.

    Attributes:
        logs: how many there are, the deployment's own included.
        size: entries of all logs together.
        root: digest of the canonical list of [tenant, size, root] of each log, sorted by tenant.
        deployment_size: entries of the deployment's own log, 0 without one.
        deployment_root: its Merkle root in hex; empty without one.
    """

    logs: int
    size: int
    root: Digest
    deployment_size: int
    deployment_root: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database held at the marker: exact rows of every table of schema `atom`, and the audit logs."""

    rows: Mapping[str, int]
    audit: AuditFacts


@dataclass(frozen=True, slots=True)
class Span:
    """The piece of the write-ahead log a set holds: from the start of its base backup to its marker, as LSNs."""

    start: int
    end: int
    marker: str
    """The name of the restore point at `end`."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The set an incremental one builds on, and the digest of its statement."""

    id: UUID
    statement: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is known of a complete set, before it is signed.

    Attributes:
        id: the set; a UUIDv7.
        kind: how much it holds.
        parent: what it builds on, for an incremental set.
        started_at: when taking it began, UTC.
        taken_at: the moment of the marker, to which it restores, UTC.
        server: where it was taken.
        span: the write-ahead log it holds.
        manifest: the digest of PostgreSQL's manifest.
        facts: what the database held at the marker.
        key: the set's data key, wrapped.
        streams: what lies in the store.
    """

    id: UUID
    kind: Kind
    parent: Parent | None
    started_at: datetime.datetime
    taken_at: datetime.datetime
    server: Server
    span: Span
    manifest: Digest
    facts: Facts
    key: WrappedKey
    streams: Mapping[Stream, StoredStream]

    @property
    def size(self) -> int:
        """Bytes in the store, without the statement."""
        return sum(stream.size for stream in self.streams.values())

    @property
    def name(self) -> str:
        """The id as it is shown and typed."""
        return str(self.id)
