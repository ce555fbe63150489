"""A local folder in the place of a locked store: it keeps objects, locks nothing, and says so."""

from __future__ import annotations

import datetime

from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.folder import FolderStore
from atomctl.objects.locking import UNLOCKED, Retention


class UnlockedFolder(FolderStore):
    """A `LockedStore` on a local disk whose every `retention` is unlocked: root can remove what it holds."""

    def put_locked(self, key: str, data: bytes, retain_until: datetime.datetime) -> None:
        """Stores `data` as `put` does. `retain_until` is not kept, which `retention` says."""
        del retain_until  # a disk keeps no promise about it
        self.put(key, data)

    def retention(self, key: str) -> Retention:
        """Always unlocked.

        Raises:
            AtomError: OBJ003 nothing is there.
        """
        if not self.exists(key):
            raise AtomError(codes.MISSING, f"nothing is stored under {key}")
        return UNLOCKED

    def hold(self, key: str) -> None:
        """Refused.

        Raises:
            AtomError: OBJ013 always: a hold that holds nothing would be a lie.
        """
        raise AtomError(codes.NOT_LOCKED, f"{key} lies in a local folder, which has no legal hold")

    def release(self, key: str) -> None:
        """Refused.

        Raises:
            AtomError: OBJ013 always.
        """
        raise AtomError(codes.NOT_LOCKED, f"{key} lies in a local folder, which has no legal hold")
