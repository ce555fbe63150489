"""Runs that ended long ago, as rows: what a year of work leaves, without the year."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import zstandard
from psycopg.types.json import Jsonb
from tests.fakes.yard import ENVIRONMENT, Yard

from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.canonical import Json, digest, digest_json
from atomctl.db.ids import new_id
from atomctl.db.session import Connection
from atomctl.policy.assessment import assess
from atomctl.registry import service as registry
from atomctl.registry.model import PackageRecord
from atomctl.runs.attempt_log import chunk_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One run that ended; `log` in chunks as the worker stored them."""

    ended_at: datetime
    took: timedelta = timedelta(seconds=5)
    state: str = "SUCCEEDED"
    parameters: Mapping[str, Json] = field(default_factory=dict)
    log: Sequence[bytes] = ()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    error: str | None = None
    exit_code: int = 0
    dry_run: bool = False


INSERT_RUN = """
INSERT INTO atom.workflow_runs (
    tenant_id, id, package_id, workflow, version, package_digest, parameters, parameters_digest, plan_digest,
    policy_digest, state, dry_run, environment, origin, requested_by, created_at, started_at, ended_at
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'PERSON', %s, %s, %s, %s)
"""
INSERT_STEP = """
INSERT INTO atom.run_steps (
    tenant_id, run_id, phase, name, position, type, state, exit_code, outputs, error, attempts, started_at, ended_at
) VALUES (%s, %s, 'FORWARD', 'work', 1, 'shell', %s, %s, %s, %s, 1, %s, %s)
"""
INSERT_SEGMENT = """
INSERT INTO atom.run_segments (tenant_id, run_id, number, state) VALUES (%s, %s, 1, 'DONE')
"""
INSERT_ATTEMPT = """
INSERT INTO atom.step_attempts (
    tenant_id, id, run_id, phase, step, number, round, try_number, segment, token, worker_id, state, started_at,
    ended_at
) VALUES (%s, %s, %s, 'FORWARD', 'work', 1, 1, 1, 1, 1, %s, %s, %s, %s)
"""
INSERT_CHUNK = """
INSERT INTO atom.log_chunks (tenant_id, run_id, attempt_id, sequence, start_offset, length, digest)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class Archive:
    """Puts runs of one published package into a tenant's past."""

    yard: Yard
    package: PackageRecord

    def __post_init__(self) -> None:
        with self.yard.sessions.tenant(self.yard.tenant_id) as conn:
            _, package = registry.load_package(conn, self.yard.objects, self.yard.tenant_id, self.package.id)
        self._decision = assess(package, environment=ENVIRONMENT).decision.to_json()

    def add(self, *runs: Past) -> list[UUID]:
        """The ids of the runs, which are recorded; the sequencer has not seen them yet."""
        with self.yard.sessions.tenant(self.yard.tenant_id) as conn:
            return [self._add(conn, run) for run in runs]

    def end(self, run_id: UUID, state: str) -> None:
        """The run's end is in the audit inbox."""
        with self.yard.sessions.tenant(self.yard.tenant_id) as conn:
            record(conn, self.yard.tenant_id, _ended(run_id, state))

    def _add(self, conn: Connection, run: Past) -> UUID:
        tenant, run_id = self.yard.tenant_id, new_id()
        none, began = digest(b""), run.ended_at - run.took
        parameters = dict(run.parameters)
        conn.execute(
            INSERT_RUN,
            (
                *(tenant, run_id, self.package.id, self.package.name, self.package.version, self.package.digest),
                *(Jsonb(parameters), digest_json(parameters), none, digest_json(self._decision)),
                *(run.state, run.dry_run, ENVIRONMENT, self.yard.olga.principal_id, began, began, run.ended_at),
            ),
        )
        conn.execute(
            "INSERT INTO atom.run_plans (tenant_id, run_id, plan, decision) VALUES (%s, %s, %s, %s)",
            (tenant, run_id, Jsonb({}), Jsonb(self._decision)),
        )
        step = "SUCCEEDED" if run.state == "SUCCEEDED" else "FAILED"
        outputs = Jsonb(dict(run.outputs))
        conn.execute(INSERT_STEP, (tenant, run_id, step, run.exit_code, outputs, run.error, began, run.ended_at))
        if run.log:
            self._log(conn, run_id, run, step, began)
        record(conn, tenant, _ended(run_id, run.state))
        return run_id

    def _log(self, conn: Connection, run_id: UUID, run: Past, state: str, began: datetime) -> None:
        tenant, attempt, offset = self.yard.tenant_id, new_id(), 0
        conn.execute(INSERT_SEGMENT, (tenant, run_id))
        conn.execute(INSERT_ATTEMPT, (tenant, attempt, run_id, new_id(), state, began, run.ended_at))
        for sequence, chunk in enumerate(run.log, start=1):
            self.yard.objects.put(chunk_key(tenant, run_id, attempt, sequence), zstandard.compress(chunk))
            conn.execute(INSERT_CHUNK, (tenant, run_id, attempt, sequence, offset, len(chunk), digest(chunk)))
            offset += len(chunk)


def _ended(run_id: UUID, state: str) -> Entry:
    return Entry(action=f"run.{state.lower()}", subject=f"run/{run_id}")


FIRST = datetime(2026, 7, 1, 6, tzinfo=UTC)


def ordinary(count: int, *, every: timedelta = timedelta(minutes=30), seed: int = 7) -> list[Past]:
    """Runs one after another from `FIRST` on: one in ten fails, all write a few lines; the same seed, the same runs."""
    chance = random.Random(seed)
    return [_ordinary(chance, FIRST + every * number, number) for number in range(count)]


def _ordinary(chance: random.Random, ended_at: datetime, number: int) -> Past:
    fails = number % 10 == 9
    lines = [f"line {line}: node {chance.randrange(20)} answered in {chance.randrange(900)} ms" for line in range(20)]
    given: dict[str, Any] = {"service": "web", "replicas": chance.randrange(1, 9), "ticket": f"OPS-{number}"}
    return Past(
        ended_at=ended_at,
        took=timedelta(milliseconds=chance.randrange(2_000, 9_000)),
        state="FAILED" if fails else "SUCCEEDED",
        parameters=given,
        log=[("\n".join(lines) + "\n").encode()],
        error="the service did not answer" if fails else None,
        exit_code=int(fails),
    )
