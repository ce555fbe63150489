"""The use cases: create, list, verify, restore, drill, and letting go what retention no longer keeps."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from atomctl.backup import codes
from atomctl.backup.drilling import drill
from atomctl.backup.ledger import Ledger
from atomctl.backup.plan import Plan, Wanted
from atomctl.backup.restoring import Restored, Restorer
from atomctl.backup.retention import Keep, Known, kept
from atomctl.backup.shelf import Shelf, Shelved, Unreadable
from atomctl.backup.taking import Taker
from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes
from atomctl.telemetry import catalog, metrics

_ABANDONED = datetime.timedelta(days=1)
"""What was begun so long ago and never finished was begun by a process that is dead."""


@dataclass(frozen=True, slots=True)
class Backups:
    """All that is done with backups of one deployment.

    Attributes:
        taker: takes them.
        restorer: brings them back.
        ledger: notes what was done.
        keep: the retention.
        last_anchor: reads the newest anchored checkpoint of the audit log; None where none is kept elsewhere.
    """

    taker: Taker
    restorer: Restorer
    ledger: Ledger
    keep: Keep
    last_anchor: Callable[[], bytes | None]

    @property
    def shelf(self) -> Shelf:
        """Where the sets lie."""
        return self.taker.shelf

    def plan(self, wanted: Wanted) -> Plan:
        """What `create` would do; nothing is changed.

        Raises:
            AtomError: as `Taker.plan`.
        """
        return self.taker.plan(wanted)

    def create(self, wanted: Wanted) -> Shelved:
        """Afterwards one more set is stored and noted. A failure is noted where the database answers.

        The first set of all makes the backup key; once there are sets, a missing key is a loss, and refused.

        Raises:
            AtomError: as `Taker.take`; BAK023 it is stored and could not be noted.
        """
        try:
            if not self.shelf.ids():
                self.taker.wrapper.prepare()
            taken = self.taker.take(wanted)
        except AtomError as error:
            metrics.increment(catalog.BACKUPS, outcome="failed")
            self._note_failure("backup.create", error)
            raise
        metrics.increment(catalog.BACKUPS, outcome="taken")
        try:
            self.ledger.note_taken(taken, self.shelf.shelved(), self.shelf.ids())
        except AtomError as error:
            raise AtomError(codes.NOT_RECORDED, f"set {taken.statement.id}: {error.why}") from error
        return taken

    def look(self) -> list[Shelved | Unreadable]:
        """The sets in the store, the newest first.

        Raises:
            AtomError: OBJ0xx the store does not answer.
        """
        return self.shelf.look()

    def verify(self, name: str | None) -> list[Shelved]:
        """Reads a set and all it builds on to the last byte; the sets that were read.

        Raises:
            AtomError: BAK013 no such set, and as `Reader.verify`.
        """
        return self.restorer.reader.verify(self.shelf.find(name))

    def note_verified(self, sets: Sequence[Shelved]) -> bool:
        """Notes when the sets were read whole; False where the database is not there, as after a disaster."""
        try:
            self.ledger.note_verified(sets)
        except AtomError:
            return False
        return True

    def restore(self, name: str | None, target: Path) -> Restored:
        """Afterwards the set is restored into `target`.

        Raises:
            AtomError: BAK013 no such set, and as `Restorer.restore`.
        """
        return self.restorer.restore(self.shelf.find(name), target, self.last_anchor())

    def drill(self) -> dict[str, Json]:
        """Restores the newest and a random older set for practice; the report, which is noted too.

        Raises:
            AtomError: BAK013 there is no set; DBA0xx, OBJ0xx database or store do not answer.
        """
        report = drill(self.restorer, secrets.choice, lambda: datetime.datetime.now(datetime.UTC))
        metrics.increment(catalog.DRILLS, outcome="passed" if report["passed"] else "failed")
        self.ledger.note_drill(report)
        return report

    def prune(self, now: datetime.datetime) -> list[UUID]:
        """Lets go what retention no longer keeps and what killed processes left; the sets that are gone.

        What the store still retains stays until a later call.

        Raises:
            AtomError: DBA0xx, OBJ0xx database or store do not answer.
        """
        sets = [item.statement for item in self.shelf.shelved()]
        known = [Known(item.id, item.taken_at, item.parent.id if item.parent else None) for item in sets]
        stays = set(kept(known, self.keep, held=self.shelf.held()))
        gone = []
        for item in known:  # the newest first, so that a set is looked at before those it builds on
            if item.id not in stays and self._let_go(item.id):
                self.ledger.note_removed(item.id)
                gone.append(item.id)
            elif item.parent is not None:
                stays.add(item.parent)
        for set_id in list(self.shelf.unfinished(now - _ABANDONED)):
            self._let_go(set_id)
        return gone

    def _let_go(self, set_id: UUID) -> bool:
        try:
            self.shelf.remove(set_id)
        except AtomError as error:
            if error.code is not object_codes.RETAINED:
                raise
            return False
        return True

    def _note_failure(self, action: str, error: AtomError) -> None:
        try:
            self.ledger.note_failed(action, error)
        except AtomError:
            return  # the database is away, which is most likely why it failed; that is what the caller is told
