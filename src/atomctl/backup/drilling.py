"""Drills: restoring for practice, so that what a disaster would cost is measured and not hoped for."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import TypeVar

from atomctl.backup import codes
from atomctl.backup.restoring import Restorer, Trial
from atomctl.backup.shelf import Shelved
from atomctl.canonical import Json
from atomctl.db.ids import new_id
from atomctl.errors import AtomError

T = TypeVar("T")


def choose(sets: Sequence[Shelved], pick: Callable[[Sequence[Shelved]], Shelved]) -> list[Shelved]:
    """The newest set, and one of the older ones that `pick` takes; pure but for `pick`.

    Args:
        sets: the newest first.
        pick: takes one, such as `secrets.choice`.
    """
    newest, older = sets[:1], sets[1:]
    return [*newest, *([pick(older)] if older else [])]


def drill(
    restorer: Restorer, pick: Callable[[Sequence[Shelved]], Shelved], now: Callable[[], datetime.datetime]
) -> dict[str, Json]:
    """Restores the newest and one older set; the report `atom.backup-drill/v1`.

    A set that does not come back makes the drill fail and does not end it. Recovery point: how old the newest set's
    marker was when the drill began. Recovery time: from then until its database took writes; None where it did not.

    Args:
        restorer: where it is tried.
        pick: takes the older one.
        now: the time, UTC.

    Raises:
        AtomError: BAK013 there is no set; OBJ0xx the store does not answer.
    """
    started = now()
    chosen = choose(restorer.reader.shelf.shelved(), pick)
    if not chosen:
        raise AtomError(codes.NO_SET, "there is no backup to restore")
    results = [(item, _try(restorer, item)) for item in chosen]
    first = results[0][1]
    usable = round(first.usable_after, 3) if isinstance(first, Trial) else None
    sets: list[Json] = [_result(item, result) for item, result in results]
    return {
        "schema": "atom.backup-drill/v1",
        "name": str(new_id()),
        "started_at": started.isoformat(),
        "passed": all(isinstance(result, Trial) for _, result in results),
        "rpo_seconds": round(max(0.0, (started - chosen[0].statement.taken_at).total_seconds()), 3),
        "rto_seconds": usable,
        "sets": sets,
    }


def _try(restorer: Restorer, item: Shelved) -> Trial | AtomError:
    try:
        return restorer.try_out(item)
    except AtomError as error:
        return error


def _result(item: Shelved, result: Trial | AtomError) -> Json:
    statement = item.statement
    head: dict[str, Json] = {
        "set": str(statement.id),
        "kind": statement.kind.value,
        "taken_at": statement.taken_at.isoformat(),
        "passed": isinstance(result, Trial),
    }
    if isinstance(result, AtomError):
        return {**head, "code": result.code.id, "why": result.why}
    return {**head, **result.to_json(), "audit_root": statement.facts.audit.root}
