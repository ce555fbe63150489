"""Fetching the secrets of an attempt, just before it starts: each read is in the audit log before it is of use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from atomctl.audit.model import Entry, Result
from atomctl.audit.record import record
from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.context import WorkerContext
from atomctl.runs.model import Run
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepResult
from atomctl.secrets import codes
from atomctl.secrets.model import SecretSource, SecretValue
from atomctl.secrets.paths import Location, place_of
from atomctl.wpk.model import SecretRef


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: an attempt of a step of a run."""

    run: Run
    step: str
    attempt_id: UUID


def read_secrets(
    context: WorkerContext, reader: Reader, declared: Mapping[str, SecretRef], names: Iterable[str]
) -> dict[str, str]:
    """The values by the names that the package gives them; each path is read once.

    Every path read is recorded in the run's tenant with its version, and so is a path that could not be read; the
    value never is.

    Raises:
        AtomError: SEC001 no store is configured, SEC004 a name the package does not declare, SEC005, SEC006 nothing
            there; and as `SecretSource`. DBA001 the read could not be recorded.
    """
    wanted = sorted(names)
    if not wanted:
        return {}
    source = context.secrets
    if source is None:
        raise AtomError(codes.NOT_CONFIGURED, f"this worker has no secret store to read {', '.join(wanted)} from")
    places = {name: place_of(source.mount, reader.run.tenant_id, declared, name) for name in wanted}
    found = {place: _read(context, source, reader, place) for place in sorted(set(places.values()), key=str)}
    return {name: _field(found[place], name, declared[name]) for name, place in places.items()}


def unstarted(error: AtomError) -> StepResult:
    """The result of an attempt that got no secrets: tried again only where waiting may help."""
    now = datetime.now(UTC)
    return StepResult(
        outcome=Outcome.FAILED if error.code.retryable else Outcome.REFUSED,
        started=now,
        ended=now,
        isolation=IsolationLevel.NOT_NEEDED,
        error=error.why,
        code=error.code,
    )


def _read(context: WorkerContext, source: SecretSource, reader: Reader, place: Location) -> SecretValue:
    try:
        value = source.read(reader.run.tenant_id, str(place))
    except AtomError as error:
        _record(context, reader, place, source.name, error=error)
        raise
    _record(context, reader, place, source.name, value=value)
    return value


def _field(value: SecretValue, name: str, ref: SecretRef) -> str:
    if ref.key not in value.values:
        why = f"{name}: version {value.version} of {value.path} has no field {ref.key}"
        raise AtomError(codes.NO_FIELD, why)
    return value.values[ref.key]


def _record(
    context: WorkerContext,
    reader: Reader,
    place: Location,
    store: str,
    *,
    value: SecretValue | None = None,
    error: AtomError | None = None,
) -> None:
    detail: dict[str, Json] = {"store": store, "step": reader.step, "attempt": str(reader.attempt_id)}
    if value is not None:
        detail |= {"version": value.version, "from": "store" if value.fresh else "memory"}
    entry = Entry(
        action="secret.read",
        subject=f"secret/{place}",
        run_id=reader.run.id,
        result=Result.OK if error is None else Result.FAILED if error.code.retryable else Result.REFUSED,
        code=None if error is None else error.code.id,
        why=None if error is None else error.why,
        detail=detail,
    )

    def once() -> None:
        with context.sessions.tenant(reader.run.tenant_id) as conn:
            record(conn, reader.run.tenant_id, entry)

    context.patiently(once)
