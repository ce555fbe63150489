"""The sets in the object store. A set is there when its signed statement is; the statement is stored last."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from atomctl.audit.note import VerifierKey
from atomctl.backup import codes
from atomctl.backup.document import read_signed
from atomctl.backup.model import Statement
from atomctl.backup.streams import SETS, put
from atomctl.canonical import Digest, digest
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes
from atomctl.objects.locking import LockedStore

STATEMENTS = "backups/statements"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A set whose statement was read and is trusted; `digest` is that of the signed statement."""

    statement: Statement
    digest: Digest


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A set whose statement cannot be used, and why."""

    id: UUID
    problem: AtomError


class Shelf:
    """The sets of one deployment.

    Args:
        store: where they lie.
        trusted: the keys that may have signed their statements.
    """

    def __init__(self, store: LockedStore, trusted: Sequence[VerifierKey]) -> None:
        self.store = store
        self._trusted = tuple(trusted)

    def ids(self) -> list[UUID]:
        """The complete sets, the newest first: an id begins with the time it was made.

        Raises:
            AtomError: OBJ0xx the store does not answer.
        """
        names = (key.rpartition("/")[2] for key in self.store.keys(f"{STATEMENTS}/"))
        return sorted((found for name in names if (found := _uuid(name))), reverse=True)

    def look(self) -> list[Shelved | Unreadable]:
        """Every complete set, the newest first.

        Raises:
            AtomError: OBJ0xx the store does not answer.
        """
        found: list[Shelved | Unreadable] = []
        for set_id in self.ids():
            try:
                found.append(self.read(set_id))
            except AtomError as error:
                if error.code is not codes.STATEMENT_UNTRUSTED:
                    raise
                found.append(Unreadable(set_id, error))
        return found

    def shelved(self) -> list[Shelved]:
        """The sets whose statements can be trusted, the newest first.

        Raises:
            AtomError: OBJ0xx the store does not answer.
        """
        return [item for item in self.look() if isinstance(item, Shelved)]

    def read(self, set_id: UUID) -> Shelved:
        """The set's statement.

        Raises:
            AtomError: BAK006 nobody vouches for it, BAK013 there is no such set, OBJ0xx the store does not answer.
        """
        try:
            data = self.store.get(_statement_key(set_id))
        except AtomError as error:
            if error.code is object_codes.MISSING:
                raise AtomError(codes.NO_SET, f"there is no set {set_id}") from error
            raise
        statement = read_signed(data, self._trusted)
        if statement.id != set_id:
            raise AtomError(codes.STATEMENT_UNTRUSTED, f"the statement of {set_id} is that of {statement.id}")
        return Shelved(statement, digest(data))

    def find(self, name: str | None) -> Shelved:
        """The set of that id or unambiguous end or beginning of one; without a name, the newest.

        Raises:
            AtomError: BAK006 nobody vouches for it, BAK013 there is none or more than one, OBJ0xx.
        """
        ids = self.ids()
        if name is not None:
            wanted = name.lower()
            ids = [item for item in ids if str(item).startswith(wanted) or str(item).endswith(wanted)]
            if len(ids) > 1:
                raise AtomError(codes.NO_SET, f"{name!r} means {len(ids)} sets; give more of the id")
        if not ids:
            raise AtomError(codes.NO_SET, f"there is no set {name!r}" if name else "no backup was taken yet")
        return self.read(ids[0])

    def chain(self, last: Shelved) -> list[Shelved]:
        """The sets that restore `last`: the full one first, `last` at the end, each exactly the one its child names.

        Raises:
            AtomError: BAK021 one is missing or another than it was, OBJ0xx.
        """
        chain = [last]
        while (parent := chain[0].statement.parent) is not None:
            try:
                found = self.read(parent.id)
            except AtomError as error:
                if error.code not in (codes.NO_SET, codes.STATEMENT_UNTRUSTED):
                    raise
                raise AtomError(codes.CHAIN_BROKEN, f"set {parent.id} is needed: {error.why}") from error
            if found.digest != parent.statement:
                raise AtomError(codes.CHAIN_BROKEN, f"set {parent.id} is not the one that was built on")
            chain.insert(0, found)
        return chain

    def add(self, statement: Statement, signed: bytes, retain_until: datetime.datetime | None) -> None:
        """Afterwards the set is listed.

        Raises:
            AtomError: OBJ0xx the store refuses; the set is not listed.
        """
        put(self.store, _statement_key(statement.id), signed, retain_until)

    def remove(self, set_id: UUID) -> None:
        """Afterwards the set is not listed, and what the store lets go of it is gone. May be repeated.

        Raises:
            AtomError: OBJ014 it is retained; OBJ0xx the store does not answer.
        """
        # The statement goes first: a set of which only a part is left must never be listed.
        self.store.remove(_statement_key(set_id))
        for key in list(self.store.keys(f"{SETS}/{set_id}/")):
            self.store.remove(key)

    def held(self) -> set[UUID]:
        """The sets whose statements are under legal hold.

        Raises:
            AtomError: OBJ0xx the store does not answer.
        """
        return {set_id for set_id in self.ids() if self.store.retention(_statement_key(set_id)).held}

    def unfinished(self, before: datetime.datetime) -> Iterator[UUID]:
        """Sets begun before that moment that never became complete, as those of a killed process.

        Raises:
            AtomError: OBJ0xx the store does not answer.
        """
        complete = frozenset(self.ids())
        seen: set[UUID] = set()
        for key in self.store.keys(f"{SETS}/"):
            found = _uuid(key.removeprefix(f"{SETS}/").partition("/")[0])
            if found is not None and found not in complete | seen and made_at(found) < before:
                seen.add(found)
                yield found


def made_at(identifier: UUID) -> datetime.datetime:
    """The time in a UUIDv7, UTC (RFC 9562 section 5.7: milliseconds in the first 48 bits)."""
    return datetime.datetime.fromtimestamp((identifier.int >> 80) / 1000, datetime.UTC)


def _statement_key(set_id: UUID) -> str:
    return f"{STATEMENTS}/{set_id}"


def _uuid(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if found.version == 7 else None
