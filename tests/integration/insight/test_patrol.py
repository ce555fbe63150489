"""The patrol over a real database: what it raises, once, and what it never misses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.fakes.packages import HARMLESS, harmless, new_key, signed
from tests.fakes.yard import Yard, manifest

from atomctl.access.model import Role
from atomctl.audit.log import list_entries
from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.insight import looks
from atomctl.insight import service as insight
from atomctl.insight.model import Kind, Label, Severity, Signal, State
from atomctl.insight.patrol import Patrol
from atomctl.registry import service as registry

Sequence_ = Callable[[], int]
STEP = "handlers:\n  - {name: hello, type: shell, config: {command: [echo, hello]}}"


def signals(yard: Yard, kind: Kind | None = None) -> list[Signal]:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return insight.list_signals(conn, yard.tenant_id, kind=kind)


def push_unsigned(yard: Yard, name: str = "hello") -> None:
    packed = harmless(name)
    with pytest.raises(AtomError):
        registry.push(
            yard.sessions,
            yard.objects,
            yard.anna,
            data=packed.data,
            bundles=[],
            now=datetime.now(UTC),
            environment="test",
        )


def ended(
    yard: Yard,
    states: Sequence[str],
    *,
    seconds: float = 60.0,
    workflow: str = "work",
    until: timedelta = timedelta(0),
) -> list[UUID]:
    """Runs that ended one second after the other, the last one `until` ago, written as the engine leaves them."""
    package = yard.publish(manifest(STEP, name=workflow))
    now, ids = datetime.now(UTC) - until, []
    with yard.sessions.tenant(yard.tenant_id) as conn:
        for number, state in enumerate(states):
            run, at = new_id(), now - timedelta(seconds=len(states) - 1 - number)
            ids.append(run)
            row = (yard.tenant_id, run, package.id, workflow, package.digest, package.digest, package.digest)
            tail = (package.digest, state, yard.olga.principal_id, at - timedelta(seconds=seconds), at)
            conn.execute(
                "INSERT INTO atom.workflow_runs (tenant_id, id, package_id, workflow, version, package_digest, "
                "parameters, parameters_digest, plan_digest, policy_digest, state, environment, origin, requested_by, "
                "started_at, ended_at) "
                "VALUES (%s, %s, %s, %s, '1.0.0', %s, '{}', %s, %s, %s, %s, 'test', 'PERSON', %s, %s, %s)",
                row + tail,
            )
    return ids


def test_an_unsigned_upload_becomes_a_signal_once(yard: Yard, sequence: Sequence_, patrol: Patrol) -> None:
    push_unsigned(yard)
    sequence()
    assert patrol.round() == 1
    [found] = signals(yard)
    assert (found.kind, found.severity, found.occurrences) == (Kind.UNSIGNED_UPLOAD, Severity.WARNING, 1)
    assert "TRU201" in found.summary
    assert patrol.round() == 0
    assert len(signals(yard)) == 1


def test_a_repeat_is_an_occurrence_and_opens_what_was_closed(yard: Yard, sequence: Sequence_, patrol: Patrol) -> None:
    push_unsigned(yard)
    sequence()
    patrol.round()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        insight.close(conn, yard.sara, signals(yard)[0].id, "a forgotten step")
    push_unsigned(yard)
    push_unsigned(yard)
    sequence()
    assert patrol.round() == 2
    [found] = signals(yard)
    assert (found.occurrences, found.state, found.handled_by) == (3, State.OPEN, None)


def test_an_upload_by_a_stranger_is_critical(yard: Yard, sequence: Sequence_, patrol: Patrol) -> None:
    packed = harmless("strange")
    with pytest.raises(AtomError):
        registry.push(
            yard.sessions,
            yard.objects,
            yard.anna,
            data=packed.data,
            bundles=[signed(new_key(), packed, str(yard.tenant_id))],
            now=datetime.now(UTC),
            environment="test",
        )
    sequence()
    patrol.round()
    assert [found.severity for found in signals(yard, Kind.UNSIGNED_UPLOAD)] == [Severity.CRITICAL]


def test_failures_beyond_what_is_usual_are_raised_with_their_runs(yard: Yard, patrol: Patrol) -> None:
    runs = ended(yard, ["SUCCEEDED"] * 60 + ["FAILED"] * 4)
    assert patrol.round() > 0
    [found] = signals(yard, Kind.FAILURE_RATE)
    assert found.subject == "workflow/work"
    assert set(found.evidence) <= set(runs[-4:])
    assert found.occurrences == 2, "the third failure raised it and the fourth repeated it"
    assert patrol.round() == 0, "what was seen is not raised again"


def test_runs_that_end_as_always_raise_nothing(yard: Yard, patrol: Patrol) -> None:
    ended(yard, ["SUCCEEDED"] * 40)
    assert patrol.round() == 0
    assert signals(yard) == []


def test_a_run_that_takes_far_longer_is_raised(yard: Yard, patrol: Patrol) -> None:
    ended(yard, ["SUCCEEDED"] * 20, until=timedelta(minutes=1))
    assert patrol.round() == 0
    ended(yard, ["SUCCEEDED"], seconds=7200.0, workflow="other")
    assert patrol.round() == 0, "another workflow has a past of its own"
    [run] = ended(yard, ["SUCCEEDED"], seconds=7200.0)
    assert patrol.round() == 1
    [found] = signals(yard, Kind.DURATION)
    assert found.evidence == (run,)
    assert found.observed == pytest.approx(7200.0)


def test_an_approval_nobody_decides_is_raised(
    yard: Yard, patrol: Patrol, postgres: EmbeddedPostgres, database: DatabaseAddress
) -> None:
    yard.request(yard.publish(HARMLESS.format(name="ask", version="1.0.0", description="")))
    with postgres.admin.connect(database.dbname) as conn:
        conn.execute("SET session_replication_role = replica")
        [waiting] = conn.execute(
            "UPDATE atom.approvals SET requested_at = now() - interval '5 hours' WHERE state = 'pending' RETURNING id"
        ).fetchall()
    patrol.round()
    [found] = signals(yard, Kind.APPROVAL_AGE)
    assert found.subject == f"approval/{waiting['id']}"
    assert found.observed == pytest.approx(5.0, abs=0.1)
    assert patrol.round() == 0


def test_a_log_that_was_changed_in_the_database_is_critical(
    yard: Yard, sequence: Sequence_, patrol: Patrol, postgres: EmbeddedPostgres, database: DatabaseAddress
) -> None:
    sequence()
    assert patrol.round() == 0
    with postgres.admin.connect(database.dbname) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(
            "UPDATE atom.audit_entries SET data = convert_to(replace(convert_from(data, 'UTF8'), 'ok', 'no'), 'UTF8') "
            "WHERE tenant_id = %s AND entry_index = 1",
            (yard.tenant_id,),
        )
    assert patrol.round() == 0, "verified a moment ago"
    with yard.sessions.tenant(yard.tenant_id) as conn:
        conn.execute("UPDATE atom.insight_cursors SET read_at = now() - interval '2 hours'")
    assert patrol.round() == 1
    [found] = signals(yard, Kind.AUDIT_GAP)
    assert found.severity is Severity.CRITICAL
    assert "AUD7" in found.summary


def test_a_hole_in_the_log_is_seen_as_it_is_read(
    yard: Yard, sequence: Sequence_, patrol: Patrol, postgres: EmbeddedPostgres, database: DatabaseAddress
) -> None:
    sequence()
    with postgres.admin.connect(database.dbname) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("DELETE FROM atom.audit_entries WHERE tenant_id = %s AND entry_index = 2", (yard.tenant_id,))
    patrol.round()
    assert {found.detector.name for found in signals(yard, Kind.AUDIT_GAP)} == {"audit-index", "audit-verification"}


def test_only_one_patrols_at_a_time(yard: Yard, sequence: Sequence_, patrol: Patrol, database: DatabaseAddress) -> None:
    push_unsigned(yard)
    sequence()
    with Sessions(database, DatabaseRole.WORKER, name="other") as other, other.deployment() as conn:
        assert looks_lead(conn)
        assert patrol.round() == 0
    assert patrol.round() == 1


def looks_lead(conn: psycopg.Connection[dict[str, Any]]) -> bool:
    """Takes the patrol's lock, as a patrol in another worker does."""
    return bool(looks._sql.try_lead(conn))


