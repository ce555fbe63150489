"""The use cases of signals: raise, list, acknowledge, close, label; each in the caller's transaction of one tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.model import Entry, Result
from atomctl.audit.record import record
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.insight import codes
from atomctl.insight.model import Candidate, Kind, Label, Signal, State
from atomctl.insight.rows import signal_from
from atomctl.runs.model import Run
from atomctl.telemetry import catalog, metrics

_sql: Any = queries.load(__file__)
_LONGEST_SUBJECT, _LONGEST_SUMMARY = 300, 500
_VERBS = {State.ACKNOWLEDGED: "acknowledge", State.CLOSED: "close"}


def raise_signal(conn: Connection, tenant_id: UUID, candidate: Candidate) -> Signal | None:
    """The signal as it is now; None if it rests on nothing newer than what is known already.

    The first time it is a new row and an audit entry; later it is an occurrence more, and a closed one is open again.
    """
    row = _sql.raise_signal(
        conn,
        tenant_id=tenant_id,
        id=new_id(),
        kind=candidate.kind,
        subject=candidate.subject[:_LONGEST_SUBJECT],
        detector=candidate.detector.name,
        detector_version=candidate.detector.version,
        window_start=candidate.window[0],
        window_end=candidate.window[1],
        observed=candidate.observed,
        baseline=candidate.baseline,
        score=candidate.score,
        severity=candidate.severity,
        summary=candidate.summary[:_LONGEST_SUMMARY],
        evidence=list(candidate.evidence),
        position=candidate.position,
        dedup_key=candidate.dedup_key,
    )
    if row is None:
        return None
    signal = signal_from(row)
    if row["is_new"]:
        _record(conn, signal, "raise", None)
    metrics.increment(catalog.SIGNAL_OCCURRENCES, kind=signal.kind.value, severity=signal.severity.value)
    return signal


def list_signals(
    conn: Connection,
    tenant_id: UUID,
    *,
    state: State | None = None,
    kind: Kind | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Signal]:
    """The next `limit` signals behind `after`, newest first."""
    rows = _sql.list_signals(conn, tenant_id=tenant_id, state=state, kind=kind, before=after, count=limit)
    return [signal_from(row) for row in rows]


def get(conn: Connection, tenant_id: UUID, signal_id: UUID) -> Signal:
    """One signal.

    Raises:
        AtomError: INS820 the tenant has no such signal.
    """
    return _found(_sql.signal(conn, tenant_id=tenant_id, id=signal_id), signal_id)


def signals_around(conn: Connection, run: Run, first: datetime, last: datetime, limit: int = 10) -> list[Signal]:
    """What was noticed with the run as evidence, then what was noticed on its workflow between the two times (UTC)."""
    rows = _sql.signals_around(
        conn, tenant_id=run.tenant_id, run_id=run.id, workflow=run.workflow, first=first, last=last, count=limit
    )
    return [signal_from(row) for row in rows]


def acknowledge(conn: Connection, actor: Actor, signal_id: UUID, comment: str | None = None) -> Signal:
    """The signal is in the actor's hands; a repeat by the same person changes nothing.

    Raises:
        AtomError: AUT020 the actor may not, INS820 no such signal, INS821 it is closed.
    """
    require(actor, Verb.ACKNOWLEDGE, Resource.SIGNAL)
    before = _locked(conn, actor, signal_id)
    if before.state is State.CLOSED:
        raise AtomError(codes.CLOSED, f"signal {signal_id} was closed at {before.changed_at.isoformat()}")
    if before.state is State.ACKNOWLEDGED and before.handled_by == actor.principal_id and comment is None:
        return before
    return _handle(conn, actor, signal_id, State.ACKNOWLEDGED, comment)


def close(conn: Connection, actor: Actor, signal_id: UUID, comment: str | None = None) -> Signal:
    """Nothing more is to be done about the signal; if what it noticed comes back, it opens again.

    Raises:
        AtomError: AUT020 the actor may not, INS820 no such signal.
    """
    require(actor, Verb.ACKNOWLEDGE, Resource.SIGNAL)
    before = _locked(conn, actor, signal_id)
    if before.state is State.CLOSED:
        return before
    return _handle(conn, actor, signal_id, State.CLOSED, comment)


def label(conn: Connection, actor: Actor, signal_id: UUID, given: Label, comment: str | None = None) -> Signal:
    """The signal carries this feedback instead of any before; precision is counted from it.

    Raises:
        AtomError: AUT020 the actor may not, INS820 no such signal.
    """
    require(actor, Verb.ACKNOWLEDGE, Resource.SIGNAL)
    _locked(conn, actor, signal_id)
    row = _sql.label_signal(
        conn,
        tenant_id=actor.tenant_id,
        id=signal_id,
        label=given,
        labelled_by=actor.principal_id,
        comment=comment,
    )
    signal = signal_from(row)
    _record(conn, signal, "label", actor)
    return signal


def _handle(conn: Connection, actor: Actor, signal_id: UUID, state: State, comment: str | None) -> Signal:
    row = _sql.handle_signal(
        conn,
        tenant_id=actor.tenant_id,
        id=signal_id,
        state=state,
        handled_by=actor.principal_id,
        comment=comment,
    )
    signal = signal_from(row)
    _record(conn, signal, _VERBS[state], actor)
    return signal


def _locked(conn: Connection, actor: Actor, signal_id: UUID) -> Signal:
    return _found(_sql.lock_signal(conn, tenant_id=actor.tenant_id, id=signal_id), signal_id)


def _found(row: dict[str, Any] | None, signal_id: UUID) -> Signal:
    if row is None:
        raise AtomError(codes.UNKNOWN_SIGNAL, f"no signal {signal_id}")
    return signal_from(row)


def _record(conn: Connection, signal: Signal, verb: str, actor: Actor | None) -> None:
    feedback = {} if signal.label is None else {"label": signal.label.value}
    entry = Entry(
        action=f"signal.{verb}",
        subject=f"signal/{signal.id}",
        result=Result.OK,
        actor=actor.principal_id if actor else None,
        why=signal.summary,
        detail={
            "kind": signal.kind.value,
            "about": signal.subject,
            "detector": f"{signal.detector.name}/{signal.detector.version}",
            "severity": signal.severity.value,
            "state": signal.state.value,
            **feedback,
        },
    )
    record(conn, signal.tenant_id, entry)
