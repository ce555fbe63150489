"""A real server with a log and tenants in it, and all that backs it up to a store of the test's choice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tests.servers.postgres import Server

from atomctl.audit.keys import FileKey, load_or_create_key
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.audit.sequencer import Sequencer
from atomctl.backup.keys import FileWrapper, create_key
from atomctl.backup.ledger import Ledger
from atomctl.backup.reading import Reader
from atomctl.backup.restoring import Restorer
from atomctl.backup.retention import Keep
from atomctl.backup.service import Backups
from atomctl.backup.shelf import Shelf
from atomctl.backup.site import Site
from atomctl.backup.taking import Taker
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.locking import LockedStore


@dataclass(frozen=True, slots=True)
class Yard:
    """A server, the folder of its instance, and its keys."""

    server: Server
    home: Path
    signer: FileKey

    @property
    def address(self) -> DatabaseAddress:
        return self.server.address

    @property
    def key_file(self) -> Path:
        return self.home / "keys" / "backup.key"

    def backups(self, store: LockedStore, lock_for: timedelta | None = None) -> Backups:
        """What backs the server up to `store`."""
        shelf = Shelf(store, [self.signer.vkey])
        wrapper, site = FileWrapper(self.key_file), Site(self.home)
        return Backups(
            taker=Taker(self.address, shelf, wrapper, lambda: self.signer, site, lock_for),
            restorer=Restorer(Reader(shelf, wrapper), site),
            ledger=Ledger(self.address),
            keep=Keep(),
            last_anchor=lambda: None,
        )

    def work(self, entries: int, tenant_id: UUID | None = None) -> UUID:
        """A tenant whose log has so many more entries, in the tree and signed."""
        tenant_id = tenant_id or new_id()
        with Sessions(self.address, min_size=0, name="yard") as sessions, sessions.tenant(tenant_id) as conn:
            conn.execute(
                "INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (tenant_id, str(tenant_id)),
            )
            for number in range(entries):
                record(conn, tenant_id, Entry(action="test.work", subject=f"number/{number}"))
        Sequencer(self.address.dsn(DatabaseRole.SEQUENCER), self.signer).drain_once()
        return tenant_id


def make_yard(server: Server, home: Path) -> Yard:
    """The migrated server with the keys of an instance in `home`, made if there are none."""
    signer = load_or_create_key(home / "keys" / "audit.key")
    create_key(home / "keys" / "backup.key")
    return Yard(server, home, signer)
