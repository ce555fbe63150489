"""Backups as the settings name them. Nothing is asked, sent or made yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from atomctl.audit.anchor import newest_of, require_signed
from atomctl.audit.note import Signer, VerifierKey
from atomctl.backup.keys import FileWrapper
from atomctl.backup.ledger import Ledger
from atomctl.backup.reading import Reader
from atomctl.backup.restoring import Restorer
from atomctl.backup.retention import parse_keep
from atomctl.backup.service import Backups
from atomctl.backup.shelf import Shelf
from atomctl.backup.site import Site
from atomctl.backup.taking import Taker
from atomctl.db.address import DatabaseAddress
from atomctl.objects import opening
from atomctl.settings import Settings


def open_backups(
    settings: Settings, address: DatabaseAddress, signer: Callable[[], Signer], trusted: Sequence[VerifierKey]
) -> Backups:
    """What takes and restores backups of the database at `address`.

    Args:
        settings: where the home and the store are, what is kept and locked.
        address: the database; it need not run to list, verify or restore.
        signer: opens the key that signs statements; only taking a backup does.
        trusted: the keys that may have signed them.

    Raises:
        AtomError: BAK024 the retention cannot be read, OBJ015 a bucket was named without credentials.
    """
    shelf = Shelf(opening.backup_store(settings), trusted)
    wrapper = FileWrapper(settings.home / "keys" / "backup.key")
    anchors = opening.audit_store(settings)
    site = Site(settings.home)

    def last_anchor() -> bytes | None:
        found = newest_of(anchors, trusted) if anchors is not None else None
        if found is None:
            return None
        require_signed(found, tuple(trusted))
        return found.note

    return Backups(
        taker=Taker(address, shelf, wrapper, signer, site, opening.backup_lock(settings)),
        restorer=Restorer(Reader(shelf, wrapper), site),
        ledger=Ledger(address),
        keep=parse_keep(settings.backup_keep),
        last_anchor=last_anchor,
    )