def test_a_look_that_fails_leaves_no_half_and_keeps_nobody_else_away(
    yard: Yard, sequence: Sequence_, worker_sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_unsigned(yard)
    sequence()

    def breaks(*_: object) -> Any:
        raise RuntimeError("an odd row")

    monkeypatch.setattr(looks, "old_approvals", breaks)
    assert Patrol(worker_sessions).round() == 1
    assert len(signals(yard)) == 1


def test_handling_a_signal_is_in_the_audit_log_and_needs_the_right(
    yard: Yard, sequence: Sequence_, patrol: Patrol
) -> None:
    push_unsigned(yard)
    sequence()
    patrol.round()
    signal = signals(yard)[0]
    with yard.sessions.tenant(yard.tenant_id) as conn:
        assert insight.acknowledge(conn, yard.olga, signal.id).handled_by == yard.olga.principal_id
        assert insight.label(conn, yard.olga, signal.id, Label.USEFUL).label is Label.USEFUL
    with yard.sessions.tenant(yard.tenant_id) as conn, pytest.raises(AtomError, match="AUT020"):
        insight.close(conn, yard.anna, signal.id)
    assert Role.OPERATOR not in yard.anna.roles
    sequence()
    with yard.sessions.tenant(yard.tenant_id) as conn:
        actions = [logged.entry["action"] for logged in list_entries(conn, yard.tenant_id, limit=5)]
    assert actions[:3] == ["signal.label", "signal.acknowledge", "signal.raise"]
    patrol.round()
    assert len(signals(yard)) == 1, "signals about signals would never end"


def test_it_stops_when_it_is_told(database: DatabaseAddress) -> None:
    stop = threading.Event()
    patrol = Patrol(Sessions(database, DatabaseRole.WORKER, min_size=0))
    thread = threading.Thread(target=patrol.run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
