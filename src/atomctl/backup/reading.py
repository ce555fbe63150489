"""Reading a set back: every byte opened and compared, on its way to a folder or to nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from atomctl.backup import codes
from atomctl.backup.contents import Contents, Destination, Nowhere, walk
from atomctl.backup.keys import KeyWrapper
from atomctl.backup.lsn import missing_segments, segments
from atomctl.backup.manifest import read_manifest, require_same
from atomctl.backup.model import Statement, Stream
from atomctl.backup.shelf import Shelf, Shelved
from atomctl.backup.streams import read_stream
from atomctl.canonical import digest
from atomctl.errors import AtomError


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads sets of a shelf with the key that wraps theirs."""

    shelf: Shelf
    wrapper: KeyWrapper

    def read(self, shelved: Shelved, base: Destination, log: Destination) -> None:
        """Writes the base and the log of one set to their destinations, whole, as statement and manifest have them.

        What was written before an error is authentic but not whole, and must not be used.

        Raises:
            AtomError: BAK001 to BAK003 the key; BAK004 changed, BAK005 missing, BAK007 other files than PostgreSQL
                listed, BAK018 the log has a gap; OBJ0xx the store does not answer.
            OSError: a destination cannot be written.
        """
        statement = shelved.statement
        data_key = self.wrapper.unwrap(statement.key, statement.id)
        found = self._walk(statement, data_key, Stream.BASE, base)
        require_manifest(statement, found)
        require_log(statement, self._walk(statement, data_key, Stream.WAL, log))
        self.manifest(shelved)

    def verify(self, shelved: Shelved) -> list[Shelved]:
        """Reads the set, and all sets it builds on, to their ends; the sets that were read.

        Raises:
            AtomError: as `read`; BAK021 a set it builds on is missing or another.
        """
        chain = self.shelf.chain(shelved)
        for item in chain:
            self.read(item, Nowhere(), Nowhere())
        return chain

    def manifest(self, shelved: Shelved) -> bytes:
        """PostgreSQL's manifest of the set, from the stream of its own.

        Raises:
            AtomError: BAK003 another key, BAK004 or BAK005 it was changed or is missing, OBJ0xx.
        """
        statement = shelved.statement
        data_key = self.wrapper.unwrap(statement.key, statement.id)
        stored = statement.streams[Stream.MANIFEST]
        data = read_stream(self.shelf.store, data_key, statement.id, Stream.MANIFEST, stored).readall()
        if digest(data) != statement.manifest:
            raise AtomError(codes.CHANGED, f"the manifest of set {statement.id} is not the one its statement names")
        return data

    def _walk(self, statement: Statement, data_key: bytes, stream: Stream, destination: Destination) -> Contents:
        stored = statement.streams[stream]
        return walk(read_stream(self.shelf.store, data_key, statement.id, stream, stored), destination)


def require_manifest(statement: Statement, found: Contents) -> None:
    """Returns when the files are those of the manifest, and the manifest that of the statement. Pure.

    Raises:
        AtomError: BAK007 they are not.
    """
    if digest(found.manifest) != statement.manifest:
        raise AtomError(codes.FILES_DIFFER, "the manifest is not the one the statement names")
    require_same(read_manifest(found.manifest), found.files)


def require_log(statement: Statement, found: Contents) -> None:
    """Returns when the log reaches from the start of the base backup to the marker. Pure.

    Raises:
        AtomError: BAK018 a segment is missing or short.
    """
    server, span = statement.server, statement.span
    wanted = segments(server.timeline, span.start, span.end, server.segment_size)
    whole = [name for name, file in found.files.items() if file.size == server.segment_size]
    if missing := missing_segments(whole, wanted):
        raise AtomError(codes.WAL_INCOMPLETE, f"segment {missing[0]} of set {statement.id} is missing or short")
